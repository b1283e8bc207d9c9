/** The CPU time of processes that are not Node, and of all that they have started. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in ticks of 10 ms for user space, whatever the kernel's own are. */
const MICROSECONDS_PER_TICK = 10_000;

/** Microseconds of user and system time, of all threads of these processes and their descendants. */
export function cpuTimeOf(roots: readonly number[]): number {
  const all = processes();
  return treeOf(roots, all).reduce((total, pid) => total + (all.get(pid)?.ticks ?? 0), 0) * MICROSECONDS_PER_TICK;
}

/** These processes and their descendants. */
export function descendants(roots: readonly number[]): number[] {
  return treeOf(roots, processes());
}

interface Process {
  readonly parent: number;
  readonly ticks: number;
}

function treeOf(roots: readonly number[], all: ReadonlyMap<number, Process>): number[] {
  const found = new Set(roots);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const [pid, { parent }] of all) if (found.has(parent)) found.add(pid);
  }
  return [...found];
}

/** proc(5): fields 4, 14 and 15 of `/proc/<pid>/stat`, counted after the name, which may hold blanks. */
function processes(): Map<number, Process> {
  const all = new Map<number, Process>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/u.test(name)) continue;
    const fields = statOf(name)?.split(' ');
    if (fields !== undefined)
      all.set(Number(name), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
  }
  return all;
}

function statOf(pid: string): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2);
  } catch {
    return undefined; // it has ended meanwhile
  }
}
