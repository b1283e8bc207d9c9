/**
 * The moves of a pack's pointers, as told by the log: the history is not kept in memory, the log is it.
 */
import type { Move } from '../log/data/moves.ts';
import type { Event } from '../log/event.ts';
import type { Actor, MoveKind } from '../model.ts';
import type { Pointer } from '../state/records.ts';
import type { Store } from '../log/store.ts';
import { MOVES, movesOf } from '../log/moves.ts';

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

/** Which moves to list. */
export interface ActivationQuery {
  readonly channel?: string | undefined;
  /** Only moves with a lower revision. */
  readonly before?: number | undefined;
  /** Not later than this time: with a limit of 1, the move in force then. RFC 3339. */
  readonly at?: string | undefined;
  readonly limit: number;
}

/** The move that an event made in a channel. @throws TypeError for an event that moved nothing there */
export function activationOf(event: Event, channel: string): Activation {
  const move = movesOf(event).find((candidate) => candidate.channel === channel);
  if (move === undefined) throw new TypeError(`Event ${event.id} (${event.type}) did not move channel "${channel}".`);
  return activation(event, move);
}

function activation(
  { revision, type, pack = '', actor, reason, at }: Event,
  { channel, version, digest, previousVersion }: Move,
): Activation {
  const kind: MoveKind =
    type === 'version-activated' ? 'activation' : type === 'version-rolled-back' ? 'rollback' : 'revocation';
  return {
    revision,
    kind,
    pack,
    channel,
    version,
    digest,
    previousVersion,
    actor,
    reason,
    activatedAt: at,
    changed: true,
  };
}

/** The move in force, told again: the channel is already where it was asked to be. @throws Error without a pointer */
export function unchanged(pointer: Pointer | undefined): Activation {
  if (pointer === undefined) throw new Error('A move without effect in a channel without a pointer.');
  const { revision, kind, pack, channel, version, digest, previousVersion, activatedBy, reason, activatedAt } = pointer;
  return {
    revision,
    kind,
    pack,
    channel,
    version,
    digest,
    previousVersion,
    actor: activatedBy,
    reason,
    activatedAt,
    changed: false,
  };
}

/** A page of moves. */
export interface ActivationPage {
  readonly activations: Activation[];
  /** Ask for moves before this revision for the next page; undefined on the last one. */
  readonly nextBefore: number | undefined;
}

/**
 * A page of moves, the newest first. All moves of one event are on one page, so a page may be longer than its limit by a few.
 * @throws RegistryError `store-unavailable`
 */
export async function activationsIn(
  store: Store,
  pack: string,
  { channel, before, at, limit }: ActivationQuery,
): Promise<ActivationPage> {
  const activations: Activation[] = [];
  let next = before;
  for (;;) {
    const events = await store.events({
      order: 'descending',
      limit: limit + 1,
      types: MOVES,
      pack,
      ...(channel !== undefined && { channel }),
      ...(next !== undefined && { before: next }),
      ...(at !== undefined && { to: new Date(at).toISOString() }),
    });
    for (const event of events) {
      if (activations.length >= limit) return { activations, nextBefore: next };
      // A revocation that moved nothing is an event, but no move.
      for (const move of movesOf(event))
        if (channel === undefined || move.channel === channel) activations.push(activation(event, move));
      next = event.revision;
    }
    if (events.length <= limit) return { activations, nextBefore: undefined };
  }
}
