/** Values of the command line, checked before anything is asked. */
import { InvalidArgumentError } from 'commander';

/** How many; 0 is all. */
export function count(text: string): number {
  if (!/^\d{1,9}$/u.test(text)) throw new InvalidArgumentError('It is a whole number, 0 or more.');
  return Number(text);
}

/** Seconds, more than none. */
export function seconds(text: string): number {
  const value = /^\d{1,6}(\.\d{1,3})?$/u.test(text) ? Number(text) : 0;
  if (value <= 0) throw new InvalidArgumentError('It is a number of seconds, e.g. 10 or 0.5.');
  return value;
}

/** Whole seconds to wait for all instances. */
export function waitSeconds(text: string): number {
  if (!/^([1-9]|[12]\d|30)$/u.test(text)) throw new InvalidArgumentError('It is a whole number of seconds from 1 to 30.');
  return Number(text);
}

/** A time: RFC 3339, or from now on, e.g. `90d`, `12h`. */
export function time(text: string): string {
  const [, amount, unit] = /^(\d{1,5})([smhd])$/u.exec(text) ?? [];
  const at = amount === undefined ? Date.parse(text) : Date.now() + Number(amount) * UNITS[unit as keyof typeof UNITS];
  if (Number.isNaN(at) || (amount === undefined && !/^\d{4}-\d\d-\d\d/u.test(text))) throw new InvalidArgumentError('It is a time such as 2027-01-31T00:00:00Z, or one from now on such as 90d or 12h.');
  return new Date(at).toISOString();
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
  if (revision === undefined || hash === undefined) throw new InvalidArgumentError('It is REVISION:HASH, e.g. 12:4f… with 64 hexadecimal digits.');
  return [...before, { revision: Number(revision), hash }];
}

/** Versions have dots, names of packs have none: which of the two an argument is can be seen. */
export function looksLikeVersion(text: string): boolean {
  return /^\d+\.\d+\.\d+/u.test(text);
}
