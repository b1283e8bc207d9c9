/**
 * Plans: the steps of a rollout, and what comes next.
 *
 * Rule: a step sets a share and holds it; then the next step is due. After the last step the rollout bakes at its last share, and then it is
 * promoted, or waits for somebody to promote it. A step without a hold waits for somebody to advance the rollout. Each wait begins when its
 * event is decided, so it is never shorter than the plan says.
 * Example: steps `1%:10m`, `50%:1h` and a bake of 2h: 1 % for ten minutes, 50 % for three hours, then everybody.
 */
import type { Progress } from '../log/data/rollouts.ts';
import type { Step } from '../model.ts';
import type { Rollout } from '../state/plans.ts';
import { BUCKETS } from '../values/buckets.ts';
import { millisecondsOf } from '../values/durations.ts';

/** What a plan says. */
export type Plan = Pick<Rollout, 'steps' | 'bake'>;

/** Percent as thousandths of a percent; undefined if it has more than three decimals. */
export function thousandthsOf(percent: number): number | undefined {
  const thousandths = Math.round(percent * 1000);
  // A decimal fraction is not exact in binary: 0.007 × 1000 is 7.000000000000001.
  return Math.abs(percent * 1000 - thousandths) < 1e-6 ? thousandths : undefined;
}

/** Thousandths of a percent as percent. */
export function percentOf(share: number): number {
  return (share * 100) / BUCKETS;
}

/** The progress of a rollout that has just taken a step. @param now milliseconds since the epoch, by the store's clock */
export function atStep(plan: Plan, step: number, now: number): Progress {
  const { share, hold } = stepAt(plan, step);
  return { share: thousandthsOf(share) ?? 0, step, state: 'running', ...dueAfter(hold, now) };
}

/** What comes after the current state of a rollout; undefined if only promotion is left. */
export function nextOf(rollout: Rollout, now: number): Progress | undefined {
  const { steps, step, bake, share } = rollout;
  if (phaseOf(rollout) === 'baking') return undefined;
  if (step + 1 < steps.length) return atStep(rollout, step + 1, now);
  return bake === undefined ? undefined : { share, step, state: 'baking', ...dueAfter(bake, now) };
}

/**
 * What is due of a rollout whose wait is over: the next step, or a later one if its predecessors' holds are over too, because nobody was up
 * meanwhile. It never goes beyond the last step.
 */
export function overdue(rollout: Rollout, now: number): Progress | undefined {
  const { steps, step, nextAt } = rollout;
  const last = steps.length - 1;
  let [reached, dueAt] = [step + 1, Date.parse(nextAt ?? '')];
  if (phaseOf(rollout) === 'baking' || step === last) return nextOf(rollout, now);
  for (; reached < last; reached += 1) {
    const { hold } = stepAt(rollout, reached);
    if (hold === undefined) break;
    dueAt += millisecondsOf(hold);
    if (dueAt > now) break;
  }
  return atStep(rollout, reached, now);
}

/** The progress at a share that an operator chose. The plan goes on with the first step above it. */
export function atShare({ steps }: Plan, share: number, now: number): Progress {
  const above = steps.findIndex((step) => (thousandthsOf(step.share) ?? 0) > share);
  const step = (above === -1 ? steps.length : above) - 1;
  const hold = step < 0 ? undefined : steps[step]?.hold;
  return { share, step, state: 'running', ...dueAfter(hold, now) };
}

/** What a rollout does, or will do again once it is resumed. */
export function phaseOf({ state, paused }: Rollout): 'running' | 'baking' {
  return (paused?.from ?? state) === 'baking' ? 'baking' : 'running';
}

function dueAfter(wait: string | undefined, now: number): { readonly nextAt?: string } {
  return wait === undefined ? {} : { nextAt: new Date(now + millisecondsOf(wait)).toISOString() };
}

function stepAt({ steps }: Plan, index: number): Step {
  const step = steps[index];
  if (step === undefined) throw new RangeError(`The plan has no step ${index}.`);
  return step;
}
