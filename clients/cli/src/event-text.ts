/**
 * What an event changed, in plain words; for `audit log` and `watch`.
 *
 * Rule: the data of an event is untrusted and may be of a newer build, so each member is checked before it is used. An event that is not
 * known here has no words; its type says enough.
 * Example: `rollout-advanced` → `at 10%, next at 2026-01-31T10:30:00.000Z`.
 */
import type { Event } from './events.ts';

/** The members that have words. */
interface Data {
  readonly at?: unknown;
  readonly by?: unknown;
  readonly nextAt?: unknown;
  readonly revertAt?: unknown;
  readonly rollout?: unknown;
  readonly scheduledBy?: unknown;
  readonly sessions?: unknown;
  readonly share?: unknown;
  readonly stable?: unknown;
  readonly state?: unknown;
  readonly trial?: unknown;
  readonly why?: unknown;
}

/** What an event is about, e.g. `coach 2.0.0 in production`. */
export function subjectOf({ pack, version, channel }: Pick<Event, 'pack' | 'version' | 'channel'>): string {
  return [pack, version, channel === undefined ? undefined : `in ${channel}`]
    .filter((part) => part !== undefined)
    .join(' ');
}

/** What an event of this type changed; empty if its type says all. */
export function changeOf({ type, data }: Pick<Event, 'type' | 'data'>): string {
  const words = Object.hasOwn(CHANGES, type) ? CHANGES[type] : undefined;
  if (words === undefined || typeof data !== 'object') return '';
  return words(data)
    .filter((part) => part !== '')
    .join(', ');
}

const CHANGES: Readonly<Record<string, (data: Data) => readonly string[]>> = {
  'rollout-started': (data) => [shareOf(data), timed('next at', data.nextAt)],
  'rollout-advanced': (data) => [
    data.state === 'baking' ? `baking ${shareOf(data)}` : shareOf(data),
    timed('next at', data.nextAt),
  ],
  'rollout-paused': (data) => [shareOf(data)],
  'rollout-resumed': (data) => [timed('next at', data.nextAt)],
  'rollout-aborted': (data) => [endOf(data), sessionsOf(data)],
  'version-activated': (data) => [
    typeof data.rollout === 'number' ? `promotes rollout ${data.rollout}` : '',
    timed('on trial until', data.revertAt),
    scheduledBy(data.scheduledBy),
    sessionsOf(data),
  ],
  'version-rolled-back': (data) => [typeof data.trial === 'number' ? 'the trial is over' : '', sessionsOf(data)],
  'version-revoked': (data) => [sessionsOf(data)],
  'activation-scheduled': (data) => [timed('for', data.at), sessionsOf(data)],
  'schedule-skipped': ({ why }) => [typeof why === 'string' && Object.hasOwn(SKIPPED, why) ? (SKIPPED[why] ?? '') : ''],
};

/** Why a scheduled activation was not made. */
const SKIPPED: Readonly<Record<string, string>> = {
  'too-late': 'the registry was down at that time',
  'pointer-moved': 'the channel had moved',
  'already-active': 'it was active already',
  'rollout-running': 'a rollout was running',
  'trial-running': 'a trial was running',
  'version-revoked': 'it was revoked',
  'policy-violated': 'it violates the policy',
  'key-revoked': 'the key that scheduled it was revoked',
};

/** Events have thousandths of a percent. */
function shareOf({ share }: Data): string {
  return typeof share === 'number' ? `at ${share / 1000}%` : '';
}

function timed(what: string, time: unknown): string {
  return typeof time === 'string' ? `${what} ${time}` : '';
}

function endOf({ by, stable }: Data): string {
  const version = memberOf(stable, 'version');
  return `${typeof by === 'string' ? `by ${by}` : 'ended'}${version === '' ? '' : `: everybody is on ${version}`}`;
}

function scheduledBy(actor: unknown): string {
  const label = memberOf(actor, 'label');
  return label === '' ? '' : `scheduled by ${label}`;
}

function sessionsOf({ sessions }: Data): string {
  if (sessions === 'end') return 'sessions end';
  return sessions === 'next-turn' ? 'sessions move along' : '';
}

function memberOf(value: unknown, name: string): string {
  const member =
    typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  return typeof member === 'string' ? member : '';
}
