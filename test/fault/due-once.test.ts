/**
 * What is due by time is done once, although every instance tries and any of them may die at any moment (BARS B15; SPEC R15).
 *
 * Steps of rollouts, ends of trials and scheduled activations fall due all the time. Three instances with clocks that are ten minutes apart
 * are killed and restarted, some just after a commit whose answer was lost; at least one is up. Then the store is away while something is
 * due, and then nobody is up over several steps of a plan. The log tells what was done early, late, twice or never. On SQLite one server
 * is killed and restarted in the same way. To repeat a run: TEST_SEED=… node test/fault/due-once.test.ts
 */
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import type { Event } from '../../registry/index.ts';
import { openPostgresStore } from '../../registry/stores/postgres/index.ts';
import { attachSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { agreed, verificationOf } from '../support/apps/agreement.ts';
import { send, startInstances, until, type TestInstance } from '../support/apps/instances.ts';
import { operatorKeyIn, startServer } from '../support/apps/server-process.ts';
import { DueLedger, follow, keepBusy, type Change, type Kind } from '../support/chaos/due-things.ts';
import { newFolder } from '../support/process/folder.ts';
import { wrongClock } from '../support/process/wrong-clock.ts';
import { newSeed, randomFrom, readLog } from '../support/stores/events.ts';
import { leftBehind } from '../support/stores/left-behind.ts';

const { kills, outages, sqliteKills } = {
  faults: { kills: 30, outages: 3, sqliteKills: 12 },
  soak: { kills: 300, outages: 30, sqliteKills: 100 },
}[process.env['TEST_LENGTH'] ?? 'faults'] ?? { kills: 6, outages: 1, sqliteKills: 3 };
const MINUTE = 60_000;
/** SPEC R15, in milliseconds. */
const LATEST = 2000;
/** BARS B6: how long an instance may take to recover once the store is back, in milliseconds. */
const RECOVERY = 5000;

const KINDS: readonly Kind[] = ['rollout', 'trial', 'schedule'];
const BUSY = KINDS.flatMap((kind) => [1, 2, 3].map((number) => ({ kind, channel: `${kind}-${number}` })));
const settings = { LOG_LEVEL: 'error', CHANNELS: ['production', ...BUSY.map(({ channel }) => channel)].join() };

const seed = newSeed();
const random = randomFrom(seed);
t.setTimeout(600_000);

/** Asks any instance that is up, under one key, until one answers. */
function changeAt(up: () => readonly { ask: TestInstance['ask'] }[]): Change {
  return async (path, body) => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    for (;;) {
      const instances = up();
      const reply = await instances[Math.floor(random() * instances.length)]
        ?.ask(path, body, headers)
        .catch(() => undefined);
      if (reply !== undefined && reply.status < 500) return reply;
      await pause(20);
    }
  };
}

t.test(`three instances on one PostgreSQL, TEST_SEED=${seed}`, async (t) => {
  const { postgres, url, instances } = await startInstances(t, {
    count: 3,
    settings,
    env: (index) => wrongClock((index - 1) * 10 * MINUTE),
  });
  const store = openPostgresStore({ url });
  t.teardown(() => store.close());
  const up = new Set(instances);
  const change = changeAt(() => [...up]);

  await t.test(`${kills} kills, and ${outages} times without the store`, async (t) => {
    const ledger = new DueLedger(LATEST);
    let killed = 0;
    let [busy, following] = [true, true];
    const followed = follow(
      ledger,
      (after) => readLog(store, after),
      () => following,
    );
    const traffic = Promise.all(BUSY.map((each) => keepBusy(each, change, ledger, () => busy)));
    const killer = async () => {
      while (killed < kills) {
        const candidates = [...up];
        const victim = candidates[Math.floor(random() * candidates.length)];
        if (victim === undefined || candidates.length < 2) {
          await pause(20);
          continue;
        }
        up.delete(victim);
        killed += 1;
        if (random() < 0.5) victim.proxy.set({ kind: 'lose-commit' });
        await pause(random() * 1200); // so that it dies anywhere around what is due
        await victim.server.kill();
        victim.proxy.set('pass');
        await startedAgain(victim);
        up.add(victim);
      }
    };
    await Promise.all([killer(), killer()]);
    const lost = instances.reduce((sum, { proxy }) => sum + proxy.struck, 0);
    for (let outage = 0; outage < outages; outage += 1) {
      await until('something is due soon', RECOVERY, () => ledger.nextDue > Date.now() && ledger.nextDue < Infinity);
      const from = Date.now();
      await postgres.kill();
      await until('it is overdue', 2 * RECOVERY, () => Date.now() > ledger.nextDue + 1000);
      await postgres.restart();
      ledger.outages.push({ from, to: Date.now() + RECOVERY });
    }
    busy = false;
    await traffic;
    following = false;
    await followed;
    await agreed(instances);
    t.same(ledger.faults(), [], 'each once, by one event, in time');
    t.comment(
      `${JSON.stringify(ledger.done)}, at most ${ledger.latest} ms late; ${lost} commits whose answer was lost`,
    );
    t.ok(Math.min(...Object.values(ledger.done)) >= kills, 'of every kind');
    t.match(await verificationOf(instances[0]!), { valid: true });
  });

  await t.test('nobody is up over several steps', async (t) => {
    const { head } = await agreed(instances);
    const hold = '1s';
    const steps = [10, 20, 30, 40].map((share) => ({ share, hold }));
    const reason = 'Nobody is up';
    const at = new Date(Date.now() + 2000).toISOString();
    for (const [path, body] of [
      ['/v1/packs/coach/rollouts', { channel: 'production', version: '1.0.0', steps, bake: '1s', finish: 'promote' }],
      ['/v1/packs/coach/activations', { channel: 'trial-1', version: '1.1.0', revertAfter: '1s' }],
      ['/v1/packs/coach/schedule', { channel: 'schedule-1', version: '2.0.0', at }],
    ] as const) {
      const { status, text } = await change(path, { ...body, reason });
      t.ok(status === 200 || status === 201, text);
    }
    await Promise.all(instances.map(({ server }) => server.kill()));
    const log = await readLog(store, head.revision);
    const started = log.find(({ type }) => type === 'rollout-started');
    const over = Date.parse(started?.at ?? '') + 5000;
    await until('every hold is over', 10_000, () => Date.now() > over);
    await Promise.all(instances.map(startedAgain));
    const events = await until('promoted', 20_000, async () => {
      const all = await readLog(store, head.revision);
      return all.some(({ channel, type }) => channel === 'production' && type === 'version-activated') && all;
    });
    const ledger = new DueLedger();
    for (const event of events) ledger.add(event);
    t.same(ledger.faults(), []);
    const plan = events.filter(
      ({ channel, revision }) => channel === 'production' && revision > (started?.revision ?? 0),
    );
    const progress = plan.filter((event) => Date.parse(event.at) > over);
    t.match(
      progress,
      [
        { type: 'rollout-advanced', data: { step: 3, share: 40_000, state: 'running' } },
        { type: 'rollout-advanced', data: { step: 3, state: 'baking' } },
        { type: 'version-activated', version: '1.0.0' },
      ],
      'one event for the steps, and neither bake nor promotion with it',
    );
    const gaps = progress.slice(1).map((event, index) => Date.parse(event.at) - Date.parse(progress[index]?.at ?? ''));
    t.ok(
      gaps.every((gap) => gap >= 1000),
      `the last hold and the bake take their whole time: ${gaps.join(' and ')} ms`,
    );
  });
});

async function startedAgain(instance: TestInstance): Promise<void> {
  await instance.start({ identify: false });
  await until('ready', 30_000, async () => (await instance.ask('/readyz')).status === 200);
}

t.test(`one server on SQLite, ${sqliteKills} kills, TEST_SEED=${seed}`, async (t) => {
  const dataDir = join(newFolder(t), 'data');
  const start = () => startServer(t, { ...settings, DATA_DIR: dataDir, RATE_LIMIT: '0' });
  let server = await start();
  const key = operatorKeyIn(dataDir);
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  const ask: TestInstance['ask'] = (path, body, headers) =>
    send(
      server.address + path,
      agent,
      { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      JSON.stringify(body),
    );
  const store = await attachSqliteStore({ file: join(dataDir, 'registry.db') });
  t.teardown(() => store.close());

  const ledger = new DueLedger();
  let [busy, following] = [true, true];
  const followed = follow(
    ledger,
    (after) => readLog(store, after),
    () => following,
  );
  const traffic = Promise.all(
    BUSY.map((each) =>
      keepBusy(
        each,
        changeAt(() => [{ ask }]),
        ledger,
        () => busy,
      ),
    ),
  );
  for (let kill = 1; kill <= sqliteKills; kill += 1) {
    await pause(random() * 2500); // anywhere around what is due
    await server.kill();
    const { fromSnapshot, fromLog } = await leftBehind(t, dataDir, kill);
    t.strictSame(fromSnapshot, fromLog, `kill ${kill}: the snapshot on disk leads to the same state as the whole log`);
    server = await start();
  }
  busy = false;
  await traffic;
  following = false;
  await followed;
  t.same(ledger.faults(), [], 'each once, by one event');
  t.comment(JSON.stringify(ledger.done));
  t.ok(Math.min(...Object.values(ledger.done)) >= sqliteKills, 'of every kind');
});

t.test('control: the ledger finds what is early, late, twice or never done', async (t) => {
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 31, 0, 0, seconds)).toISOString();
  const events = [
    { type: 'rollout-started', actor: 'operator', at: at(0), data: { nextAt: at(10) } },
    { type: 'rollout-advanced', actor: 'system', at: at(11), data: { rollout: 1, nextAt: at(20) } },
    { type: 'version-activated', actor: 'system', at: at(21), data: { rollout: 1 } },
  ].map(
    ({ actor, ...event }, index) =>
      ({ ...event, revision: index + 1, pack: 'coach', channel: 'a', actor: { keyId: actor } }) as unknown as Event,
  );
  const [started, advanced, promoted] = events as [Event, Event, Event];
  const faultsOf = (list: readonly Event[]) => {
    const ledger = new DueLedger(LATEST);
    for (const event of list) ledger.add(event);
    return ledger.faults().join('; ');
  };
  t.equal(faultsOf(events), '');
  t.match(faultsOf([started, advanced]), /^rollout 1 was never done$/u);
  t.match(faultsOf([...events, promoted]), /does rollout 1 again$/u);
  t.match(faultsOf([started, { ...advanced, at: at(9) }, promoted]), /does rollout 1 1000 ms early$/u);
  t.match(faultsOf([started, advanced, { ...promoted, at: at(23) }]), /does rollout 1 3000 ms late$/u);
});
