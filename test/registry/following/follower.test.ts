/**
 * Following (registry/following/follower.ts): a hint wakes the follower, a lost hint costs a poll. A log that differs from the applied one is
 * not followed until it is repaired or its restore is accepted.
 */
import t, { type Test } from 'tap';
import { Follower, type Followed } from '../../../registry/following/follower.ts';
import { Freshness } from '../../../registry/following/freshness.ts';
import { Instances } from '../../../registry/following/instances.ts';
import { SILENT } from '../../../registry/machine/logger.ts';
import { acceptRestore } from '../../../registry/host/accept-restore.ts';
import type { LeaseClaim } from '../../../registry/log/store.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { backupOf } from '../../support/stores/backups.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';
import { newFolder } from '../../support/process/folder.ts';
import { documentOf } from '../../support/packs/pack-documents.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { until } from '../../support/process/until.ts';

const reason = 'Users report that answers are too blunt';
/** How long a move may take to arrive where hints are lost: the poll and a second (BARS B6), in milliseconds. */
const LAG_BOUND = 2000;
/** How long an instance may take to be current again once its store is back (BARS B6), in milliseconds. */
const RECOVERY_BOUND = 5000;

async function pair(t: Test) {
  const store = new MemoryStore();
  t.teardown(() => store.close());
  const writer = await openRegistry(t, { store: new FailingStore(store) });
  const connection = new FailingStore(store);
  const logger = new RecordedLogger();
  const follower = await openRegistry(t, { store: connection, logger });
  const seen: number[] = [];
  follower.onChange((events) => seen.push(...events.map(({ revision }) => revision)));
  const move = async () =>
    (await writer.activate({ version: writer.activePack().version === '1.0.0' ? '2.0.0' : '1.0.0', reason })).revision;
  return { store, writer, connection, follower, logger, seen, move };
}

t.test('a hint brings each move at once, in revision order, whole', async (t) => {
  const { follower, writer, seen, move } = await pair(t);
  const from = writer.current.revision;
  for (let turn = 0; turn < 20; turn += 1) await move();
  await until(() => follower.current.revision === writer.current.revision);
  t.strictSame(
    seen,
    Array.from({ length: 20 }, (_, index) => from + index + 1),
  );
  t.equal(follower.current.hash, writer.current.hash);
});

t.test('a lost hint costs only a poll', async (t) => {
  const { connection, follower, move } = await pair(t);
  connection.deaf = true;
  for (let turn = 0; turn < 2; turn += 1) {
    const revision = await move();
    const began = performance.now();
    await until(() => follower.current.revision === revision);
    t.ok(performance.now() - began <= LAG_BOUND, `after ${Math.round(performance.now() - began)} ms`);
  }
});

t.test('a gap is read from the log: hints after the store was away', async (t) => {
  const { connection, follower, seen, move, logger } = await pair(t);
  const from = follower.current.revision;
  connection.away = true;
  for (let turn = 0; turn < 5; turn += 1) await move();
  t.equal(follower.current.revision, from, 'nothing gets through');
  await until(() => logger.messages('warn').some((line) => line.includes('The store cannot be reached')));
  connection.away = false;
  const began = performance.now();
  await until(() => logger.messages('info').some((line) => line.includes('The store is back')));
  t.ok(performance.now() - began <= RECOVERY_BOUND, `after ${Math.round(performance.now() - began)} ms`);
  t.strictSame(
    seen,
    [1, 2, 3, 4, 5].map((step) => from + step),
  );
  t.equal(
    logger.messages('warn').filter((line) => line.includes('cannot be reached')).length,
    1,
    'an outage is logged once',
  );
});

t.test('a log that is shorter, or a different one, is not followed until it is repaired', async (t) => {
  const { store, connection, follower, writer, logger, move } = await pair(t);
  const kept = follower.current.revision;
  for (let turn = 0; turn < 3; turn += 1) await move();
  await until(() => follower.current.revision === writer.current.revision);
  const applied = follower.current;

  const shorter = await backupOf(store, kept);
  const elsewhere = new MemoryStore();
  const stranger = await openRegistry(t, { store: new FailingStore(elsewhere) });
  for (let turn = 0; turn < 12; turn += 1)
    await stranger.activate({ version: ['1.0.0', '1.1.0'][turn % 2] ?? '', reason });
  const forkedBy = async (moves: number) => {
    const forked = await backupOf(store, kept);
    const fork = await openRegistry(t, { store: new FailingStore(forked) });
    for (let turn = 0; turn < moves; turn += 1)
      await fork.activate({ version: ['1.1.0', '1.0.0'][turn % 2] ?? '', reason });
    return forked;
  };
  const [asLong, longer] = [await forkedBy(3), await forkedBy(6)];
  t.equal((await asLong.head())?.revision, applied.revision);

  for (const [name, wrong] of Object.entries({
    shorter,
    'another registry': elsewhere,
    'gone on otherwise': longer,
    'gone on otherwise, as long': asLong,
    empty: new MemoryStore(),
  })) {
    const head = await wrong.head();
    connection.inner = wrong;
    await until(() => follower.health().conditions.some((condition) => condition.name === 'log-diverged'));
    t.notOk(follower.staleSeconds === undefined, `${name}: marked at once`);
    t.equal(
      follower.activePack().version,
      applied.views.get('coach')?.get('production')?.activePack.version,
      `${name}: what was applied is served`,
    );
    const writes: (() => Promise<unknown>)[] = [
      () => follower.activate({ version: '1.1.0', reason }),
      () => follower.publish({ pack: 'coach', document: documentOf('coach', '3.0.0') }),
    ];
    for (const write of writes) {
      await t.rejects(
        write(),
        { name: 'RegistryError', code: 'store-unavailable' },
        `${name}: nothing is written to it`,
      );
    }
    await t.rejects(follower.reach({ revision: applied.revision + 1 }), { code: 'revision-not-reached' }, name);
    t.strictSame(await wrong.head(), head, `${name}: it is as it was`);
    t.equal(follower.current, applied, `${name}: none of it is shown`);

    connection.inner = store;
    await until(() => follower.health().conditions.length === 0);
    t.equal(follower.staleSeconds, undefined, `${name}: once repaired, it is followed`);
  }
  t.equal(
    logger.messages('error').filter((line) => line.includes('does not follow it')).length,
    5,
    'each is logged once',
  );
  const revision = await move();
  await until(() => follower.current.revision === revision);
});

t.test('once the restore is accepted, the whole restored log is applied without a restart', async (t) => {
  const { store, connection, follower, writer, move, seen } = await pair(t);
  const kept = follower.current.revision;
  for (let turn = 0; turn < 3; turn += 1) await move();
  await until(() => follower.current.revision === writer.current.revision);
  const restored = await backupOf(store, kept);
  connection.inner = restored;
  await until(() => follower.health().conditions.some(({ name }) => name === 'log-diverged'));
  const before = seen.length;
  const heard: number[] = [];
  follower.onChange((events) => heard.push(events.length));
  await acceptRestore(restored, newFolder(t), 'The disk was lost');
  await until(() => follower.health().conditions.length === 0);
  t.strictSame(heard, [0], 'listeners are notified once that the whole history was replaced');
  t.match(follower.current, { epoch: 2, revision: kept + 1 });
  t.equal(follower.activePack().version, '2.0.0', 'the version of the restored log');
  t.equal(seen.length, before);
  t.match(
    await follower.activate({ version: '1.1.0', reason }),
    { revision: kept + 2, previousVersion: '2.0.0' },
    'and it can be written to',
  );
  t.match(await follower.verify(), { valid: true, events: kept + 2 });
});

t.test('a renewal counts from the moment it was sent, however long its answer takes (SPEC R10)', async (t) => {
  const { store, follower } = await pair(t);
  const claim = { id: 'of-the-test', startedAt: new Date().toISOString(), epoch: 1, appliedRevision: 1 };
  const asked: number[] = [];
  const slow = Object.assign(new FailingStore(store), {
    renew: async (given: LeaseClaim) => {
      asked.push(performance.now());
      const renewal = await store.renew(given); // the head as it was then
      await until(() => performance.now() > asked[0]! + 50);
      return renewal;
    },
  });
  const confirmed: number[] = [];
  const freshness = Object.assign(new Freshness(), { confirm: (sentAt: number) => void confirmed.push(sentAt) });
  const observed: number[] = [];
  const instances = Object.assign(new Instances(claim.id), {
    observe: (_leases: unknown, sentAt: number) => void observed.push(sentAt),
  });
  const followed: Followed = {
    current: () => follower.current,
    claim: () => claim,
    seeFence: () => undefined,
    catchUp: () => Promise.resolve(),
    takeOver: () => Promise.resolve(false),
    afterRenewal: () => Promise.resolve(),
  };
  const tested = new Follower({ store: slow, followed, freshness, instances, logger: SILENT });
  await tested.start();
  await tested.stop();
  t.ok(confirmed[0]! <= asked[0]!, `confirmed from ${confirmed[0]}, sent at ${asked[0]}`);
  t.ok(observed[0]! <= asked[0]!, 'and the others are watched from then on');
});

t.test('a hint without a revision, as after a lost connection, causes a read of the log', async (t) => {
  const { store, writer } = await pair(t);
  let [woken, renewals] = [(_revision?: number): void => undefined, 0];
  const connection = Object.assign(new FailingStore(store), {
    renew: (claim: LeaseClaim) => ((renewals += 1) === 1 ? store.renew(claim) : new Promise<never>(() => undefined)), // no later one can bring the news
    watch: (hint: typeof woken) => ((woken = hint), () => undefined),
  });
  const follower = await openRegistry(t, { store: connection, logger: SILENT });
  const { revision } = await writer.activate({ version: '1.0.0', reason });
  woken();
  await until(() => follower.current.revision === revision);
  t.equal(follower.activePack().version, '1.0.0');
  connection.renew = (claim) => store.renew(claim);
});

t.test('an instance that ends returns its lease, and is no longer sure of anything', async (t) => {
  const { follower, writer } = await pair(t);
  await until(() => writer.instance.list().length === 2);
  await follower.close();
  t.notOk(follower.staleSeconds === undefined);
  await until(() => writer.instance.list().length === 1);
});
