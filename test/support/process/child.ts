/** A child process that appends to a store and says so line by line, and how it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Lines } from './lines.ts';

export const APPEND_CHILD = fileURLToPath(new URL('../stores/append-child.ts', import.meta.url));

/** The lines of a child, and the signal or exit code that it ended with. */
export interface Ended {
  readonly lines: readonly string[];
  readonly how: string | number | null;
}

export interface Child {
  readonly pid: number | undefined;
  /** Resolves with the first line that fits; rejects if the child ends before. */
  said(fits: (line: string, count: number) => boolean): Promise<string>;
  /** `kill -9`; resolves once it has ended and all its lines were read. */
  kill(): Promise<Ended>;
  /** Waits until it ends. */
  ended(): Promise<Ended>;
}

/** Starts `append-child.ts`; the caller ends it. @param options as for `spawn` */
export function appendChild(args: readonly string[], options: { uid?: number; gid?: number } = {}): Child {
  // tap puts hooks into every child's NODE_OPTIONS; they are slow, and write files where another user may not. `env` execs.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, APPEND_CHILD, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...options,
  });
  const lines = new Lines(child.stdout);
  const end = Promise.all([once(child, 'exit'), lines.closed]).then(([[code, signal]]): Ended => {
    const how = (signal as string | null) ?? (code as number | null);
    lines.end(`The child ended (${how})`);
    return { lines: lines.all, how };
  });
  return {
    pid: child.pid,
    ended: () => end,
    kill: () => {
      child.kill('SIGKILL');
      return end;
    },
    said: (fits) => lines.said(fits),
  };
}
