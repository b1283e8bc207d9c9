/**
 * The log lines about changes: who did what to which channel, and why.
 *
 * Problem: an operator follows an incident in the log of the service, and a log is read by many. It must not say who gets which version.
 * Rule: each move of a pointer is one line, and so is each change of a rollout, a schedule or a trial. Of an event's data a line shows only
 * the members of this list. So it never has a salt, an audience or a subject.
 * Example: `coach production: 2.0.0 at 50 % (rollout-advanced)`.
 */
import type { FastifyBaseLogger } from 'fastify';
import { movesOf, type Event, type RolloutEvents } from '../registry/index.ts';

/** The members of an event's data that a line shows. */
const SHOWN = [
  'rollout',
  'state',
  'nextAt',
  'by',
  'trial',
  'revertAt',
  'schedule',
  'scheduledBy',
  'at',
  'why',
  'sessions',
] as const;

/** The changes of rollouts, schedules and trials, and how much they matter: a plan that was not carried out needs somebody. */
const PLAN_LEVELS: Readonly<Record<keyof RolloutEvents, 'info' | 'warn'>> = {
  'rollout-started': 'info',
  'rollout-advanced': 'info',
  'rollout-paused': 'info',
  'rollout-resumed': 'info',
  'rollout-aborted': 'info',
  'activation-scheduled': 'info',
  'schedule-cancelled': 'info',
  'schedule-skipped': 'warn',
  'activation-confirmed': 'info',
  'trial-stayed': 'warn',
};

/** Writes the lines about an event. Other changes that matter in an incident get a line too. */
export function logChange(log: FastifyBaseLogger, event: Event): void {
  const { type, revision, hash, pack, version, actor, reason } = event;
  const level = type in PLAN_LEVELS ? PLAN_LEVELS[type as keyof RolloutEvents] : undefined;
  if (level === undefined) logMoves(log, event);
  else logPlan(log[level].bind(log), event);
  if (type === 'version-revoked')
    log.warn(
      { type, revision, hash, pack, version, actor, reason, replacement: event.data.replacement },
      `${pack} ${version} is revoked`,
    );
  if (type === 'key-created' || type === 'key-revoked')
    log.info({ type, revision, hash, keyId: event.data.keyId, actor, reason }, `Key ${event.data.keyId}: ${type}`);
}

function logMoves(log: FastifyBaseLogger, event: Event): void {
  const { type, revision, hash, pack, actor, reason } = event;
  for (const { channel, version: to, previousVersion: from } of movesOf(event))
    log.info(
      { type, revision, hash, pack, channel, from, to, actor, reason, ...shownOf(event) },
      `${pack} ${channel}: ${from ?? 'nothing'} -> ${to} (${type})`,
    );
}

function logPlan(write: FastifyBaseLogger['info'], event: Event): void {
  const { type, revision, hash, pack, channel, version, actor, reason, data } = event;
  const rollout = type === 'rollout-started' ? { rollout: revision } : {};
  const share = 'share' in data ? data.share / 1000 : undefined; // percent
  const stable = 'stable' in data ? data.stable.version : undefined;
  write(
    { type, revision, hash, pack, channel, version, stable, share, actor, reason, ...rollout, ...shownOf(event) },
    `${pack} ${channel}: ${version}${share === undefined ? '' : ` at ${share} %`} (${type})`,
  );
}

function shownOf({ data }: Event): Record<string, unknown> {
  return Object.fromEntries(SHOWN.flatMap((name) => (name in data ? [[name, data[name as keyof typeof data]]] : [])));
}
