/** How events change the plan of a channel, during a fold. The rooms' appliers use it, because a move may end a rollout or a trial. */
import type { Event } from '../log/event.ts';
import type { PackDraft } from './draft.ts';
import type { ChannelPlan, SessionMove } from './plans.ts';
import { rolloutAfter } from './rollout.ts';

/** How many ended rollouts a channel keeps in memory; older ones are in the log. */
export const ENDED_KEPT = 20;
/** How many moves of sessions a channel keeps. */
export const SESSION_MOVES_KEPT = 1000;
/** The longest that a session can live, in milliseconds: 365 days. A move that is older concerns none. */
const LONGEST_SESSION = 31_536_000_000;

const NO_PLAN: Omit<ChannelPlan, 'channel' | 'revision'> = Object.freeze({
  rollout: undefined,
  ended: Object.freeze([]),
  trial: undefined,
  schedule: Object.freeze([]),
  sessionMoves: Object.freeze([]),
  droppedUpTo: undefined,
});

/** The plan of a channel as it is now in the fold; undefined if the channel never had one. */
export function planOf(pack: PackDraft, channel: string): ChannelPlan | undefined {
  return pack.plans.get(channel) ?? pack.base?.plans.get(channel);
}

/** Changes the plan of a channel. */
export function changePlan(pack: PackDraft, channel: string, event: Event, change: Partial<ChannelPlan>): void {
  const before = planOf(pack, channel) ?? NO_PLAN;
  pack.plans.set(channel, Object.freeze({ ...before, ...change, channel, revision: event.revision }));
}

/** Lets an event change or end the rollouts that run in its pack. */
export function changeRollouts(pack: PackDraft, event: Event): void {
  for (const channel of new Set([...(pack.base?.plans.keys() ?? []), ...pack.plans.keys()])) {
    const plan = planOf(pack, channel);
    if (plan?.rollout === undefined) continue;
    const rollout = rolloutAfter(plan.rollout, event);
    if (rollout === plan.rollout) continue;
    if (rollout.ended === undefined) changePlan(pack, channel, event, { rollout });
    else {
      const ended = Object.freeze([rollout, ...plan.ended].slice(0, ENDED_KEPT));
      changePlan(pack, channel, event, { rollout: undefined, ended });
    }
  }
}

/** Notes that a move concerns the sessions on the version that it leaves (SPEC R16). Moves that are too old are dropped. */
export function moveSessions(
  pack: PackDraft,
  channel: string,
  event: Event,
  { epoch, ...move }: Pick<SessionMove, 'epoch' | 'from' | 'to' | 'sessions'>,
): void {
  const { revision, at, reason } = event;
  const plan = planOf(pack, channel) ?? NO_PLAN;
  const moves = [...plan.sessionMoves, Object.freeze({ epoch, revision, at, reason, ...move })];
  const oldest = Date.parse(at) - LONGEST_SESSION;
  const old = moves.findIndex((each) => Date.parse(each.at) >= oldest);
  const dropped = moves.splice(0, Math.max(old, moves.length - SESSION_MOVES_KEPT)).at(-1);
  changePlan(pack, channel, event, {
    sessionMoves: Object.freeze(moves),
    droppedUpTo:
      dropped === undefined ? plan.droppedUpTo : Object.freeze({ epoch: dropped.epoch, revision: dropped.revision }),
  });
}

/** Removes a scheduled activation that is pending. It may be gone already: an older build may have written an event between. */
export function removeScheduled(pack: PackDraft, channel: string, event: Event, id: string): void {
  const schedule = planOf(pack, channel)?.schedule ?? [];
  changePlan(pack, channel, event, { schedule: Object.freeze(schedule.filter((each) => each.id !== id)) });
}
