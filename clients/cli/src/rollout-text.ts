/** Rollouts in words: how far one is, what comes next, who takes part. */
import type { Condition } from '../../../registry/model.ts';
import { isRunning, type ChannelState, type Rollout } from './channel-state.ts';

/** How far a rollout is, e.g. `running at 10%, step 2 of 3`. */
export function progressOf({ state, share, step, steps }: Rollout): string {
  return isRunning({ state }) ? `${state} at ${share}%, step ${step} of ${steps.length}` : state;
}

/** What comes next, automatically or by hand; undefined if the rollout has ended. */
export function nextOf({ state, step, steps, bake, finish, nextAt }: Rollout): string | undefined {
  if (!isRunning({ state })) return undefined;
  if (state === 'paused') return 'nothing until somebody runs "rollout resume"';
  const next = state === 'baking' ? undefined : steps[step];
  const [what, by] =
    next !== undefined
      ? [`${next.share}%`, 'advance']
      : bake !== undefined && state !== 'baking'
        ? [`bake for ${bake}`, 'advance']
        : ['everybody', 'promote'];
  if (nextAt === undefined) return `${what}, once somebody runs "rollout ${by}"`;
  return by === 'promote' && finish === 'wait'
    ? `everybody, once somebody runs "rollout promote" (the wait ends at ${nextAt})`
    : `${what} at ${nextAt}`;
}

/** The plan, e.g. `1% for 10m, 10%, then everybody`. */
export function planText({ steps, bake, finish }: Pick<Rollout, 'steps' | 'bake' | 'finish'>): string {
  return [
    ...steps.map(({ share, hold }) => `${share}%${hold === undefined ? '' : ` for ${hold}`}`),
    ...(bake === undefined ? [] : [`bake for ${bake}`]),
    finish === 'promote' ? 'then everybody' : 'then somebody promotes it',
  ].join(', ');
}

/** An audience, e.g. `users with country in de,at, plus 2 testers`. */
export function audienceText({ conditions = [], subjects = [] }: NonNullable<Rollout['audience']> = {}): string {
  const testers = subjects.length === 0 ? [] : [`${subjects.length} ${subjects.length === 1 ? 'tester' : 'testers'}`];
  const users = conditions.length === 0 ? 'everybody' : `users with ${conditions.map(conditionText).join(' and ')}`;
  return [users, ...testers].join(', plus ');
}

/** A condition, as `--where` takes it. */
export function conditionText({ attribute, operator, values }: Condition): string {
  return `${attribute} ${operator} ${values.join(',')}`;
}

/** Names a rollout, e.g. `rollout 12 of 2.0.0`. */
export function nameOf({ id, version }: Pick<Rollout, 'id' | 'version'>): string {
  return `rollout ${id} of ${version}`;
}

/** The rollout of a channel's state. */
export function rolloutIn(state: ChannelState | undefined) {
  const { rollout } = state ?? {};
  return rollout === undefined
    ? undefined
    : { id: rollout.id, version: rollout.candidate.version, share: rollout.share, state: rollout.state };
}
