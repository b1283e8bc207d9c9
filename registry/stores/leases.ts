/**
 * Leases of a store that one process holds for itself: they need not outlive it, so they are kept in its memory.
 */
import type { Lease, LeaseClaim } from '../log/store.ts';

export class Leases {
  readonly #leases = new Map<string, Lease>();

  /** Renews a lease, or makes it. */
  renew(claim: LeaseClaim): readonly Lease[] {
    const counter = (this.#leases.get(claim.id)?.counter ?? 0) + 1;
    this.#leases.set(claim.id, Object.freeze({ ...claim, counter, lastSeenAt: new Date().toISOString() }));
    return [...this.#leases.values()];
  }

  /** Takes a lease away; with `counter`, only while it still stands there. */
  release(instanceId: string, counter?: number): void {
    if (counter === undefined || this.#leases.get(instanceId)?.counter === counter) this.#leases.delete(instanceId);
  }
}
