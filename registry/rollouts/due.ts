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

/** For how many milliseconds nothing will be due; infinite if nothing waits. @param now as for `due` */
export function dueIn(snapshot: Snapshot, now: number): number {
  let soonest = Infinity;
  for (const { pack, plans } of snapshot.packs.values())
    for (const plan of plans.values())
      for (const { at } of waitsOf(pack, plan)) {
        const wait = Date.parse(at) - now;
        if (wait > 0) soonest = Math.min(soonest, wait);
      }
  return soonest;
}

/** For how many milliseconds the oldest of what is due has been due; 0 if nothing is. @param now as for `due` */
export function overdueBy(snapshot: Snapshot, now: number): number {
  return duesIn(snapshot, now).reduce((longest, { at }) => Math.max(longest, now - Date.parse(at)), 0);
}

function duesIn(snapshot: Snapshot, now: number): Wait[] {
  const dues: Wait[] = [];
  for (const { pack, plans } of snapshot.packs.values())
    for (const plan of plans.values())
      for (const wait of waitsOf(pack, plan)) {
        const isHeld = wait.command.type === 'keep-plan' && plan.rollout && waitsForPromotion(plan.rollout, now);
        if (Date.parse(wait.at) <= now && isHeld !== true) dues.push(wait);
      }
  return dues;
}

/** A command that waits for a time. */
interface Wait {
  readonly at: string;
  readonly command: DueCommand;
}

function waitsOf(pack: string, { channel, rollout, trial, schedule }: ChannelPlan): Wait[] {
  const waits: Wait[] = [];
  const add = (at: string, command: DueCommand) => void waits.push({ at, command });
  if (rollout?.nextAt !== undefined)
    add(rollout.nextAt, {
      type: 'keep-plan',
      pack,
      rollout: rollout.id,
      actor: SYSTEM_ACTOR,
      reason: `The wait of the plan was over at ${rollout.nextAt}.`,
    });
  if (trial !== undefined) add(trial.revertAt, { type: 'keep-trial', pack, channel, trial: trial.id });
  for (const { id, at } of schedule) add(at, { type: 'keep-schedule', pack, channel, schedule: id });
  return waits;
}

/** Whether a rollout goes on only if somebody acts. @param now as for `due` */
export function needsSomebody(rollout: Rollout, now: number): boolean {
  return rollout.nextAt === undefined || (isDue(rollout, now) && waitsForPromotion(rollout, now));
}

/** A plan that ends with `wait` is over; somebody must promote the candidate. */
function waitsForPromotion(rollout: Rollout, now: number): boolean {
  return rollout.finish === 'wait' && overdue(rollout, now) === undefined;
}
