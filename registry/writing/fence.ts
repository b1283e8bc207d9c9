/**
 * The door behind an answer (SPEC R5).
 *
 * Problem: a write that was answered `outcome-unknown` may still be on its way to the store. An operator looks, is told that nothing has
 * to be changed, and goes; then the write arrives and undoes what they were told.
 * Rule: an append takes effect only with the fence that was known when it was decided. An answer without an event first raises the fence
 * at the very place in the log that it was decided on, so that nothing sent before can take effect. If the log has moved on by then, the
 * answer is void and the request is decided again. An event needs no fence: it moves the head, which does the same.
 * What was sent after a request came in closes the door for it as well, so requests that wait together share one fence.
 * Example: B is on its way at revision 7, fence 2. "A is active" was decided on revision 7: the fence becomes 3, then it is answered. B,
 * which says 2, arrives and is a conflict.
 */
import { PAUSE, within, type Deadline } from './deadline.ts';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import type { Head } from '../log/event.ts';
import type { FenceOutcome, Store } from '../log/store.ts';

/** Pause between two fences, as a multiple of what the last one took: refusals in a loop leave other instances the head's row. */
const REST = 3;
/** The longest such pause, in milliseconds: writes of this instance wait for it. */
const LONGEST_REST = 25;

/** Refusals that no change of the registry would turn into another answer: what is on its way does not matter to them. */
const TIMELESS: ReadonlySet<RegistryErrorCode> = new Set(['validation-failed', 'forbidden', 'idempotency-mismatch']);

/** Whether an answer without an event rests on what the registry holds, so that a write on its way could make it wrong. */
export function restsOnState(refusal: RegistryError | undefined): boolean {
  return refusal === undefined || !TIMELESS.has(refusal.code);
}

export class Door {
  readonly #store: Pick<Store, 'fence' | 'raiseFence'>;
  /** As it was last seen. One that is older costs a conflict, and no more. */
  #fence = 0;
  /** Where the door was closed last, and since when: what was sent to this place earlier is of no effect. */
  #closed: { readonly at: Head; readonly since: number } | undefined;
  /** No fence before; monotonic, in milliseconds. */
  #notBefore = 0;

  constructor(store: Pick<Store, 'fence' | 'raiseFence'>) {
    this.#store = store;
  }

  /** The fence for a batch that is decided now. */
  get fence(): number {
    return this.#fence;
  }

  /** Hears of the fence as somebody else read it. */
  see(fence: number): void {
    this.#fence = Math.max(this.#fence, fence);
  }

  /** Reads the fence: it was raised, or the database is another. @throws RegistryError `store-unavailable` */
  async look(deadline: Deadline): Promise<void> {
    this.#fence = await within(deadline, this.#store.fence());
  }

  /** An append led to a place. @param sentAt when it was sent for the first time; monotonic, in milliseconds */
  passed(to: Head, sentAt: number): void {
    this.#closed = { at: to, since: sentAt };
  }

  /**
   * Closes the door behind an answer that was decided at a place.
   *
   * @param at the snapshot in force
   * @param askedAt when the request came in; monotonic, in milliseconds
   * @returns true: the answer stands. False: the log has moved on
   * @throws RegistryError `store-unavailable` where that could not be made sure in time
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
        throw new RegistryError(
          'store-unavailable',
          'The store did not confirm in time that no earlier write is still on its way; nothing was changed. Try again.',
        );
      }
      await pause(PAUSE);
    }
  }
}

async function pause(milliseconds: number): Promise<void> {
  if (milliseconds >= 1) await new Promise((resolve) => setTimeout(resolve, milliseconds)); // a timer takes a millisecond at least
}
