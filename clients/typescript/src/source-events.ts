/** The events of a source. */
import type { CheckedChannel, Rollout } from './channel.ts';
import type { RegistryFailure } from './failure.ts';
import type { ActivePack } from './served-pack.ts';

/** A rollout that is under way. */
export interface RolloutSummary {
  readonly id: number;
  /** The version that is rolled out. */
  readonly version: string;
  readonly state: Rollout['state'];
  /** Percent of the audience that gets it. */
  readonly share: number;
}

/** A different pack is served, or a rollout changed who gets what. */
export interface Change {
  /** The stable pack; undefined for the first one. */
  readonly from: ActivePack | undefined;
  /** The stable pack from now on; the same as `from` if only a rollout changed. */
  readonly to: ActivePack;
  /** Only if a rollout started (no `from`), has another share or state, or ended (no `to`). */
  readonly rollout?: { readonly from: RolloutSummary | undefined; readonly to: RolloutSummary | undefined };
}

export interface SourceEvents {
  changed: Change;
  /** The pack may be out of date. `refused`: reads throw from now on, because it is older than `maxStale`. */
  stale: { readonly age: number; readonly refused: boolean };
  /** A registry confirmed that the pack is current: the first time, and after each `stale`. */
  fresh: { readonly revision: number };
  /** Something failed. The current pack stays in use, unless the failure says otherwise. */
  error: RegistryFailure;
}

export function summaryOf(rollout: CheckedChannel['rollout']): RolloutSummary | undefined {
  if (rollout === undefined) return undefined;
  const { id, candidate, state, share } = rollout;
  return { id, version: candidate.version, state, share };
}

interface Told {
  readonly pack: ActivePack;
  readonly rollout: RolloutSummary | undefined;
}

/** The change from what was told last; undefined if there is none. */
export function changeBetween(before: Told | undefined, now: Told): Change | undefined {
  const [from, to] = [before?.pack, now.pack];
  const isSamePack = from?.revision === to.revision && from.digest === to.digest;
  const [was, is] = [before?.rollout, now.rollout];
  const isSameRollout = was?.id === is?.id && was?.share === is?.share && was?.state === is?.state;
  if (isSamePack && isSameRollout) return undefined;
  return { from, to, ...(!isSameRollout && { rollout: { from: was, to: is } }) };
}
