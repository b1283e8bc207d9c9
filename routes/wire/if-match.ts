/**
 * `If-Match`: a move is refused if the channel has moved since the caller looked (SPEC R5).
 *
 * Rule: tags compare strongly (RFC 9110 section 13.1.1). Both the ETag of `getActivePack` and `"<revision>"` match.
 */
import type { FastifyRequest } from 'fastify';
import { invalidInput, type ActivePack, type Precondition, type Rollout } from '../../registry/index.ts';
import { isTagList, tagsIn } from './entity-tags.ts';
import { prepare } from './prepared.ts';

/**
 * What `If-Match` demands of the channel when the move is decided; undefined without the header.
 *
 * A restored database may use a revision again for another event. A caller that sends `Registry-Epoch` is safe: a revision from an
 * earlier history matches only if both histories share it. On an instance with a forced version, the ETag of the version it serves
 * matches too, if its revision is the channel's.
 *
 * @throws RegistryError `validation-failed` for a header that is neither `*` nor a list of entity tags
 */
export function preconditionOf({ headers, snapshot }: FastifyRequest): Precondition | undefined {
  const header = headers['if-match'];
  if (header === undefined) return undefined;
  if (header.trim() === '*') return (view) => view !== undefined;
  const tags = tagsOf(header, 'getActivePack');
  const seenIn = Number(headers['registry-epoch'] ?? Infinity);
  return (view, { epoch, epochStart }) => {
    if (view === undefined) return false;
    const { activePack } = view;
    const served = snapshot.views.get(activePack.pack)?.get(activePack.channel)?.activePack;
    const candidate = view.rollout?.candidate.activePack;
    if (candidate !== undefined && tags.includes(prepare(candidate).etag)) return true; // the other arm, while it is rolled out
    const shared = seenIn >= epoch || activePack.revision < epochStart;
    if (tags.some((tag) => isEtagOf(tag, activePack, served) || (shared && tag === `"${activePack.revision}"`)))
      return true;
    return shared ? mismatchReason(tags, activePack.revision, 'getActivePack') : false;
  };
}

/**
 * What `If-Match` demands of a rollout when it is changed: the ETag of `getRollout`, or `"<revision>"`; undefined without the header.
 * @param bodyOf the body that `getRollout` sends
 * @throws RegistryError `validation-failed` for a header that is neither `*` nor a list of entity tags
 */
export function rolloutPreconditionOf(
  { headers }: FastifyRequest,
  bodyOf: (rollout: Rollout) => { readonly revision: number },
): ((rollout: Rollout) => boolean | string) | undefined {
  const header = headers['if-match'];
  if (header === undefined) return undefined;
  if (header.trim() === '*') return () => true;
  const tags = tagsOf(header, 'getRollout');
  return (rollout) => {
    const { etag } = prepare(bodyOf(rollout));
    if (tags.some((tag) => tag === etag || tag === `"${rollout.revision}"`)) return true;
    return mismatchReason(tags, rollout.revision, 'getRollout');
  };
}

function isEtagOf(tag: string, active: ActivePack, served: ActivePack | undefined): boolean {
  if (tag === prepare(active).etag) return true;
  return served?.revision === active.revision && tag === prepare(served).etag;
}

/** The operation whose ETag is the right one. */
type TaggedBy = 'getActivePack' | 'getRollout';

/**
 * Why no tag can match, even if nothing has changed; false if a tag is valid and something has changed. The reason does not repeat the
 * header, which may hold a secret.
 */
function mismatchReason(tags: readonly string[], revision: number, operation: TaggedBy): false | string {
  const send = `Send the ETag of ${operation}, or "${revision}".`;
  const strong = tags.filter((tag) => !tag.startsWith('W/'));
  if (strong.length === 0)
    return `If-Match compares strongly (RFC 9110 section 13.1.1), so a weak tag (W/"…") never matches; proxies that compress responses make tags weak. ${send}`;
  if (strong.some((tag) => tag.startsWith(`"${revision}.`)))
    return `The ETag has this revision, but belongs to another resource. ${send}`;
  if (!strong.some((tag) => /^"\d+(?:\.[0-9a-f]{8})?"$/u.test(tag)))
    return `If-Match has no ETag of this registry. ${send}`;
  return false;
}

function tagsOf(header: string, operation: TaggedBy): string[] {
  if (isTagList(header)) return tagsIn(header);
  const detail = `Send the ETag of ${operation} unchanged, with its quotes; or the revision in quotes, e.g. "7"; or *.`;
  throw invalidInput('If-Match is not valid: it must be a list of entity tags, or *.', [
    { parameter: 'if-match', detail },
  ]);
}
