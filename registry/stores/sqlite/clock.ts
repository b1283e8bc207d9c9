/**
 * Is the clock of this machine plausible for this database?
 *
 * Problem: events never go back in time. One event from a clock that is years ahead gives every later event a wrong time, and SQLite has no
 * other clock to ask.
 * Rule: a process that appends refuses to open a database whose last write is years older than the clock. The last write is the latest of the
 * files' times and the last event. Each successful opening updates the file's time, so a registry without changes does not age.
 * Example: the last write is of 2026, the clock says 2046: exit code 78, and the message says what to do if the clock is right.
 */
import { statSync, utimesSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { StartRefused } from '../../errors.ts';

const YEAR = 31_557_600_000;
/** The most that the clock may be ahead of the last write, in milliseconds. */
const LONGEST_IDLE = 2 * YEAR;

/** When the database was last written, by its files, in milliseconds since the epoch. Call it before the database is opened, since opening creates a new `-wal`. */
export function lastWriteOf(file: string): number {
  return Math.max(timeOf(file), timeOf(`${file}-wal`));
}

/**
 * Checks the clock, and notes on the file that it was in use.
 * @param database open, with its tables
 * @param writtenAt what `lastWriteOf` said before
 * @throws StartRefused (78)
 */
export function requirePlausibleClock(file: string, database: DatabaseSync, writtenAt: number): void {
  const now = Date.now();
  const last = Math.max(writtenAt, lastEventAt(database));
  if (now - last > LONGEST_IDLE) {
    throw new StartRefused(
      78,
      `The clock of this machine says ${day(now)}, but the registry database ${file} was last written on ${day(last)}, ${Math.floor((now - last) / YEAR)} years before. Events with a wrong time would stay in the log. If the clock is wrong, set it. If it is right, run this and start again: touch ${file}`,
    );
  }
  try {
    utimesSync(file, new Date(now), new Date(now));
  } catch {
    // this user may write the file but does not own it: writes to it will update its time
  }
}

function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function lastEventAt(database: DatabaseSync): number {
  const at = database.prepare('SELECT at FROM events ORDER BY revision DESC LIMIT 1').get()?.['at'];
  return typeof at === 'string' ? Date.parse(at) || 0 : 0;
}

function day(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
