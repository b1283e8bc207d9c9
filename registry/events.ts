/**
 * What each event means: the counterpart of `transitions.ts`. Boot, live writes and other instances all fold through this table.
 *
 *     command ── decide(snapshot, command) ──> events      pure; refuses with a RegistryError (`transitions.ts`)
 *     event ──── apply(snapshot, event) ──> next snapshot  pure
 */
import type { Event } from './log/event.ts';
import type { PackContent } from './model.ts';
import { KEY_APPLIERS } from './keys/apply.ts';
import { MOVE_APPLIERS } from './moves/apply.ts';
import { PACK_APPLIERS } from './packs/apply.ts';
import { ROLLOUT_APPLIERS } from './rollouts/apply.ts';
import { REGISTRY_APPLIERS } from './state/apply.ts';
import type { Appliers } from './state/draft.ts';
import { Fold } from './state/fold.ts';
import type { Snapshot } from './state/snapshot.ts';

/** A full record: an event type without an applier is a type error. */
const APPLIERS: Appliers = {
  ...REGISTRY_APPLIERS,
  ...PACK_APPLIERS,
  ...MOVE_APPLIERS,
  ...ROLLOUT_APPLIERS,
  ...KEY_APPLIERS,
};

/** A fold that begins at this snapshot. */
export function foldFrom(base: Snapshot): Fold {
  return new Fold(base, APPLIERS);
}

/**
 * The snapshot after one more event. Pure.
 *
 * @param contents has at least the content of each version that the event makes active
 * @throws LogBroken
 */
export function apply(
  snapshot: Snapshot,
  event: Event,
  contents: { get(digest: string): PackContent | undefined },
): Snapshot {
  const fold = foldFrom(snapshot);
  fold.add(event);
  return fold.freeze(contents);
}
