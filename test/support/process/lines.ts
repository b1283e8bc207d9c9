/** What a child process says, line by line: tests wait for a line or for its end, never for time. */
import { createInterface } from 'node:readline';
import { once } from 'node:events';

export class Lines {
  /** All lines so far. */
  readonly all: string[] = [];
  /** Resolves after the last line. */
  readonly closed: Promise<unknown>;
  readonly #waiting = new Set<() => void>();
  #ended: string | undefined;

  constructor(output: NodeJS.ReadableStream) {
    const reader = createInterface({ input: output }).on('line', (line) => {
      this.all.push(line);
      this.#wake();
    });
    this.closed = once(reader, 'close');
  }

  /** Resolves with the first line, of all there ever were, that fits. Rejects if the process ends before. */
  said(fits: (line: string, count: number) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      let seen = 0;
      const look = () => {
        while (seen < this.all.length) {
          const line = this.all[seen] ?? '';
          seen += 1;
          if (!fits(line, seen)) continue;
          this.#waiting.delete(look);
          resolve(line);
          return;
        }
        if (this.#ended === undefined) return;
        this.#waiting.delete(look);
        reject(new Error(this.#ended));
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** The process has ended. @param how completes the message of those that still wait */
  end(how: string, more = ''): void {
    this.#ended = `${how} after: ${this.all.slice(-3).join('\n')}${more}`;
    this.#wake();
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }
}
