/**
 * Opening: from what is on disk to a snapshot that can be served.
 *
 * Rule: the last good snapshot where the log still holds its place, and the rest of the log; the whole log where there is no such
 * snapshot. Where the log is not the one that the snapshot is of, or (where the store is another machine's) cannot be read, the snapshot
 * is served as it is, marked as stale (SPEC R9, R10); nothing is written over what is there.
 */
import { ContentsInUse } from '../local/contents-in-use.ts';
import { Contents } from '../local/contents.ts';
import { messageOf, RegistryError, StartRefused, LogBroken } from '../errors.ts';
import { warnOfReaders } from '../machine/folder-readers.ts';
import { foldFrom } from '../events.ts';
import { FrozenMap } from '../values/frozen.ts';
import { LastGood, type Saved } from '../local/last-good.ts';
import { LocalContents } from '../local/contents-on-disk.ts';
import type { Logger } from '../machine/logger.ts';
import type { SealKey } from '../local/seal.ts';
import type { SavedState } from '../local/snapshot-file.ts';
import { EMPTY_SNAPSHOT, type Snapshot, type State } from '../state/snapshot.ts';
import type { SessionKey, Store } from '../log/store.ts';
import { type ChannelView, viewOf } from '../state/views.ts';

/** Events read from the log at once: few enough to be garbage before the collector would move them. */
const PAGE = 2000;

export interface OpenOptions {
  readonly store: Store;
  readonly dataDir: string | undefined;
  /** How long a session may run, in milliseconds: for so long contents are kept on the disk. */
  readonly sessionTtl: number;
  /** Whether to open without the store where it is away. */
  readonly failStatic: boolean;
  /** The key of the MAC that the last good snapshot carries. */
  readonly snapshotKey: SealKey | undefined;
  readonly logger: Logger;
}

/** What a registry is made of. */
export interface Opened {
  readonly snapshot: Snapshot;
  readonly contents: Contents;
  readonly lastGood: LastGood | undefined;
  readonly sessionKeys: readonly SessionKey[];
  /** The snapshot that the state was made from, where the log has not proved it and it carries no MAC. */
  readonly unproven?: SavedState | undefined;
  /** Why the log was not read; undefined where it was. The snapshot is then the last good one, or the empty one where there is none. */
  readonly unread?: { readonly because: 'away' | 'diverged'; readonly reason: string };
  /** When the snapshot was last known to be current, where the log was not read; milliseconds since the epoch. */
  readonly confirmedAt?: number;
}

/** The log does not hold the place of the last good snapshot: it was restored, replaced or cut. */
class LogDiverged extends LogBroken {}

/** @throws StartRefused; RegistryError `store-unavailable` where `failStatic` is off; LogBroken */
export async function openLog({
  store,
  dataDir,
  sessionTtl,
  failStatic,
  snapshotKey,
  logger,
}: OpenOptions): Promise<Opened> {
  if (dataDir !== undefined) warnOfReaders(dataDir, logger);
  const local = dataDir === undefined ? undefined : new LocalContents(dataDir, sessionTtl, logger);
  const contents = new Contents(store, local);
  const lastGood =
    dataDir === undefined || local === undefined
      ? undefined
      : new LastGood(dataDir, { logger, key: snapshotKey, inUse: new ContentsInUse(contents, local, logger) });
  const saved = await lastGood?.load();
  local?.assumeKept(saved === undefined ? [] : activeDigests(saved.state));
  const made = { contents, lastGood, unproven: saved?.authentic === true ? undefined : saved };
  try {
    return { ...made, snapshot: await readLog(store, contents, saved?.state), sessionKeys: [] };
  } catch (error) {
    const reason = messageOf(error);
    if (error instanceof LogDiverged && saved !== undefined) {
      if (!failStatic && (await store.head()) === undefined) throw lostLog(saved.state);
      return { ...made, ...(await lastGoodOf(saved, contents, logger)), unread: { because: 'diverged', reason } };
    }
    if (!failStatic || !(error instanceof RegistryError)) throw error;
    logger.warn(
      { reason },
      saved === undefined
        ? 'The store cannot be reached, and there is no last good snapshot: nothing can be served until the store is back.'
        : 'The store cannot be reached; the last good snapshot is served, marked as stale.',
    );
    return { ...made, ...(await lastGoodOf(saved, contents, logger)), unread: { because: 'away', reason } };
  }
}

/**
 * The state of the log: from the saved snapshot where the log holds its place, else from its first event.
 * @throws LogBroken where the log does not hold the place, and no restore of it was accepted
 */
export async function readLog(store: Store, contents: Contents, saved?: State): Promise<Snapshot> {
  let snapshot = EMPTY_SNAPSHOT;
  if (saved !== undefined) {
    const [event] = await store.events({ after: saved.revision - 1, order: 'ascending', limit: 1 });
    if (event?.hash === saved.hash) snapshot = await restored(saved, contents);
    else if (!(await restoreAccepted(store, saved)))
      throw new LogDiverged(
        `The log does not hold revision ${saved.revision} as this instance applied it; it was restored, replaced or cut. It is not followed.`,
      );
  }
  const fold = foldFrom(snapshot);
  for (;;) {
    const page = await store.events({ after: fold.revision, order: 'ascending', limit: PAGE });
    for (const event of page) fold.add(event);
    if (page.length < PAGE) break;
  }
  return fold.freeze(await contents.all(fold.movedDigests()));
}

/** Whether the log is of the same registry and in a later epoch: an operator has accepted that it was restored. */
export async function restoreAccepted(
  store: Store,
  applied: { readonly registryId: string; readonly epoch: number },
): Promise<boolean> {
  const [first] = await store.events({ order: 'ascending', limit: 1 });
  const [restore] = await store.events({ order: 'descending', limit: 1, types: ['registry-restored'] });
  return (
    first?.type === 'registry-created' &&
    first.data.registryId === applied.registryId &&
    restore?.type === 'registry-restored' &&
    restore.data.epoch > applied.epoch
  );
}

/** What a saved snapshot can be served as without the log. */
async function lastGoodOf(
  saved: Saved | undefined,
  contents: Contents,
  logger: Logger,
): Promise<Pick<Opened, 'snapshot' | 'sessionKeys' | 'confirmedAt'>> {
  if (saved === undefined) return { snapshot: EMPTY_SNAPSHOT, sessionKeys: [] };
  const { state, sessionKeys, confirmedAt } = saved;
  try {
    return { snapshot: await restored(state, contents), sessionKeys, confirmedAt };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    logger.error(
      { reason: error.message },
      'The last good snapshot cannot be served: an active content is neither on this disk nor in the store.',
    );
    return { snapshot: EMPTY_SNAPSHOT, sessionKeys: [] };
  }
}

async function restored(saved: State, contents: Contents): Promise<Snapshot> {
  const views = new Map<string, FrozenMap<string, ChannelView>>();
  for (const [pack, { pointers }] of saved.packs) {
    const byChannel: [string, ChannelView][] = [];
    for (const [channel, pointer] of pointers)
      byChannel.push([channel, viewOf(pointer, await contents.get(pointer.digest))]);
    if (byChannel.length > 0) views.set(pack, new FrozenMap(byChannel));
  }
  return Object.freeze({ ...saved, views: new FrozenMap(views) });
}

function activeDigests({ packs }: State): string[] {
  return [...packs.values()].flatMap(({ pointers }) => [...pointers.values()].map(({ digest }) => digest));
}

/** An empty log where there was one: never start a new registry over it by mistake (DESIGN section 4). */
function lostLog({ registryId, revision }: State): StartRefused {
  return new StartRefused(
    65,
    `The log is empty, but the last good snapshot in DATA_DIR is revision ${revision} of the registry ${registryId}: the database was removed or STORE_URL points elsewhere. Put the database back. To start a new registry instead, move the snapshot (snapshot.jsonl) away first.`,
  );
}
