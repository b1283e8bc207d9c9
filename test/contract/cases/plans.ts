/** The cases of rollouts, trials and scheduled activations: their successes, and what they alone refuse. */
import type { Request } from '../../support/http/openapi.ts';
import { PLAN, refuses, succeeds, tomorrow, VALID, type Case, type World } from './kit.ts';
import { again, packOf } from './own.ts';

const REASON = 'Warmer openings';
const START = { version: '2.0.0', ...PLAN, reason: REASON };
const SCHEDULE = { version: '2.0.0', at: tomorrow(), reason: REASON };
const NOBODY = { pack: 'choach' };

/** A valid request of an operation with another path. */
const at =
  (operation: string, path: Record<string, string>) =>
  (world: World): Request => {
    const valid = VALID[operation]?.(world) ?? {};
    return { ...valid, path: { ...valid.path, ...path } };
  };

/** A pack with a rollout that runs, and its id. */
async function rolling(world: World, pack: string): Promise<{ pack: string; rollout: string }> {
  await packOf(world, pack, '1.0.0');
  const { rollout } = await world.app.registry.rollouts.start({ pack, ...START });
  return { pack, rollout: String(rollout.id) };
}

const VERBS = ['advanceRollout', 'pauseRollout', 'resumeRollout', 'promoteRollout', 'abortRollout'] as const;

const STEERING: readonly Case[] = VERBS.flatMap((operation): Case[] => [
  succeeds(operation, 200, 'a rollout that runs', async (world) => ({
    path: await rolling(world, operation.toLowerCase()),
    body: { reason: REASON },
  })),
  succeeds(operation, 200, 'a dry run', (world) => ({
    ...VALID[operation]?.(world),
    body: { reason: REASON, dryRun: true },
  })),
  refuses(operation, 404, 'pack-not-found', 'a pack that is not there', at(operation, NOBODY)),
  refuses(operation, 404, 'rollout-not-found', 'a rollout that is not there', at(operation, { rollout: '1' })),
  refuses(operation, 409, 'rollout-ended', 'a rollout that has ended otherwise', async (world) => {
    const path = await rolling(world, `ended-${operation.toLowerCase()}`);
    const ended = { pack: path.pack, rollout: Number(path.rollout), reason: REASON };
    await world.app.registry.rollouts.steer(operation === 'abortRollout' ? 'promote-rollout' : 'abort-rollout', ended);
    return { path, body: { reason: REASON } };
  }),
  refuses(operation, 412, 'revision-conflict', 'If-Match names another state', (world) => ({
    ...VALID[operation]?.(world),
    headers: { 'if-match': '"1"' },
  })),
]);

const STARTS: readonly Case[] = [
  succeeds('startRollout', 201, 'a plan', async (world) => {
    await packOf(world, 'started', '1.0.0');
    return { path: { pack: 'started' }, body: START };
  }),
  succeeds('startRollout', 200, 'a dry run', { body: { ...START, version: '1.1.0', dryRun: true } }),
  refuses('startRollout', 404, 'pack-not-found', 'a pack that is not there', { path: NOBODY, body: START }),
  refuses('startRollout', 404, 'channel-not-found', 'a channel that is not there', {
    body: { ...START, channel: 'nightly' },
  }),
  refuses('startRollout', 404, 'rollout-not-found', 'the subjects of a rollout that is not there', {
    body: { ...START, version: '1.1.0', sameSubjectsAs: 1 },
  }),
  refuses('startRollout', 409, 'already-active', 'the active version', { body: START }),
  refuses('startRollout', 409, 'rollout-running', 'a second one', { path: { pack: 'rolling' }, body: START }),
  refuses('startRollout', 409, 'trial-running', 'during a trial', {
    path: { pack: 'trying' },
    body: { ...START, version: '3.0.0' },
  }),
  refuses('startRollout', 409, 'version-revoked', 'a revoked version', {
    path: { pack: 'withdrawn' },
    body: { ...START, version: '1.0.0' },
  }),
  refuses('startRollout', 412, 'revision-conflict', 'If-Match names another revision', {
    body: { ...START, version: '1.1.0' },
    headers: { 'if-match': '"1"' },
  }),
  refuses('startRollout', 422, 'unknown-version', 'a version that is not registered', {
    body: { ...START, version: '7.7.7' },
  }),
  refuses('startRollout', 422, 'policy-violated', 'below the floor', {
    path: { pack: 'floored' },
    body: { ...START, version: '1.0.0' },
  }),
];

const READS: readonly Case[] = [
  ...['getChannel', 'getRollout'].map((operation) => succeeds(operation, 304, 'nothing has changed', again(operation))),
  ...['getChannel', 'listRollouts', 'getRollout', 'listSchedule'].map((operation) =>
    refuses(operation, 404, 'pack-not-found', 'a pack that is not there', at(operation, NOBODY)),
  ),
  refuses('getRollout', 404, 'rollout-not-found', 'a rollout that is not there', at('getRollout', { rollout: '1' })),
  refuses(
    'getRollout',
    503,
    'store-unavailable',
    'an old one while the store is away',
    at('getRollout', { rollout: '1' }),
    'rejects',
  ),
  refuses('getChannel', 404, 'channel-not-found', 'a channel that is not there', { path: { channel: 'nightly' } }),
  refuses('listSchedule', 404, 'channel-not-found', 'a channel that is not there', { query: { channel: 'nightly' } }),
];

const TRIALS: readonly Case[] = [
  succeeds('confirmActivation', 200, 'a trial', async (world) => {
    await packOf(world, 'confirmed', '1.0.0');
    await world.app.registry.activate({ pack: 'confirmed', version: '2.0.0', revertAfter: '1h', reason: REASON });
    return { path: { pack: 'confirmed', channel: 'production' }, body: { reason: REASON } };
  }),
  refuses('confirmActivation', 404, 'pack-not-found', 'a pack that is not there', at('confirmActivation', NOBODY)),
  refuses(
    'confirmActivation',
    404,
    'channel-not-found',
    'a channel that is not there',
    at('confirmActivation', { channel: 'nightly' }),
  ),
  refuses('confirmActivation', 404, 'no-trial', 'nothing is on trial', at('confirmActivation', { pack: 'coach' })),
  refuses('confirmActivation', 412, 'revision-conflict', 'If-Match names another revision', (world) => ({
    ...VALID['confirmActivation']?.(world),
    headers: { 'if-match': '"1"' },
  })),
];

const SCHEDULES: readonly Case[] = [
  succeeds('scheduleActivation', 201, 'a time', { body: { ...SCHEDULE, version: '1.1.0' } }),
  refuses('scheduleActivation', 404, 'pack-not-found', 'a pack that is not there', { path: NOBODY, body: SCHEDULE }),
  refuses('scheduleActivation', 404, 'channel-not-found', 'a channel that is not there', {
    body: { ...SCHEDULE, channel: 'nightly' },
  }),
  refuses('scheduleActivation', 422, 'unknown-version', 'a version that is not registered', {
    body: { ...SCHEDULE, version: '7.7.7' },
  }),
  refuses('scheduleActivation', 422, 'policy-violated', 'below the floor', {
    path: { pack: 'floored' },
    body: { ...SCHEDULE, version: '1.0.0' },
  }),
  refuses('scheduleActivation', 409, 'version-revoked', 'a revoked version', {
    path: { pack: 'withdrawn' },
    body: { ...SCHEDULE, version: '1.0.0' },
  }),
  refuses('scheduleActivation', 409, 'schedule-full', 'one too many', async (world) => {
    await packOf(world, 'booked', '1.0.0');
    const { rollouts } = world.app.registry;
    for (let count = 0; count < 20; count += 1) await rollouts.schedule({ pack: 'booked', ...SCHEDULE });
    return { path: { pack: 'booked' }, body: SCHEDULE };
  }),
  succeeds('cancelScheduledActivation', 200, 'a pending one', async ({ app }) => {
    const { scheduled } = await app.registry.rollouts.schedule(SCHEDULE);
    return { path: { id: scheduled.id }, body: { reason: REASON } };
  }),
  refuses(
    'cancelScheduledActivation',
    404,
    'pack-not-found',
    'a pack that is not there',
    at('cancelScheduledActivation', NOBODY),
  ),
  refuses(
    'cancelScheduledActivation',
    404,
    'schedule-not-found',
    'one that is not there',
    at('cancelScheduledActivation', { id: 'none' }),
  ),
];

export const PLANS: readonly Case[] = [...STEERING, ...STARTS, ...READS, ...TRIALS, ...SCHEDULES];
