/** What the events of rollouts, schedules and trials do to the state. */
import type { RolloutEvents } from '../log/data/rollouts.ts';
import { named, type Appliers } from '../state/draft.ts';
import { changePlan, changeRollout, endRollout, moveSessions, planOf, removeScheduled } from '../state/plan-changes.ts';
import type { Rollout, ScheduledActivation } from '../state/plans.ts';
import { freezeActor } from '../state/views.ts';
import { deepFreeze } from '../values/frozen.ts';

export const ROLLOUT_APPLIERS: Appliers<keyof RolloutEvents> = {
  'rollout-started': (draft, event) => {
    const [pack, channel, version] = [draft.packOf(event), named(event, 'channel'), named(event, 'version')];
    const { digest, stable, steps, bake, finish, audience, salt, share, step, state, nextAt } = event.data;
    const rollout: Rollout = Object.freeze({
      id: event.revision,
      eventId: event.id,
      pack: pack.pack,
      channel,
      state,
      version,
      digest,
      stableVersion: stable.version,
      share,
      step,
      steps: deepFreeze(steps),
      bake,
      finish,
      audience: deepFreeze(audience),
      salt,
      startedAt: event.at,
      startedBy: freezeActor(event.actor),
      reason: event.reason,
      revision: event.revision,
      nextAt,
      paused: undefined,
      ended: undefined,
    });
    changePlan(pack, channel, event, { rollout });
  },

  'rollout-advanced': (draft, event) => {
    const { rollout: id, share, step, state, nextAt } = event.data;
    changeRollout(draft.packOf(event), named(event, 'channel'), event, {
      id,
      share,
      step,
      state,
      nextAt,
      paused: undefined,
    });
  },

  'rollout-paused': (draft, event) => {
    const [pack, channel] = [draft.packOf(event), named(event, 'channel')];
    const { rollout: id, share, remaining } = event.data;
    const from = planOf(pack, channel)?.rollout?.state === 'baking' ? 'baking' : 'running';
    const paused = Object.freeze({ from, remaining } as const);
    changeRollout(pack, channel, event, { id, share, state: 'paused', nextAt: undefined, paused });
  },

  'rollout-resumed': (draft, event) => {
    const [pack, channel] = [draft.packOf(event), named(event, 'channel')];
    const { rollout: id, nextAt } = event.data;
    const state = planOf(pack, channel)?.rollout?.paused?.from ?? 'running';
    changeRollout(pack, channel, event, { id, state, nextAt, paused: undefined });
  },

  'rollout-aborted': (draft, event) => {
    const [pack, channel, version] = [draft.packOf(event), named(event, 'channel'), named(event, 'version')];
    const { rollout: id, stable, sessions } = event.data;
    changeRollout(pack, channel, event, { id });
    endRollout(pack, channel, event, 'aborted');
    if (sessions !== undefined)
      moveSessions(pack, channel, event, { epoch: draft.epoch, from: version, to: stable.version, sessions });
  },

  'activation-scheduled': (draft, event) => {
    const [pack, channel, version] = [draft.packOf(event), named(event, 'channel'), named(event, 'version')];
    const { at, pointerRevision, sessions } = event.data;
    const scheduled: ScheduledActivation = Object.freeze({
      id: event.id,
      revision: event.revision,
      version,
      at,
      pointerRevision,
      sessions,
      scheduledAt: event.at,
      scheduledBy: freezeActor(event.actor),
      reason: event.reason,
    });
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
