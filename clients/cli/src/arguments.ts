/** Parses and checks argument and option values before any request is sent. */
import { InvalidArgumentError, Option } from 'commander';
import { LONGEST_WAIT, millisecondsOf } from '../../../registry/values/durations.ts';

/** A count, 1 or more. */
export function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/u.test(text)) throw new InvalidArgumentError('Must be a whole number, 1 or more.');
  return Number(text);
}

/** A maximum number; `all` means no limit. */
export function limit(text: string): number {
  if (text === 'all') return Infinity;
  if (!/^[1-9]\d{0,8}$/u.test(text)) throw new InvalidArgumentError('Must be a whole number, 1 or more, or "all".');
  return Number(text);
}

/** A revision of the log; 0 is before the first event. */
export function revision(text: string): string {
  if (!/^\d{1,15}$/u.test(text)) throw new InvalidArgumentError('Must be the revision of an event, a whole number.');
  return `${Number(text)}`;
}

/** Seconds, above 0. */
export function seconds(text: string): number {
  const value = /^\d{1,6}(\.\d{1,3})?$/u.test(text) ? Number(text) : 0;
  if (value <= 0) throw new InvalidArgumentError('Must be a number of seconds, e.g. 10 or 0.5.');
  return value;
}

/** Seconds to wait for all instances. */
export function waitSeconds(text: string): number {
  if (!/^([1-9]|[12]\d|30)$/u.test(text))
    throw new InvalidArgumentError('Must be a whole number of seconds from 1 to 30.');
  return Number(text);
}

/** A wait such as `30m`, at most 90 days. Blank values are rejected later, together with all others. */
export function duration(text: string): string {
  if (!/^[1-9]\d{0,8}[smhd]$/u.test(text))
    throw new InvalidArgumentError('The duration must be a number and s, m, h or d, e.g. 30m.');
  if (millisecondsOf(text) > LONGEST_WAIT) throw new InvalidArgumentError('The duration must be at most 90d.');
  return text;
}

/** A share in percent: 0 to 100, at most three decimals, with or without its sign. */
export function share(text: string): number {
  if (!/^\d{1,3}(\.\d+)?%?$/u.test(text) || parseFloat(text) > 100)
    throw new InvalidArgumentError('The share must be a percentage from 0 to 100, e.g. 10%.');
  if (/\.\d{4,}/u.test(text))
    throw new InvalidArgumentError('The share must have at most three decimals, e.g. 0.125%.');
  return parseFloat(text);
}

/** The id of a rollout. */
export function rolloutId(text: string): number {
  if (!/^[1-9]\d{0,14}$/u.test(text))
    throw new InvalidArgumentError(
      'Must be the id of a rollout, a whole number. "prompt-registry rollout list" shows them.',
    );
  return Number(text);
}

/** Collects repeated values. */
export function repeated(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** Collects repeated and comma-separated values. */
export function list(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map((each) => each.trim())];
}

/** Collects `name=value` from repeated options. */
export function attributes(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, attribute, value] = /^([a-z][A-Za-z0-9]{0,62})=(.{0,200})$/su.exec(text) ?? [];
  if (attribute === undefined || value === undefined)
    throw new InvalidArgumentError(
      'Must be NAME=VALUE, e.g. country=de. A name begins with a lower-case letter and has only letters and digits.',
    );
  if (Object.hasOwn(before, attribute)) throw new InvalidArgumentError(`"${attribute}" is given twice.`);
  return { ...before, [attribute]: value };
}

/** What happens to running sessions on the version that a move leaves. */
export type SessionPolicy = 'keep' | 'next-turn' | 'end';

/** `--sessions`. @param policies what the command allows, the default first */
export function sessionsOption(policies: readonly SessionPolicy[]): Option {
  return new Option(
    '--sessions <policy>',
    `What happens to running sessions on the version that is left (default: ${policies[0]})`,
  ).choices(policies);
}

/** A future time: RFC 3339, or relative, e.g. `90d` is in 90 days. */
export function timeAhead(text: string): string {
  return time(text, 1, 'Must be a time such as 2027-01-31T00:00:00Z, or a duration from now such as 90d or 12h.');
}

/** A past time: RFC 3339, or relative, e.g. `1h` is an hour ago. */
export function timeBack(text: string): string {
  return time(text, -1, 'Must be a time such as 2026-01-31T00:00:00Z, or an age such as 90d or 12h.');
}

function time(text: string, direction: 1 | -1, message: string): string {
  const [, amount, unit] = /^(\d{1,5})([smhd])$/u.exec(text) ?? [];
  const at =
    amount === undefined
      ? calendarTime(text)
      : Date.now() + direction * Number(amount) * UNITS[unit as keyof typeof UNITS];
  if (Number.isNaN(at)) throw new InvalidArgumentError(message);
  return new Date(at).toISOString();
}

/** `Date.parse` alone would read 31 February as 3 March, and a time without a zone in the zone of this machine. */
function calendarTime(text: string): number {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)(?:$|[T ].*(?:Z|[+-]\d\d:\d\d)$)/iu.exec(text) ?? [];
  const exists = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  return exists ? Date.parse(text) : NaN;
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A revision of the log and the hash of its event. */
export interface Head {
  readonly revision: number;
  readonly hash: string;
}

/** Collects `REVISION:HASH` from repeated options. */
export function heads(text: string, before: readonly Head[] = []): Head[] {
  const [, revision, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/u.exec(text) ?? [];
  if (revision === undefined || hash === undefined)
    throw new InvalidArgumentError('Must be REVISION:HASH, e.g. 12:4f…, with a hash of 64 hexadecimal digits.');
  return [...before, { revision: Number(revision), hash }];
}

/** A version. Blank values are rejected later, together with all others. */
export function version(text: string): string {
  if (text.trim() !== '' && !/^\d+\.\d+\.\d+(-[0-9a-z.-]+)?$/iu.test(text))
    throw new InvalidArgumentError('Must be a full version such as 1.2.0, without a "v".');
  return text;
}

/** The name of a pack, channel or style. Blank values are rejected later, together with all others. */
export function name(text: string): string {
  if (text.trim() !== '' && !/^[a-z0-9][a-z0-9-]{0,62}$/u.test(text))
    throw new InvalidArgumentError('Must have at most 63 lower-case letters, digits and hyphens.');
  return text;
}

/** A pack or a version. */
export function nameOrVersion(text: string): string {
  return looksLikeVersion(text) ? version(text) : name(text);
}

/** Versions contain dots; pack names do not. */
export function looksLikeVersion(text: string): boolean {
  return text.includes('.');
}

/** A position in the stream: a revision, after a restore with its epoch (`2:17`). */
export function streamPosition(text: string): string {
  if (text.trim() !== '' && !/^([1-9]\d{0,14}:)?(0|[1-9]\d{0,14})$/u.test(text))
    throw new InvalidArgumentError('Must be the revision of an event such as 17, or its "id" such as 2:17.');
  return text;
}
