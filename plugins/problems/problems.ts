/**
 * Every error of the API: its status, its title, and its meaning for the caller.
 *
 * The domain's codes are a full Record: a new code does not compile until it has a status. `/problems/{code}` shows this table.
 */
import type { RegistryErrorCode } from '../../registry/index.ts';

/** Codes that only HTTP has. */
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
  /** What happened, and what the caller can do about it. */
  readonly meaning: string;
}

const kind = (status: number, title: string, meaning: string): ProblemKind => Object.freeze({ status, title, meaning });

const domain = {
  'validation-failed': kind(
    400,
    'The request is not valid',
    'The body, the path, the query or a header is not as documented. `errors` says where, and what is expected. Nothing was changed.',
  ),
  'pack-not-found': kind(404, 'No such pack', 'There is no pack with this name. `knownPacks` lists all packs.'),
  'version-not-found': kind(
    404,
    'No such version',
    'The pack has no such version. `knownVersions` lists its versions.',
  ),
  'channel-not-found': kind(
    404,
    'No such channel',
    'There is no such channel, or it has no active version yet. `knownChannels` lists the channels that can be used.',
  ),
  'style-not-found': kind(
    404,
    'No such style',
    'The active version has no such style. `supportedStyles` lists its styles.',
  ),
  'session-not-found': kind(
    404,
    'No such session',
    'The session id is incomplete or altered, belongs to another registry, or has expired. Start a new session.',
  ),
  'key-not-found': kind(404, 'No such key', 'There is no key with this id. `listKeys` lists all keys.'),
  forbidden: kind(
    403,
    'The key lacks a scope',
    'The key is valid, but it does not allow this request. `requiredScopes` lists the missing scopes.',
  ),
  'policy-violated': kind(
    422,
    'The version is below the floor',
    "The version breaks the pack's policy, so it cannot be published or activated. `violations` lists every broken rule.",
  ),
  'unknown-version': kind(
    422,
    'The version is not registered',
    'A channel can only point to a registered version. `knownVersions` lists the registered versions.',
  ),
  'style-not-supported': kind(
    422,
    'The style is not supported',
    'The active version has no such style, so a session cannot start with it. `supportedStyles` lists its styles.',
  ),
  'version-exists': kind(
    409,
    'The version already exists',
    'A version never changes. Publish the change as a new version.',
  ),
  'version-revoked': kind(
    409,
    'The version is revoked',
    'A revoked version is never served again. Activate another one.',
  ),
  'replacement-required': kind(
    409,
    'A replacement is required',
    'A channel points to this version and has no other version to fall back to. Name a `replacement`; `candidates` lists the possible ones.',
  ),
  'content-revoked': kind(
    410,
    'The content is revoked',
    'Only auditors (`audit:read`) can read the texts of a revoked version.',
  ),
  'idempotency-mismatch': kind(
    422,
    'The Idempotency-Key was used for another request',
    'An earlier request used the same key with another method, path or body. Use a new key for each new request.',
  ),
  'nothing-to-roll-back-to': kind(
    409,
    'Nothing to roll back to',
    'The stack of the channel has no earlier version. Activate a version instead.',
  ),
  'never-active': kind(
    409,
    'The version was never active here',
    'A rollback returns to a version that was active in the channel before. `everActive` lists these versions. To use another one, activate it.',
  ),
  'not-active': kind(
    409,
    'Another version is active now',
    'The version in `fromVersion` is no longer active: somebody else moved the channel. Read the channel again, then decide.',
  ),
  'revision-conflict': kind(
    412,
    'If-Match does not match',
    'The channel is not at the revision in `If-Match`, or `If-Match` is not a tag of the channel; a weak tag (`W/"…"`) never matches. `currentRevision` is the revision of the channel. Read the channel again, then decide.',
  ),
  'store-unavailable': kind(
    503,
    'The store cannot be reached',
    'Nothing was sent to the store, so nothing was changed. Retry after `Retry-After`.',
  ),
  'store-busy': kind(
    503,
    'The store is busy',
    'Other requests kept changing the registry at the same time. This request changed nothing. Retry after `Retry-After`.',
  ),
  'outcome-unknown': kind(
    503,
    'The outcome is unknown',
    'The connection to the store broke during the commit, so the change was either made or not. Look for the event `eventId` in the log.',
  ),
  'revision-not-reached': kind(
    503,
    'The revision is not applied here yet',
    'This instance has not applied the requested revision (`Registry-Min-Revision`, a session, a stream) and could not catch up in time. Retry after `Retry-After`, or ask another instance.',
  ),
  'revision-unknown': kind(
    412,
    'There is no such revision',
    'The log ends before the requested revision, at `currentRevision`. The revision belongs to another registry, or to a history that a restore replaced.',
  ),
  'not-ready': kind(503, 'Not ready', 'The service has not loaded a complete snapshot yet. Retry after `Retry-After`.'),
  'rollout-not-found': kind(404, 'No such rollout', 'The pack has no rollout with this id. `listRollouts` lists them.'),
  'rollout-running': kind(
    409,
    'A rollout is running',
    'A channel has at most one rollout at a time. `rollout` names it: promote or abort it first.',
  ),
  'rollout-ended': kind(
    409,
    'The rollout has ended',
    'It was promoted or aborted, so it cannot be changed any more. Start a new rollout.',
  ),
  'already-active': kind(409, 'The version is already active', 'Everybody gets this version already.'),
  'trial-running': kind(
    409,
    'A trial is running',
    'The active version of the channel is on trial until `revertAt`. Confirm it, or roll back.',
  ),
  'no-trial': kind(404, 'No trial', 'No version is on trial in the channel, so there is nothing to confirm.'),
  'schedule-not-found': kind(
    404,
    'No such scheduled activation',
    'It was made, skipped or cancelled, or never existed. `listSchedule` lists the pending ones.',
  ),
  'schedule-full': kind(
    409,
    'Too many scheduled activations',
    'The channel has 20 pending activations. Cancel one first.',
  ),
  'older-instances': kind(
    409,
    'Instances of an older build are running',
    '`instances` run a build that does not know rollouts and would serve the stable version to everybody. Upgrade them, or send `force`.',
  ),
  'session-ended': kind(
    410,
    'The session was ended',
    'An operator ended the sessions on its version. `reason` and `revision` say why and when. Start a new session.',
  ),
} satisfies Record<RegistryErrorCode, ProblemKind>;

const http = {
  unauthenticated: kind(
    401,
    'A valid key is required',
    'Send `Authorization: Bearer prk_…` with a key that is not revoked and has not expired. The operator key is in `DATA_DIR/operator.key` on the host.',
  ),
  'not-found': kind(404, 'No such resource', 'No route has this path. /docs lists the API.'),
  'method-not-allowed': kind(
    405,
    'Method not allowed',
    'The path does not support this method. `Allow` lists the supported methods.',
  ),
  'request-timeout': kind(
    408,
    'The request took too long',
    'The complete request did not arrive in time. Send it again.',
  ),
  'payload-too-large': kind(
    413,
    'The body is too large',
    'The body is larger than the limit of this service (`BODY_LIMIT`).',
  ),
  'uri-too-long': kind(414, 'The URL is too long', 'A path segment is longer than any valid name.'),
  'unsupported-media-type': kind(
    415,
    'Unsupported media type',
    'The body must be JSON: send `Content-Type: application/json`, in UTF-8 and not compressed.',
  ),
  'header-too-large': kind(
    431,
    'The headers are too large',
    'The request headers are larger than this service accepts.',
  ),
  'rate-limited': kind(
    429,
    'Too many requests',
    'The key (or, without a key, the IP address) has reached its request limit. Retry after `Retry-After`.',
  ),
  overloaded: kind(503, 'Overloaded', 'The service has too much work at the moment. Retry after `Retry-After`.'),
  internal: kind(
    500,
    'Internal error',
    'The service has a fault. Its log has the details under the request id in `requestId`.',
  ),
} satisfies Record<HttpErrorCode, ProblemKind>;

/** All problems by code. */
export const PROBLEMS: Readonly<Record<ProblemCode, ProblemKind>> = Object.freeze({ ...domain, ...http });

/** Whether a text is a problem code. */
export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(PROBLEMS, text);
}
