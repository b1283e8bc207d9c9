/**
 * The history of a pack's pointers. It is not kept in memory: the log is the history.
 */
import { LogBroken } from '../errors.ts';
import type { Event } from '../log/event.ts';
import type { Actor, MoveKind } from '../model.ts';
import type { Pointer } from '../state/records.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { Store } from '../log/store.ts';
import { MOVES, movesOf } from '../log/moves.ts';
import type { EndedRollout } from './move-command.ts';

/** A pointer's move, as callers see it. */
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
  /** False if the channel already pointed there. If the version was on trial, the trial has still ended. */
  readonly changed: boolean;
  /** The rollout that this move ended, if it was its promotion, or a move back to the stable version. */
  readonly rollout?: EndedRollout;
}

/** Which moves to list. */
export interface ActivationQuery {
  readonly channel?: string | undefined;
  /** Only moves with a lower revision. */
  readonly before?: number | undefined;
  /** Not later than this time (RFC 3339). With a limit of 1: the move in force at that time. */
  readonly at?: string | undefined;
  readonly limit: number;
}

/** The answer to a move. @param event undefined if it made none @param snapshot what it led to, or was decided on */
export function activationAfter(
  event: Event | undefined,
  { pack, channel }: { readonly pack: string; readonly channel: string },
  snapshot: Snapshot,
): Activation {
  if (event === undefined || event.type === 'activation-confirmed')
    return unchanged(snapshot.packs.get(pack)?.pointers.get(channel));
  return activationOf(event, channel);
}

/** The move that an event made in a channel. @throws TypeError if it made none there */
function activationOf(event: Event, channel: string): Activation {
  const move = movesOf(event).find((candidate) => candidate.channel === channel);
  if (move === undefined) throw new TypeError(`Event ${event.id} (${event.type}) did not move channel "${channel}".`);
  return activation(event, move);
}

/** The activation that an event confirms, whatever the channel did since (SPEC R6). @throws RegistryError `store-unavailable` */
export async function confirmedBy(
  { id, channel = '', data }: Event<'activation-confirmed'>,
  store: Store,
): Promise<Activation> {
  const { trial } = data;
  const [started] = await store.events({ order: 'ascending', after: trial - 1, before: trial + 1, limit: 1 });
  if (started === undefined)
    throw new LogBroken(`Event ${id} confirms revision ${trial}, which the log does not have.`);
  return { ...activationOf(started, channel), changed: false };
}

/** The rollout that an event names as ended by it. */
function endedRollout(event: Event): Pick<Activation, 'rollout'> {
  if (event.type === 'rollout-aborted') return { rollout: { id: event.data.rollout, state: 'aborted' } };
  if (event.type !== 'version-activated' || event.data.rollout === undefined) return {};
  return { rollout: { id: event.data.rollout, state: 'promoted' } };
}

function activation(
  event: Event,
  { kind, channel, version, digest, previousVersion }: ReturnType<typeof movesOf>[number],
): Activation {
  const { revision, pack = '', actor, reason, at } = event;
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
    ...endedRollout(event),
  };
}

/** The move in force, when a command changes nothing because the channel already points there. @throws Error without a pointer */
function unchanged(pointer: Pointer | undefined): Activation {
  if (pointer === undefined) throw new Error('A move changed nothing, but the channel has no pointer.');
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
  /** Pass as `before` to get the next page; undefined on the last page. */
  readonly nextBefore: number | undefined;
}

/**
 * A page of moves, newest first. The moves of one event are never split, so a page can exceed its limit by a few.
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
      // A revocation may move no channel.
      for (const move of movesOf(event))
        if (channel === undefined || move.channel === channel) activations.push(activation(event, move));
      next = event.revision;
    }
    if (events.length <= limit) return { activations, nextBefore: undefined };
  }
}
