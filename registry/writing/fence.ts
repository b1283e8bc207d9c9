/**
 * The door behind an answer (SPEC R5).
 *
 * Problem: a write that was answered `outcome-unknown` may still be on its way to the store. An operator looks, hears that there is nothing
 * to change, and leaves. Then the write arrives and undoes what the operator saw.
 * Rule: an append takes effect only with the fence that was known when it was decided. An answer without an event first raises the fence, at
 * the very position in the log that it was decided on, so nothing that was sent before can take effect. If the log has moved on by then,
 * the answer is void and the request is decided again. An event needs no fence: it moves the head, which has the same effect, also for the
 * answers without an event that were decided in the same batch.
 * Whatever was sent after a request came in also closes the door for it, so requests that wait together share one fence.
 * Example: B is on its way at revision 7 with fence 2. "A is active" was decided on revision 7: the fence becomes 3, then the answer is
 * sent. When B arrives with fence 2, it is a conflict.
 */
import { PAUSE, within, type Deadline } from './deadline.ts';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import type { Head } from '../log/event.ts';
import type { FenceOutcome, Store } from '../log/store.ts';

/** The pause between two fences, as a multiple of the time that the last one took, so that refusals in a loop leave room for the writes of other instances. */
const REST = 3;
/** The longest such pause, in milliseconds; writes of this instance wait for it. */
const LONGEST_REST = 25;

/** Refusals that no change of the registry could turn into another answer, so a write on its way does not matter to them. */
const TIMELESS: ReadonlySet<RegistryErrorCode> = new Set(['validation-failed', 'forbidden', 'idempotency-mismatch']);

/** Whether an answer without an event depends on the state of the registry, so that a write on its way could make it wrong. */
export function restsOnState(refusal: RegistryError | undefined): boolean {
  return refusal === undefined || !TIMELESS.has(refusal.code);
}

export function unconfirmed(): RegistryError {
  return new RegistryError(
    'store-unavailable',
    'The store did not confirm in time that no earlier write is still on its way. Nothing was changed. Try again.',
  );
}

export class Door {
  readonly #store: Pick<Store, 'fence' | 'raiseFence'>;
  /** As last seen. An outdated one only costs a conflict. */
  #fence = 0;
  /** Where the door was last closed, and since when: whatever was sent to this position earlier has no effect. */
  #closed: { readonly at: Head; readonly since: number } | undefined;
  /** No fence is raised before this time; monotonic, in milliseconds. */
  #notBefore = 0;

  constructor(store: Pick<Store, 'fence' | 'raiseFence'>) {
    this.#store = store;
  }

  /** The fence for a batch that is decided now. */
  get fence(): number {
    return this.#fence;
  }

  /** Takes note of a fence that somebody else has read. */
  see(fence: number): void {
    this.#fence = Math.max(this.#fence, fence);
  }

  /** Reads the fence again: it was raised, or the database is another one. @throws RegistryError `store-unavailable` */
  async look(deadline: Deadline): Promise<void> {
    this.#fence = await within(deadline, this.#store.fence());
  }

  /** Takes note of an append that moved the log to `to`. @param sentAt when it was first sent; monotonic, in milliseconds */
  passed(to: Head, sentAt: number): void {
    this.#closed = { at: to, since: sentAt };
  }

  /**
   * Closes the door behind an answer.
   *
   * @param at the position that the answer was decided on
   * @param askedAt when the request came in; monotonic, in milliseconds
   * @returns whether the answer stands; false if the log has moved on
   * @throws RegistryError `store-unavailable` if the store does not confirm in time
   */
  async close(at: Head, askedAt: number, deadline: Deadline): Promise<boolean> {
    if (this.#closed?.at === at && this.#closed.since > askedAt) return true;
    for (;;) {
      await pause(this.#notBefore - performance.now());
      const since = performance.now();
      const outcome = await within<FenceOutcome>(deadline, this.#store.raiseFence(at), 'unknown');
      const now = performance.now();
      this.#notBefore = now + Math.min(LONGEST_REST, REST * (now - since));
      if (outcome === 'conflict') return false;
      if (outcome !== 'unknown') {
        this.#fence = outcome;
        this.#closed = { at, since };
        return true;
      }
      if (now + PAUSE >= deadline.at) {
        throw unconfirmed();
      }
      await pause(PAUSE);
    }
  }
}

async function pause(milliseconds: number): Promise<void> {
  if (milliseconds >= 1) await new Promise((resolve) => setTimeout(resolve, milliseconds)); // a timer takes at least a millisecond
}
