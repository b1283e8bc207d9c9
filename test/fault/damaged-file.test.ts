/**
 * A damaged database file (SPEC R11): bytes, pages or the end of a good file are overwritten. Either the service starts and `verify` says
 * correctly whether the log is whole, or the start ends with exit code 65, which a person has to fix. An exit code that means "try again later"
 * would make a supervisor restart it forever.
 *
 * To repeat a run: TEST_SEED=… node test/fault/damaged-file.test.ts
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { LogBroken, Registry, StartRefused, StoreDamaged } from '../../registry/index.ts';
import type { Event } from '../../registry/log/event.ts';
import type { Store } from '../../registry/log/store.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { newSeed, randomFrom, readLog } from '../support/stores/events.ts';
import { newFolder } from '../support/process/folder.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { optionsOf } from '../support/apps/registries.ts';

/** Places spread evenly over the file. Each is damaged in one way, in the long runs in every way. */
const PLACES = 101;
const PAGE = 4096;
const long = (process.env['TEST_LENGTH'] ?? 'short') !== 'short';
const seed = newSeed();
const random = randomFrom(seed);

const folder = newFolder(t);
const file = join(folder, 'registry.db');
const shipped = shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0');

/** A log of a few hundred events. */
const events = await (async (): Promise<readonly Event[]> => {
  const store = await openSqliteStore({ file });
  const registry = await Registry.open(optionsOf({ store, shipped }));
  for (let turn = 0; turn < 40; turn += 1) {
    await registry.publish({
      pack: 'coach',
      document: documentOf('coach', `3.0.${turn}`, { summary: `Edition ${turn}` }),
    });
    await registry.activate({
      version: `3.0.${turn}`,
      reason: `Turn ${turn}`,
      idempotency: { key: `turn-${turn}`, fingerprint: 'f' },
    });
    await registry.rollback({ reason: 'Too blunt' });
  }
  const log = await readLog(store);
  await registry.close();
  return log;
})();
const good = readFileSync(file);
const digests = events.flatMap((event) => (event.type === 'version-published' ? [event.data.digest] : []));
const contents = await (async () => {
  const store = await openSqliteStore({ file });
  const all = await Promise.all(digests.map((digest) => store.content(digest)));
  await store.close();
  return all;
})();

const bytes = (length: number) => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
const pageOf = (offset: number) => Math.floor(offset / PAGE) * PAGE;
/** Ways to damage a file. Each changes the given copy, or returns another one. */
const DAMAGES: Readonly<Record<string, (copy: Buffer, offset: number) => Buffer | undefined>> = {
  'a few bytes are noise': (copy, offset) => void bytes(24).copy(copy, offset),
  'one bit is turned': (copy, offset) => void (copy[offset] = (copy[offset] ?? 0) ^ (1 << Math.floor(random() * 8))),
  'a page is noise': (copy, offset) => void bytes(PAGE).copy(copy, pageOf(offset)),
  'a page is zeros': (copy, offset) => void copy.fill(0, pageOf(offset), pageOf(offset) + PAGE),
  'a page is another one': (copy, offset) => {
    const other = pageOf(Math.floor(random() * good.length));
    good.copy(copy, pageOf(offset), other, other + PAGE);
    return undefined;
  },
  'the head of a page is noise': (copy, offset) => void bytes(8).copy(copy, pageOf(offset)),
  'the file ends early': (copy, offset) => copy.subarray(0, Math.max(2, offset)), // SQLite takes a file of one byte for an empty one, which is a new database
};

/** Starts on the file. @returns what verification says, or why it did not start */
async function startOn(database: Buffer): Promise<string> {
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  writeFileSync(file, database);
  let store: Store | undefined;
  try {
    store = await openSqliteStore({ file });
    const registry = await Registry.open(optionsOf({ store, shipped }));
    const { valid, firstBroken } = await registry.verify();
    const whole = await isWhole(store);
    if (valid === whole) return valid ? 'whole' : 'broken';
    return `verify says ${valid ? 'valid' : `broken at ${firstBroken?.revision}: ${firstBroken?.detail}`}, which is not so`;
  } catch (error) {
    return refusal(error);
  } finally {
    await store?.close();
  }
}

/** The exit code of `server.ts`. */
function refusal(error: unknown): string {
  if (error instanceof StartRefused) return `exit ${error.exitCode}`;
  if (error instanceof StoreDamaged || error instanceof LogBroken) return 'exit 65';
  return `neither started nor refused as damaged: ${error instanceof Error ? `${error.stack}` : String(error)}`;
}

/** Whether the store still returns every event and every content as written. */
async function isWhole(store: Store): Promise<boolean> {
  try {
    const now = await store.events({ order: 'ascending', limit: events.length, exact: true });
    return (
      isDeepStrictEqual(now, events) &&
      isDeepStrictEqual(await Promise.all(digests.map((digest) => store.content(digest))), contents)
    );
  } catch {
    return false;
  }
}

t.test(`${PLACES} places of a file of ${good.length / PAGE} pages, TEST_SEED=${seed}`, async (t) => {
  t.equal(await startOn(good), 'whole', 'the good file');
  const names = Object.keys(DAMAGES);
  const wrong: string[] = [];
  const seen = new Map<string, number>();
  for (let index = 0; index < PLACES; index += 1) {
    const offset = Math.floor((index * (good.length - 1)) / (PLACES - 1));
    for (const name of long ? names : [names[index % names.length] ?? '']) {
      const copy = Buffer.from(good);
      const result = await startOn(DAMAGES[name]?.(copy, offset) ?? copy);
      seen.set(result, (seen.get(result) ?? 0) + 1);
      if (!['whole', 'broken', 'exit 65'].includes(result))
        wrong.push(`byte ${offset} (page ${pageOf(offset) / PAGE}), ${name}: ${result}`);
    }
  }
  t.same(wrong, []);
  for (const result of ['whole', 'broken', 'exit 65'])
    t.ok((seen.get(result) ?? 0) > 0, `${result}: ${seen.get(result) ?? 0}`);
});

t.test('a file that is temporarily unavailable does not count as damaged', async (t) => {
  writeFileSync(file, good);
  const other = new DatabaseSync(file);
  t.teardown(() => other.close());
  other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  const error: unknown = await openSqliteStore({ file }).catch((thrown: unknown) => thrown);
  t.match(error, { code: 'store-unavailable', message: /database is locked/ });
  t.notOk(error instanceof StoreDamaged);
});
