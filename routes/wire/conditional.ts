/**
 * Answers that hang on a pointer alone: their bytes and ETag are made once, when the pointer moves, not per request.
 *
 * Rule (RFC 9110 section 13): `If-None-Match` takes a list or `*` and compares weakly; `If-Match` compares strongly. The ETag is
 * `"<revision>.<8 hex of the body's hash>"`, so that it differs after a rollback although the content is the same (SPEC R4).
 */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerOrigin } from '../../plugins/answer-origin.ts';
import { invalidInput, type ChannelView, type Precondition } from '../../registry/index.ts';

interface Prepared {
  readonly body: Buffer;
  readonly etag: string;
}

const prepared = new WeakMap<object, Prepared>();

/** The bytes and ETag of an answer of a view; made at the first call for it. */
export function prepare(answer: { readonly revision: number }): Prepared {
  let bytes = prepared.get(answer);
  if (bytes === undefined) {
    const body = Buffer.from(JSON.stringify(answer));
    bytes = { body, etag: `"${answer.revision}.${createHash('sha256').update(body).digest('hex').slice(0, 8)}"` };
    prepared.set(answer, bytes);
  }
  return bytes;
}

/** Makes all bytes of a view ahead of the first reader. */
export function prepareView({ activePack, systemPrompt, styleList, stylePrompts }: ChannelView): void {
  for (const answer of [activePack, systemPrompt, styleList, ...stylePrompts.values()]) prepare(answer);
}

/** Answers 200 with the prepared bytes, or 304 where the caller has them. */
export function sendPrepared(request: FastifyRequest, reply: FastifyReply, answer: AnswerOrigin): FastifyReply {
  const { body, etag } = prepare(answer);
  request.origin = answer;
  void reply.header('etag', etag);
  const known = request.headers['if-none-match'];
  if (known !== undefined && (known === etag || matchesWeakly(known, etag))) return reply.code(304).send();
  return reply.header('content-type', 'application/json; charset=utf-8').send(body);
}

function matchesWeakly(header: string, etag: string): boolean {
  return header.trim() === '*' || listOf(header).some((tag) => tag.replace(/^W\//u, '') === etag);
}

/**
 * What `If-Match` demands of the channel when the move is decided; undefined where the header is not sent (SPEC R5). After a restore a
 * revision may be given out again for another event: with `Registry-Epoch`, one that was seen in an earlier history and is not common to
 * both does not match. An instance that serves a pinned version also takes the ETag of that answer, which is of the same revision.
 *
 * @throws RegistryError `validation-failed` for a header that is neither `*` nor a list of entity tags
 */
export function preconditionOf({ headers, snapshot }: FastifyRequest): Precondition | undefined {
  const header = headers['if-match'];
  if (header === undefined) return undefined;
  if (header.trim() === '*') return (view) => view !== undefined;
  const tags = tagsOf(header);
  const seenIn = Number(headers['registry-epoch'] ?? Infinity);
  return (view, { epoch, epochStart }) => {
    if (view === undefined) return false;
    const { pack, channel, revision } = view.activePack;
    const common = seenIn >= epoch || revision < epochStart;
    const served = snapshot.views.get(pack)?.get(channel)?.activePack;
    if (
      tags.some(
        (tag) =>
          (common && tag === `"${revision}"`) ||
          tag === prepare(view.activePack).etag ||
          (served?.revision === revision && tag === prepare(served).etag),
      )
    )
      return true;
    return common ? whyNone(tags, revision) : false;
  };
}

/** Why none of the tags matches although the channel has not moved; false if it has, as far as one can tell. What came is not repeated: it may be a secret. */
function whyNone(tags: readonly string[], revision: number): false | string {
  const send = `Send the ETag of getActivePack, or "${revision}".`;
  const strong = tags.filter((tag) => !tag.startsWith('W/'));
  if (strong.length === 0)
    return `If-Match compares strongly (RFC 9110 section 13.1.1), so a weak tag (W/"…") never matches; proxies that compress answers make tags weak. ${send}`;
  if (strong.some((tag) => tag.startsWith(`"${revision}.`)))
    return `The ETag is of this revision, but of another resource. ${send}`;
  if (!strong.some((tag) => /^"\d+(?:\.[0-9a-f]{8})?"$/u.test(tag)))
    return `What If-Match holds is not an ETag of this registry. ${send}`;
  return false;
}

/** The entity tags of `If-Match` (RFC 9110 section 8.8.3). @throws RegistryError `validation-failed` for anything else */
function tagsOf(header: string): string[] {
  const tags = listOf(header);
  if (
    tags.length > 0 &&
    header
      .replaceAll(TAG, 'tag')
      .split(',')
      .every((part) => ['', 'tag'].includes(part.trim()))
  )
    return tags;
  const detail = `Send the ETag of getActivePack as it came, with its quotes; or the revision in quotes, e.g. "7"; or *.`;
  throw invalidInput('If-Match is not valid: it must be a list of entity tags, or *.', [
    { parameter: 'if-match', detail },
  ]);
}

const TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/gu;

/** The entity tags of a list; anything else is left out, and so never matches. */
function listOf(header: string): string[] {
  return header.match(TAG) ?? [];
}
