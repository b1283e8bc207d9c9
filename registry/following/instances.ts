/**
 * The instances that share the log, as their leases show them; and waiting until a move has reached them all.
 *
 * Problem: after a rollback an operator must know when nobody is given the old version any more.
 * Rule: each instance renews a lease by a counter; who waits watches the counters on a clock of its own. An instance whose counter
 * stood still for `GONE_AFTER` is not waited for: by then it has marked its answers for longer than clocks can differ
 * (`freshness.ts`). What counts is what the store showed after the waiting began. An instance that serves a version of its own
 * (`PIN_VERSION`) is listed, never waited for.
 * Example: of three instances one is stopped; `settled` says pending for seven seconds, then that it expired.
 */
import { reaches, type Position } from '../state/snapshot.ts';
import type { Lease } from '../log/store.ts';

/** For how long a counter may stand still before its instance is not waited for any more, in milliseconds. */
export const GONE_AFTER = 7000;
/** After that long its lease is taken away, in milliseconds. */
const FORGOTTEN_AFTER = 600_000;

/** Who has applied a move, by instance id. */
export interface Reach {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** They serve a version of their own, whatever the log says. */
  readonly pinned: readonly string[];
  /** They have not renewed their lease for a while: stopped, cut off or gone. What they still answer is marked stale. */
  readonly expired: readonly string[];
}

interface Watched {
  lease: Lease;
  /** When its counter was first seen where it is. */
  readonly seenAt: number;
  /** When the store was last asked and showed it there. */
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

  /** How many there are, this one among them, that are not known to be gone. */
  get live(): number {
    return [...this.#watched.values()].filter((watched) => !isGone(watched)).length;
  }

  /** All leases, the longest running first. */
  get leases(): readonly Lease[] {
    return [...this.#watched.values()]
      .map(({ lease }) => lease)
      .sort((a, b) => (a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0));
  }

  /** Leases that nobody has renewed for so long that they may be taken away. */
  get forgotten(): readonly Lease[] {
    return [...this.#watched.values()]
      .filter(({ seenAt, askedAt }) => askedAt - seenAt >= FORGOTTEN_AFTER)
      .map(({ lease }) => lease);
  }

  /**
   * Takes in what the store showed.
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
   * Waits until every live instance has applied a place, or the signal ends the wait.
   * @returns who had at that moment; nobody is pending where all have
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
