/**
 * The last good snapshot grows by what a flip changed: one line, synced, however many versions the pack has. A torn end is left out, a file
 * damaged elsewhere is ignored, and sometimes the whole state is written again.
 */
import {
  chmodSync,
  cpSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LastGood } from '../../../registry/local/last-good.ts';
import { SILENT } from '../../../registry/machine/logger.ts';
import type { Registry } from '../../../registry/registry.ts';
import type { Snapshot } from '../../../registry/state/snapshot.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';
import { newFolder } from '../../support/process/folder.ts';
import { documentOf, shippedOf } from '../../support/packs/pack-documents.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { formatAndRevision } from '../../support/stores/snapshot-files.ts';
import { plain } from '../../support/stores/snapshots.ts';
import { until } from '../../support/process/until.ts';
import { copiedBy, watchFiles } from '../../support/observability/work.ts';

const reason = 'Why not';
const SHIPPED = shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0');

const saved = ({ views: _, ...rest }: Snapshot) => plain(rest);
const stateIn = async (dataDir: string) => plain((await new LastGood(dataDir, { logger: SILENT }).load())?.state);

/** A registry whose file is written. */
async function running(t: Test, store = new MemoryStore()) {
  const dataDir = newFolder(t);
  t.teardown(() => store.close());
  const file = join(dataDir, 'snapshot.jsonl');
  const logger = new RecordedLogger();
  const registry = await openRegistry(t, { store: new FailingStore(store), shipped: SHIPPED, dataDir, logger });
  const onDisk = async () =>
    until(
      () =>
        statSync(file, { throwIfNoEntry: false }) !== undefined &&
        formatAndRevision(file).revision === registry.current.revision,
    );
  await onDisk();
  return { dataDir, store, file, logger, registry, onDisk };
}

/** Moves production, then waits until the file says so. */
async function flip(
  { registry, onDisk }: { registry: Registry; onDisk: () => Promise<void> },
  version: string,
): Promise<void> {
  await registry.activate({ version, reason });
  await onDisk();
}

t.test('a flip appends a line to the file; a start applies it to the state', async (t) => {
  const start = await running(t);
  const { file, registry, dataDir } = start;
  const [before, { ino }] = [readFileSync(file, 'utf8'), statSync(file)];
  await flip(start, '1.0.0');
  await registry.publish({ pack: 'coach', document: documentOf('coach', '3.0.0') });
  await registry.createKey({ label: 'CI', scopes: ['prompts:read'] });
  await registry.revoke({ pack: 'coach', version: '1.1.0', reason });
  await flip(start, '3.0.0');
  t.equal(statSync(file).ino, ino, 'the same file');
  const after = readFileSync(file, 'utf8');
  t.ok(after.startsWith(before), 'the earlier lines are unchanged');
  t.strictSame(await stateIn(dataDir), saved(registry.current));
  await registry.close();
  t.strictSame(await stateIn(dataDir), saved(registry.current));
});

t.test('the cost of a flip does not grow with the versions of the pack', async (t) => {
  const work: { copied: number; written: number }[] = [];
  for (const versions of [10, 400]) {
    const store = new MemoryStore();
    const before = await openRegistry(t, { store: new FailingStore(store), shipped: SHIPPED });
    for (let minor = 0; minor < versions; minor += 1)
      await before.publish({ pack: 'coach', document: documentOf('coach', `10.${minor}.0`) });
    await before.activate({ version: '10.1.0', reason });
    const start = await running(t, store);
    const { registry } = start;
    const files = await watchFiles();
    const copied = await copiedBy(async () => {
      await registry.publish({ pack: 'coach', document: documentOf('coach', '9.0.0') });
      await registry.activate({ version: '10.0.0', reason });
      await registry.rollback({ reason });
      await registry.revoke({ pack: 'coach', version: '10.2.0', reason });
    });
    await start.onDisk();
    files.stop();
    work.push({ copied, written: files.written });
  }
  const [few, many] = work as [{ copied: number; written: number }, { copied: number; written: number }];
  t.comment(
    `10 versions: ${few.copied} copied, ${few.written} bytes; 400: ${many.copied} copied, ${many.written} bytes`,
  );
  t.ok(many.copied < few.copied + 250, `${few.copied} items are copied with 10 versions, ${many.copied} with 400`);
  t.ok(many.written < few.written + 250, `${few.written} bytes are written with 10 versions, ${many.written} with 400`);
});

t.test('a version that was once active does not slow down later flips', async (t) => {
  const copies: number[] = [];
  for (const moves of [10, 120]) {
    const { registry } = await running(t);
    for (let minor = 0; minor < moves; minor += 1) {
      await registry.publish({ pack: 'coach', document: documentOf('coach', `10.${minor}.0`) });
      await registry.activate({ version: `10.${minor}.0`, reason });
      await registry.rollback({ toVersion: '2.0.0', reason }); // the stack stays short; what was ever active does not
    }
    copies.push(await copiedBy(() => registry.activate({ version: '1.1.0', reason })));
  }
  const [few = 0, many = 0] = copies;
  t.ok(many < few + 50, `${few} items are copied after 10 moves, ${many} after 120`);
});

t.test('a file of format 3 is read, and refused if it was changed', async (t) => {
  const dataDir = newFolder(t);
  const file = join(dataDir, 'snapshot.jsonl');
  const fixture = readFileSync(new URL('../../fixtures/snapshot-format-3/snapshot.jsonl', import.meta.url), 'utf8');
  writeFileSync(file, fixture);
  const load = () => new LastGood(dataDir, { logger: SILENT }).load();
  const read = await load();
  if (read === undefined) throw new Error('It is not read.');
  const { state, sessionKeys } = read;
  const [header = '', ...lines] = fixture.split('\n').slice(0, -1);
  const { format: _, digest: __, keys, sessionKeys: ___, ...position } = JSON.parse(header) as Record<string, object>;
  const packs = lines.map((line) => JSON.parse(line) as { pack: string; pointers: { channel: string }[] });
  const found = JSON.parse(JSON.stringify(plain(state))) as object;
  t.strictSame(found, {
    ...position,
    keys: Object.fromEntries((keys as { keyId: string }[]).map((key) => [key.keyId, key])),
    packs: Object.fromEntries(
      packs.map((pack) => [
        pack.pack,
        {
          ...pack,
          pointers: Object.fromEntries(pack.pointers.map((pointer) => [pointer.channel, pointer])),
          plans: {},
        },
      ]),
    ),
  });
  t.equal(sessionKeys.length, 1);
  t.equal(read.outdated, true, 'it is never what the rest of the log is folded onto');
  t.equal(state.packs.get('coach')?.versions.get('1.1.0')?.revocation?.replacement, '2.0.0');
  writeFileSync(file, fixture.replace('"replacement":"2.0.0"', '"replacement":"1.0.0"'));
  t.equal(await load(), undefined);
});

t.test('a torn end is left out, wherever it is cut; a file that is damaged before it is refused', async (t) => {
  const start = await running(t);
  const { file, registry, dataDir } = start;
  const states = [saved(registry.current)];
  for (const version of ['1.0.0', '1.1.0']) {
    await flip(start, version);
    states.push(saved(registry.current));
  }
  await registry.close();
  const good = readFileSync(file);
  const ends = [...good.entries()].flatMap(([index, byte]) => (byte === 0x0a ? [index + 1] : [])).slice(-3);
  const [base = 0, first = 0, second = 0] = ends;
  t.equal(second, good.length);
  const wrong: string[] = [];
  const tryOut = async (title: string, bytes: Uint8Array, allowed: readonly unknown[]) => {
    writeFileSync(file, bytes);
    const state = await stateIn(dataDir);
    if (!allowed.some((one) => JSON.stringify(one) === JSON.stringify(state))) wrong.push(title);
  };
  for (let length = base - 1; length < good.length; length += 11) {
    await tryOut(`cut at ${length}`, good.subarray(0, length), [length < first - 1 ? states[0] : states[1]]);
    await tryOut(
      `zeros from ${length}`,
      Buffer.concat([good.subarray(0, length), Buffer.alloc(good.length - length)]),
      length < first ? [states[0], undefined] : [states[1]],
    );
  }
  for (let index = base; index < good.length; index += 7) {
    const bytes = Buffer.from(good);
    bytes[index] = bytes[index]! ^ 0x01;
    await tryOut(`byte ${index}`, bytes, index < first ? [undefined] : [states[1], undefined]);
  }
  await tryOut('the first of two lines is missing', Buffer.concat([good.subarray(0, base), good.subarray(first)]), [
    undefined,
  ]);
  await tryOut('a line twice', Buffer.concat([good, good.subarray(first)]), [undefined]);
  await tryOut(
    'in another order',
    Buffer.concat([good.subarray(0, base), good.subarray(first), good.subarray(base, first)]),
    [undefined],
  );
  t.same(wrong, []);
  await tryOut('itself', good, [states[2]]);
  t.same(wrong, []);
});

t.test('when the appended lines are as long as the state, the state is written again', async (t) => {
  const start = await running(t);
  const { file, registry, dataDir } = start;
  const { ino } = statSync(file);
  let largest = 0;
  const long = 'x'.repeat(500);
  while (statSync(file).ino === ino) {
    for (let turn = 0; turn < 250; turn += 1)
      await registry.activate({ version: turn % 2 === 0 ? '1.0.0' : '1.1.0', reason: long });
    await start.onDisk();
    largest = Math.max(largest, statSync(file).size);
  }
  // The size is looked at after 250 moves each, which are about 300 KB.
  t.ok(largest > 700 * 1024 && largest < 2 * 1024 * 1024, `it had grown to ${largest} bytes`);
  t.ok(statSync(file).size < 50_000, 'it is as short as the state is');
  t.strictSame(await stateIn(dataDir), saved(registry.current));
  await flip(start, '2.0.0');
  t.strictSame(await stateIn(dataDir), saved(registry.current), 'and goes on from there');
});

t.test('a file that was moved away, cut or replaced meanwhile is written again', async (t) => {
  const meddled: Record<string, (file: string) => void> = {
    'moved away': (file) => renameSync(file, `${file}.old`),
    removed: (file) => rmSync(file),
    cut: (file) => truncateSync(file, 10),
    'another one': (file) => {
      writeFileSync(`${file}.other`, readFileSync(file));
      renameSync(`${file}.other`, file);
    },
  };
  for (const [title, meddle] of Object.entries(meddled)) {
    const start = await running(t);
    meddle(start.file);
    await start.registry.activate({ version: '1.0.0', reason });
    await start.registry.close();
    t.strictSame(await stateIn(start.dataDir), saved(start.registry.current), title);
  }
});

t.test('a link under the temporary name is not followed, and leftovers there affect nothing', async (t) => {
  for (const planted of ['link', 'file'] as const) {
    const { dataDir, file, registry, store } = await running(t);
    await registry.close();
    const elsewhere = join(newFolder(t), 'elsewhere');
    writeFileSync(elsewhere, 'as it was');
    if (planted === 'link') symlinkSync(elsewhere, `${file}.tmp`);
    else {
      writeFileSync(`${file}.tmp`, 'x'.repeat(100_000));
      chmodSync(`${file}.tmp`, 0o644);
    }
    const next = await openRegistry(t, { store: new FailingStore(store), shipped: SHIPPED, dataDir });
    await next.activate({ version: '1.0.0', reason });
    await next.close();
    t.equal(readFileSync(elsewhere, 'utf8'), 'as it was');
    t.ok(lstatSync(file).isFile(), planted);
    t.equal(statSync(file).mode & 0o777, 0o600);
    t.strictSame(await stateIn(dataDir), saved(next.current));
  }
});

t.test('what a flip wrote survives a loss of power', async (t) => {
  const files = await watchFiles();
  t.teardown(() => files.stop());
  const start = await running(t);
  for (const [turn, version] of [undefined, '1.0.0', '1.1.0'].entries()) {
    if (version !== undefined) await flip(start, version);
    await until(() => (files.synced.get(statSync(start.file).ino) ?? 0) === statSync(start.file).size);
    // The names in the folder follow the file.
    for (const folder of [start.dataDir, join(start.dataDir, 'contents')])
      await until(() => files.synced.has(statSync(folder).ino));
    const lost = join(newFolder(t), 'data');
    cpSync(start.dataDir, lost, { recursive: true });
    cutToSynced(start.dataDir, lost, files.synced);
    const store = new FailingStore(start.store);
    store.away = true;
    const after = await openRegistry(t, { store, shipped: SHIPPED, dataDir: lost, failStatic: true });
    t.strictSame(plain(after.current.packs), plain(start.registry.current.packs), `after flip ${turn}`);
    t.equal(after.activePack().system, start.registry.activePack().system, 'texts and all');
    await after.close();
  }
});

/** What a loss of power leaves of the copy of a folder: the synced part of each file. */
function cutToSynced(folder: string, copy: string, synced: ReadonlyMap<number, number>): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    truncateSync(join(copy, path.slice(folder.length)), synced.get(statSync(path).ino) ?? 0);
  }
}
