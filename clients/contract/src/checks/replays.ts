/**
 * `Idempotency-Key`: a request that is sent twice with the same key has one effect and the same response; another request with that key is
 * refused. Checked for every operation that declares the header, so a new one is checked as soon as `REQUESTS` has it.
 */
import type { EventPage } from '../answers.ts';
import type { Request } from '../connection.ts';
import type { Operation } from '../document.ts';
import { documentOf } from '../documents.ts';
import type { Check, Kit } from '../kit.ts';
import {
  beginTrial,
  channelPath,
  planIn,
  reasonIn,
  rollOut,
  rolloutNow,
  schedule,
  scheduleBody,
  STABLE,
  verbOn,
} from '../rolling.ts';
import type { World } from '../world.ts';

/** Two different requests to the same operation. Each would add an event to the log. */
type Make = (world: World) => Promise<readonly [Request, Request]>;

const REASONS = [{ reason: 'Checked' }, { reason: 'Checked otherwise' }] as const;
/** A request with two reasons. */
const withReasons = (request: Request): readonly [Request, Request] => [
  { ...request, body: { ...(request.body as object), ...REASONS[0] } },
  { ...request, body: { ...(request.body as object), ...REASONS[1] } },
];

/** About a rollout that runs, or is paused. */
const verb =
  (paused = false): Make =>
  async (world) => {
    const rollout = await rollOut(world);
    if (paused) await world.asker.ask('pauseRollout', verbOn(world, rollout), 200);
    const headers = { 'if-match': (await rolloutNow(world, rollout)).etag };
    return withReasons({ ...verbOn(world, rollout), headers });
  };

const REQUESTS: Readonly<Record<string, Make>> = {
  publishVersion: async (world) => {
    const of = (version: string): Request => ({ path: world.path(), body: documentOf(world.pack, version) });
    return [of(world.nextVersion()), of(world.nextVersion())];
  },
  activateVersion: async (world) => {
    await world.activate('1.0.0');
    return [
      { path: world.path(), body: world.activationBody('1.2.0') },
      { path: world.path(), body: world.activationBody('1.10.0') },
    ];
  },
  rollbackPack: async (world) => {
    await world.activate('1.0.0', '1.2.0', '2.0.0');
    return [
      { path: world.path(), body: world.rollbackBody() },
      { path: world.path(), body: world.rollbackBody({ toVersion: '1.0.0' }) },
    ];
  },
  revokeVersion: async (world) => {
    return withReasons({ path: world.path({ version: await world.unusedVersion() }) });
  },
  confirmActivation: async (world) => {
    await beginTrial(world);
    return withReasons({ path: await channelPath(world) });
  },
  startRollout: async (world) => {
    await world.activate(STABLE);
    return withReasons({ path: world.path(), body: planIn(world) });
  },
  advanceRollout: verb(),
  pauseRollout: verb(),
  resumeRollout: verb(true),
  promoteRollout: verb(),
  abortRollout: verb(),
  scheduleActivation: async (world) => withReasons({ path: world.path(), body: scheduleBody(world) }),
  cancelScheduledActivation: async (world) =>
    withReasons({ path: world.path({ id: (await schedule(world)).id }), body: reasonIn(world) }),
  createKey: async (world) => {
    const of = (): Request => ({ body: { label: world.label('replayed'), scopes: ['prompts:read'] } });
    return [of(), of()];
  },
  revokeKey: async (world) => {
    const { keyId } = await world.key('to be revoked once', ['prompts:read']);
    return withReasons({ path: { keyId } });
  },
};

/** Whether an operation declares a header. */
const takes = ({ parameters = [] }: Operation, header: string) =>
  parameters.some(({ in: where, name }) => where === 'header' && name.toLowerCase() === header);

async function replayed(kit: Kit, declared: Operation): Promise<void> {
  const { operationId: operation, scope } = declared;
  const make = REQUESTS[operation];
  if (make === undefined) throw new Error(`this suite has no request to repeat for ${operation}`);
  const { world } = kit;
  const [plain, another] = await make(world);
  const ofPack = plain.path?.['pack'] !== undefined;
  const request =
    takes(declared, 'if-match') && plain.headers === undefined
      ? { ...plain, headers: { 'if-match': (await world.activePack()).etag } }
      : plain;
  const key = `${kit.world.runId}-${operation}-${kit.world.nextNumber()}`;
  const withKey = (value: string, of: Request): Request => ({
    ...of,
    headers: { ...of.headers, 'idempotency-key': value },
  });

  const first = await kit.ask<object>(operation, withKey(key, request), 200, 201);
  kit.same(first.headers.get('idempotency-replayed'), null, 'the first response is not a replay');
  if (ofPack) await world.activate('2.0.0'); // the replay is the first response, even if the channel has moved and the If-Match is stale
  const meanwhile = ofPack ? (await world.activePack()).etag : undefined;
  const second = await kit.ask<object>(operation, withKey(`"${key}"`, request), 200, 201);
  kit.same(
    second.headers.get('idempotency-replayed'),
    'true',
    'Idempotency-Replayed marks the second response as a replay (the key may be quoted or bare)',
  );
  kit.same(second.status, first.status, 'the same status');
  const { secret: _, ...expected } = first.body as Record<string, unknown>;
  kit.same(second.body, expected, operation === 'createKey' ? 'the same body, without the secret' : 'the same body');
  kit.same(second.headers.get('location'), first.headers.get('location'), 'the same Location');

  if (meanwhile !== undefined)
    kit.same((await world.activePack()).etag, meanwhile, 'the replay does not move the channel again');

  const { code, status } = await kit.refused(operation, withKey(key, another), 422, 'idempotency-mismatch');
  kit.same([code, status], ['idempotency-mismatch', 422], 'another request with the same key is refused');
  const { body } = await kit.ask<EventPage>('listEvents', { query: { after: first.revision - 1, limit: 1000 } }, 200);
  const made = body.events.filter(({ data }) => (data['idempotency'] as { key?: unknown } | undefined)?.key === key);
  kit.same(made.length, 1, 'both requests together added one event');

  const [theirs] = await make(world);
  const own = await kit.ask(
    operation,
    { ...withKey(key, theirs), key: await world.otherCaller(scope ?? 'prompts:read') },
    200,
    201,
  );
  kit.same(
    own.headers.get('idempotency-replayed'),
    null,
    'another caller with the same Idempotency-Key does not get this response',
  );
}

/** The check of an operation that declares the header; empty for others. */
export function replayChecks(operation: Operation): Check[] {
  if (!takes(operation, 'idempotency-key')) return [];
  return [
    {
      operation: operation.operationId,
      says: 'a request repeated with its Idempotency-Key has one effect and the same response',
      run: (kit) => replayed(kit, operation),
    },
  ];
}
