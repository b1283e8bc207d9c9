/**
 * The instances that share the log, as their leases show them; and waiting until a move has reached them all.
 *
 * Problem: after a rollback an operator must know when no instance serves the old version any more.
 * Rule: each instance renews a lease, which increments its counter. A waiter watches the counters on its own clock. It does not wait for an
 * instance whose counter stood still for `GONE_AFTER`: by then that instance has marked its answers as stale for longer than clocks can
 * differ (`freshness.ts`). Only what the store showed after the wait began counts. An instance with `PIN_VERSION` is listed, but never
 * waited for.
 * Example: of three instances one is stopped; `settled` says pending for seven seconds, then that it expired.
 */
import { reaches, type Position } from '../state/position.ts';
import type { Lease } from '../log/store.ts';

/** How long a counter may stand still before nobody waits for its instance any more, in milliseconds. */
export const GONE_AFTER = 7000;
/** After this time its lease is deleted, in milliseconds. */
const FORGOTTEN_AFTER = 600_000;

/** Who has applied a move, by instance id. */
export interface Reach {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** They serve the version of their `PIN_VERSION`, whatever the log says. */
  readonly pinned: readonly string[];
  /** They have not renewed their lease for a while: stopped, cut off or gone. If they still answer, they mark it as stale. */
  readonly expired: readonly string[];
}

interface Watched {
  lease: Lease;
  /** When its current counter was first seen. */
  readonly seenAt: number;
  /** When the request was sent that last showed this counter. */
  askedAt: number;
}

export class Instances {
  readonly #self: string;
  readonly #watched = new Map<string, Watched>();
  readonly #observers = new Set<() => void>();
  #askedAt = -Infinity;

  /** @param self the id of this instance */
  constructor(self: string) {
    this.#self = self;
  }

  /** How many instances are not known to be gone, this one included. */
  get live(): number {
    return [...this.#watched.values()].filter((watched) => !isGone(watched)).length;
  }

  /** All leases, the longest running first. */
  get leases(): readonly Lease[] {
    return [...this.#watched.values()]
      .map(({ lease }) => lease)
      .sort((a, b) => (a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0));
  }

  /** The ids of instances that are not known to be gone and whose build does not know something. */
  lacking(what: string): readonly string[] {
    return [...this.#watched.values()]
      .filter((watched) => !isGone(watched) && watched.lease.knows?.includes(what) !== true)
      .map(({ lease }) => lease.id);
  }

  /** Leases that can be deleted, because they were not renewed for a long time. */
  get forgotten(): readonly Lease[] {
    return [...this.#watched.values()]
      .filter(({ seenAt, askedAt }) => askedAt - seenAt >= FORGOTTEN_AFTER)
      .map(({ lease }) => lease);
  }

  /**
   * Records the leases that the store returned.
   * @param askedAt when it was asked, monotonic, in milliseconds
   */
  observe(leases: readonly Lease[], askedAt: number): void {
    const now = performance.now();
    const there = new Set(leases.map(({ id }) => id));
    for (const id of this.#watched.keys()) if (!there.has(id)) this.#watched.delete(id);
    for (const lease of leases) {
      const known = this.#watched.get(lease.id);
      if (known?.lease.counter === lease.counter) known.askedAt = askedAt;
      else this.#watched.set(lease.id, { lease, seenAt: now, askedAt });
    }
    this.#askedAt = askedAt;
    for (const observer of this.#observers) observer();
  }

  /**
   * Waits until every live instance has applied a position, or the signal ends the wait.
   * @returns who had applied it at that moment; `pending` is empty if all have
   */
  settled(position: Position, signal: AbortSignal): Promise<Reach> {
    const since = performance.now();
    return new Promise((resolve) => {
      const look = (last: boolean) => {
        const reach = this.#reachOf(position);
        const complete = this.#askedAt >= since && reach.pending.length === 0;
        if (!complete && !last) return;
        this.#observers.delete(observer);
        signal.removeEventListener('abort', abort);
        resolve(reach);
      };
      const observer = () => look(false);
      const abort = () => look(true);
      this.#observers.add(observer);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  #reachOf(position: Position): Reach {
    const reach = { applied: [this.#self], pending: [] as string[], pinned: [] as string[], expired: [] as string[] };
    for (const [id, watched] of this.#watched) {
      const { epoch, appliedRevision: revision, pinnedVersion } = watched.lease;
      if (pinnedVersion !== undefined) reach.pinned.push(id);
      else if (id === this.#self) continue;
      else if (reaches({ epoch, revision }, position)) reach.applied.push(id);
      else if (isGone(watched)) reach.expired.push(id);
      else reach.pending.push(id);
    }
    if (reach.pinned.includes(this.#self)) reach.applied = reach.applied.filter((id) => id !== this.#self);
    return reach;
  }
}

function isGone({ seenAt, askedAt }: Watched): boolean {
  return askedAt - seenAt >= GONE_AFTER;
}
