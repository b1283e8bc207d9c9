/** Values of the command line, checked before anything is asked. */
import { InvalidArgumentError } from 'commander';

/** How many, one at least. */
export function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/u.test(text)) throw new InvalidArgumentError('It is a whole number, 1 or more.');
  return Number(text);
}

/** The most to show; `all` is no limit. */
export function limit(text: string): number {
  if (text === 'all') return Infinity;
  if (!/^[1-9]\d{0,8}$/u.test(text)) throw new InvalidArgumentError('It is a whole number, 1 or more, or "all".');
  return Number(text);
}

/** A place in the log; 0 is before all of it. */
export function revision(text: string): string {
  if (!/^\d{1,15}$/u.test(text)) throw new InvalidArgumentError('It is the revision of an event, a whole number.');
  return `${Number(text)}`;
}

/** Seconds, more than none. */
export function seconds(text: string): number {
  const value = /^\d{1,6}(\.\d{1,3})?$/u.test(text) ? Number(text) : 0;
  if (value <= 0) throw new InvalidArgumentError('It is a number of seconds, e.g. 10 or 0.5.');
  return value;
}

/** Whole seconds to wait for all instances. */
export function waitSeconds(text: string): number {
  if (!/^([1-9]|[12]\d|30)$/u.test(text))
    throw new InvalidArgumentError('It is a whole number of seconds from 1 to 30.');
  return Number(text);
}

/** A time to come: RFC 3339, or from now on, e.g. `90d` is in 90 days. */
export function timeAhead(text: string): string {
  return time(text, 1, 'It is a time such as 2027-01-31T00:00:00Z, or one from now on such as 90d or 12h.');
}

/** A time that was: RFC 3339, or back from now, e.g. `1h` is an hour ago. */
export function timeBack(text: string): string {
  return time(text, -1, 'It is a time such as 2026-01-31T00:00:00Z, or how long ago, such as 90d or 12h.');
}

function time(text: string, direction: 1 | -1, otherwise: string): string {
  const [, amount, unit] = /^(\d{1,5})([smhd])$/u.exec(text) ?? [];
  const at =
    amount === undefined
      ? calendarTime(text)
      : Date.now() + direction * Number(amount) * UNITS[unit as keyof typeof UNITS];
  if (Number.isNaN(at)) throw new InvalidArgumentError(otherwise);
  return new Date(at).toISOString();
}

/** `Date.parse` alone takes 31 February for 3 March. */
function calendarTime(text: string): number {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)(?:$|[T ])/u.exec(text) ?? [];
  const exists = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  return exists ? Date.parse(text) : NaN;
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A place in the log. */
export interface Head {
  readonly revision: number;
  readonly hash: string;
}

/** `REVISION:HASH`, with those before it. */
export function heads(text: string, before: readonly Head[] = []): Head[] {
  const [, revision, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/u.exec(text) ?? [];
  if (revision === undefined || hash === undefined)
    throw new InvalidArgumentError('It is REVISION:HASH, e.g. 12:4f… with 64 hexadecimal digits.');
  return [...before, { revision: Number(revision), hash }];
}

/** A version; blank ones are told of with all other values. */
export function version(text: string): string {
  if (text.trim() !== '' && !/^\d+\.\d+\.\d+(-[0-9a-z.-]+)?$/iu.test(text))
    throw new InvalidArgumentError('It is a version such as 1.2.0, in full and without a "v".');
  return text;
}

/** The name of a pack, a channel or a style; blank ones are told of with all other values. */
export function name(text: string): string {
  if (text.trim() !== '' && !/^[a-z0-9][a-z0-9-]{0,62}$/u.test(text))
    throw new InvalidArgumentError('It is a name of lower-case letters, digits and hyphens, at most 63.');
  return text;
}

/** A pack or a version. */
export function nameOrVersion(text: string): string {
  return looksLikeVersion(text) ? version(text) : name(text);
}

/** Versions have dots, names of packs have none: which of the two an argument is can be seen. */
export function looksLikeVersion(text: string): boolean {
  return text.includes('.');
}

/** A place of the stream: a revision, behind a restore with its epoch before it. */
export function streamPosition(text: string): string {
  if (text.trim() !== '' && !/^([1-9]\d{0,14}:)?(0|[1-9]\d{0,14})$/u.test(text))
    throw new InvalidArgumentError('It is the revision of an event such as 17, or the "id" of one such as 2:17.');
  return text;
}
