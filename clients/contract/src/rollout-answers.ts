/** The parts of response bodies about rollouts, trials and schedules that the checks read. Each body was validated before. */
import type { ActivePack, Actor, Instances } from './answers.ts';

/** Who takes part in a rollout. */
export interface Audience {
  readonly conditions?: readonly {
    readonly attribute: string;
    readonly operator: string;
    readonly values: readonly string[];
  }[];
  readonly subjects?: readonly string[];
}

/** A channel's gradual move to another version. */
export interface Rollout {
  readonly id: number;
  readonly pack: string;
  readonly channel: string;
  readonly state: 'running' | 'paused' | 'baking' | 'promoted' | 'aborted';
  readonly version: string;
  readonly stableVersion: string;
  /** Percent. */
  readonly share: number;
  /** From 1; 0 below the first. */
  readonly step: number;
  readonly steps: readonly { readonly share: number; readonly hold?: string }[];
  readonly bake?: string;
  readonly finish: 'promote' | 'wait';
  readonly audience?: Audience;
  readonly startedAt: string;
  readonly startedBy: Actor;
  readonly reason: string;
  readonly revision: number;
  readonly nextAt?: string;
  readonly endedAt?: string;
  readonly endedBy?: Actor;
  readonly endReason?: string;
  /** In answers to changes. */
  readonly changed?: boolean;
  readonly instances?: Instances;
}

export interface RolloutPage {
  readonly rollouts: readonly Rollout[];
  readonly nextCursor: string | null;
}

export interface RolloutPreview {
  readonly rollout: Rollout;
  readonly everybody: boolean;
  readonly testers: number;
  readonly diff: readonly object[];
  readonly problems: readonly { readonly rule: string }[];
  readonly olderInstances: readonly string[];
}

export interface ScheduledActivation {
  readonly id: string;
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly at: string;
  readonly revision: number;
  readonly scheduledAt: string;
  readonly scheduledBy: Actor;
  readonly reason: string;
}

/** Both arms of a channel and what decides between them. */
export interface ChannelState {
  readonly pack: string;
  readonly channel: string;
  readonly revision: number;
  readonly stable: ActivePack;
  readonly rollout?: Rule & {
    readonly id: number;
    readonly candidate: ActivePack;
    readonly state: 'running' | 'paused' | 'baking';
  };
  readonly trial?: {
    readonly version: string;
    readonly revertAt: string;
    readonly startedAt: string;
    readonly startedBy: Actor;
    readonly reason: string;
  };
  readonly schedule: readonly ScheduledActivation[];
}

/** What decides which arm a subject gets. */
export interface Rule {
  readonly salt: string;
  /** Percent. */
  readonly share: number;
  readonly audience?: Audience;
  readonly hash: 'v1';
}
