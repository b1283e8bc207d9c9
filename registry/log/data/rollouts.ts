/**
 * `data` of the events of rollouts, schedules and trials. None of them moves a pointer, so a build that does not know them serves the stable
 * version and follows every move. Their `version` is the candidate, or the version of the schedule or trial.
 */
import type { Actor, Audience, Finish, SessionPolicy, Step } from '../../model.ts';

/** Sessions that a move concerns; missing: they keep their version. */
type Concerned = Exclude<SessionPolicy, 'keep'>;

/** How far a rollout is. Times are RFC 3339 UTC by the store's clock. */
export interface Progress {
  /** Thousandths of a percent. */
  readonly share: number;
  /** Index of the last step that was taken. */
  readonly step: number;
  readonly state: 'running' | 'baking';
  /** When the next step, the bake or the promotion is due; missing: somebody must act. */
  readonly nextAt?: string;
}

export interface RolloutEvents {
  'rollout-started': Progress & {
    readonly digest: string;
    readonly stable: { readonly version: string; readonly digest: string };
    readonly steps: readonly Step[];
    readonly bake?: string;
    readonly finish: Finish;
    readonly audience?: Audience;
    readonly salt: string;
    /** How buckets are computed; another algorithm would move everybody. */
    readonly hash: 'v1';
  };
  'rollout-advanced': Progress & { readonly rollout: number };
  'rollout-paused': {
    readonly rollout: number;
    readonly share: number;
    /** Milliseconds that were left of the hold or the bake. */
    readonly remaining?: number;
  };
  'rollout-resumed': { readonly rollout: number; readonly nextAt?: string };
  'rollout-aborted': {
    readonly rollout: number;
    /** What ended it: the operation of that name, or a move of the channel to the version that it has. */
    readonly by: 'abort' | 'rollback' | 'activation';
    /** What everybody gets now. */
    readonly stable: { readonly version: string; readonly digest: string };
    readonly sessions?: Concerned;
  };
  'activation-scheduled': {
    readonly at: string;
    /** The revision of the channel's pointer when it was asked for; 0 without a pointer. */
    readonly pointerRevision: number;
    readonly sessions?: Concerned;
  };
  'schedule-cancelled': { readonly schedule: string };
  'schedule-skipped': { readonly schedule: string; readonly why: SkipReason; readonly scheduledBy: Actor };
  'activation-confirmed': { readonly trial: number };
  'trial-stayed': { readonly trial: number };
}

/** Why a scheduled activation was not made. */
export type SkipReason =
  | 'too-late'
  | 'pointer-moved'
  | 'already-active'
  | 'rollout-running'
  | 'trial-running'
  | 'version-revoked'
  | 'policy-violated'
  | 'key-revoked';
