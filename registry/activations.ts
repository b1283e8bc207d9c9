/**
 * The moves of a pack's pointers, as told by the log: the history is not kept in memory, the log is it.
 */
import type { Event, EventType } from './event.ts';
import type { Actor, MoveKind } from './model.ts';
import type { Store } from './store.ts';

/** A pointer's move, as it is answered. */
export interface Activation {
  readonly revision: number;
  readonly kind: MoveKind;
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly previousVersion: string | null;
  readonly actor: Actor;
  readonly reason: string;
  readonly activatedAt: string;
  /** False where the channel was there already and no event was made. */
  readonly changed: boolean;
}

const MOVES: readonly EventType[] = ['version-activated', 'version-rolled-back'];

/** The move that an event made in a channel. @throws TypeError for an event that moves no pointer */
export function activationOf(event: Event, channel: string): Activation {
  if (event.type !== 'version-activated' && event.type !== 'version-rolled-back') throw new TypeError(`Event ${event.id} (${event.type}) moves no pointer.`);
  const { revision, pack = '', version = '', actor, reason, at, data } = event;
  const kind: MoveKind = event.type === 'version-activated' ? 'activation' : 'rollback';
  return { revision, kind, pack, channel, version, digest: data.digest, previousVersion: data.previousVersion, actor, reason, activatedAt: at, changed: true };
}

/**
 * A page of moves, the newest first.
 * @throws RegistryError `store-unavailable`
 */
export async function activationsIn(
  store: Store,
  pack: string,
  { channel, before, limit }: { readonly channel?: string | undefined; readonly before?: number | undefined; readonly limit: number },
): Promise<Activation[]> {
  const events = await store.events({
    ...{ order: 'descending', limit, types: MOVES, pack },
    ...(channel !== undefined && { channel }),
    ...(before !== undefined && { before }),
  });
  return events.map((event) => activationOf(event, event.channel ?? ''));
}
