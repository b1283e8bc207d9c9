/**
 * Accepting a restore (registry/host/accept-restore.ts): an event that opens a new epoch on the log as it is, later than anything seen before.
 */
import t, { type Test } from 'tap';
import { acceptRestore } from '../../../registry/host/accept-restore.ts';
import { reaches } from '../../../registry/state/position.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { backupOf } from '../../support/stores/backups.ts';
import { firstBroken, readLog } from '../../support/stores/events.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';
import { newFolder } from '../../support/process/folder.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { until } from '../../support/process/until.ts';

const reason = 'Users report that answers are too blunt';

/** A registry with some history, closed; the revision before the last moves, and a folder with the last good snapshot. */
async function history(t: Test) {
  const [store, dataDir] = [new MemoryStore(), newFolder(t)];
  const registry = await openRegistry(t, { store: new FailingStore(store), dataDir });
  const kept = registry.current.revision;
  for (const version of ['1.0.0', '1.1.0', '1.0.0']) await registry.activate({ version, reason });
  await registry.close();
  return { store, dataDir, kept, last: registry.current };
}

t.test('it appends one event of a later epoch', async (t) => {
  const { store, kept, last } = await history(t);
  const restored = await backupOf(store, kept);
  const position = await acceptRestore(restored, newFolder(t), 'The disk was lost');
  t.strictSame(position, { epoch: 2, revision: kept + 1 });
  t.ok(reaches(position, last) && !reaches(last, position), 'a lower revision, but later than all that was lost');
  const log = await readLog(restored);
  t.equal(log.length, kept + 1);
  t.match(log.at(-1), {
    type: 'registry-restored',
    actor: { keyId: 'system' },
    reason: 'The disk was lost',
    data: { epoch: 2 },
  });
  t.equal(firstBroken(log), undefined, 'the chain goes on');
});

t.test(
  'each acceptance opens a higher epoch, also higher than any that this host has seen and the backup has not',
  async (t) => {
    const { store, kept } = await history(t);
    const restored = await backupOf(store, kept);
    t.equal((await acceptRestore(restored, newFolder(t), 'Once')).epoch, 2);
    t.equal((await acceptRestore(restored, newFolder(t), 'Twice')).epoch, 3);

    const dataDir = newFolder(t);
    const seen = await openRegistry(t, { store: new FailingStore(restored), dataDir });
    t.equal(seen.current.epoch, 3);
    await seen.close();
    const older = await backupOf(store, kept); // a backup from before the first acceptance
    t.equal((await acceptRestore(older, dataDir, 'Again')).epoch, 4);
  },
);

t.test('a start whose last good snapshot is of the lost history applies the accepted log', async (t) => {
  const { store, dataDir, kept } = await history(t);
  const restored = await backupOf(store, kept);
  const diverged = await openRegistry(t, { store: new FailingStore(restored), dataDir, failStatic: true });
  t.match(diverged.health(), { ready: true, conditions: [{ name: 'stale' }, { name: 'log-diverged' }] });
  t.equal(diverged.activePack().version, '1.0.0', 'before the acceptance it serves what it had');
  t.equal((await restored.head())?.revision, kept, 'and adds nothing');
  await diverged.close();

  await acceptRestore(restored, dataDir, 'The disk was lost');
  const registry = await openRegistry(t, { store: new FailingStore(restored), dataDir, failStatic: true });
  t.match(registry.current, { epoch: 2, revision: kept + 1 });
  t.equal(registry.activePack().version, '2.0.0');
  t.strictSame(registry.health().conditions, []);
});

t.test('a second restore, after the first was accepted, is not followed until it is accepted as well', async (t) => {
  const { store, dataDir, kept } = await history(t);
  const accepted = await backupOf(store, kept);
  await acceptRestore(accepted, dataDir, 'The disk was lost');
  const connection = new FailingStore(accepted);
  const running = await openRegistry(t, { store: connection, dataDir, failStatic: true });
  const second = await backupOf(accepted, running.current.revision); // it holds the acceptance, and lacks what comes now
  await running.activate({ version: '1.1.0', reason });
  const served = running.current;

  connection.inner = second;
  await t.rejects(running.activate({ version: '1.0.0', reason }), { code: 'store-unavailable' });
  const renew = connection.renew.bind(connection);
  let renewals = 0;
  connection.renew = (claim) => ((renewals += 1), renew(claim));
  const hastened = running.instance.settled(served.revision + 1, 1); // renews often meanwhile
  await until(() => renewals > 1); // the second begins when all that follows from the first is done
  t.equal(running.activePack().version, '1.1.0', 'the acknowledged version is served');
  t.match(running.health().conditions, [{ name: 'stale' }, { name: 'log-diverged' }]);
  await running.close();
  await hastened;

  const start = () => openRegistry(t, { store: new FailingStore(second), dataDir, failStatic: true });
  const restarted = await start();
  t.equal(restarted.activePack().version, '1.1.0', 'a start does not follow it either');
  t.match(restarted.health().conditions, [{ name: 'stale' }, { name: 'log-diverged' }]);
  await restarted.close();

  t.equal((await acceptRestore(second, dataDir, 'Lost once more')).epoch, 3);
  t.match((await start()).health().conditions, []);
});

t.test('the accepted restore of another registry is not applied', async (t) => {
  const [mine, other] = [await history(t), await history(t)];
  await acceptRestore(other.store, newFolder(t), 'Another disk was lost');
  const registry = await openRegistry(t, {
    store: new FailingStore(other.store),
    dataDir: mine.dataDir,
    failStatic: true,
  });
  t.match(registry.health(), { ready: true, conditions: [{ name: 'stale' }, { name: 'log-diverged' }] });
  t.match(
    registry.current,
    { registryId: mine.last.registryId, epoch: 1, revision: mine.last.revision },
    'the last good snapshot is served',
  );
});

t.test('it requires a registry and a reason', async (t) => {
  const { store, kept, dataDir } = await history(t);
  await t.rejects(acceptRestore(new MemoryStore(), dataDir, 'Why'), /The log is empty/u);
  const restored = await backupOf(store, kept);
  for (const blank of ['', ' ', 'x'.repeat(501)])
    await t.rejects(acceptRestore(restored, dataDir, blank), { code: 'validation-failed' });
  t.equal((await restored.head())?.revision, kept, 'nothing was written');
});

t.test('a log with a gap is not accepted', async (t) => {
  const { store, kept, dataDir } = await history(t);
  const broken = new FailingStore(await backupOf(store, kept));
  const { inner } = broken;
  broken.inner = new Proxy(inner, {
    get: (target, name) =>
      name === 'events'
        ? async (query: Parameters<typeof inner.events>[0]) =>
            (await target.events(query)).filter(({ revision }) => revision !== 3)
        : Reflect.get(target, name),
  });
  await t.rejects(acceptRestore(broken, dataDir, 'Why'), { name: 'LogBroken' });
  t.equal((await inner.head())?.revision, kept);
});
