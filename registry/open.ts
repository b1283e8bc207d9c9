/**
 * Opening: from what is on disk to a snapshot that can be served.
 *
 * Rule: the last good snapshot where the log still holds its place, the rest of the log, then what this start adds to it, in one
 * append. Nothing is served before all of that is done.
 */
import { Contents } from './contents.ts';
import { StartRefused } from './errors.ts';
import { Fold, viewOf } from './fold.ts';
import { planStart, type OperatorKeyFile, type StartOptions } from './first-start.ts';
import { FrozenMap } from './frozen-map.ts';
import { newKey } from './keys.ts';
import { LastGood, type SavedSnapshot } from './last-good.ts';
import type { Log } from './log.ts';
import { newSessionKey } from './sessions.ts';
import { EMPTY_SNAPSHOT, type ChannelView, type Snapshot } from './snapshot.ts';
import type { SessionKey, Store } from './store.ts';
import { Writer, type Clock } from './writer.ts';

/** Events read from the log at once: few enough to be garbage before the collector would move them. */
const PAGE = 2000;

export interface OpenOptions extends StartOptions {
  readonly store: Store;
  readonly dataDir: string | undefined;
  readonly operatorKey: OperatorKeyFile | undefined;
  readonly log: Log;
  readonly clock: Clock;
}

/** What a registry is made of. */
export interface Opened {
  readonly snapshot: Snapshot;
  readonly contents: Contents;
  readonly lastGood: LastGood | undefined;
  readonly sessionKeys: readonly SessionKey[];
}

/** @throws StartRefused; RegistryError `store-unavailable`; LogBroken */
export async function openLog(options: OpenOptions): Promise<Opened> {
  const { store, dataDir, operatorKey, log, clock } = options;
  const contents = new Contents(store);
  const lastGood = dataDir === undefined ? undefined : new LastGood(dataDir, log);

  let snapshot = await readLog(store, contents, await lastGood?.load(), log);
  const starter = new Writer(snapshot, { store, contents, clock, log, publish: (next) => (snapshot = next) });
  let keyId: string | undefined;
  try {
    await starter.commit(async (base) => {
      const fresh = {
        ...{ newId: () => clock.newId(), newSessionKey: () => newSessionKey(new Date(clock.now()).toISOString()) },
        ...{ newKey, operatorKey, knownContent: (digest: string) => contents.get(digest), log },
      };
      const plan = await planStart(base, options, fresh);
      keyId = plan.operatorKeyId ?? keyId;
      return plan;
    });
  } finally {
    await starter.close();
  }
  // Another instance may have made its own key first; a file with a key that opens nothing would mislead.
  if (keyId !== undefined && !snapshot.keys.has(keyId)) await operatorKey?.remove();
  alarmUnderFloor(snapshot, log);
  return { snapshot, contents, lastGood, sessionKeys: await store.sessionKeys() };
}

/** An active version under the floor goes on being served, but loudly: taking it away could be worse (SPEC R7). */
function alarmUnderFloor(snapshot: Snapshot, log: Log): void {
  for (const [pack, state] of snapshot.packs) {
    for (const { channel, version } of state.pointers.values()) {
      const violations = state.versions.get(version)?.violations ?? [];
      if (violations.length > 0) log.error({ pack, channel, version, violations }, `${pack} ${channel} is at ${version}, which is under the floor. It goes on being served; activate a version that is not.`);
    }
  }
}

/** The state of the log: from the saved snapshot where the log holds its place, else from its first event. */
export async function readLog(store: Store, contents: Contents, saved: SavedSnapshot | undefined, log: Log): Promise<Snapshot> {
  let snapshot = EMPTY_SNAPSHOT;
  if (saved !== undefined) {
    const [place] = await store.events({ after: saved.revision - 1, order: 'ascending', limit: 1 });
    if (place?.hash === saved.hash) snapshot = await restored(saved, contents);
    else if ((await store.head()) === undefined) throw lostLog(saved);
    else log.warn({ revision: saved.revision, registryId: saved.registryId }, 'The last good snapshot is not a place in this log; the log is folded from its first event instead.');
  }
  const fold = new Fold(snapshot);
  for (;;) {
    const page = await store.events({ after: fold.revision, order: 'ascending', limit: PAGE });
    for (const event of page) fold.add(event);
    if (page.length < PAGE) break;
  }
  return fold.freeze(await contents.all(fold.movedDigests()));
}

async function restored(saved: SavedSnapshot, contents: Contents): Promise<Snapshot> {
  const views = new Map<string, FrozenMap<string, ChannelView>>();
  for (const [pack, { pointers }] of saved.packs) {
    const byChannel: [string, ChannelView][] = [];
    for (const [channel, pointer] of pointers) byChannel.push([channel, viewOf(pointer, await contents.get(pointer.digest))]);
    if (byChannel.length > 0) views.set(pack, new FrozenMap(byChannel));
  }
  return Object.freeze({ ...saved, views: new FrozenMap(views) });
}

/** An empty log where there was one: never start a new registry over it by mistake (DESIGN section 4). */
function lostLog({ registryId, revision }: SavedSnapshot): StartRefused {
  return new StartRefused(
    65,
    `The log is empty, but the last good snapshot in DATA_DIR is revision ${revision} of the registry ${registryId}: the database was removed or STORE_URL points elsewhere. Put the database back. To start a new registry instead, move the snapshot (snapshot.jsonl) away first.`,
  );
}
