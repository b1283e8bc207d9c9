/**
 * Who waits for the writer, in what order.
 *
 * Problem: a commit of the database costs the same for one event and for fifty.
 * Rule: writes wait in order of arrival, and one turn takes all that wait, up to a limit. What it could not answer goes back to the front.
 * Example: fifty writes arrive while an append is under way; the next turn takes all fifty.
 */
import type { Write } from './write.ts';

/** The most writes in one turn. */
const MOST_WRITES = 100;

export class Queue {
  #waiting: Write[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(write: Write): void {
    this.#waiting.push(write);
  }

  /** Takes out the next writes that are not answered yet, in order of arrival. */
  take(): readonly Write[] {
    const waiting = this.#waiting.filter(({ isAnswered }) => !isAnswered);
    const single = waiting.findIndex(({ large, alone }) => large || alone);
    const count = single < 0 ? MOST_WRITES : Math.min(MOST_WRITES, Math.max(1, single));
    this.#waiting = waiting.slice(count);
    return waiting.slice(0, count);
  }

  /** Puts those that are not answered yet back to where they were. */
  putBack(writes: readonly Write[]): void {
    this.#waiting = [...writes.filter(({ isAnswered }) => !isAnswered), ...this.#waiting];
  }
}

/** Runs tasks one at a time, in order. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the task when those before it have ended. The caller gets its failure, and the next one still starts. */
  next<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Waits until no task is left, including those that a task adds. */
  async ended(): Promise<void> {
    for (let last: unknown; last !== this.#last;) {
      last = this.#last;
      await this.#last;
    }
  }
}
