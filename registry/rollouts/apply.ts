/** What the events of rollouts, schedules and trials do to the state. */
import type { RolloutEvents } from '../log/data/rollouts.ts';
import { named, type Appliers, type Draft } from '../state/draft.ts';
import { changePlan, changeRollouts, moveSessions, planOf, removeScheduled } from '../state/plan-changes.ts';
import type { ScheduledActivation } from '../state/plans.ts';
import { freezeActor } from '../state/views.ts';
import { rolloutOf } from '../state/rollout.ts';
import { LogBroken } from '../errors.ts';
import type { Event } from '../log/event.ts';

export const ROLLOUT_APPLIERS: Appliers<keyof RolloutEvents> = {
  'rollout-started': (draft, event) => {
    const [pack, channel] = [draft.packOf(event), named(event, 'channel')];
    const running = planOf(pack, channel)?.rollout;
    if (running !== undefined)
      throw new LogBroken(`Revision ${event.revision} starts a rollout while rollout ${running.id} runs.`);
    changePlan(pack, channel, event, { rollout: rolloutOf(event) });
  },

  'rollout-advanced': changeOwn,
  'rollout-paused': changeOwn,
  'rollout-resumed': changeOwn,

  'rollout-aborted': (draft, event) => {
    changeOwn(draft, event);
    const { stable, sessions } = event.data;
    const [channel, from] = [named(event, 'channel'), named(event, 'version')];
    if (sessions !== undefined)
      moveSessions(draft.packOf(event), channel, event, { epoch: draft.epoch, from, to: stable.version, sessions });
  },

  'activation-scheduled': (draft, event) => {
    const [pack, channel] = [draft.packOf(event), named(event, 'channel')];
    const scheduled = scheduledActivationOf(event);
    const schedule = [...(planOf(pack, channel)?.schedule ?? []), scheduled].sort((a, b) =>
      a.at === b.at ? a.revision - b.revision : a.at < b.at ? -1 : 1,
    );
    changePlan(pack, channel, event, { schedule: Object.freeze(schedule) });
  },

  'schedule-cancelled': (draft, event) => {
    removeScheduled(draft.packOf(event), named(event, 'channel'), event, event.data.schedule);
  },

  'schedule-skipped': (draft, event) => {
    removeScheduled(draft.packOf(event), named(event, 'channel'), event, event.data.schedule);
  },

  'activation-confirmed': (draft, event) => {
    changePlan(draft.packOf(event), named(event, 'channel'), event, { trial: undefined });
  },

  'trial-stayed': (draft, event) => {
    changePlan(draft.packOf(event), named(event, 'channel'), event, { trial: undefined });
  },
};

/** @throws LogBroken if the event's rollout does not run */
function changeOwn(
  draft: Draft,
  event: Event<'rollout-advanced' | 'rollout-paused' | 'rollout-resumed' | 'rollout-aborted'>,
): void {
  const [pack, channel] = [draft.packOf(event), named(event, 'channel')];
  const { rollout: id } = event.data;
  if (planOf(pack, channel)?.rollout?.id !== id)
    throw new LogBroken(
      `Revision ${event.revision} (${event.type}) is about rollout ${id}, which does not run in channel "${channel}" of pack "${pack.pack}".`,
    );
  changeRollouts(pack, event);
}

/** The activation that an event schedules. */
export function scheduledActivationOf(event: Event<'activation-scheduled'>): ScheduledActivation {
  const { id, revision, version = '', actor, reason } = event;
  const { at, pointerRevision, sessions } = event.data;
  return Object.freeze({
    id,
    revision,
    version,
    at,
    pointerRevision,
    sessions,
    scheduledAt: event.at,
    scheduledBy: freezeActor(actor),
    reason,
  });
}
