/** What a killed server on SQLite left on disk, and the state that it leads to: from the saved snapshot on, and from the whole log. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Registry, type Event } from '../../../registry/index.ts';
import { digestOf } from '../../../registry/packs/pack.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { optionsOf } from '../apps/registries.ts';
import { readLog } from './events.ts';
import { FailingStore } from './failing-store.ts';
import { plain } from './snapshots.ts';

/** Reads a copy of the data folder, so that the next start finds the folder as the kill left it. @param copyNumber another one each time */
export async function leftBehind(
  t: Test,
  dataDir: string,
  copyNumber: number,
): Promise<{ events: Event[]; lostContent: string | undefined; fromSnapshot: unknown; fromLog: unknown }> {
  const copy = join(dataDir, '..', `copy-${copyNumber}`);
  cpSync(dataDir, copy, { recursive: true });
  const store = await openSqliteStore({ file: join(copy, 'registry.db') });
  t.teardown(() => store.close());
  const events = await readLog(store);
  let lostContent: string | undefined;
  for (const event of events) {
    if (event.type !== 'version-published') continue;
    const content = await store.content(event.data.digest);
    if (content === undefined || digestOf(content) !== event.data.digest)
      lostContent ??= `the content of ${event.pack} ${event.version}`;
  }
  // A log that is ahead of the clock keeps the timekeeper from changing the copy.
  const clock = { now: () => Date.parse(events[0]?.at ?? ''), newId: () => crypto.randomUUID() };
  const open = async (dir: object) => {
    const registry = await Registry.open(optionsOf({ store: new FailingStore(store), clock, shipped: [], ...dir }));
    const { current } = registry;
    await registry.close();
    return byName(current);
  };
  const states = events.length === 0 ? {} : { fromSnapshot: await open({ dataDir: copy }), fromLog: await open({}) };
  await store.close();
  return { events, lostContent, fromSnapshot: undefined, fromLog: undefined, ...states };
}

/** A snapshot as JSON: without the order of maps, and without undefined members. */
function byName(value: unknown): unknown {
  return JSON.parse(JSON.stringify(plain(value)));
}
