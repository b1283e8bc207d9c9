/**
 * Freshness: does this instance know that it is current, and if not, since when (SPEC R10)?
 *
 * Problem: an instance that is cut off, or was suspended and resumed, cannot know what it has missed.
 * Rule: it is current for `STALE_AFTER` after it *sent* a renewal of its lease, provided that it has applied the head that the response
 * named. Each question is answered from the monotonic clock, never by a timer: a suspended process has suspended timers.
 * Example: the last such renewal was sent 7.4 s ago; `staleSeconds` is 7, and so is `Registry-Stale` on every answer.
 */

/** How long a renewal proves that this instance is current, in milliseconds. Less than `GONE_AFTER` (`instances.ts`). */
export const STALE_AFTER = 5000;

export class Freshness {
  #confirmed = false;
  #since: number;

  /** @param since when this instance, or the process before it, last knew that it was current; monotonic, in milliseconds */
  constructor(since = performance.now()) {
    this.#since = since;
  }

  /** This instance has applied the head that the log had after this moment. */
  confirm(sentAt: number): void {
    if (this.#confirmed && sentAt < this.#since) return;
    this.#confirmed = true;
    this.#since = sentAt;
  }

  /** The instance no longer knows that it is current: the log is another one, or the lease was released. */
  doubt(): void {
    this.#confirmed = false;
  }

  /** Whole seconds since this instance last knew that it was current; undefined while it does. */
  get staleSeconds(): number | undefined {
    const age = performance.now() - this.#since;
    return this.#confirmed && age < STALE_AFTER ? undefined : Math.max(0, Math.floor(age / 1000));
  }
}
