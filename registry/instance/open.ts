/**
 * Opening: from what is on disk to a snapshot that can be served.
 *
 * Rule: take the last good snapshot if the log still holds its position, then the rest of the log; without such a snapshot, the whole log.
 * If the log is not the one that the snapshot belongs to, or cannot be read (only for stores on another machine), serve the snapshot as it
 * is, marked as stale (SPEC R9, R10). Nothing that is there is overwritten.
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
import { channelViewOf, digestsNeeded, type ChannelView } from '../state/views.ts';

/** Events read from the log at once: few enough to be collected while they are young. */
const PAGE = 2000;

export interface OpenOptions {
  readonly store: Store;
  readonly dataDir: string | undefined;
  /** How long a session may run, in milliseconds. Contents are kept on the disk as long. */
  readonly sessionTtl: number;
  /** Whether to open while the store cannot be reached. */
  readonly failStatic: boolean;
  /** The key of the MAC that the last good snapshot carries. */
  readonly snapshotKey: SealKey | undefined;
  readonly logger: Logger;
}

/** What an instance starts with. */
export interface Opened {
  readonly snapshot: Snapshot;
  readonly contents: Contents;
  readonly lastGood: LastGood | undefined;
  readonly sessionKeys: readonly SessionKey[];
  /** The saved snapshot that the state was made from, if neither a MAC nor the log has proved it yet. */
  readonly unproven?: SavedState | undefined;
  /** The saved snapshot that is served, if the log must be folded from its first event on once it can be read. */
  readonly outdated?: SavedState | undefined;
  /** Why the log was not read, if so. Then the snapshot is the last good one, or, if there is none, the empty one. */
  readonly unread?: { readonly because: 'away' | 'diverged'; readonly reason: string };
  /** If the log was not read: when the snapshot was last known to be current, in milliseconds since the epoch. */
  readonly confirmedAt?: number;
}

/** The log does not hold the position of the last good snapshot: it was restored, replaced or cut. */
class LogDiverged extends LogBroken {}

/** @throws StartRefused; RegistryError `store-unavailable` unless `failStatic`; LogBroken */
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
  const outdated = saved?.outdated === true ? saved : undefined;
  const made = { contents, lastGood, unproven: saved?.authentic === true ? undefined : saved };
  try {
    return {
      ...made,
      ...(outdated && { unproven: undefined }),
      snapshot: await readLog(store, contents, saved),
      sessionKeys: [],
    };
  } catch (error) {
    const reason = messageOf(error);
    if (error instanceof LogDiverged && saved !== undefined) {
      if (!failStatic && (await store.head()) === undefined) throw lostLog(saved.state);
      return {
        ...made,
        ...(await lastGoodOf(saved, contents, logger)),
        outdated,
        unread: { because: 'diverged', reason },
      };
    }
    if (!failStatic || !(error instanceof RegistryError)) throw error;
    logger.warn({ reason }, withoutStore(saved));
    return { ...made, ...(await lastGoodOf(saved, contents, logger)), outdated, unread: { because: 'away', reason } };
  }
}

/** What a start without the store says. */
function withoutStore(saved: SavedState | undefined): string {
  return saved === undefined
    ? 'The store cannot be reached, and there is no last good snapshot. Nothing can be served until the store is back.'
    : 'The store cannot be reached. The last good snapshot is served, marked as stale.';
}

/**
 * The state of the log: from the saved snapshot on if the log holds its position, else from the first event on. An outdated snapshot only
 * tells whether this is still its log.
 * @throws LogBroken if the log does not hold the position, and no restore of it was accepted
 */
export async function readLog(
  store: Store,
  contents: Contents,
  saved?: Pick<SavedState, 'state' | 'outdated'>,
): Promise<Snapshot> {
  let snapshot = EMPTY_SNAPSHOT;
  if (saved !== undefined) {
    const { state, outdated } = saved;
    const [event] = await store.events({ after: state.revision - 1, order: 'ascending', limit: 1 });
    if (event?.hash === state.hash) snapshot = outdated ? EMPTY_SNAPSHOT : await restored(state, contents);
    else if (!(await restoreAccepted(store, state)))
      throw new LogDiverged(
        `The log does not hold revision ${state.revision} as this instance applied it. It was restored, replaced or cut, so it is not followed.`,
      );
  }
  const fold = foldFrom(snapshot);
  for (;;) {
    const page = await store.events({ after: fold.revision, order: 'ascending', limit: PAGE });
    for (const event of page) fold.add(event);
    if (page.length < PAGE) break;
  }
  return fold.freeze(await contents.all(fold.neededDigests()));
}

/** Whether an operator has accepted a restore of this log: it belongs to the same registry and is in a later epoch. */
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

/** What can be served of a saved snapshot without the log. */
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
  for (const [pack, { pointers, plans }] of saved.packs) {
    const byChannel: [string, ChannelView][] = [];
    for (const [channel, pointer] of pointers) {
      const rollout = plans.get(channel)?.rollout;
      const needed = await contents.all(digestsNeeded(pointer, rollout, undefined));
      byChannel.push([channel, channelViewOf(pointer, rollout, undefined, needed)]);
    }
    if (byChannel.length > 0) views.set(pack, new FrozenMap(byChannel));
  }
  return Object.freeze({ ...saved, views: new FrozenMap(views) });
}

function activeDigests({ packs }: State): string[] {
  return [...packs.values()].flatMap(({ pointers, plans }) =>
    [...pointers].flatMap(([channel, pointer]) => digestsNeeded(pointer, plans.get(channel)?.rollout, undefined)),
  );
}

/** The log is empty although there was one. A new registry must never be started over it by mistake. */
function lostLog({ registryId, revision }: State): StartRefused {
  return new StartRefused(
    65,
    `The log is empty, but the last good snapshot in DATA_DIR is revision ${revision} of the registry ${registryId}. The database was removed, or STORE_URL points elsewhere. Put the database back. To start a new registry instead, move the snapshot (snapshot.jsonl) away first.`,
  );
}
