/**
 * Where the lines of the log go: a pipe or a file.
 *
 * Problem: one write for each line costs a move a seventh of its time, and a reader that is slow (its pipe is full) would stop the whole
 * service. But a line that was logged must not be lost when the process exits.
 * Rule: the lines of a few milliseconds are written together, in order, and a write never waits for the reader. What the pipe does
 * not take waits in memory. If too much waits, new lines are dropped and counted, and the count is reported once the reader is back. However
 * the process exits, what waits is written first; only a reader that takes nothing for `EXIT_LIMIT` loses it. If the reader is gone, the log
 * ends, and the process goes on.
 * Example: `const output = new LogOutput(process.stdout.fd, report); process.on('exit', () => output.flushSync())`.
 */
import { writeSync } from 'node:fs';

/** The most that waits, in characters: 25,000 lines or so. */
const MOST_WAITING = 8 * 1024 * 1024;
/** How long lines are gathered for one write, in milliseconds. */
const GATHER = 5;
/** Milliseconds until a write is tried again that the reader did not take. */
const PAUSE = 20;
/** How long the exit waits for a reader that takes nothing, in milliseconds. */
const EXIT_LIMIT = 2000;
/** The reader is gone and does not come back. */
const GONE: readonly (string | undefined)[] = ['EPIPE', 'EBADF'];

export class LogOutput {
  readonly #fd: number;
  readonly #reportDropped: (lines: number) => void;
  /** Not yet encoded. */
  #lines: string[] = [];
  #length = 0;
  /** Encoded, and not yet written. */
  #bytes = Buffer.alloc(0);
  #dropped = 0;
  #planned = false;
  #gone = false;

  /**
   * Makes an output.
   *
   * @param fd of a file, or of a pipe or socket that does not block: Node makes those of `process.stdout` so
   * @param reportDropped called with how many lines were dropped, once lines can be written again
   */
  constructor(fd: number, reportDropped: (lines: number) => void) {
    this.#fd = fd;
    this.#reportDropped = reportDropped;
  }

  /** Takes a line, with its line end. Never waits and never throws. */
  write(line: string): void {
    if (this.#gone) return;
    if (this.#length + this.#bytes.length + line.length > MOST_WAITING) {
      this.#dropped += 1;
      return;
    }
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#planned) return;
    this.#planned = true;
    setTimeout(() => this.#flush(), GATHER).unref();
  }

  /** Writes everything that waits, before the process exits. The name is the one that pino calls after a fatal line. */
  flushSync(): void {
    const tick = new Int32Array(new SharedArrayBuffer(4));
    let left = EXIT_LIMIT;
    for (let before = -1; !this.#writeWaiting() && left > 0; left -= PAUSE) {
      if (before !== this.#bytes.length) left = EXIT_LIMIT;
      before = this.#bytes.length;
      Atomics.wait(tick, 0, 0, PAUSE);
    }
  }

  #flush(): void {
    this.#planned = !this.#writeWaiting();
    if (this.#planned) setTimeout(() => this.#flush(), PAUSE).unref();
    else if (this.#dropped > 0) {
      const dropped = this.#dropped;
      this.#dropped = 0;
      this.#reportDropped(dropped);
    }
  }

  /** Writes as much as the reader takes. @returns whether nothing waits any more */
  #writeWaiting(): boolean {
    try {
      for (;;) {
        while (this.#bytes.length > 0) this.#bytes = this.#bytes.subarray(writeSync(this.#fd, this.#bytes));
        if (this.#lines.length === 0) return true;
        this.#bytes = Buffer.from(this.#lines.join(''));
        this.#lines = [];
        this.#length = 0;
      }
    } catch (error) {
      this.#gone = GONE.includes((error as NodeJS.ErrnoException).code);
      if (this.#gone) [this.#lines, this.#bytes] = [[], Buffer.alloc(0)];
      return this.#gone; // otherwise the pipe is full (EAGAIN), or the disk (ENOSPC): try again later
    }
  }
}
