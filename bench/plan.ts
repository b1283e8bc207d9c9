/**
 * How long and how large a run is. `QUICK` shows in seconds that the benchmarks work; its figures mean nothing.
 *
 * On a shared machine many short legs say more than few long ones: a neighbour that wakes up spoils a pair or two and not the
 * median. So a leg is as short as its own measuring allows.
 */
export interface Plan {
  readonly quick: boolean;
  /** Legs of load over HTTP: how many processes of each side one after the other, how many pairs with each, and whole seconds a leg. */
  readonly load: { readonly processes: number; readonly pairs: number; readonly seconds: number };
  /** Pairs of other legs that take a second or more. */
  readonly pairs: number;
  /** Legs of reads in process: how many pairs, and reads each. */
  readonly reads: { readonly pairs: number; readonly each: number };
  /** Legs of durable writes: how many pairs, and writes each. */
  readonly writes: { readonly pairs: number; readonly each: number };
  /** Starts of the process per case. */
  readonly starts: number;
  /** The registry of many versions. */
  readonly packs: number;
  readonly versionsPerPack: number;
  /** Events of the long log. */
  readonly events: number;
}

export const FULL: Plan = {
  quick: false,
  load: { processes: 4, pairs: 2, seconds: 1 },
  pairs: 7,
  reads: { pairs: 301, each: 40_000 },
  writes: { pairs: 61, each: 12 },
  starts: 7,
  packs: 100,
  versionsPerPack: 100,
  events: 1_000_000,
};

export const QUICK: Plan = {
  quick: true,
  load: { processes: 1, pairs: 1, seconds: 1 },
  pairs: 1,
  reads: { pairs: 3, each: 40_000 },
  writes: { pairs: 3, each: 5 },
  starts: 1,
  packs: 10,
  versionsPerPack: 5,
  events: 5_000,
};

/** How many versions the registry of many versions has, for people. */
export function versionsOf({ packs, versionsPerPack }: Plan): string {
  return (packs * versionsPerPack).toLocaleString('en');
}
