/** Commands that move a channel's pointer, and what a decision about them depends on. */
import type { Actor, SessionPolicy } from '../model.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { ChannelView } from '../state/views.ts';

/**
 * Whether the caller still wants the move, given what is active in the channel now (`If-Match`) and in which history.
 * False: the channel has moved. A text: why the condition does not match although the channel has not moved.
 */
export type Precondition = (
  view: ChannelView | undefined,
  history: Pick<Snapshot, 'epoch' | 'epochStart'>,
) => boolean | string;

export interface ActivateCommand {
  readonly type: 'activate';
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly actor: Actor;
  readonly reason: string;
  /** Milliseconds until the channel goes back, unless the activation is confirmed: a trial. */
  readonly revertAfter?: number;
  readonly sessions?: SessionPolicy;
  readonly precondition?: Precondition;
}

export interface RollbackCommand {
  readonly type: 'rollback';
  readonly pack: string;
  readonly channel: string;
  readonly actor: Actor;
  readonly reason: string;
  /** The version to go back to; it must have been active in the channel. */
  readonly toVersion?: string;
  /** Only if this version is still active. */
  readonly fromVersion?: string;
  readonly sessions?: SessionPolicy;
  readonly precondition?: Precondition;
}

export type MoveCommand = ActivateCommand | RollbackCommand;

/** A rollout that a move ends, and how. */
export interface EndedRollout {
  readonly id: number;
  readonly state: 'promoted' | 'aborted';
}

/** What decisions depend on besides the snapshot. */
export interface Rules {
  /** The configured channels. */
  readonly channels: readonly string[];
  /** The time of the decision, by the store's clock, in milliseconds since the epoch. */
  readonly now: number;
}

/** The member of an event that says what happens to sessions; they keep their version if it is missing. */
export function concerned(policy: SessionPolicy | undefined): { readonly sessions?: 'next-turn' | 'end' } {
  return policy === undefined || policy === 'keep' ? {} : { sessions: policy };
}
