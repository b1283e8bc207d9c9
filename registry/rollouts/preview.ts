/** What a start or a change of a rollout would do. */
import { GENESIS_HASH, type Event, type EventDraft } from '../log/event.ts';
import type { Violation } from '../model.ts';
import { problemsOf } from '../moves/preview.ts';
import { differences, type Differences, type Edition } from '../packs/diff.ts';
import type { Rollout } from '../state/plans.ts';
import { rolloutAfter, rolloutOf } from '../state/rollout.ts';
import type { Snapshot } from '../state/snapshot.ts';

export interface RolloutPreview {
  /** As it would be. */
  readonly rollout: Rollout;
  /** Of the candidate, against the stable version. */
  readonly differences: Differences;
  /** Why it would be refused; empty if it would not. */
  readonly problems: readonly Violation[];
  /** Live instances of a build that does not know rollouts. */
  readonly olderInstances: readonly string[];
  /** The state that it was decided on. */
  readonly snapshot: Snapshot;
}

/** The rollout after an event that is not made. @param before undefined for a start */
export function rolloutIf(before: Rollout | undefined, draft: EventDraft, snapshot: Snapshot, now: number): Rollout {
  const event = {
    ...draft,
    revision: snapshot.revision + 1,
    id: '',
    at: new Date(now).toISOString(),
    previousHash: snapshot.hash,
    hash: GENESIS_HASH,
  } as Event;
  if (before !== undefined) return rolloutAfter(before, event);
  if (event.type !== 'rollout-started') throw new TypeError(`${event.type} starts no rollout.`);
  return rolloutOf(event);
}

export async function rolloutPreviewOf(
  rollout: Rollout,
  {
    stable,
    candidate,
    mayAudit,
  }: { readonly stable: Edition; readonly candidate: Edition; readonly mayAudit: boolean },
  olderInstances: readonly string[],
  snapshot: Snapshot,
): Promise<RolloutPreview> {
  const found = await differences(stable, candidate);
  const hidden = candidate.record.revocation !== undefined && !mayAudit;
  return {
    rollout,
    differences: hidden ? { ...found, assets: found.assets.map((asset) => ({ ...asset, hunks: [] })) } : found,
    problems: problemsOf(candidate.record),
    olderInstances,
    snapshot,
  };
}
