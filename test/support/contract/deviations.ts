/**
 * Ways to deviate that take more than one edit: what a fork or a mock gets wrong although each of its answers, looked at alone, is as declared.
 *
 * Example: `proxy.plant({ operation: 'rollbackPack', what: 'a rollback that goes forward again', plant: forwardAgain() })`.
 */
import { createHash } from 'node:crypto';
import { canonical } from '../../../clients/contract/src/canonical.ts';
import {
  asked,
  edited,
  instead,
  type Body,
  type Plant,
  type ProxiedAnswer,
  type ProxiedRequest,
} from './deviating-proxy.ts';

/** A member that is a list. */
export const list = (body: Body, name: string) => body[name] as Body[];
/** A request that goes somewhere else, or asks for something else, than was said. */
export const url = (from: RegExp, to: string): Plant =>
  asked((request) => ({ ...request, url: request.url.replace(from, to) }));
export const NOBODY = { keyId: 'nobody000000', label: 'Nobody' };
/** A page without its first entry. */
export const shorter = (name: string): Plant =>
  edited(
    (body) => list(body, name).shift(),
    ({ status }, { url }) => status === 200 && url.includes('cursor='),
  );
/** A header of requests that is not heeded. */
export const unheeded = (name: string): Plant =>
  asked(({ headers: { [name]: _, ...headers }, ...request }) => ({ ...request, headers }));

/** Channels are not told apart. */
export const anyChannel: Plant = asked((request) => ({
  ...request,
  url: request.url.replace(/&?channel=(production|staging)/u, ''),
}));

/** One channel moves, and the other one with it. */
export const bothMove: Plant = {
  answer: async (request, forward) => {
    const answer = await forward(request);
    const { pack, version } = (answer.status === 201 ? JSON.parse(answer.body) : {}) as Body;
    const { authorization } = request.headers;
    if (version !== undefined)
      await forward({
        method: 'POST',
        url: `/v1/packs/${String(pack)}/activations`,
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ version, channel: 'staging', reason: 'With the other' }),
      });
    return answer;
  },
};

/** `Idempotency-Key` is one for all callers. */
export function keysOfAll(): Plant {
  const kept = new Map<string, { readonly answer: ProxiedAnswer; readonly caller: string | undefined }>();
  return {
    answer: async (request, forward) => {
      const key = String(request.headers['idempotency-key'] ?? '').replaceAll('"', '');
      const known = key === '' ? undefined : kept.get(key);
      if (known !== undefined && known.caller !== request.headers.authorization)
        return {
          ...known.answer,
          headers: {
            ...known.answer.headers,
            'idempotency-replayed': 'true',
            'registry-revision': request.headers['registry-min-revision'],
          },
        };
      const answer = await forward(request);
      if (answer.status < 300) kept.set(key, { answer, caller: request.headers.authorization });
      return answer;
    },
  };
}

/** `If-Match` is looked at before `Idempotency-Key`, so that a move whose answer was lost cannot be asked for again. */
export const guardFirst = instead(201, ({ headers: { 'idempotency-key': key, ...headers }, ...request }, answer) =>
  key !== undefined && headers['if-match'] !== undefined && answer.headers['idempotency-replayed'] !== undefined
    ? { ...request, headers }
    : undefined,
);

/** The version that is there is told, as if it was what was sent. */
export function othersTaken(which: (sent: Body, kept: Body) => boolean = () => true): Plant {
  const kept = new Map<unknown, { readonly sent: Body; readonly answer: ProxiedAnswer }>();
  return {
    answer: async (request, forward) => {
      const answer = await forward(request);
      const body = (answer.status === 201 || answer.status === 409 ? JSON.parse(request.body) : {}) as Body;
      if (answer.status === 201) kept.set(body['version'], { sent: body, answer });
      const known = kept.get(body['version']);
      return answer.status === 409 && known !== undefined && which(body, known.sent)
        ? { ...known.answer, status: 200 }
        : answer;
    },
  };
}

/** A second rollback goes back to where the first one came from. */
export function forwardAgain(): Plant {
  let from: string | undefined;
  return {
    answer: async (request, forward) => {
      const { toVersion, dryRun } = bodyOf(request);
      const answer = await forward(
        toVersion === undefined && dryRun === undefined && from !== undefined
          ? { ...request, body: JSON.stringify({ ...bodyOf(request), toVersion: from }) }
          : request,
      );
      if (answer.status === 201)
        from = from === undefined ? String((JSON.parse(answer.body) as Body)['previousVersion']) : undefined;
      return answer;
    },
  };
}

function bodyOf({ body }: ProxiedRequest): Body {
  try {
    return JSON.parse(body) as Body;
  } catch {
    return {};
  }
}

/** A member that is always as it was first. */
export function firstOf(name: string): Plant {
  let first: unknown;
  return edited((body) => (body[name] = first ??= body[name]));
}

/** SHA-256 of JSON as some write it: all but ASCII escaped. */
export const escapedHash = (event: Body) =>
  createHash('sha256')
    .update(
      canonical(event).replaceAll(/[^\x20-\x7e]/gu, (text) =>
        Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
          '',
        ),
      ),
    )
    .digest('hex');

/** A validator other than the server's, and correctly compared. @param of makes it from a whole answer */
export function tagged(of: (body: Body, answer: ProxiedAnswer) => unknown): Plant {
  return {
    answer: async ({ headers: { 'if-none-match': known, ...headers }, ...request }, forward) => {
      const answer = await forward({ ...request, headers });
      if (answer.status !== 200) return answer;
      const etag = `"${String(of(JSON.parse(answer.body) as Body, answer))}"`;
      const isKnown = (known ?? '').split(',').some((each) => ['*', etag, `W/${etag}`].includes(each.trim()));
      return { ...answer, headers: { ...answer.headers, etag }, ...(isKnown && { status: 304, body: '' }) };
    },
  };
}

/** An ETag that is the same again after a rollback. */
export const tagOfDigest = tagged(({ digest }) => digest);

/** An ETag that is another with every event, whatever it is about. */
export const tagOfLog = tagged((_, { headers }) => headers['registry-revision']);
