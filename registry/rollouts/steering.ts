/**
 * Steering a rollout: advance, pause, resume, promote, abort (SPEC R13, R14).
 *
 * Rule: a verb that holds already changes nothing. A rollout that has ended stays ended. Promotion is a move of the pointer and is checked
 * like one; an abort does not move the pointer.
 * Example: paused at 10 % with four minutes of the hold left, a rollout goes on for four minutes once it is resumed.
 */
import { RegistryError } from '../errors.ts';
import { NOTHING, type Decision } from '../log/proposal.ts';
import type { EventDraft } from '../log/event.ts';
import type { Actor, SessionPolicy } from '../model.ts';
import { concerned, type Rules } from '../moves/move-command.ts';
import { requireActivatable } from '../moves/revocation.ts';
import { packIn, versionIn, type PackState, type Snapshot } from '../state/snapshot.ts';
import type { Rollout } from '../state/plans.ts';
import { atShare, nextOf, overdue, percentOf } from './plan.ts';

/**
 * Whether the caller still wants the change, given the rollout as it is now (`If-Match`). False: the rollout has changed. A text: why the
 * condition does not match although the rollout has not changed.
 */
export type RolloutPrecondition = (rollout: Rollout) => boolean | string;

interface Steering {
  readonly pack: string;
  readonly rollout: number;
  readonly actor: Actor;
  readonly reason: string;
  readonly precondition?: RolloutPrecondition;
}

export interface AdvanceCommand extends Steering {
  readonly type: 'advance-rollout';
  /** Thousandths of a percent; default: the next step of the plan. */
  readonly share?: number;
}

export interface PauseCommand extends Steering {
  readonly type: 'pause-rollout';
}

export interface ResumeCommand extends Steering {
  readonly type: 'resume-rollout';
}

export interface PromoteCommand extends Steering {
  readonly type: 'promote-rollout';
  readonly sessions?: SessionPolicy;
}

export interface AbortCommand extends Steering {
  readonly type: 'abort-rollout';
  readonly sessions?: SessionPolicy;
}

/** What is due of the plan: the next step, the bake, or the promotion. The timekeeper sends it. */
export interface KeepPlanCommand extends Steering {
  readonly type: 'keep-plan';
}

export type SteeringCommand =
  AdvanceCommand | PauseCommand | ResumeCommand | PromoteCommand | AbortCommand | KeepPlanCommand;

/**
 * @throws RegistryError `pack-not-found`, `rollout-not-found`, `revision-conflict`, `rollout-ended`, and for a promotion `version-revoked`,
 *   `policy-violated`
 */
export function decideSteering(snapshot: Snapshot, command: SteeringCommand, rules: Rules): Decision {
  const rollout = rolloutIn(snapshot, command);
  const matches = command.precondition?.(rollout) ?? true;
  if (matches !== true) throw movedOn(rollout, matches);
  const draft = VERBS[command.type](rollout, command as never, { ...rules, snapshot });
  return draft === undefined ? NOTHING : { events: [draft], contents: [] };
}

/** A rollout that runs in any channel of the pack, or is one of the last. @throws RegistryError `pack-not-found`, `rollout-not-found` */
export function rolloutIn(
  snapshot: Snapshot,
  { pack, rollout: id }: { readonly pack: string; readonly rollout: number },
): Rollout {
  const found = findRollout(packIn(snapshot, pack), id);
  if (found === undefined) throw noRollout(pack, id);
  return found;
}

/** A rollout that runs, or is one of the last; undefined if it is neither. */
export function findRollout({ plans }: PackState, id: number): Rollout | undefined {
  for (const { rollout, ended } of plans.values()) {
    const found = [rollout, ...ended].find((each) => each?.id === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function noRollout(pack: string, id: number): RegistryError {
  return new RegistryError('rollout-not-found', `Pack "${pack}" has no rollout ${id}. \`listRollouts\` lists them.`);
}

interface Given extends Rules {
  readonly snapshot: Snapshot;
}

type Verb<Command> = (rollout: Rollout, command: Command, given: Given) => EventDraft | undefined;

const VERBS: { readonly [Type in SteeringCommand['type']]: Verb<Extract<SteeringCommand, { type: Type }>> } = {
  'advance-rollout': (rollout, command, { now }) => {
    requireRunning(rollout);
    const next = command.share === undefined ? nextOf(rollout, now) : atShare(rollout, command.share, now);
    if (next === undefined || (command.share === rollout.share && rollout.state !== 'paused')) return undefined;
    return { type: 'rollout-advanced', ...about(rollout, command), data: { rollout: rollout.id, ...next } };
  },

  'pause-rollout': (rollout, command, { now }) => {
    requireRunning(rollout);
    if (rollout.state === 'paused') return undefined;
    const { id, share, nextAt } = rollout;
    const remaining = nextAt === undefined ? undefined : Math.max(0, Date.parse(nextAt) - now);
    const data = { rollout: id, share, ...(remaining !== undefined && { remaining }) };
    return { type: 'rollout-paused', ...about(rollout, command), data };
  },

  'resume-rollout': (rollout, command, { now }) => {
    requireRunning(rollout);
    if (rollout.paused === undefined) return undefined;
    const { remaining } = rollout.paused;
    const nextAt = remaining === undefined ? undefined : new Date(now + remaining).toISOString();
    const data = { rollout: rollout.id, ...(nextAt !== undefined && { nextAt }) };
    return { type: 'rollout-resumed', ...about(rollout, command), data };
  },

  'promote-rollout': (rollout, command, given) => {
    if (rollout.state === 'promoted') return undefined;
    requireRunning(rollout);
    return promotionOf(rollout, command, given);
  },

  'abort-rollout': (rollout, command, { snapshot }) => {
    if (rollout.state === 'aborted') return undefined;
    requireRunning(rollout);
    const { version, digest } = versionIn(packIn(snapshot, rollout.pack), activeVersion(snapshot, rollout));
    const data = {
      rollout: rollout.id,
      by: 'abort',
      stable: { version, digest },
      ...concerned(command.sessions),
    } as const;
    return { type: 'rollout-aborted', ...about(rollout, command), data };
  },

  'keep-plan': (rollout, command, given) => {
    if (!isDue(rollout, given.now)) return undefined; // another instance was faster
    const next = overdue(rollout, given.now);
    if (next === undefined) return rollout.finish === 'promote' ? promotionOf(rollout, command, given) : undefined;
    return { type: 'rollout-advanced', ...about(rollout, command), data: { rollout: rollout.id, ...next } };
  },
};

/** Whether the wait of a rollout is over. @param now milliseconds since the epoch, by the store's clock */
export function isDue({ state, nextAt }: Rollout, now: number): boolean {
  return (state === 'running' || state === 'baking') && nextAt !== undefined && Date.parse(nextAt) <= now;
}

function promotionOf(
  rollout: Rollout,
  command: Steering & { readonly sessions?: SessionPolicy },
  { snapshot }: Given,
): EventDraft {
  const record = versionIn(packIn(snapshot, rollout.pack), rollout.version);
  requireActivatable(record); // SPEC R7
  const data = {
    digest: record.digest,
    previousVersion: activeVersion(snapshot, rollout),
    rollout: rollout.id,
    ...concerned(command.sessions),
  };
  return { type: 'version-activated', ...about(rollout, command), data };
}

/** Where the channel's pointer is: a rollout needs one, and pointers never go away. */
function activeVersion(snapshot: Snapshot, { pack, channel }: Rollout): string {
  return packIn(snapshot, pack).pointers.get(channel)?.version ?? '';
}

function about(
  { pack, channel, version }: Rollout,
  { actor, reason }: Steering,
): Pick<EventDraft, 'actor' | 'reason'> & { pack: string; channel: string; version: string } {
  return { actor, reason, pack, channel, version };
}

/** @throws RegistryError `rollout-ended` */
function requireRunning({ id, version, state, ended }: Rollout): void {
  if (ended === undefined) return;
  throw new RegistryError(
    'rollout-ended',
    `Rollout ${id} of ${version} was ${state} at ${ended.at}. Start a new rollout.`,
    { state, endedAt: ended.at },
  );
}

function movedOn({ id, revision, state, share }: Rollout, why: false | string): RegistryError {
  const now = `it is ${state} at ${percentOf(share)} % since revision ${revision}`;
  const detail =
    why === false
      ? `Rollout ${id} has changed: ${now}, which does not match If-Match. Read it again, then decide.`
      : `${why} Of rollout ${id}: ${now}.`;
  return new RegistryError('revision-conflict', detail, { currentRevision: revision });
}
