/**
 * The plan of a rollout, written in one line: `1%:10m,10%:1h,50%`.
 *
 * Rule: each step is a share and, after a colon, how long it is held. Shares rise. A step without a hold waits for somebody to advance it.
 * A fault names the step, its place in the line and what would be right; nothing is sent.
 * Example: `1%:10m,5x` → `Step 2, "5x" at character 8: the share must be a percentage such as 10%.`
 */
import { InvalidArgumentError } from 'commander';
import type { components } from '@prompt-registry/client';
import { duration, share } from './arguments.ts';
import { wrongUsage } from './exit.ts';

type Schemas = components['schemas'];
export type Step = Schemas['StartRolloutRequest']['steps'][number];
export type Finish = Schemas['StartRolloutRequest']['finish'];

/** Parses `--steps`. @throws InvalidArgumentError */
export function planSteps(text: string): Step[] {
  const steps: Step[] = [];
  let start = 0;
  for (const part of text.split(',')) {
    const written = part.trim();
    const at = start + part.length - part.trimStart().length + 1;
    try {
      steps.push(stepOf(written, steps.at(-1)));
    } catch (error) {
      const { message } = error as Error;
      throw new InvalidArgumentError(`Step ${steps.length + 1}, "${written}" at character ${at}: ${message}`);
    }
    start += part.length + 1;
  }
  return steps;
}

function stepOf(text: string, before: Step | undefined): Step {
  const colon = text.indexOf(':');
  const percent = share(colon === -1 ? text : text.slice(0, colon));
  if (before !== undefined && percent <= before.share)
    throw new InvalidArgumentError(`The share must be above that of the step before, ${before.share}%.`);
  return colon === -1 ? { share: percent } : { share: percent, hold: duration(text.slice(colon + 1)) };
}

/** What the steps alone do not show. @throws CliError `wrong-usage` */
export function requirePlan(
  { steps, bake, finish }: { readonly steps: readonly Step[]; readonly bake?: string; readonly finish: Finish },
  mostSteps: number,
): void {
  if (steps.length > mostSteps)
    throw wrongUsage(`--steps has ${steps.length} steps; at most ${mostSteps} are allowed.`);
  const last = steps.at(-1);
  if (finish === 'wait' || bake !== undefined || last?.hold !== undefined) return;
  const text = `${last?.share ?? 0}%`;
  throw wrongUsage(
    `Step ${steps.length} of --steps, "${text}", has no hold, and there is no --bake: nothing says when everybody gets the version.`,
    `Write ${text}:1h, or add --bake 1h; or add --finish wait, to promote it yourself.`,
  );
}
