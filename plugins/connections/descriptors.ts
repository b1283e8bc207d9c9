/**
 * How many connections this process may hold: what the operating system lets it open, minus what it needs for itself.
 *
 * Problem: a process that has no descriptor left cannot accept a connection, cannot write its files and cannot reach its database. A fixed
 * limit on connections is no limit where the system allows fewer (`ulimit -n`).
 * Rule: the limit that is in force is read, not assumed. A reserve of it is never given to connections.
 * Example: with `ulimit -n 1024` the service holds at most 928 connections.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { StartRefused } from '../../registry/index.ts';

/**
 * Descriptors that are never used for connections: about 40 of Node's own (a pretty log included), 4 of SQLite or twice the 7 of PostgreSQL while
 * it reconnects, and the rest for the files of `DATA_DIR`, look-ups of names and the export of traces.
 */
const RESERVE = 96;
/** With fewer connections than this the service is of no use. */
const FEWEST = 32;
/** Whatever the system allows: 20,000 idle connections cost about 200 MB. */
const MOST = 20_000;
/** What a system allows that does not say: the usual limit of macOS, the lowest of those in use. */
const UNKNOWN = 256;

/**
 * The most connections that the process may hold.
 *
 * @param limit the most descriptors it may open; what the operating system says by default
 * @throws StartRefused (78) where that is too few to serve anybody
 */
export function mostConnections(limit = descriptorLimit()): number {
  if (limit < RESERVE + FEWEST) {
    throw new StartRefused(
      78,
      `This process may open ${limit} files and connections; it needs at least ${RESERVE + FEWEST}. Raise the limit ("ulimit -n", LimitNOFILE= of systemd, --ulimit nofile= of a container).`,
    );
  }
  return Math.min(limit - RESERVE, MOST);
}

/**
 * How many connections may wait to be accepted. All of them are accepted at once, before a byte of any is read; where they were as many as there
 * is room for, they would push out each other unread, the good one among them.
 */
export function backlogFor(connections: number): number {
  return Math.min(Math.floor(connections / 2), 511); // Node's own
}

/**
 * The limit in force on descriptors of this process, `Infinity` where there is none. Node raises the soft limit to the hard one when it
 * starts, so a shell's `ulimit -Sn` is not it.
 */
export function descriptorLimit(): number {
  const text = firstOf(
    () => /^Max open files\s+(\S+)/mu.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1], // proc(5): the soft limit comes first
    () => execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim(), // a child has the limits of its parent
  );
  if (text === 'unlimited') return Infinity;
  const limit = Number(text);
  return Number.isInteger(limit) && limit > 0 ? limit : UNKNOWN;
}

/** What the first of the readers gives that does not fail. */
function firstOf(...readers: readonly (() => string | undefined)[]): string | undefined {
  for (const read of readers) {
    try {
      const text = read();
      if (text !== undefined) return text;
    } catch {
      // Another system: the next reader may know.
    }
  }
  return undefined;
}
