/**
 * `kill -9` in the middle of appends, again and again on one file.
 *
 * After each kill: the lock is free, no acknowledged event is lost, the log has no gap and a valid chain, and each batch is there with its content
 * or not at all. To repeat a run: TEST_SEED=… node test/fault/sqlite-kill.test.ts
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import type { Event } from '../../registry/log/event.ts';
import type { Store } from '../../registry/log/store.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { appendChild } from '../support/process/child.ts';
import { newFolder } from '../support/process/folder.ts';
import { contentOf, EMPTY, firstBroken, newSeed, randomFrom, readLog } from '../support/stores/events.ts';

const KILLS: Record<string, number> = { short: 10, faults: 50, soak: 200 };
const kills = KILLS[process.env['TEST_LENGTH'] ?? 'short'] ?? 10;

const seed = newSeed();
t.setTimeout(60_000 + kills * 5000);

t.test(`${kills} kills, TEST_SEED=${seed}`, async (t) => {
  const random = randomFrom(seed);
  const file = join(newFolder(t), 'registry.db');
  let verified = EMPTY;
  const acknowledged = new Map<number, string>();
  for (let kill = 1; kill <= kills; kill += 1) {
    // A fifth of them die while they open the file, the very first one while it creates it.
    const after = kill % 5 === 1 ? 'opening' : `done ${1 + Math.floor(random() * 40)}`;
    const child = appendChild(['loop', file, String(Math.floor(random() * 2 ** 32))]);
    t.teardown(() => child.kill());
    const doneWanted = after === 'opening' ? 0 : Number(after.split(' ')[1]);
    await child.said((_, count) => count > doneWanted);
    await setTimeout(random() * 10); // so that it dies anywhere in an append, not always at its beginning
    const { lines, how } = await child.kill();

    const fresh = lines.filter((line) => line.startsWith('done ')).map((line) => line.split(' '));
    for (const [, revision, hash] of fresh) acknowledged.set(Number(revision), hash ?? '');
    const store = await openSqliteStore({ file });
    const events = await readLog(store, verified.revision);
    const fault =
      (how === 'SIGKILL' ? undefined : `the child ended on its own: ${how}`) ??
      firstBroken(events, verified) ??
      firstLost(
        events,
        fresh.map(([, revision, hash]) => [Number(revision), hash] as const),
      ) ??
      (await firstTorn(store, events));
    await store.close();
    t.equal(fault, undefined, `kill ${kill} after ${after}: ${fresh.length} batches acknowledged`);
    verified = events.at(-1) ?? verified;
  }

  const store = await openSqliteStore({ file });
  t.teardown(() => store.close());
  const all = await readLog(store);
  t.ok(acknowledged.size > kills, 'batches were acknowledged');
  t.equal(
    firstBroken(all) ?? firstLost(all, acknowledged) ?? (await firstTorn(store, all)),
    undefined,
    `${all.length} events in the end`,
  );
  const auditor = new DatabaseSync(file, { readOnly: true });
  t.same(auditor.prepare('PRAGMA integrity_check').all(), [{ integrity_check: 'ok' }]);
  auditor.close();
});

function firstLost(
  events: readonly Event[],
  acknowledged: Iterable<readonly [number, string | undefined]>,
): string | undefined {
  const hashes = new Map(events.map(({ revision, hash }) => [revision, hash]));
  for (const [revision, hash] of acknowledged)
    if (hashes.get(revision) !== hash) return `revision ${revision} was acknowledged and is lost`;
  return undefined;
}

/** The first incomplete batch: an event or its content is missing. */
async function firstTorn(store: Store, events: readonly Event[]): Promise<string | undefined> {
  let expected = 1;
  for (const { revision, reason } of events) {
    const [ordinal = 0, size = 0] = reason.split(' of ').map(Number);
    if (ordinal !== expected) return `revision ${revision} is "${reason}" where event ${expected} of a batch belongs`;
    if (ordinal === size && (await store.content(contentOf(`0.0.${revision}`).digest)) === undefined)
      return `revision ${revision} has no content`;
    expected = ordinal === size ? 1 : ordinal + 1;
  }
  return expected === 1 ? undefined : `the last batch ends before its event ${expected}`;
}
