/** The cases that are an operation's own: its successes, and what it alone refuses. */
import { addPack } from '../../support/apps/app.ts';
import { OPERATIONS, send } from '../../support/http/openapi.ts';
import { documentOf } from '../../support/packs/pack-documents.ts';
import { VALID, type Case, type World } from './kit.ts';

const REASON = 'Users report that answers are too blunt';

/** Makes a pack with two versions, so that a case that moves a pointer stands in nobody's way. */
async function packOf({ app }: World, pack: string, ...active: readonly string[]): Promise<void> {
  await addPack(app, pack, '1.0.0', '2.0.0');
  for (const version of active) await app.registry.activate({ pack, version, reason: REASON });
}

/** A conditional request with what the caller was given before. */
const again =
  (operation: string): Case['request'] =>
  async (world) => {
    const request = VALID[operation]?.(world) ?? {};
    const { headers } = await send(world.app, operation, request);
    return { ...request, headers: { 'if-none-match': String(headers['etag']) } };
  };

const READS: readonly Case[] = [
  ...Object.keys(VALID)
    .filter((operation) => OPERATIONS.get(operation)?.method === 'GET')
    .map((operation): Case => ({ operation, status: 200, name: 'a valid request', request: VALID[operation] ?? {} })),
  ...['getActivePack', 'getSystemPrompt', 'listStyles', 'getStylePrompt'].flatMap((operation): Case[] => [
    { operation, status: 304, name: 'nothing has moved', request: again(operation) },
    {
      operation,
      status: 404,
      code: 'channel-not-found',
      name: 'a channel that is not there',
      request: (world) => ({ ...VALID[operation]?.(world), query: { channel: 'nightly' } }),
    },
  ]),
  ...['getSystemPrompt', 'listStyles', 'getStylePrompt'].map((operation): Case => {
    const request = (world: World) => ({ ...VALID[operation]?.(world), query: { pack: 'choach' } });
    return { operation, status: 404, code: 'pack-not-found', name: 'a pack that is not there', request };
  }),
  ...['getPack', 'listVersions', 'getVersion', 'getPolicy', 'diffVersions', 'getActivePack', 'listActivations'].map(
    (operation): Case => {
      const request = (world: World) => ({
        ...VALID[operation]?.(world),
        path: { ...VALID[operation]?.(world).path, pack: 'choach' },
      });
      return { operation, status: 404, code: 'pack-not-found', name: 'a pack that is not there', request };
    },
  ),
  {
    operation: 'getVersion',
    status: 404,
    code: 'version-not-found',
    name: 'a version that is not there',
    request: { path: { version: '7.7.7' } },
  },
  {
    operation: 'diffVersions',
    status: 404,
    code: 'version-not-found',
    name: 'a version that is not there',
    request: { path: { version: '7.7.7' } },
  },
  {
    operation: 'diffVersions',
    status: 404,
    code: 'version-not-found',
    name: 'against one that is not there',
    request: { path: { version: '1.0.0' }, query: { against: '7.7.7' } },
  },
  {
    operation: 'diffVersions',
    status: 404,
    code: 'channel-not-found',
    name: 'against the active version, with none active',
    request: async (world) => {
      await packOf(world, 'compared');
      return { path: { pack: 'compared', version: '1.0.0' } };
    },
  },
  ...(['getVersion', 'diffVersions'] as const).map((operation): Case => {
    const request = ({ reader }: World) => ({
      path: { pack: 'withdrawn', version: '1.0.0' },
      headers: { authorization: `Bearer ${reader}` },
    });
    return { operation, status: 410, code: 'content-revoked', name: 'a revoked version, without audit:read', request };
  }),
  {
    operation: 'streamEvents',
    status: 404,
    code: 'pack-not-found',
    name: 'a pack that is not there',
    request: { query: { pack: 'choach' } },
  },
  {
    operation: 'streamEvents',
    status: 404,
    code: 'channel-not-found',
    name: 'a channel that is not there',
    request: { query: { channel: 'nightly' } },
  },
  {
    operation: 'streamEvents',
    status: 400,
    code: 'validation-failed',
    name: 'a Last-Event-ID that is none',
    request: { headers: { 'last-event-id': 'yesterday' } },
  },
  {
    operation: 'getStylePrompt',
    status: 404,
    code: 'style-not-found',
    name: 'a style that the active version lacks',
    request: { path: { styleId: 'direct' } },
  },
  {
    operation: 'getCoachSession',
    status: 404,
    code: 'session-not-found',
    name: 'an id that is none',
    request: { path: { sessionId: 'made-up' } },
  },
  {
    operation: 'getProblem',
    status: 404,
    code: 'not-found',
    name: 'a code that is none',
    request: { path: { code: 'no-such-code' } },
  },
];

const PUBLISHES: readonly Case[] = [
  {
    operation: 'publishVersion',
    status: 201,
    name: 'a version that is new',
    request: { path: { pack: 'published' }, body: documentOf('published', '1.0.0') },
  },
  {
    operation: 'publishVersion',
    status: 200,
    name: 'the same again',
    request: { path: { pack: 'published' }, body: documentOf('published', '1.0.0') },
  },
  {
    operation: 'publishVersion',
    status: 409,
    code: 'version-exists',
    name: 'another text under the same version',
    request: { path: { pack: 'published' }, body: documentOf('published', '1.0.0', { system: 'Another text.' }) },
  },
];

/** The body that each of the two operations takes that move a pointer. */
const MOVES = { activateVersion: { version: '1.0.0', reason: REASON }, rollbackPack: { reason: REASON } } as const;

const MOVED: readonly Case[] = [
  ...Object.entries(MOVES).flatMap(([operation, body]): Case[] => [
    {
      operation,
      status: 201,
      name: 'the channel moves',
      request: async (world) => {
        await packOf(world, `moved-by-${operation.toLowerCase()}`, '1.0.0', '2.0.0');
        return { path: { pack: `moved-by-${operation.toLowerCase()}` }, body };
      },
    },
    {
      operation,
      status: 404,
      code: 'pack-not-found',
      name: 'a pack that is not there',
      request: { path: { pack: 'choach' }, body },
    },
    {
      operation,
      status: 404,
      code: 'channel-not-found',
      name: 'a channel that is not there',
      request: { body: { ...body, channel: 'nightly' } },
    },
    {
      operation,
      status: 412,
      code: 'revision-conflict',
      name: 'If-Match names another revision',
      request: { body, headers: { 'if-match': '"1"' } },
    },
  ]),
  {
    operation: 'activateVersion',
    status: 200,
    name: 'the version that is already active',
    request: { body: { version: '2.0.0', reason: REASON } },
  },
  {
    operation: 'rollbackPack',
    status: 200,
    name: 'to what is active already',
    request: { body: { toVersion: '2.0.0', reason: REASON } },
  },
  {
    operation: 'activateVersion',
    status: 422,
    code: 'unknown-version',
    name: 'a version that is not registered',
    request: { body: { version: '7.7.7', reason: REASON } },
  },
  {
    operation: 'rollbackPack',
    status: 422,
    code: 'unknown-version',
    name: 'to a version that is not registered',
    request: { body: { toVersion: '7.7.7', reason: REASON } },
  },
  {
    operation: 'rollbackPack',
    status: 409,
    code: 'never-active',
    name: 'to a version that was never active',
    request: { body: { toVersion: '1.1.0', reason: REASON } },
  },
  {
    operation: 'rollbackPack',
    status: 409,
    code: 'not-active',
    name: 'from a version that is not active',
    request: { body: { fromVersion: '1.0.0', reason: REASON } },
  },
  {
    operation: 'rollbackPack',
    status: 409,
    code: 'nothing-to-roll-back-to',
    name: 'from the bottom',
    request: async (world) => {
      await packOf(world, 'at-the-bottom', '1.0.0');
      return { path: { pack: 'at-the-bottom' }, body: { reason: REASON } };
    },
  },
  // A write waits up to two seconds for a store that is not itself, so one operation stands for all three.
  {
    operation: 'activateVersion',
    status: 503,
    code: 'store-busy',
    name: 'others keep winning',
    request: VALID['activateVersion'] ?? {},
    trouble: 'conflict',
  },
  {
    operation: 'activateVersion',
    status: 503,
    code: 'outcome-unknown',
    name: 'the store never reports the outcome',
    request: VALID['activateVersion'] ?? {},
    trouble: 'unknown',
  },
];

const SESSIONS: readonly Case[] = [
  {
    operation: 'startCoachSession',
    status: 201,
    name: 'a valid request',
    request: { body: { styleId: 'supportive' } },
  },
  {
    operation: 'startCoachSession',
    status: 404,
    code: 'channel-not-found',
    name: 'a channel that is not there',
    request: { body: { channel: 'nightly' } },
  },
  {
    operation: 'startCoachSession',
    status: 422,
    code: 'style-not-supported',
    name: 'a style that the active version lacks',
    request: { body: { styleId: 'direct' } },
  },
];

const BELOW_THE_FLOOR = documentOf('floored', '1.0.1', { system: 'floored 1.0.0: the system prompt, once more.' });

/** What the floor and revocations refuse. */
const REFUSED: readonly Case[] = [
  {
    operation: 'publishVersion',
    status: 422,
    code: 'policy-violated',
    name: 'below the floor',
    request: { path: { pack: 'floored' }, body: BELOW_THE_FLOOR },
  },
  {
    operation: 'activateVersion',
    status: 422,
    code: 'policy-violated',
    name: 'below the floor',
    request: { path: { pack: 'floored' }, body: { version: '1.0.0', reason: REASON } },
  },
  {
    operation: 'rollbackPack',
    status: 422,
    code: 'policy-violated',
    name: 'to one below the floor',
    request: { path: { pack: 'floored' }, body: { toVersion: '1.0.0', reason: REASON } },
  },
  {
    operation: 'revokeVersion',
    status: 422,
    code: 'policy-violated',
    name: 'for one below the floor',
    request: { path: { pack: 'floored', version: '2.0.0' }, body: { replacement: '1.0.0', reason: REASON } },
  },
  {
    operation: 'activateVersion',
    status: 409,
    code: 'version-revoked',
    name: 'a revoked version',
    request: { path: { pack: 'withdrawn' }, body: { version: '1.0.0', reason: REASON } },
  },
  {
    operation: 'rollbackPack',
    status: 409,
    code: 'version-revoked',
    name: 'to a revoked version',
    request: { path: { pack: 'withdrawn' }, body: { toVersion: '1.0.0', reason: REASON } },
  },
  {
    operation: 'revokeVersion',
    status: 409,
    code: 'version-revoked',
    name: 'for another replacement',
    request: { path: { pack: 'withdrawn', version: '1.0.0' }, body: { replacement: '3.0.0', reason: REASON } },
  },
  {
    operation: 'revokeVersion',
    status: 409,
    code: 'version-revoked',
    name: 'for a revoked one',
    request: { path: { pack: 'withdrawn', version: '3.0.0' }, body: { replacement: '1.0.0', reason: REASON } },
  },
];

const REVOCATIONS: readonly Case[] = [
  {
    operation: 'revokeVersion',
    status: 200,
    name: 'a channel moves down its stack',
    request: async (world) => {
      await packOf(world, 'pulled', '1.0.0', '2.0.0');
      return { path: { pack: 'pulled', version: '2.0.0' }, body: { reason: REASON } };
    },
  },
  {
    operation: 'revokeVersion',
    status: 200,
    name: 'the same again',
    request: { path: { pack: 'pulled', version: '2.0.0' }, body: { reason: REASON } },
  },
  {
    operation: 'revokeVersion',
    status: 200,
    name: 'a dry run',
    request: { path: { version: '2.0.0' }, body: { reason: REASON, dryRun: true } },
  },
  ...Object.entries(MOVES).map(([operation, body]): Case => ({
    operation,
    status: 200,
    name: 'a dry run',
    request: { body: { ...body, dryRun: true } },
  })),
  {
    operation: 'revokeVersion',
    status: 404,
    code: 'pack-not-found',
    name: 'a pack that is not there',
    request: { path: { pack: 'choach', version: '1.0.0' }, body: { reason: REASON } },
  },
  {
    operation: 'revokeVersion',
    status: 404,
    code: 'version-not-found',
    name: 'a version that is not there',
    request: { path: { version: '7.7.7' }, body: { reason: REASON } },
  },
  {
    operation: 'revokeVersion',
    status: 422,
    code: 'unknown-version',
    name: 'for one that is not registered',
    request: { path: { version: '1.1.0' }, body: { replacement: '7.7.7', reason: REASON } },
  },
  {
    operation: 'revokeVersion',
    status: 409,
    code: 'replacement-required',
    name: 'a channel has nothing to fall back to',
    request: async (world) => {
      await packOf(world, 'all-there-is', '1.0.0');
      return { path: { pack: 'all-there-is', version: '1.0.0' }, body: { reason: REASON } };
    },
  },
];

const KEYS: readonly Case[] = [
  { operation: 'createKey', status: 201, name: 'a valid request', request: VALID['createKey'] ?? {} },
  {
    operation: 'createKey',
    status: 400,
    code: 'validation-failed',
    name: 'an end that has passed',
    request: { body: { label: 'late', scopes: ['prompts:read'], expiresAt: '2020-01-01T00:00:00Z' } },
  },
  {
    operation: 'revokeKey',
    status: 404,
    code: 'key-not-found',
    name: 'a key that is not there',
    request: { path: { keyId: 'nobody' }, body: { reason: 'Left the team' } },
  },
  {
    operation: 'revokeKey',
    status: 200,
    name: 'a valid request',
    request: async ({ app }) => {
      const { record } = await app.registry.createKey({ label: 'leaving', scopes: ['prompts:read'] });
      return { path: { keyId: record.keyId }, body: { reason: 'Left the team' } };
    },
  },
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
    return {
      operation,
      status: 422,
      code: 'idempotency-mismatch',
      name: 'an Idempotency-Key that came with another request',
      request,
    };
  });

export const OWN: readonly Case[] = [
  ...READS,
  ...PUBLISHES,
  ...MOVED,
  ...SESSIONS,
  ...REFUSED,
  ...REVOCATIONS,
  ...KEYS,
  ...MISMATCHES,
];
