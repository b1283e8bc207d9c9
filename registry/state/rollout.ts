/**
 * How events make a rollout: what starts it, and how each later event changes it.
 *
 * Rule: a move of its channel to the candidate promotes it, any other move of the channel aborts it, and so does whatever makes the candidate
 * unfit to be served. So an event of a build that knows no rollouts ends it just the same.
 */
import type { Event } from '../log/event.ts';
import { movesOf } from '../log/moves.ts';
import { deepFreeze } from '../values/frozen.ts';
import type { Rollout } from './plans.ts';
import { freezeActor } from './views.ts';

/** The rollout that an event starts. */
export function rolloutOf(event: Event<'rollout-started'>): Rollout {
  const { revision, id, at, actor, reason, pack = '', channel = '', version = '', data } = event;
  const { digest, stable, steps, bake, finish, audience, salt, share, step, state, nextAt } = data;
  return Object.freeze({
    id: revision,
    eventId: id,
    pack,
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
    startedAt: at,
    startedBy: freezeActor(actor),
    reason,
    revision,
    nextAt,
    paused: undefined,
    ended: undefined,
  });
}

/** The rollout after an event of its pack. The same object if the event does not concern it, or if it has ended. */
export function rolloutAfter(rollout: Rollout, event: Event): Rollout {
  if (rollout.ended !== undefined || event.pack !== rollout.pack) return rollout;
  const end = endBy(rollout, event);
  if (end !== undefined) return ended(rollout, event, end);
  const change = changeBy(rollout, event);
  return change === undefined ? rollout : Object.freeze({ ...rollout, ...change, revision: event.revision });
}

function changeBy({ id, state, paused }: Rollout, event: Event): Partial<Rollout> | undefined {
  switch (event.type) {
    case 'rollout-advanced': {
      const { rollout, ...progress } = event.data;
      return rollout === id ? { nextAt: undefined, ...progress, paused: undefined } : undefined;
    }
    case 'rollout-paused': {
      const { rollout, share, remaining } = event.data;
      const from = state === 'baking' ? 'baking' : 'running';
      return rollout === id
        ? { state: 'paused', share, nextAt: undefined, paused: Object.freeze({ from, remaining }) }
        : undefined;
    }
    case 'rollout-resumed': {
      const { rollout, nextAt } = event.data;
      return rollout === id ? { state: paused?.from ?? 'running', nextAt, paused: undefined } : undefined;
    }
    default:
      return undefined;
  }
}

function endBy({ id, channel, version }: Rollout, event: Event): 'promoted' | 'aborted' | undefined {
  if (event.type === 'rollout-aborted') return event.data.rollout === id ? 'aborted' : undefined;
  const move = movesOf(event).find((each) => each.channel === channel);
  if (move !== undefined) return move.version === version ? 'promoted' : 'aborted';
  const isUnfit =
    (event.type === 'version-revoked' && event.version === version) ||
    (event.type === 'policy-changed' && event.data.violations.some((each) => each.version === version)); // SPEC R7
  return isUnfit ? 'aborted' : undefined;
}

function ended(rollout: Rollout, { revision, at, actor, reason }: Event, state: 'promoted' | 'aborted'): Rollout {
  const end = Object.freeze({ revision, at, by: freezeActor(actor), reason });
  return Object.freeze({ ...rollout, state, revision, nextAt: undefined, paused: undefined, ended: end });
}
