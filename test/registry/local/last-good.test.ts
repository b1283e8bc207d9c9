/**
 * The last good snapshot on disk: a start from it and the rest of the log ends in the same state as a fold of the whole log. A file that is
 * damaged, of another registry, or ahead of the log is ignored.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { LastGood } from '../../../registry/local/last-good.ts';
import { SILENT } from '../../../registry/machine/logger.ts';
import { acceptRestore } from '../../../registry/host/accept-restore.ts';
import type { Registry } from '../../../registry/registry.ts';
import type { Snapshot } from '../../../registry/state/snapshot.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { FailingStore, type Plan } from '../../support/stores/failing-store.ts';
import { newFolder } from '../../support/process/folder.ts';
import { documentOf, shippedOf } from '../../support/packs/pack-documents.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { formatAndRevision } from '../../support/stores/snapshot-files.ts';
import { firstUnfrozen, plain } from '../../support/stores/snapshots.ts';

/** How soon after a flip the file is written (DESIGN section 4), and what a loaded machine may add, in milliseconds. */
const BOUND = 500;
const SLACK = 1000;

const reason = 'Why not';
const SHIPPED = shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0', 'onboarding@1.0.0');

/** A log with some history, and a data folder that a registry on it has left behind. */
async function leftBehind(t: Test, snapshotKey?: Uint8Array) {
  const dataDir = newFolder(t);
  const real = new MemoryStore();
  t.teardown(() => real.close());
  const file = join(dataDir, 'snapshot.jsonl');
  const store = new FailingStore(real);
  const registry = await openRegistry(t, { store, shipped: SHIPPED, dataDir, snapshotKey });
  for (const version of ['1.0.0', '1.1.0', '2.0.0', '1.0.0']) await registry.activate({ version, reason });
  await registry.rollback({ reason });
  await registry.activate({ channel: 'staging', version: '1.1.0', reason });
  await registry.close();
  /** The next start: with the folder, what it logged, and the queries it made of the log. */
  const start = async (logger = new RecordedLogger(), plan?: Plan) => {
    const next = new FailingStore(real, plan);
    return {
      registry: await openRegistry(t, { store: next, shipped: SHIPPED, dataDir, snapshotKey, logger }),
      logger,
      queries: next.calls.flatMap(({ query }) => query ?? []),
    };
  };
  return { real, store, dataDir, file, left: registry.current, start };
}

/** The state that the whole log gives, without any file. */
async function foldedWhole(t: Test, real: MemoryStore): Promise<unknown> {
  return plain((await openRegistry(t, { store: new FailingStore(real), shipped: SHIPPED })).current);
}

const saved = ({ views: _, ...rest }: Snapshot) => plain(rest);

t.test('the file has the state without the texts, and only this user can read it', async (t) => {
  const { dataDir, file, left } = await leftBehind(t);
  t.strictSame(plain((await new LastGood(dataDir, { logger: SILENT }).load())?.state), saved(left));
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.same(readdirSync(dataDir), ['contents', 'snapshot.jsonl'], 'nothing else is left');
  t.equal(
    readdirSync(join(dataDir, 'contents')).length,
    3,
    'each text that is active, or was active before, has its own file next to it',
  );
  t.notMatch(readFileSync(file, 'utf8'), /the system prompt|the direct style/, 'no prompt text is in it');
});

t.test('a start from the file ends in the state of the whole log, and reads only the rest of the log', async (t) => {
  const { real, left, start } = await leftBehind(t, Buffer.alloc(32, 1)); // without a key the log is read as well, in the background, to prove the file
  const whole = await foldedWhole(t, real);
  const first = await start();
  t.strictSame(plain(first.registry.current), whole);
  t.equal(firstUnfrozen(first.registry.current), undefined, 'it is frozen to its leaves');
  t.ok(
    first.queries.length > 0 && first.queries.every(({ after = 0 }) => after >= left.revision - 1),
    'the log before it was not read',
  );
  t.same(first.logger.messages('warn'), []);

  const other = await openRegistry(t, { store: new FailingStore(real), shipped: SHIPPED });
  await other.publish({ pack: 'coach', document: documentOf('coach', '3.0.0') });
  await other.activate({ version: '3.0.0', reason: 'While the first is away' });
  await other.rollback({ reason });
  const second = await start();
  t.strictSame(plain(second.registry.current), await foldedWhole(t, real), 'with what came after it');
  t.match(second.registry.activePack(), { version: '2.0.0', revision: other.current.revision });
  t.match(await second.registry.rollback({ reason, toVersion: '3.0.0' }), { changed: true }, 'and goes on from there');
});

t.test('any changed byte and any cut is noticed', async (t) => {
  const { dataDir, file, left } = await leftBehind(t);
  const good = readFileSync(file);
  const header = good.indexOf('\n') + 1;
  const expected = JSON.stringify(saved(left));
  const believed: string[] = [];
  const tryOut = async (title: string, bytes: Uint8Array) => {
    writeFileSync(file, bytes);
    const loaded = await new LastGood(dataDir, { logger: SILENT }).load();
    if (loaded !== undefined && JSON.stringify(plain(loaded)) !== expected) believed.push(title);
  };
  for (let index = 0; index < good.length; index += index < header ? 1 : 23) {
    for (const flip of [0x01, 0x10]) {
      const bytes = Buffer.from(good);
      bytes[index] = bytes[index]! ^ flip;
      await tryOut(`byte ${index} ${JSON.stringify(good.toString('latin1', index - 10, index + 10))}`, bytes);
    }
  }
  for (let length = 0; length < good.length; length += length < header ? 1 : 97)
    await tryOut(`cut at ${length}`, good.subarray(0, length));
  const lines = good.toString().split('\n');
  await tryOut('a line twice', Buffer.from([...lines.slice(0, 2), ...lines.slice(1)].join('\n')));
  await tryOut('lines in another order', Buffer.from([lines[0], lines[2], lines[1], ''].join('\n')));
  await tryOut('a line less', Buffer.from([lines[0], lines[1], ''].join('\n')));
  await tryOut('two halves of a crash', Buffer.concat([good.subarray(0, 400), Buffer.alloc(good.length - 400)]));
  t.same(believed, []);
  await tryOut('itself', good);
  t.ok(await new LastGood(dataDir, { logger: SILENT }).load(), 'and the file itself is believed');
});

t.test('an unusable file is reported, the log is folded instead, and a good file replaces it', async (t) => {
  const damages: Record<string, (file: string) => void> = {
    'cut short': (file) => writeFileSync(file, readFileSync(file).subarray(0, -200)),
    'damaged in a line': (file) =>
      writeFileSync(file, readFileSync(file, 'utf8').replace('"version":"1.0.0"', '"version":"1.0.1"')),
    'of a later format': (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('"format":5', '"format":6')),
    empty: (file) => writeFileSync(file, ''),
    'not JSON': (file) => writeFileSync(file, 'snapshot\n'),
    'no object': (file) => writeFileSync(file, 'null\n'),
    'not UTF-8': (file) => writeFileSync(file, Buffer.from([0xff, 0xfe, 0x0a])),
  };
  for (const [title, damage] of Object.entries(damages)) {
    await t.test(title, async (t) => {
      const { real, file, left, start } = await leftBehind(t);
      damage(file);
      const { registry, logger } = await start();
      t.strictSame(plain(registry.current), await foldedWhole(t, real));
      t.same(logger.messages('warn'), [
        'The last good snapshot is damaged or was written by another build, so it is not used; the log is folded instead.',
      ]);
      await registry.close();
      t.equal(formatAndRevision(file).revision, left.revision, 'it was written again');
      t.same((await start()).logger.messages('warn'), []);
    });
  }
});

t.test('a file that cannot be read or written does not stop a start', async (t) => {
  const dataDir = newFolder(t);
  const { real, left } = await leftBehind(t);
  const logger = new RecordedLogger();
  mkdirSync(join(dataDir, 'snapshot.jsonl'));
  const registry = await openRegistry(t, { store: new FailingStore(real), shipped: SHIPPED, dataDir, logger });
  t.equal(registry.current.revision, left.revision);
  t.match(await registry.activate({ version: '1.0.0', reason }), { changed: true });
  await registry.close();
  t.same(logger.messages('warn'), ['The last good snapshot cannot be read; the log is folded instead.']);
  t.same(logger.messages('error'), [
    'The last good snapshot could not be written; the next start will fold more of the log.',
  ]);
  t.same(
    readdirSync(dataDir).filter(
      (name) => name !== 'snapshot.jsonl' && name !== 'snapshot.jsonl.tmp' && name !== 'contents',
    ),
    [],
  );
});

t.test('a file of another registry: the log in the store is not its log, so nothing is followed', async (t) => {
  const [one, other] = [await leftBehind(t), await leftBehind(t)];
  const foreign = readFileSync(other.file);
  writeFileSync(one.file, foreign);
  const { registry, logger } = await one.start();
  t.strictSame(plain(registry.current), plain(other.left), 'the last good snapshot is served');
  t.match(registry.health(), { ready: true, conditions: [{ name: 'stale' }, { name: 'log-diverged' }] });
  t.match(logger.messages('error'), [/The log is not the one that this instance has applied/]);
  await t.rejects(registry.activate({ version: '1.1.0', reason }), { code: 'store-unavailable' });
});

t.test('a temporary file that a crash left counts only if it is later and of the same registry', async (t) => {
  const [one, other] = [await leftBehind(t), await leftBehind(t)];
  const earlier = readFileSync(one.file);
  const { registry } = await one.start();
  const { revision } = await registry.activate({ version: '1.1.0', reason });
  await registry.close();
  const revisionOf = async () => (await new LastGood(one.dataDir, { logger: SILENT }).load())?.state.revision;
  const later = readFileSync(one.file);
  writeFileSync(`${one.file}.tmp`, earlier);
  t.equal(await revisionOf(), revision, 'an earlier one does not');
  writeFileSync(one.file, earlier);
  writeFileSync(`${one.file}.tmp`, later);
  t.equal(await revisionOf(), revision, 'a later one does');
  const next = await other.start();
  for (const version of ['1.1.0', '2.0.0', '1.0.0']) await next.registry.activate({ version, reason });
  await next.registry.close();
  writeFileSync(`${one.file}.tmp`, readFileSync(other.file));
  t.equal(await revisionOf(), one.left.revision, 'one of another registry does not, however late');
});

t.test('a file that is ahead of the log: nothing is followed until the restore is accepted', async (t) => {
  const { store, dataDir, left } = await leftBehind(t);
  const cut = new MemoryStore(); // the same log, less its last event: a restored backup
  t.teardown(() => cut.close());
  for (const batch of store.batches.slice(0, -1))
    t.equal(await cut.append(batch, batch.events[0]!.revision - 1), 'done');
  const start = () => openRegistry(t, { store: new FailingStore(cut), shipped: SHIPPED, dataDir });
  const registry = await start();
  t.strictSame(plain(registry.current), plain(left));
  t.match(registry.health(), { conditions: [{ name: 'stale' }, { name: 'log-diverged' }] });
  await t.rejects(registry.activate({ version: '1.1.0', reason }), { code: 'store-unavailable' });
  await registry.close();

  t.match(await acceptRestore(new FailingStore(cut), dataDir, reason), { epoch: 2, revision: left.revision });
  const next = await start();
  t.strictSame(plain(next.current), await foldedWhole(t, cut));
  t.match(next.health(), { conditions: [] });
});

t.test('it is written soon after a flip, and the flip does not wait for it', async (t) => {
  const { file, start, left } = await leftBehind(t);
  const { registry } = await start();
  const written = async (revision: number, started: number) => {
    while (formatAndRevision(file).revision < revision) {
      if (performance.now() - started > 10_000) throw new Error(`Revision ${revision} was not written in ten seconds.`);
      await setTimeout(5);
    }
    return performance.now() - started;
  };
  for (let flip = 0; flip < 3; flip += 1) {
    const started = performance.now();
    const { revision } = await registry.activate({ version: flip % 2 === 0 ? '1.0.0' : '2.0.0', reason });
    t.ok(formatAndRevision(file).revision < revision, 'the answer did not wait for it');
    const took = await written(revision, started);
    t.ok(took < BOUND + SLACK, `after ${Math.round(took)} ms`);
  }
  t.equal(formatAndRevision(file).revision, left.revision + 3);
});

t.test('closing writes what is missing; readers find the old or the new file, whole', async (t) => {
  const { file, dataDir, start } = await leftBehind(t);
  const { registry } = await start();
  const flips = flip(registry, 50);
  const seen: (number | undefined)[] = [];
  for (let look = 0; look < 200; look += 1) {
    seen.push(
      (await new LastGood(dataDir, { logger: { ...SILENT, warn: (_, message) => t.fail(message) } }).load())?.state
        .revision,
    );
  }
  await flips;
  const { revision } = registry.current;
  await registry.close();
  t.notOk(seen.includes(undefined), 'there was always a good one');
  t.equal((await new LastGood(dataDir, { logger: SILENT }).load())?.state.revision, revision);
  t.notOk(existsSync(`${file}.tmp`));
});

async function flip(registry: Registry, times: number): Promise<void> {
  for (let turn = 0; turn < times; turn += 1)
    await registry.activate({ version: turn % 2 === 0 ? '1.0.0' : '2.0.0', reason });
}
