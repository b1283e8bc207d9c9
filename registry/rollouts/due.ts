/**
 * What is due by time (SPEC R15): steps, bakes and promotions of rollouts, scheduled activations, ends of trials.
 *
 * Rule: every instance asks, and sends what is due like anybody's command. Compare-and-set lets one of them win; the others decide again
 * and find nothing due. Nothing here reads a clock.
 */
import { SYSTEM_ACTOR } from '../model.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { ChannelPlan, Rollout } from '../state/plans.ts';
import { overdue } from './plan.ts';
import type { KeepScheduleCommand } from './schedule.ts';
import { isDue, type KeepPlanCommand } from './steering.ts';
import type { KeepTrialCommand } from './trial.ts';

export type DueCommand = KeepPlanCommand | KeepScheduleCommand | KeepTrialCommand;

/** The commands that are due. @param now milliseconds since the epoch, by the store's clock */
export function due(snapshot: Snapshot, now: number): DueCommand[] {
  return duesIn(snapshot, now).map(({ command }) => command);
}

/** For how many milliseconds the oldest of what is due has been due; 0 if nothing is. @param now as for `due` */
export function overdueBy(snapshot: Snapshot, now: number): number {
  return duesIn(snapshot, now).reduce((longest, { at }) => Math.max(longest, now - Date.parse(at)), 0);
}

/** A command, and since when it is due. */
interface Due {
  readonly at: string;
  readonly command: DueCommand;
}

function duesIn(snapshot: Snapshot, now: number): Due[] {
  const dues: Due[] = [];
  for (const { pack, plans } of snapshot.packs.values())
    for (const plan of plans.values()) dues.push(...duesOf(pack, plan, now));
  return dues;
}

function duesOf(pack: string, { channel, rollout, trial, schedule }: ChannelPlan, now: number): Due[] {
  const dues: Due[] = [];
  const add = (at: string, command: DueCommand) => void dues.push({ at, command });
  if (rollout?.nextAt !== undefined && isDue(rollout, now) && !waitsForPromotion(rollout, now))
    add(rollout.nextAt, {
      type: 'keep-plan',
      pack,
      rollout: rollout.id,
      actor: SYSTEM_ACTOR,
      reason: `The wait of the plan was over at ${rollout.nextAt}.`,
    });
  if (trial !== undefined && Date.parse(trial.revertAt) <= now)
    add(trial.revertAt, { type: 'keep-trial', pack, channel, trial: trial.id });
  for (const { id, at } of schedule)
    if (Date.parse(at) <= now) add(at, { type: 'keep-schedule', pack, channel, schedule: id });
  return dues;
}

/** Whether a rollout goes on only if somebody acts. @param now as for `due` */
export function needsSomebody(rollout: Rollout, now: number): boolean {
  return rollout.nextAt === undefined || (isDue(rollout, now) && waitsForPromotion(rollout, now));
}

/** A plan that ends with `wait` is over; somebody must promote the candidate. */
function waitsForPromotion(rollout: Rollout, now: number): boolean {
  return rollout.finish === 'wait' && overdue(rollout, now) === undefined;
}
