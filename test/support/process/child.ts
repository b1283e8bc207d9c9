/** A child process that speaks in lines, and its death: tests wait for what it says and for its end, never for time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const APPEND_CHILD = fileURLToPath(new URL('../stores/append-child.ts', import.meta.url));

/** What a child said, line by line, and the signal or exit code that it ended with. */
export interface Ended {
  readonly lines: readonly string[];
  readonly how: string | number | null;
}

export interface Child {
  readonly pid: number | undefined;
  /** Resolves once it has said a line that fits; rejects where it ends before. */
  said(fits: (line: string, count: number) => boolean): Promise<string>;
  /** `kill -9`; resolves when it is gone and all it said has been read. */
  kill(): Promise<Ended>;
  /** Waits for its own end. */
  ended(): Promise<Ended>;
}

/** Starts `append-child.ts`; the caller ends it. @param options as for `spawn` */
export function appendChild(args: readonly string[], options: { uid?: number; gid?: number } = {}): Child {
  // tap puts hooks into every child's NODE_OPTIONS; they are slow, and write files where another user may not. `env` execs.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, APPEND_CHILD, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...options,
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let over = false;
  const wake = () => {
    for (const look of waiting) look();
  };
  const reader = createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    wake();
  });
  const end = Promise.all([once(child, 'exit'), once(reader, 'close')]).then(([[code, signal]]): Ended => {
    over = true;
    wake();
    return { lines, how: (signal as string | null) ?? (code as number | null) };
  });
  return {
    pid: child.pid,
    ended: () => end,
    kill: () => {
      child.kill('SIGKILL');
      return end;
    },
    said: (fits) =>
      new Promise((resolve, reject) => {
        let seen = 0;
        const look = () => {
          while (seen < lines.length) {
            const line = lines[seen] ?? '';
            seen += 1;
            if (!fits(line, seen)) continue;
            waiting.delete(look);
            resolve(line);
            return;
          }
          if (over) reject(new Error(`The child ended after: ${lines.slice(-3).join(' / ')}`));
        };
        waiting.add(look);
        look();
      }),
  };
}
