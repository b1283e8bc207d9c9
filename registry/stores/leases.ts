/**
 * Leases of a store that only one process uses. They need not outlive it, so they are kept in memory.
 */
import type { Lease, LeaseClaim } from '../log/store.ts';

export class Leases {
  readonly #leases = new Map<string, Lease>();

  /** Renews or creates a lease. */
  renew(claim: LeaseClaim): readonly Lease[] {
    const counter = (this.#leases.get(claim.id)?.counter ?? 0) + 1;
    this.#leases.set(claim.id, Object.freeze({ ...claim, counter, lastSeenAt: new Date().toISOString() }));
    return [...this.#leases.values()];
  }

  /** Removes a lease; with `counter`, only if it still has that counter. */
  release(instanceId: string, counter?: number): void {
    if (counter === undefined || this.#leases.get(instanceId)?.counter === counter) this.#leases.delete(instanceId);
  }
}
