/**
 * How many connections this process may have: the limit of the operating system, minus what the process needs itself.
 *
 * Problem: a process without a free descriptor cannot accept connections, write its files or reach its database. A fixed limit on
 * connections does not help if the system allows fewer (`ulimit -n`).
 * Rule: read the actual limit, do not assume one. Keep a reserve that connections never use.
 * Example: with `ulimit -n 1024` the service holds at most 928 connections.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { StartRefused } from '../../registry/index.ts';

/**
 * Descriptors that connections never use: about 40 for Node (with a pretty log), 4 for SQLite or twice 7 for PostgreSQL while it reconnects,
 * and the rest for the files in `DATA_DIR`, DNS lookups and the export of traces.
 */
const RESERVE = 96;
/** With fewer connections the service is useless. */
const FEWEST = 32;
/** The maximum, even if the system allows more: 20,000 idle connections use about 200 MB. */
const MOST = 20_000;
/** Assumed if the system does not report a limit: the default of macOS, which is the lowest one in use. */
const UNKNOWN = 256;

/**
 * The maximum number of connections of this process.
 *
 * @param limit the maximum number of descriptors; default: the limit of the operating system
 * @throws StartRefused (78) if the limit is too low
 */
export function mostConnections(limit = descriptorLimit()): number {
  if (limit < RESERVE + FEWEST) {
    throw new StartRefused(
      78,
      `This process may open only ${limit} files and connections; it needs at least ${RESERVE + FEWEST}. Raise the limit ("ulimit -n", LimitNOFILE= in systemd, --ulimit nofile= for a container).`,
    );
  }
  return Math.min(limit - RESERVE, MOST);
}

/**
 * How many connections may wait to be accepted. Node accepts all of them at once, before it reads a byte. If there were as many as the limit,
 * they would replace each other unread, including those with a valid key.
 */
export function backlogFor(connections: number): number {
  return Math.min(Math.floor(connections / 2), 511); // the default of Node
}

/**
 * The actual limit on descriptors of this process; `Infinity` if there is none. Node raises the soft limit to the hard limit when it starts,
 * so `ulimit -Sn` in a shell does not show it.
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

/** The result of the first reader that does not fail. */
function firstOf(...readers: readonly (() => string | undefined)[]): string | undefined {
  for (const read of readers) {
    try {
      const text = read();
      if (text !== undefined) return text;
    } catch {
      // Not this operating system: try the next reader.
    }
  }
  return undefined;
}
