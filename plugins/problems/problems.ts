/**
 * Every error the API can give: its status, its title, and what it means to whoever gets it.
 *
 * The domain's codes are a full Record, so a new code does not compile without a status. `/problems/{code}` shows this table.
 */
import type { RegistryErrorCode } from '../../registry/index.ts';

/** Codes that only the HTTP side knows. */
export type HttpErrorCode =
  | 'unauthenticated'
  | 'not-found'
  | 'method-not-allowed'
  | 'request-timeout'
  | 'payload-too-large'
  | 'uri-too-long'
  | 'unsupported-media-type'
  | 'header-too-large'
  | 'rate-limited'
  | 'overloaded'
  | 'internal';

export type ProblemCode = RegistryErrorCode | HttpErrorCode;

export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** What happened, and what to do about it. */
  readonly meaning: string;
}

const kind = (status: number, title: string, meaning: string): ProblemKind => Object.freeze({ status, title, meaning });

const domain = {
  'validation-failed': kind(
    400,
    'The request breaks its schema',
    'The body, the path, the query or a header is not as documented. `errors` says where and what would be right. Nothing was changed.',
  ),
  'pack-not-found': kind(404, 'No such pack', 'No pack has that name. `knownPacks` lists the packs there are.'),
  'version-not-found': kind(
    404,
    'No such version',
    'The pack has no such version. `knownVersions` lists the versions there are.',
  ),
  'channel-not-found': kind(
    404,
    'No such channel',
    'There is no such channel, or nothing is active in it yet. `knownChannels` lists those that would do.',
  ),
  'style-not-found': kind(
    404,
    'No such style',
    'The active version has no such style. `supportedStyles` lists the styles it has.',
  ),
  'session-not-found': kind(
    404,
    'No such session',
    'The session id was cut or changed, belongs to another registry, or has expired. Start a new session.',
  ),
  'key-not-found': kind(404, 'No such key', 'There is no key with that id. `listKeys` lists the keys there are.'),
  forbidden: kind(
    403,
    'The key lacks a scope',
    'The key is good, but does not allow this. `requiredScopes` names what is missing.',
  ),
  'policy-violated': kind(
    422,
    'The version is under the floor',
    "The version breaks the pack's policy, so it can be neither published nor activated. `violations` lists each broken rule.",
  ),
  'unknown-version': kind(
    422,
    'The version is not registered',
    'A channel can only point at a registered version. `knownVersions` lists the versions there are.',
  ),
  'style-not-supported': kind(
    422,
    'The style is not supported',
    'The active version has no such style, so no session can start with it. `supportedStyles` lists the styles it has.',
  ),
  'version-exists': kind(
    409,
    'The version exists already',
    'A version never changes. Publish the change under a new version.',
  ),
  'version-revoked': kind(
    409,
    'The version is revoked',
    'A revoked version is never served again. Activate another one.',
  ),
  'replacement-required': kind(
    409,
    'A replacement is required',
    'A channel points at the version and has nothing to fall back to. Name a `replacement`; `candidates` lists versions that would do.',
  ),
  'content-revoked': kind(
    410,
    'The content is revoked',
    'The texts of a revoked version are for auditors only (`audit:read`).',
  ),
  'idempotency-mismatch': kind(
    422,
    'The Idempotency-Key was used for another request',
    'The same key came with another method, path or body before. Use a new key for a new request.',
  ),
  'nothing-to-roll-back-to': kind(
    409,
    'Nothing to roll back to',
    'The channel has no earlier version left on its stack. Activate a version instead.',
  ),
  'never-active': kind(
    409,
    'The version was never active here',
    'A rollback leads back to a version that was active in the channel before. `everActive` lists those. Activate the version instead.',
  ),
  'not-active': kind(
    409,
    'Another version is active by now',
    'The version named in `fromVersion` is not the active one any more; somebody else moved the channel. Look again, then decide.',
  ),
  'revision-conflict': kind(
    412,
    'If-Match does not match',
    'The channel is not at the revision that `If-Match` names, or `If-Match` names no state of the channel: a weak tag (`W/"…"`) never matches. `currentRevision` says where the channel is. Read again, then decide.',
  ),
  'store-unavailable': kind(
    503,
    'The store cannot be reached',
    'Nothing was sent to the store and nothing was changed. Try again after `Retry-After`.',
  ),
  'store-busy': kind(
    503,
    'The store is busy',
    'Others kept changing the registry. Nothing was changed. Try again after `Retry-After`.',
  ),
  'outcome-unknown': kind(
    503,
    'The outcome is unknown',
    'The store went away around the commit, so the change may have been made or not. `eventId` names the event to look for.',
  ),
  'revision-not-reached': kind(
    503,
    'The revision is not here yet',
    'This instance has not applied the revision that was asked for (`Registry-Min-Revision`, a session, a stream) and could not catch up in time. Try again after `Retry-After`, or ask another instance.',
  ),
  'revision-unknown': kind(
    412,
    'There is no such revision',
    'The log ends before the revision that was asked for; `currentRevision` says where. It is of another registry, or of a history that was restored over.',
  ),
  'not-ready': kind(
    503,
    'Not ready',
    'The service has no whole snapshot to answer from yet. Try again after `Retry-After`.',
  ),
} satisfies Record<RegistryErrorCode, ProblemKind>;

const http = {
  unauthenticated: kind(
    401,
    'A key is needed',
    'Send `Authorization: Bearer prk_…` with a key that is neither revoked nor expired. The operator key is in `DATA_DIR/operator.key` on the host.',
  ),
  'not-found': kind(404, 'No such resource', 'No route has that path. The API is listed at /docs.'),
  'method-not-allowed': kind(
    405,
    'Method not allowed',
    'The path exists, but not with that method. `Allow` lists the methods it has.',
  ),
  'request-timeout': kind(408, 'The request took too long', 'The request did not arrive in time. Send it again.'),
  'payload-too-large': kind(413, 'The body is too large', 'The body is larger than the service takes (`BODY_LIMIT`).'),
  'uri-too-long': kind(414, 'The address is too long', 'A part of the path is longer than any name here.'),
  'unsupported-media-type': kind(
    415,
    'Unsupported media type',
    'Bodies are JSON: send `Content-Type: application/json`, in UTF-8 and not compressed.',
  ),
  'header-too-large': kind(431, 'The headers are too large', 'The request headers are larger than the service takes.'),
  'rate-limited': kind(
    429,
    'Too many requests',
    'The key (or the address, without one) has used up its share of requests for the moment. Try again after `Retry-After`.',
  ),
  overloaded: kind(503, 'Overloaded', 'The service is shedding load. Try again after `Retry-After`.'),
  internal: kind(
    500,
    'Internal error',
    'A fault in the service. It is in the log under the request id that `requestId` gives.',
  ),
} satisfies Record<HttpErrorCode, ProblemKind>;

/** All of them, by code. */
export const PROBLEMS: Readonly<Record<ProblemCode, ProblemKind>> = Object.freeze({ ...domain, ...http });

/** Whether a text is one of the codes. */
export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(PROBLEMS, text);
}
