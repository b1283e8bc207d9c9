/** What a channel does besides pointing at a version: its rollout, its trial, its schedule, and where moves sent its sessions. */
import type { Position } from './position.ts';
import type { Actor, Audience, Finish, Step } from '../model.ts';

/** A channel's gradual move to another version. */
export interface Rollout {
  /** The revision of its `rollout-started` event. */
  readonly id: number;
  /** The id of that event: revisions repeat after a restore, ids do not. */
  readonly eventId: string;
  readonly pack: string;
  readonly channel: string;
  readonly state: 'running' | 'paused' | 'baking' | 'promoted' | 'aborted';
  /** The candidate. */
  readonly version: string;
  readonly digest: string;
  /** Where the channel's pointer was when it started. */
  readonly stableVersion: string;
  /** Thousandths of a percent. */
  readonly share: number;
  /** Index of the last step that was taken. */
  readonly step: number;
  readonly steps: readonly Readonly<Step>[];
  readonly bake: string | undefined;
  readonly finish: Finish;
  readonly audience: Audience | undefined;
  readonly salt: string;
  readonly startedAt: string;
  readonly startedBy: Actor;
  readonly reason: string;
  /** The event that last changed it. */
  readonly revision: number;
  /** When something is due; undefined: somebody must act. */
  readonly nextAt: string | undefined;
  /** Only while it is paused: what it goes on with, and the milliseconds that were left of the wait. */
  readonly paused: { readonly from: 'running' | 'baking'; readonly remaining: number | undefined } | undefined;
  /** Only if it has ended. */
  readonly ended: RolloutEnd | undefined;
}

/** How a rollout ended. */
export interface RolloutEnd {
  readonly revision: number;
  readonly at: string;
  readonly by: Actor;
  readonly reason: string;
}

/** An activation that ends on its own unless it is confirmed. */
export interface Trial {
  /** The revision of the activation. */
  readonly id: number;
  readonly version: string;
  readonly revertAt: string;
  readonly startedAt: string;
  readonly startedBy: Actor;
  readonly reason: string;
}

/** An activation at a time. */
export interface ScheduledActivation {
  /** The id of its event. */
  readonly id: string;
  readonly revision: number;
  readonly version: string;
  readonly at: string;
  /** It is skipped if the channel's pointer is no longer at this revision. */
  readonly pointerRevision: number;
  readonly sessions: 'next-turn' | 'end' | undefined;
  readonly scheduledAt: string;
  readonly scheduledBy: Actor;
  readonly reason: string;
}

/** A move that concerned running sessions (SPEC R16). */
export interface SessionMove extends Position {
  readonly at: string;
  readonly from: string;
  /** Where they go; with `end` they end. */
  readonly to: string;
  readonly sessions: 'next-turn' | 'end';
  readonly reason: string;
}

/** Everything that a channel does besides pointing. */
export interface ChannelPlan {
  readonly channel: string;
  /** The event that last changed any of it. */
  readonly revision: number;
  /** The rollout that runs, is paused or bakes. */
  readonly rollout: Rollout | undefined;
  /** The rollouts that ended last, the newest first. */
  readonly ended: readonly Rollout[];
  readonly trial: Trial | undefined;
  /** The pending ones, the earliest first. */
  readonly schedule: readonly ScheduledActivation[];
  /** In the order of the log. */
  readonly sessionMoves: readonly SessionMove[];
  /** The newest move that was dropped from `sessionMoves`: a session from before it is answered from what is active. */
  readonly droppedUpTo: Position | undefined;
}
