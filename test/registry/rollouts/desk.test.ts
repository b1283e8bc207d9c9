/** Rollouts, trials, schedules and sessions through the registry: with a store, a clock that the test holds, and several instances. */
import t from 'tap';
import type { Registry } from '../../../registry/registry.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { planIn } from '../../../registry/state/snapshot.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { until } from '../../support/process/until.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';

const MINUTE = 60_000;
const reason = 'A test';

function heldClock() {
  const clock = { time: Date.UTC(2026, 0, 31), now: () => clock.time, newId: () => crypto.randomUUID() };
  return clock;
}

/** Subjects of both arms under a share of 50 %. */
function subjectsOf(registry: Registry): { candidate: string; stable: string } {
  const names = Array.from({ length: 100 }, (_, index) => `user-${index}`);
  const on = (arm: string) => names.find((subject) => registry.assignment({ subject })?.arm === arm) ?? '';
  return { candidate: on('candidate'), stable: on('stable') };
}

const HALF = { steps: [{ share: 50 }], bake: '1h', finish: 'wait', reason } as const;

t.test('a rollout, from the first share to the way back', async (t) => {
  const registry = await openRegistry(t, { defaultVersion: '1.0.0' });
  await registry.activate({ version: '1.1.0', reason });
  const before = registry.activePack();
  t.equal(registry.assignment({ subject: 'anybody' }), undefined);
  const { rollout } = await registry.rollouts.start({ version: '2.0.0', ...HALF });
  t.match(rollout, { state: 'running', version: '2.0.0', stableVersion: '1.1.0', share: 50_000, step: 0 });
  const { candidate, stable } = subjectsOf(registry);

  t.equal(registry.activePack(), before, 'without a subject: the very same answer');
  t.equal(registry.activePack({ subject: stable }), before);
  const other = registry.activePack({ subject: candidate });
  t.match(other, { version: '2.0.0', revision: rollout.id, reason });
  t.match(registry.getStylePrompt('supportive', { subject: candidate }), { version: '2.0.0', revision: rollout.id });
  t.match(registry.getSystemPrompt({ subject: candidate }), { version: '2.0.0' });
  t.match(registry.listStyles({ subject: candidate }), { version: '2.0.0' });

  await registry.rollouts.steer('advance-rollout', { pack: 'coach', rollout: rollout.id, share: 100, reason });
  t.equal(registry.activePack({ subject: candidate }), other, 'a step changes no answer');
  t.equal(registry.activePack({ subject: stable }), other);

  const back = await registry.rollback({ fromVersion: '2.0.0', reason });
  t.match(back, { kind: 'rollback', version: '1.1.0', previousVersion: '1.1.0', changed: true });
  t.same(back.rollout, { id: rollout.id, state: 'aborted' });
  t.equal(registry.activePack({ subject: candidate }), before, 'SPEC R14: everybody is on stable at once');
  await t.rejects(registry.rollback({ fromVersion: '2.0.0', reason }), { code: 'not-active' }, 'a second press');
  t.match(await registry.rollback({ reason }), { version: '1.0.0' }, 'the next one walks the stack');
  t.match((await registry.activations('coach', { limit: 2 })).activations, [
    { kind: 'rollback', version: '1.0.0', previousVersion: '1.1.0' },
    { kind: 'rollback', version: '1.1.0', previousVersion: '1.1.0', rollout: { id: rollout.id, state: 'aborted' } },
  ]);
});

t.test('a wait lasts from the time of the event that begins it, however long the decision takes', async (t) => {
  const clock = heldClock();
  const ticking = { ...clock, now: () => (clock.time += 1) };
  const registry = await openRegistry(t, { defaultVersion: '1.0.0', clock: ticking });
  const { rollout } = await registry.rollouts.start({ version: '2.0.0', ...HALF, steps: [{ share: 50, hold: '10m' }] });
  t.equal(Date.parse(rollout.nextAt ?? '') - Date.parse(rollout.startedAt), 10 * MINUTE);
  await registry.activate({ version: '1.1.0', channel: 'staging', revertAfter: '10m', reason });
  const trial = planIn(registry.current, { pack: 'coach', channel: 'staging' })?.trial;
  t.equal(Date.parse(trial?.revertAt ?? '') - Date.parse(registry.current.at), 10 * MINUTE);
});

t.test('what is due is done once, by one of three instances', async (t) => {
  const [store, clock] = [new MemoryStore(), heldClock()];
  t.teardown(() => store.close());
  const open = () => openRegistry(t, { store: new FailingStore(store), clock, defaultVersion: '1.0.0' });
  const instances = [await open(), await open(), await open()];
  const [one] = instances;
  if (one === undefined) throw new Error('no instance');
  const all = (holds: (registry: Registry) => boolean) => until(() => instances.every(holds));
  const steps = [
    { share: 10, hold: '2m' },
    { share: 50, hold: '2m' },
  ];
  const { rollout } = await one.rollouts.start({ version: '2.0.0', steps, bake: '3m', finish: 'promote', reason });
  const stateOf = (registry: Registry) => {
    const plan = registry.current.packs.get('coach')?.plans.get('production');
    return plan?.rollout ?? plan?.ended[0];
  };
  await all((each) => stateOf(each)?.id === rollout.id);
  clock.time += 2 * MINUTE;
  await all((each) => stateOf(each)?.share === 50_000);
  clock.time += 2 * MINUTE;
  await all((each) => stateOf(each)?.state === 'baking');
  clock.time += 3 * MINUTE;
  await all((each) => stateOf(each)?.state === 'promoted');
  await one.activate({ version: '1.1.0', revertAfter: '1m', reason });
  await all((each) => each.activePack().version === '1.1.0');
  clock.time += MINUTE;
  await all((each) => each.activePack().version === '2.0.0');
  await one.rollouts.schedule({ version: '1.0.0', at: new Date(clock.time + MINUTE).toISOString(), reason });
  clock.time += MINUTE;
  await all((each) => each.activePack().version === '1.0.0');
  const events = await one.events({ after: rollout.id - 1, limit: 100 });
  t.same(
    events.map(({ type, actor }) => [type, actor.keyId]),
    [
      'rollout-started',
      'rollout-advanced',
      'rollout-advanced',
      'version-activated',
      'version-activated',
      'version-rolled-back',
      'activation-scheduled',
      'version-activated',
    ].map((type) => [type, 'system']),
  );
});

t.test('a clock that jumps does nothing', async (t) => {
  const [clock, logger] = [heldClock(), new RecordedLogger()];
  const registry = await openRegistry(t, { clock, logger, defaultVersion: '1.0.0' });
  await registry.rollouts.start({ version: '2.0.0', steps: [{ share: 10, hold: '10m' }], finish: 'promote', reason });
  t.same([registry.health().conditions, registry.rollouts.overdueSeconds], [[], 0], 'control: all is well');
  clock.time += 11 * MINUTE;
  await until(() => logger.messages('error').length > 0);
  t.match(logger.messages('error'), ['The clock is in doubt, so steps, schedules and trials wait.']);
  t.match(registry.health(), {
    ready: true,
    conditions: [{ name: 'clock-in-doubt', detail: /jumped by more than 5 minutes/u }],
  });
  t.equal(registry.activePack().version, '1.0.0');
  t.equal(registry.rollouts.overdueSeconds, 60, 'the step has been due for a minute');
});

t.test('sessions follow the policy of the move', async (t) => {
  const registry = await openRegistry(t, { defaultVersion: '1.0.0' });
  const kept = registry.startSession();
  const read = ({ sessionId }: { sessionId: string }) => registry.resolveSession(sessionId);
  await registry.activate({ version: '1.1.0', reason });
  t.match(await read(kept), { promptPack: { version: '1.0.0' }, superseded: true }, 'a move keeps sessions by default');

  const moved = registry.startSession();
  await registry.rollback({ sessions: 'next-turn', reason });
  t.match(await read(moved), { promptPack: { version: '1.0.0' }, movedFrom: { version: '1.1.0' }, superseded: false });
  t.match(await read(kept), { promptPack: { version: '1.0.0' } });

  const { rollout } = await registry.rollouts.start({ version: '2.0.0', ...HALF });
  const { candidate, stable } = subjectsOf(registry);
  const [onCandidate, onStable] = [
    registry.startSession({ subject: candidate }),
    registry.startSession({ subject: stable }),
  ];
  t.match(onCandidate, { promptPack: { version: '2.0.0' }, assignment: { rollout: rollout.id, arm: 'candidate' } });
  t.match(onStable, { promptPack: { version: '1.0.0' }, assignment: { rollout: rollout.id, arm: 'stable' } });
  t.same((await read(onStable)).assignment, onStable.assignment);
  t.equal((await read(onCandidate)).superseded, false, 'the candidate is served while it is rolled out');
  await registry.rollouts.steer('abort-rollout', {
    pack: 'coach',
    rollout: rollout.id,
    sessions: 'end',
    reason: 'Too blunt',
  });
  await t.rejects(read(onCandidate), { code: 'session-ended', members: { reason: 'Too blunt' } });
  t.match(await read(onStable), { promptPack: { version: '1.0.0' } });
});

t.test('a session without a subject is its own', async (t) => {
  const registry = await openRegistry(t, { defaultVersion: '1.0.0' });
  await registry.rollouts.start({ version: '2.0.0', ...HALF });
  const versions = new Set(Array.from({ length: 100 }, () => registry.startSession().promptPack.version));
  t.same([...versions].sort(), ['1.0.0', '2.0.0']);
});

t.test('a rollout that is no longer in memory is read from the log', async (t) => {
  const registry = await openRegistry(t, { defaultVersion: '1.0.0' });
  const ids: number[] = [];
  for (let index = 0; index < 23; index += 1) {
    const { rollout } = await registry.rollouts.start({ version: '2.0.0', ...HALF });
    ids.unshift(rollout.id);
    await registry.rollouts.steer('pause-rollout', { pack: 'coach', rollout: rollout.id, reason });
    await registry.rollouts.steer('abort-rollout', {
      pack: 'coach',
      rollout: rollout.id,
      reason: `The end of ${index}`,
    });
  }
  const oldest = await registry.rollouts.get('coach', ids.at(-1) ?? 0);
  t.match(oldest, { state: 'aborted', ended: { reason: 'The end of 0' } });
  const first = await registry.rollouts.list('coach', { limit: 20 });
  const rest = await registry.rollouts.list('coach', { limit: 20, before: first.nextBefore });
  t.same(
    [...first.rollouts, ...rest.rollouts].map(({ id }) => id),
    ids,
  );
  t.equal(rest.nextBefore, undefined);
  t.same((await registry.rollouts.list('coach', { limit: 20, state: 'running' })).rollouts, []);
  await t.rejects(registry.rollouts.get('coach', 1), { code: 'rollout-not-found' });
});

t.test('a request that is repeated has one effect and one answer', async (t) => {
  const registry = await openRegistry(t, { defaultVersion: '1.0.0' });
  const idempotency = { key: 'once', fingerprint: 'f' };
  const request = { version: '2.0.0', ...HALF, idempotency };
  const first = await registry.rollouts.start(request);
  const again = await registry.rollouts.start(request);
  t.same([again.rollout, again.replayed], [first.rollout, true]);
  await t.rejects(registry.rollouts.start({ version: '2.0.0', ...HALF }), { code: 'rollout-running' });
});

t.test('input that is wrong is refused with every fault, and nothing is half started', async (t) => {
  const registry = await openRegistry(t, { defaultVersion: '1.0.0' });
  const { revision } = registry.current;
  const start = (members: object) => registry.rollouts.start({ version: '2.0.0', ...HALF, ...members });
  const rows: readonly (readonly [members: object, parameter: string, detail: RegExp])[] = [
    [{ steps: [] }, 'steps', /at least|>= 1|1/u],
    [{ steps: [{ share: 101 }] }, 'steps.0.share', /100/u],
    [{ steps: [{ share: 1.0005 }] }, 'steps.0.share', /three decimals/u],
    [{ steps: [{ share: 50 }, { share: 10 }] }, 'steps.1.share', /above/u],
    [{ steps: [{ share: NaN }] }, 'steps.0.share', /./u],
    [{ steps: [{ share: 1, hold: '999999999d' }] }, 'steps.0.hold', /at most 90d/u],
    [{ bake: '5 minutes' }, 'bake', /./u],
    [{ finish: 'promote', bake: undefined }, 'steps.0', /when to promote/u],
    [
      { audience: { conditions: [{ attribute: 'a', operator: 'matches', values: ['x'] }] } },
      'audience.conditions.0.operator',
      /./u,
    ],
    [{ audience: { subjects: [''] } }, 'audience.subjects.0', /./u],
    [{ audience: { subjects: ['\ud800'] } }, 'audience.subjects.0', /surrogate/u],
  ];
  for (const [members, parameter, detail] of rows)
    await t.rejects(
      start(members),
      { code: 'validation-failed', members: { errors: [{ parameter, detail }] } },
      parameter,
    );
  for (const subject of ['', 'x'.repeat(201), '\ud800'])
    t.throws(() => registry.activePack({ subject }), { code: 'validation-failed' });
  t.throws(() => registry.activePack({ attributes: { n: NaN } }), { code: 'validation-failed' });
  t.throws(
    () => registry.activePack({ attributes: { Name: 'x' } }),
    { code: 'validation-failed' },
    'a name is checked',
  );
  for (const at of ['2026-02-01T00:00:00', 'tomorrow', '2020-01-01T00:00:00Z', '2999-01-01T00:00:00Z'])
    await t.rejects(registry.rollouts.schedule({ version: '2.0.0', at, reason }), { code: 'validation-failed' }, at);
  await t.rejects(registry.activate({ version: '2.0.0', revertAfter: '91d', reason }), { code: 'validation-failed' });
  t.equal(registry.current.revision, revision);
});
