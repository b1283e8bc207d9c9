/** The metrics of rollouts, schedules and trials: what each arm served, what waits, and what was not done. */
import t, { type Test } from 'tap';
import { acceptRestore } from '../../registry/host/accept-restore.ts';
import type { Registry } from '../../registry/index.ts';
import { addPack, openApp, type TestAppOptions } from '../support/apps/app.ts';
import { scrapeOf } from '../support/observability/prometheus.ts';
import { scrapedWhen, scraperOf } from '../support/observability/scraping.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { newFolder } from '../support/process/folder.ts';
import { until } from '../support/process/until.ts';
import { backupOf } from '../support/stores/backups.ts';

const MINUTE = 60_000;
const reason = 'A test';
const HALF = { version: '2.0.0', steps: [{ share: 50 }], bake: '1h', finish: 'wait', reason } as const;
const AT = { pack: 'coach', channel: 'production' };

/** An app with 1.0.0 active, on a clock that the test holds. */
async function openHeld(t: Test, options: TestAppOptions = {}) {
  const clock = { time: Date.UTC(2026, 0, 31), now: () => clock.time, newId: () => crypto.randomUUID() };
  const opened = await openApp(t, {
    store: 'memory',
    ...options,
    registry: { clock, defaultVersion: '1.0.0', ...options.registry },
  });
  return { ...opened, registry: opened.app.registry, clock, scrape: await scraperOf(opened) };
}

/** A subject of each arm. */
function subjectsOf(registry: Registry): { candidate: string; stable: string } {
  const names = Array.from({ length: 100 }, (_, index) => `user-${index}`);
  const on = (arm: string) => names.find((subject) => registry.assignment({ subject })?.arm === arm) ?? '';
  return { candidate: on('candidate'), stable: on('stable') };
}

t.test('reads and session starts are counted by the arm that they got', async (t) => {
  const { app, registry, scrape } = await openHeld(t);
  const read = async (subject: string, headers = {}) =>
    app.inject({ url: `/v1/prompts/system?subject=${subject}`, headers });
  await read('user-1');
  t.strictSame((await scrape()).find('prompt_registry_assignments_total'), [], 'no rollout runs');

  const { rollout } = await registry.rollouts.start(HALF);
  const arms = (now: Awaited<ReturnType<typeof scrape>>, kind: string) =>
    ['stable', 'candidate'].map((arm) => now.value('prompt_registry_assignments_total', { ...AT, kind, arm }));
  const before = await scrape();
  t.strictSame(
    [arms(before, 'read'), arms(before, 'session')],
    [
      [0, 0],
      [0, 0],
    ],
    'the first one is an increase',
  );
  t.equal(before.value('prompt_registry_reads_without_subject_total', AT), 0);

  const { candidate, stable } = subjectsOf(registry);
  const { etag } = (await read(candidate)).headers;
  t.equal((await read(candidate, { 'if-none-match': String(etag) })).statusCode, 304);
  await app.inject(`/v1/packs/coach/active?subject=${candidate}`);
  await read(stable);
  await app.inject({ url: '/v1/prompts/styles', headers: { 'registry-subject': stable } });
  await app.inject('/v1/prompts/system');
  await app.inject('/v1/packs/coach/channels/production');
  for (const subject of [candidate, candidate, stable])
    await app.inject({ method: 'POST', url: '/v1/coach/sessions', payload: { subject } });
  await app.inject('/v1/prompts/styles/nothing?subject=user-1');
  const now = await scrape();
  t.strictSame(
    [arms(now, 'read'), arms(now, 'session')],
    [
      [2, 3],
      [1, 2],
    ],
  );
  t.equal(now.value('prompt_registry_reads_without_subject_total', AT), 1, 'SPEC R13: a counter says so');
  const reads = (version: string, kind: string) =>
    now.value('prompt_registry_reads_total', { pack: 'coach', version, kind });
  t.strictSame([reads('2.0.0', 'system'), reads('1.0.0', 'channel'), reads('2.0.0', 'pack')], [2, 1, 1]);
  t.equal(now.value('prompt_registry_sessions_started_total', { pack: 'coach', version: '2.0.0' }), 2);
  t.notOk(JSON.stringify(now.samples).includes('user-'), 'a subject is no label');

  const started = await app.inject({ method: 'POST', url: '/v1/coach/sessions', payload: {} });
  t.equal(started.headers['registry-assignment'], undefined, 'the body of a session says the arm');
  t.strictSame(
    arms(await scrape(), 'session'),
    started.json<{ assignment: { arm: string } }>().assignment.arm === 'stable' ? [2, 2] : [1, 3],
    'a session without a subject is its own',
  );

  await registry.rollback({ reason });
  await read(candidate);
  await registry.rollouts.start(HALF);
  await app.inject('/v1/prompts/system');
  const later = await scrape();
  t.strictSame(
    [arms(later, 'read'), later.value('prompt_registry_reads_without_subject_total', AT)],
    [[2, 3], 2],
    `nothing was counted between rollout ${rollout.id} and the next one, and counting goes on`,
  );
});

t.test('how far a rollout is, until it ends', async (t) => {
  const { registry, clock, scrape } = await openHeld(t);
  const at = { pack: 'coach', rollout: 0 };
  const look = async () => {
    const now = await scrape();
    return {
      share: now.find('prompt_registry_rollout_share_ratio').map(({ labels, value }) => [labels['version'], value]),
      state: now
        .find('prompt_registry_rollout_state', AT)
        .flatMap(({ labels, value }) => (value === 1 ? [labels['state']] : [])),
      waits: now.value('prompt_registry_rollout_waits', AT),
    };
  };
  t.strictSame(await look(), { share: [], state: [], waits: undefined });
  const steps = [{ share: 12.5, hold: '1m' }, { share: 50 }];
  at.rollout = (await registry.rollouts.start({ ...HALF, steps, bake: '2m' })).rollout.id;
  t.strictSame(await look(), { share: [['2.0.0', 0.125]], state: ['running'], waits: 0 });
  await registry.rollouts.steer('pause-rollout', { ...at, reason });
  t.strictSame(await look(), { share: [['2.0.0', 0.125]], state: ['paused'], waits: 1 });
  await registry.rollouts.steer('resume-rollout', { ...at, reason });
  await registry.rollouts.steer('advance-rollout', { ...at, reason });
  t.strictSame(await look(), { share: [['2.0.0', 0.5]], state: ['running'], waits: 1 }, 'the last step has no hold');
  await registry.rollouts.steer('advance-rollout', { ...at, reason });
  t.strictSame(await look(), { share: [['2.0.0', 0.5]], state: ['baking'], waits: 0 });
  clock.time += 3 * MINUTE;
  t.strictSame(await look(), { share: [['2.0.0', 0.5]], state: ['baking'], waits: 1 }, 'somebody must promote it');
  t.equal((await scrape()).value('prompt_registry_overdue_seconds'), 0, 'that is not overdue');
  await registry.rollouts.steer('promote-rollout', { ...at, reason });
  t.strictSame(await look(), { share: [], state: [], waits: undefined });
});

t.test('schedules and trials: what is pending, and what was not done', async (t) => {
  const { registry, clock, scrape } = await openHeld(t);
  const failed = (now: Awaited<ReturnType<typeof scrape>>, type: string) =>
    now.find('prompt_registry_plans_failed_total', { type }).map(({ labels, value }) => [labels['channel'], value]);
  const at = new Date(clock.time + MINUTE).toISOString();
  await registry.rollouts.schedule({ version: '2.0.0', at, reason });
  await registry.activate({ channel: 'staging', version: '1.0.0', reason });
  await registry.activate({ channel: 'staging', version: '1.1.0', revertAfter: '2m', reason });
  const before = await scrape();
  t.equal(before.value('prompt_registry_scheduled_activations', AT), 1);
  t.strictSame(
    before.find('prompt_registry_trial_end_timestamp_seconds').map(({ labels, value }) => [labels['channel'], value]),
    [['staging', clock.time / 1000 + 120]],
  );
  t.strictSame(
    [failed(before, 'schedule-skipped'), failed(before, 'trial-stayed')],
    [[['production', 0]], [['staging', 0]]],
    'the first one is an increase',
  );

  await registry.activate({ version: '2.0.0', reason }); // the schedule was made for another world
  await registry.revoke({ pack: 'coach', version: '1.0.0', reason }); // nothing is left to go back to
  clock.time += 2 * MINUTE;
  const after = await scrapedWhen(
    scrape,
    (now) => failed(now, 'schedule-skipped')[0]?.[1] === 1 && failed(now, 'trial-stayed')[0]?.[1] === 1,
  );
  t.strictSame(after.find('prompt_registry_scheduled_activations'), []);
  t.strictSame(after.find('prompt_registry_trial_end_timestamp_seconds'), []);
});

t.test('after a start, too, the first one is an increase', async (t) => {
  const { scrape } = await openHeld(t, {
    before: async (registry) => {
      await registry.activate({ version: '1.1.0', revertAfter: '1h', reason });
      await registry.activate({ channel: 'staging', version: '1.0.0', reason });
      await registry.rollouts.start({ ...HALF, channel: 'staging' });
      const at = new Date(registry.now() + MINUTE).toISOString();
      await registry.rollouts.schedule({ channel: 'staging', version: '1.1.0', at, reason });
    },
  });
  const now = await scrape();
  const zeros = (name: string) => now.find(`prompt_registry_${name}`, { channel: 'staging' }).map(({ value }) => value);
  t.strictSame(['assignments_total', 'reads_without_subject_total', 'plans_failed_total'].map(zeros), [
    [0, 0, 0, 0],
    [0],
    [0],
  ]);
  t.equal(now.value('prompt_registry_plans_failed_total', { ...AT, type: 'trial-stayed' }), 0);
});

t.test('after a restore, too: what was over runs again', async (t) => {
  let kept = 0;
  const { app, connection, store, registry } = await openHeld(t, {
    before: async (earlier) => {
      await earlier.activate({ channel: 'staging', version: '1.0.0', reason });
      await earlier.activate({ channel: 'staging', version: '1.1.0', revertAfter: '1h', reason });
      const { rollout } = await earlier.rollouts.start(HALF);
      kept = earlier.current.revision;
      await earlier.rollouts.steer('abort-rollout', { pack: 'coach', rollout: rollout.id, reason });
      await earlier.rollback({ channel: 'staging', reason });
    },
  });
  const zeros = async () => {
    const now = scrapeOf((await app.inject('/metrics')).body); // with the operator's key, which the backup has
    return ['assignments_total', 'plans_failed_total'].map((name) => now.find(`prompt_registry_${name}`).length);
  };
  t.strictSame(await zeros(), [0, 0], 'control: nothing runs');
  const restored = await backupOf(store, kept);
  t.teardown(() => restored.close());
  connection.inner = restored;
  await acceptRestore(restored, newFolder(t), 'The disk was lost');
  await until(() => registry.current.epoch === 2);
  t.strictSame(await zeros(), [4, 1]);
});

t.test('what is due and not done is overdue, and a clock in doubt is why', async (t) => {
  const { registry, clock, scrape } = await openHeld(t);
  await registry.rollouts.start({ ...HALF, steps: [{ share: 1, hold: '10m' }, { share: 50 }] });
  const signs = (now: Awaited<ReturnType<typeof scrape>>) =>
    ['overdue_seconds', 'clock_in_doubt'].map((name) => now.value(`prompt_registry_${name}`));
  t.strictSame(signs(await scrape()), [0, 0]);
  clock.time += 10.5 * MINUTE;
  t.strictSame(signs(await scrapedWhen(scrape, (now) => signs(now)[1] === 1)), [30, 1]);
});

t.test('there is a bound, and the series of a rollout that runs stay', async (t) => {
  const MOST = 12;
  const { app, registry, scrape } = await openHeld(t, { mostSeries: MOST });
  const start = async (pack: string, share: number) =>
    (await registry.rollouts.start({ ...HALF, steps: [{ share }], pack })).rollout.id;
  const abort = (pack: string, rollout: number) => registry.rollouts.steer('abort-rollout', { pack, rollout, reason });
  const read = (pack: string, more = '&subject=user-1') => app.inject(`/v1/prompts/system?pack=${pack}${more}`);
  const others = ['one', 'two', 'three', 'four'];
  for (const pack of others) {
    await addPack(app, pack, '1.0.0', '2.0.0');
    await registry.activate({ pack, version: '1.0.0', reason });
  }
  const rollOutOthers = async () => {
    for (const pack of others) await abort(pack, await start(pack, 100));
  };

  const first = await start('coach', 100);
  await read('coach');
  for (let minor = 1; minor <= 10; minor += 1) {
    await registry.publish({ pack: 'coach', document: documentOf('coach', `3.${minor}.0`) });
    await registry.activate({ channel: 'staging', version: `3.${minor}.0`, reason });
    await read('coach', '&channel=staging');
  }
  await rollOutOthers();
  await read('coach');
  const now = await scrape();
  const candidate = { pack: 'coach', version: '2.0.0', kind: 'system', result: 'sent' };
  const arms = { ...AT, kind: 'read' };
  t.equal(now.value('prompt_registry_reads_total', candidate), 2, 'the candidate is served');
  t.equal(now.value('prompt_registry_assignments_total', arms), 2);
  t.ok(now.find('prompt_registry_assignments_total').length <= MOST, 'there is a bound');

  await abort('coach', first);
  const second = await start('coach', 0);
  await read('coach');
  await abort('coach', second);
  await rollOutOthers();
  t.strictSame((await scrape()).find('prompt_registry_assignments_total', arms), [], 'others have made room');
  await start('coach', 0);
  await read('coach');
  t.equal((await scrape()).value('prompt_registry_assignments_total', arms), 1, 'a new series begins');
});
