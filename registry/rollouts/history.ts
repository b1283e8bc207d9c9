/**
 * The rollouts of a pack. The last ones are in memory; older ones are read from the log, which is the history.
 */
import type { Event } from '../log/event.ts';
import type { Store } from '../log/store.ts';
import type { Rollout } from '../state/plans.ts';
import { rolloutAfter, rolloutOf } from '../state/rollout.ts';
import { packIn, type Snapshot } from '../state/snapshot.ts';
import { findRollout, noRollout } from './steering.ts';

/** Which rollouts to list. */
export interface RolloutQuery {
  readonly channel?: string | undefined;
  readonly state?: Rollout['state'] | undefined;
  /** Only rollouts that started at a lower revision. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** A page of rollouts. */
export interface RolloutPage {
  readonly rollouts: readonly Rollout[];
  /** Pass as `before` to get the next page; undefined on the last page. */
  readonly nextBefore: number | undefined;
}

/** Events read from the log at once. */
const PAGE = 200;

/**
 * One rollout.
 * @param upTo as it was at this revision; default: as it is in the snapshot
 * @throws RegistryError `pack-not-found`, `rollout-not-found`, `store-unavailable`
 */
export async function rolloutFrom(
  store: Store,
  snapshot: Snapshot,
  pack: string,
  id: number,
  upTo = snapshot.revision,
): Promise<Rollout> {
  const known = findRollout(packIn(snapshot, pack), id);
  if (known !== undefined && known.revision <= upTo) return known;
  const [event] = await store.events({ order: 'ascending', after: id - 1, before: id + 1, limit: 1, pack });
  if (event?.type !== 'rollout-started' || event.revision > snapshot.revision) throw noRollout(pack, id);
  return readToItsEnd(store, event, upTo);
}

/** A page of rollouts, the newest first. @throws RegistryError `pack-not-found`, `store-unavailable` */
export async function rolloutsIn(
  store: Store,
  snapshot: Snapshot,
  pack: string,
  { channel, state, before = Infinity, limit }: RolloutQuery,
): Promise<RolloutPage> {
  const rollouts: Rollout[] = [];
  const known = packIn(snapshot, pack);
  let next = Math.min(before, snapshot.revision + 1); // SPEC R2: the log may be ahead of this snapshot
  for (;;) {
    const events = await store.events({
      order: 'descending',
      limit: limit + 1,
      types: ['rollout-started'],
      pack,
      ...(channel !== undefined && { channel }),
      before: next,
    });
    for (const event of events) {
      if (rollouts.length >= limit) return { rollouts, nextBefore: next };
      const rollout =
        findRollout(known, event.revision) ??
        (await readToItsEnd(store, event as Event<'rollout-started'>, snapshot.revision));
      if (state === undefined || rollout.state === state) rollouts.push(rollout);
      next = event.revision;
    }
    if (events.length <= limit) return { rollouts, nextBefore: undefined };
  }
}

async function readToItsEnd(store: Store, started: Event<'rollout-started'>, upTo: number): Promise<Rollout> {
  let rollout = rolloutOf(started);
  for (let after = rollout.id; ;) {
    const events = await store.events({
      order: 'ascending',
      limit: PAGE,
      pack: rollout.pack,
      after,
      before: upTo + 1,
    });
    for (const event of events) {
      rollout = rolloutAfter(rollout, event);
      if (rollout.ended !== undefined) return rollout;
      after = event.revision;
    }
    if (events.length < PAGE) return rollout;
  }
}
