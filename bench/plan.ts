/**
 * How long and how large a run is. `QUICK` shows in seconds that the benchmarks work; its figures mean nothing.
 */
export interface Plan {
  readonly quick: boolean;
  /** How many times each side is measured; the two take turns. */
  readonly pairs: number;
  /** Seconds of load per leg. */
  readonly loadSeconds: number;
  /** In-process reads per leg. */
  readonly reads: number;
  /** Durable writes per leg. */
  readonly writes: number;
  /** Starts of the process per case. */
  readonly starts: number;
  /** The registry of many versions. */
  readonly packs: number;
  readonly versionsPerPack: number;
  /** Events of the long log. */
  readonly events: number;
}

export const FULL: Plan = {
  ...{ quick: false, pairs: 15, loadSeconds: 0.8, reads: 2_000_000, writes: 40, starts: 5 },
  ...{ packs: 100, versionsPerPack: 100, events: 1_000_000 },
};

export const QUICK: Plan = {
  ...{ quick: true, pairs: 3, loadSeconds: 0.2, reads: 100_000, writes: 5, starts: 1 },
  ...{ packs: 10, versionsPerPack: 5, events: 5_000 },
};
