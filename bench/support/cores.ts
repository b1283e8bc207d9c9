/**
 * Which core a process under measurement runs on, and which ones remain for the load generator.
 *
 * Problem: on two cores the kernel moves the server and the generator about, so that they share a core for part of a leg, and other
 * programs take their share of both.
 * Rule: where `taskset` is installed and there are two cores or more, the server gets the first core, and the generator the others. All
 * processes of a benchmark get the highest priority, if the user may give it.
 * Example: `onCores(SERVER_CORE, 'node', ['server.ts'])` → `['taskset', ['-c', '0', 'node', 'server.ts']]`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/** The cores that this process may use; empty where processes cannot be pinned. */
const usable = usableCores();

const HIGHEST = `${constants.priority.PRIORITY_HIGHEST}`;

/** A list of cores as `taskset` takes it; undefined: any core. */
export type Cores = string | undefined;

export const SERVER_CORE: Cores = usable.length > 1 ? `${usable[0]}` : undefined;
export const GENERATOR_CORES: Cores = usable.length > 1 ? usable.slice(1).join(',') : undefined;

/** Where the processes run, in a sentence for the output. */
export const PLACEMENT =
  SERVER_CORE === undefined
    ? 'The server and the load generator share all cores, because processes cannot be pinned here (two cores and `taskset` are needed).'
    : `The server runs on core ${SERVER_CORE}, the load generator on core ${GENERATOR_CORES}.`;

/** The command that runs a program on some cores. */
export function onCores(cores: Cores, program: string, args: readonly string[]): [program: string, args: string[]] {
  return cores === undefined ? [program, [...args]] : ['taskset', ['-c', cores, program, ...args]];
}

/**
 * Gives this process, and all that it starts from now on, the highest priority.
 *
 * Linux first shares the time among sessions (autogroups, sched(7)), and then among the processes of each. So the session is raised too, and
 * put back when this process ends.
 * @returns whether it may
 */
export function raisePriority(): boolean {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST);
    raiseOwnSession();
    return true;
  } catch {
    return false; // only root may, and some kernels show the file of the session but refuse each value
  }
}

function raiseOwnSession(): void {
  const own = autogroupOf('self');
  if (!existsSync(own)) return;
  const before = /-?\d+$/u.exec(readFileSync(own, 'utf8').trim())?.[0] ?? '0';
  writeFileSync(own, HIGHEST);
  process.on('exit', () => writeFileSync(own, before));
}

/** Moves running processes to the server's core, and their session to the highest priority, if the user may. @param leader the first of them */
export function moveToServerCore(leader: number, pids: readonly number[]): void {
  if (SERVER_CORE === undefined) return;
  for (const pid of pids) spawnSync('taskset', ['-acp', SERVER_CORE, `${pid}`]);
  try {
    writeFileSync(autogroupOf(leader), HIGHEST);
  } catch {
    // Only root may, and only Linux has such groups. The figures stay right, but a busy machine disturbs them more.
  }
}

function autogroupOf(pid: number | 'self'): string {
  return `/proc/${pid}/autogroup`;
}

function usableCores(): number[] {
  const { status, stdout } = spawnSync('taskset', ['-cp', `${process.pid}`], { encoding: 'utf8' });
  const list = status === 0 ? /:\s*([\d,-]+)\s*$/u.exec(stdout)?.[1] : undefined;
  if (list === undefined) return [];
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
