/**
 * Scheduled activations: a version at a time (SPEC R15).
 *
 * Problem: an activation that was planned for a world that has changed since must not happen by surprise.
 * Rule: it is bound to the channel's pointer at the asking. At its time it is made, or an event says why it was skipped.
 * Example: 2.0.0 is scheduled for 06:00. At 05:00 somebody rolls the channel back: at 06:00 it is skipped with `pointer-moved`.
 */
import { RegistryError } from '../errors.ts';
import type { SkipReason } from '../log/data/rollouts.ts';
import { NOTHING, type Decision } from '../log/proposal.ts';
import { SYSTEM_ACTOR, type Actor, type SessionPolicy } from '../model.ts';
import { channelOf, registeredVersion } from '../moves/moving.ts';
import { requireActivatable } from '../moves/revocation.ts';
import { packIn, planIn, type Snapshot } from '../state/snapshot.ts';
import type { ScheduledActivation } from '../state/plans.ts';
import { concerned, type Precondition, type Rules } from '../moves/move-command.ts';

/** The most pending activations of a channel. */
export const MOST_SCHEDULED = 20;
/** How late an activation may be, in milliseconds; later it is skipped. */
const LATEST = 3_600_000;

export interface ScheduleCommand {
  readonly type: 'schedule-activation';
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  /** RFC 3339 UTC, in the future. */
  readonly at: string;
  readonly sessions?: SessionPolicy;
  readonly actor: Actor;
  readonly reason: string;
  readonly precondition?: Precondition;
}

export interface CancelScheduleCommand {
  readonly type: 'cancel-schedule';
  readonly pack: string;
  /** The id of its event. */
  readonly schedule: string;
  readonly actor: Actor;
  readonly reason: string;
}

/** What is due: the timekeeper sends it. */
export interface KeepScheduleCommand {
  readonly type: 'keep-schedule';
  readonly pack: string;
  readonly channel: string;
  readonly schedule: string;
}

/**
 * @throws RegistryError `pack-not-found`, `channel-not-found`, `revision-conflict`, `unknown-version`, `version-revoked`, `policy-violated`,
 *   `schedule-full`
 */
export function decideSchedule(snapshot: Snapshot, command: ScheduleCommand, rules: Rules): Decision {
  const { pack, channel, version, at, actor, reason, sessions } = command;
  const { state, pointer } = channelOf(snapshot, command, rules);
  requireActivatable(registeredVersion(state, version));
  const pending = planIn(snapshot, command)?.schedule.length ?? 0;
  if (pending >= MOST_SCHEDULED)
    throw new RegistryError(
      'schedule-full',
      `Channel "${channel}" of pack "${pack}" has ${pending} scheduled activations; ${MOST_SCHEDULED} are the most. Cancel one first.`,
    );
  const data = { at, pointerRevision: pointer?.revision ?? 0, ...concerned(sessions) };
  return { events: [{ type: 'activation-scheduled', actor, reason, pack, channel, version, data }], contents: [] };
}

/** @throws RegistryError `pack-not-found`, `schedule-not-found` */
export function decideCancelSchedule(snapshot: Snapshot, command: CancelScheduleCommand): Decision {
  const { pack, schedule: id, actor, reason } = command;
  for (const { channel, schedule } of packIn(snapshot, pack).plans.values()) {
    const found = schedule.find((each) => each.id === id);
    if (found === undefined) continue;
    const { version } = found;
    const data = { schedule: id };
    return { events: [{ type: 'schedule-cancelled', actor, reason, pack, channel, version, data }], contents: [] };
  }
  throw new RegistryError(
    'schedule-not-found',
    `Pack "${pack}" has no pending activation "${id}": it was made, skipped or cancelled, or never existed. \`listSchedule\` lists the pending ones.`,
  );
}

/** Makes or skips a scheduled activation whose time has come. Nothing if another instance was faster. */
export function decideKeepSchedule(snapshot: Snapshot, command: KeepScheduleCommand, { now }: Rules): Decision {
  const { pack, channel, schedule: id } = command;
  const scheduled = planIn(snapshot, command)?.schedule.find((each) => each.id === id);
  if (scheduled === undefined || Date.parse(scheduled.at) > now) return NOTHING;
  const { version, reason, scheduledBy, sessions } = scheduled;
  const why = skipReason(snapshot, command, scheduled, now);
  const common = { actor: SYSTEM_ACTOR, reason, pack, channel, version };
  if (why !== undefined)
    return {
      events: [{ type: 'schedule-skipped', ...common, data: { schedule: id, why, scheduledBy } }],
      contents: [],
    };
  const state = packIn(snapshot, pack);
  const { digest } = registeredVersion(state, version);
  const previousVersion = state.pointers.get(channel)?.version ?? null;
  const data = { digest, previousVersion, schedule: id, scheduledBy, ...concerned(sessions) };
  return { events: [{ type: 'version-activated', ...common, data }], contents: [] };
}

function skipReason(
  snapshot: Snapshot,
  { pack, channel }: KeepScheduleCommand,
  { version, at, pointerRevision, scheduledBy }: ScheduledActivation,
  now: number,
): SkipReason | undefined {
  const state = packIn(snapshot, pack);
  const pointer = state.pointers.get(channel);
  const plan = planIn(snapshot, { pack, channel });
  const record = registeredVersion(state, version);
  const reasons: readonly (readonly [SkipReason, boolean])[] = [
    ['too-late', now - Date.parse(at) > LATEST],
    ['key-revoked', snapshot.keys.get(scheduledBy.keyId)?.revokedAt !== undefined],
    ['rollout-running', plan?.rollout !== undefined],
    ['trial-running', plan?.trial !== undefined],
    ['already-active', pointer?.version === version],
    ['pointer-moved', (pointer?.revision ?? 0) !== pointerRevision],
    ['version-revoked', record.revocation !== undefined],
    ['policy-violated', record.violations.length > 0],
  ];
  return reasons.find(([, holds]) => holds)?.[0];
}
