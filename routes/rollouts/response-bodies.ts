/** Response bodies of rollouts. */
import type { Static } from '@sinclair/typebox';
import type { Rollout, RolloutPreview } from '../../registry/index.ts';
import { mutable } from '../wire/schema-types.ts';
import type * as schemas from './schemas.ts';

/** A rollout as the API shows it: shares in percent, steps counted from 1. */
export function rolloutBody(rollout: Rollout): Static<typeof schemas.Rollout> {
  const { id, pack, channel, state, version, stableVersion, share, step, steps, bake, finish, audience } = rollout;
  const { startedAt, startedBy, reason, revision, nextAt, ended } = rollout;
  return mutable({
    id,
    pack,
    channel,
    state,
    version,
    stableVersion,
    share: share / 1000,
    step: step + 1,
    steps,
    ...(bake !== undefined && { bake }),
    finish,
    ...(audience !== undefined && { audience }),
    startedAt,
    startedBy,
    reason,
    revision,
    ...(nextAt !== undefined && { nextAt }),
    ...(ended !== undefined && { endedAt: ended.at, endedBy: ended.by, endReason: ended.reason }),
  });
}

export function rolloutPreviewBody(preview: RolloutPreview): Static<typeof schemas.RolloutPreview> {
  const { rollout, differences, problems, olderInstances } = preview;
  const { conditions = [], subjects = [] } = rollout.audience ?? {};
  return mutable({
    rollout: rolloutBody(rollout),
    everybody: conditions.length === 0,
    testers: subjects.length,
    diff: differences.assets,
    problems,
    olderInstances,
  });
}
