/**
 * Freshness: does this instance know that it is current, and if not, since when (SPEC R10)?
 *
 * Problem: an instance that is cut off, or was stopped and goes on, cannot know what it has missed.
 * Rule: it knows that it is current for `STALE_AFTER` from the moment at which it *sent* a renewal of its lease whose returned head it
 * has applied. Whoever asks is answered by the monotonic clock then and there, never by a timer: a process that was stopped has
 * timers that were stopped with it.
 * Example: the last such renewal was sent 7.4 s ago; `staleSeconds` is 7, and so is `Registry-Stale` on every answer.
 */

/** For how long a renewal proves that this instance is current, in milliseconds. Below what a waiter grants (`instances.ts`). */
export const STALE_AFTER = 5000;

export class Freshness {
  #confirmed = false;
  #since: number;

  /** @param since when this instance, or the process before it, last knew that it was current; monotonic, in milliseconds */
  constructor(since = performance.now()) {
    this.#since = since;
  }

  /** The head that the log had after this moment is applied. */
  confirm(sentAt: number): void {
    if (this.#confirmed && sentAt < this.#since) return;
    this.#confirmed = true;
    this.#since = sentAt;
  }

  /** What was known is not enough any more: the log is another, or this instance has given its lease back. */
  doubt(): void {
    this.#confirmed = false;
  }

  /** Whole seconds since this instance last knew that it was current; undefined where it still does. */
  get staleSeconds(): number | undefined {
    const age = performance.now() - this.#since;
    return this.#confirmed && age < STALE_AFTER ? undefined : Math.max(0, Math.floor(age / 1000));
  }
}
