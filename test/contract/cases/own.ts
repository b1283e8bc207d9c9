/** The cases that are an operation's own: its successes, and what it alone refuses. */
import { addPack } from '../../support/apps/app.ts';
import { OPERATIONS, send } from '../../support/http/openapi.ts';
import { documentOf } from '../../support/packs/pack-documents.ts';
import { refuses, succeeds, VALID, type Case, type World } from './kit.ts';

const REASON = 'Users report that answers are too blunt';

/** Makes a pack with two versions, so that a case that moves a pointer stands in nobody's way. */
export async function packOf({ app }: World, pack: string, ...active: readonly string[]): Promise<void> {
  await addPack(app, pack, '1.0.0', '2.0.0');
  for (const version of active) await app.registry.activate({ pack, version, reason: REASON });
}

/** A conditional request with what the caller was given before. */
export const again =
  (operation: string): Case['request'] =>
  async (world) => {
    const request = VALID[operation]?.(world) ?? {};
    const { headers } = await send(world.app, operation, request);
    return { ...request, headers: { 'if-none-match': String(headers['etag']) } };
  };

const READS: readonly Case[] = [
  ...Object.keys(VALID)
    .filter((operation) => OPERATIONS.get(operation)?.method === 'GET')
    .map((operation) => succeeds(operation, 200, 'a valid request', VALID[operation] ?? {})),
  ...['getActivePack', 'getSystemPrompt', 'listStyles', 'getStylePrompt'].flatMap((operation): Case[] => [
    succeeds(operation, 304, 'nothing has moved', again(operation)),
    refuses(operation, 404, 'channel-not-found', 'a channel that is not there', (world) => ({
      ...VALID[operation]?.(world),
      query: { channel: 'nightly' },
    })),
  ]),
  ...['getSystemPrompt', 'listStyles', 'getStylePrompt'].map((operation): Case => {
    const request = (world: World) => ({ ...VALID[operation]?.(world), query: { pack: 'choach' } });
    return refuses(operation, 404, 'pack-not-found', 'a pack that is not there', request);
  }),
  ...['getPack', 'listVersions', 'getVersion', 'getPolicy', 'diffVersions', 'getActivePack', 'listActivations'].map(
    (operation): Case => {
      const request = (world: World) => ({
        ...VALID[operation]?.(world),
        path: { ...VALID[operation]?.(world).path, pack: 'choach' },
      });
      return refuses(operation, 404, 'pack-not-found', 'a pack that is not there', request);
    },
  ),
  refuses('getVersion', 404, 'version-not-found', 'a version that is not there', { path: { version: '7.7.7' } }),
  refuses('diffVersions', 404, 'version-not-found', 'a version that is not there', { path: { version: '7.7.7' } }),
  refuses('diffVersions', 404, 'version-not-found', 'against one that is not there', {
    path: { version: '1.0.0' },
    query: { against: '7.7.7' },
  }),
  refuses('diffVersions', 404, 'channel-not-found', 'against the active version, with none active', async (world) => {
    await packOf(world, 'compared');
    return { path: { pack: 'compared', version: '1.0.0' } };
  }),
  ...(['getVersion', 'diffVersions'] as const).map((operation): Case => {
    const request = ({ reader }: World) => ({
      path: { pack: 'withdrawn', version: '1.0.0' },
      headers: { authorization: `Bearer ${reader}` },
    });
    return refuses(operation, 410, 'content-revoked', 'a revoked version, without audit:read', request);
  }),
  refuses('streamEvents', 404, 'pack-not-found', 'a pack that is not there', { query: { pack: 'choach' } }),
  refuses('streamEvents', 404, 'channel-not-found', 'a channel that is not there', { query: { channel: 'nightly' } }),
  refuses('streamEvents', 400, 'validation-failed', 'a Last-Event-ID that is none', {
    headers: { 'last-event-id': 'yesterday' },
  }),
  refuses('getStylePrompt', 404, 'style-not-found', 'a style that the active version lacks', {
    path: { styleId: 'direct' },
  }),
  refuses('getCoachSession', 404, 'session-not-found', 'an id that is none', { path: { sessionId: 'made-up' } }),
  refuses('getProblem', 404, 'not-found', 'a code that is none', { path: { code: 'no-such-code' } }),
];

const PUBLISHES: readonly Case[] = [
  succeeds('publishVersion', 201, 'a version that is new', {
    path: { pack: 'published' },
    body: documentOf('published', '1.0.0'),
  }),
  succeeds('publishVersion', 200, 'the same again', {
    path: { pack: 'published' },
    body: documentOf('published', '1.0.0'),
  }),
  refuses('publishVersion', 409, 'version-exists', 'another text under the same version', {
    path: { pack: 'published' },
    body: documentOf('published', '1.0.0', { system: 'Another text.' }),
  }),
];

/** The body that each of the two operations takes that move a pointer. */
const MOVES = { activateVersion: { version: '1.0.0', reason: REASON }, rollbackPack: { reason: REASON } } as const;

const MOVED: readonly Case[] = [
  ...Object.entries(MOVES).flatMap(([operation, body]): Case[] => [
    succeeds(operation, 201, 'the channel moves', async (world) => {
      await packOf(world, `moved-by-${operation.toLowerCase()}`, '1.0.0', '2.0.0');
      return { path: { pack: `moved-by-${operation.toLowerCase()}` }, body };
    }),
    refuses(operation, 404, 'pack-not-found', 'a pack that is not there', { path: { pack: 'choach' }, body }),
    refuses(operation, 404, 'channel-not-found', 'a channel that is not there', {
      body: { ...body, channel: 'nightly' },
    }),
    refuses(operation, 412, 'revision-conflict', 'If-Match names another revision', {
      body,
      headers: { 'if-match': '"1"' },
    }),
  ]),
  succeeds('activateVersion', 200, 'the version that is already active', {
    body: { version: '2.0.0', reason: REASON },
  }),
  succeeds('rollbackPack', 200, 'to what is active already', { body: { toVersion: '2.0.0', reason: REASON } }),
  refuses('activateVersion', 422, 'unknown-version', 'a version that is not registered', {
    body: { version: '7.7.7', reason: REASON },
  }),
  refuses('rollbackPack', 422, 'unknown-version', 'to a version that is not registered', {
    body: { toVersion: '7.7.7', reason: REASON },
  }),
  refuses('rollbackPack', 409, 'never-active', 'to a version that was never active', {
    body: { toVersion: '1.1.0', reason: REASON },
  }),
  refuses('rollbackPack', 409, 'not-active', 'from a version that is not active', {
    body: { fromVersion: '1.0.0', reason: REASON },
  }),
  refuses('activateVersion', 409, 'nothing-to-roll-back-to', 'a trial of the first version', async (world) => {
    await packOf(world, 'tried-first');
    return { path: { pack: 'tried-first' }, body: { version: '1.0.0', revertAfter: '1h', reason: REASON } };
  }),
  refuses('activateVersion', 409, 'already-active', 'a trial of what is active', {
    body: { version: '2.0.0', revertAfter: '1h', reason: REASON },
  }),
  refuses('activateVersion', 409, 'trial-running', 'a second trial of the same version', async (world) => {
    await packOf(world, 'tried-twice', '1.0.0');
    const trial = { pack: 'tried-twice', version: '2.0.0', revertAfter: '1h', reason: REASON };
    await world.app.registry.activate(trial);
    const { pack, ...body } = trial;
    return { path: { pack }, body };
  }),
  refuses('rollbackPack', 409, 'nothing-to-roll-back-to', 'from the bottom', async (world) => {
    await packOf(world, 'at-the-bottom', '1.0.0');
    return { path: { pack: 'at-the-bottom' }, body: { reason: REASON } };
  }),
  // A write waits up to two seconds for a store that is not itself, so one operation stands for all three.
  refuses('activateVersion', 503, 'store-busy', 'others keep winning', VALID['activateVersion'] ?? {}, 'conflict'),
  refuses(
    'activateVersion',
    503,
    'outcome-unknown',
    'the store never reports the outcome',
    VALID['activateVersion'] ?? {},
    'unknown',
  ),
];

const SESSIONS: readonly Case[] = [
  succeeds('startCoachSession', 201, 'a valid request', { body: { styleId: 'supportive' } }),
  refuses('startCoachSession', 404, 'channel-not-found', 'a channel that is not there', {
    body: { channel: 'nightly' },
  }),
  refuses('startCoachSession', 422, 'style-not-supported', 'a style that the active version lacks', {
    body: { styleId: 'direct' },
  }),
];

const ENDED: Case = refuses(
  'getCoachSession',
  410,
  'session-ended',
  'a move ended it',
  async ({ app: { registry } }) => {
    const { sessionId } = registry.startSession({ channel: 'staging' });
    const move = { channel: 'staging', reason: REASON };
    await registry.activate({ ...move, version: '1.1.0', sessions: 'end' });
    await registry.activate({ ...move, version: '2.0.0' });
    return { path: { sessionId } };
  },
);

const BELOW_THE_FLOOR = documentOf('floored', '1.0.1', { system: 'floored 1.0.0: the system prompt, once more.' });

/** What the floor and revocations refuse. */
const REFUSED: readonly Case[] = [
  refuses('publishVersion', 422, 'policy-violated', 'below the floor', {
    path: { pack: 'floored' },
    body: BELOW_THE_FLOOR,
  }),
  refuses('activateVersion', 422, 'policy-violated', 'below the floor', {
    path: { pack: 'floored' },
    body: { version: '1.0.0', reason: REASON },
  }),
  refuses('rollbackPack', 422, 'policy-violated', 'to one below the floor', {
    path: { pack: 'floored' },
    body: { toVersion: '1.0.0', reason: REASON },
  }),
  refuses('revokeVersion', 422, 'policy-violated', 'for one below the floor', {
    path: { pack: 'floored', version: '2.0.0' },
    body: { replacement: '1.0.0', reason: REASON },
  }),
  refuses('activateVersion', 409, 'version-revoked', 'a revoked version', {
    path: { pack: 'withdrawn' },
    body: { version: '1.0.0', reason: REASON },
  }),
  refuses('rollbackPack', 409, 'version-revoked', 'to a revoked version', {
    path: { pack: 'withdrawn' },
    body: { toVersion: '1.0.0', reason: REASON },
  }),
  refuses('revokeVersion', 409, 'version-revoked', 'for another replacement', {
    path: { pack: 'withdrawn', version: '1.0.0' },
    body: { replacement: '3.0.0', reason: REASON },
  }),
  refuses('revokeVersion', 409, 'version-revoked', 'for a revoked one', {
    path: { pack: 'withdrawn', version: '3.0.0' },
    body: { replacement: '1.0.0', reason: REASON },
  }),
];

const REVOCATIONS: readonly Case[] = [
  succeeds('revokeVersion', 200, 'a channel moves down its stack', async (world) => {
    await packOf(world, 'pulled', '1.0.0', '2.0.0');
    return { path: { pack: 'pulled', version: '2.0.0' }, body: { reason: REASON } };
  }),
  succeeds('revokeVersion', 200, 'the same again', {
    path: { pack: 'pulled', version: '2.0.0' },
    body: { reason: REASON },
  }),
  succeeds('revokeVersion', 200, 'a dry run', { path: { version: '2.0.0' }, body: { reason: REASON, dryRun: true } }),
  ...Object.entries(MOVES).map(([operation, body]) =>
    succeeds(operation, 200, 'a dry run', { body: { ...body, dryRun: true } }),
  ),
  refuses('revokeVersion', 404, 'pack-not-found', 'a pack that is not there', {
    path: { pack: 'choach', version: '1.0.0' },
    body: { reason: REASON },
  }),
  refuses('revokeVersion', 404, 'version-not-found', 'a version that is not there', {
    path: { version: '7.7.7' },
    body: { reason: REASON },
  }),
  refuses('revokeVersion', 422, 'unknown-version', 'for one that is not registered', {
    path: { version: '1.1.0' },
    body: { replacement: '7.7.7', reason: REASON },
  }),
  refuses('revokeVersion', 409, 'replacement-required', 'a channel has nothing to fall back to', async (world) => {
    await packOf(world, 'all-there-is', '1.0.0');
    return { path: { pack: 'all-there-is', version: '1.0.0' }, body: { reason: REASON } };
  }),
];

const KEYS: readonly Case[] = [
  succeeds('createKey', 201, 'a valid request', VALID['createKey'] ?? {}),
  refuses('createKey', 400, 'validation-failed', 'an end that has passed', {
    body: { label: 'late', scopes: ['prompts:read'], expiresAt: '2020-01-01T00:00:00Z' },
  }),
  refuses('revokeKey', 404, 'key-not-found', 'a key that is not there', {
    path: { keyId: 'nobody' },
    body: { reason: 'Left the team' },
  }),
  succeeds('revokeKey', 200, 'a valid request', async ({ app }) => {
    const { record } = await app.registry.createKey({ label: 'leaving', scopes: ['prompts:read'] });
    return { path: { keyId: record.keyId }, body: { reason: 'Left the team' } };
  }),
];

/** A key of the caller's own that has been used for another request already. */
const MISMATCHES: readonly Case[] = Object.keys(VALID)
  .filter((operation) => OPERATIONS.get(operation)?.method === 'POST' && operation !== 'startCoachSession')
  .map((operation): Case => {
    const request = async (world: World) => {
      const headers = { 'idempotency-key': `used-for-${operation}` };
      await send(world.app, 'createKey', { body: { label: 'the first', scopes: ['prompts:read'] }, headers });
      return { ...VALID[operation]?.(world), headers };
    };
    return refuses(
      operation,
      422,
      'idempotency-mismatch',
      'an Idempotency-Key that came with another request',
      request,
    );
  });

export const OWN: readonly Case[] = [
  ...READS,
  ...PUBLISHES,
  ...MOVED,
  ...SESSIONS,
  ENDED,
  ...REFUSED,
  ...REVOCATIONS,
  ...KEYS,
  ...MISMATCHES,
];
