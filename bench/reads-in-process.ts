/** S4 and its rows of S9: `registry.getStylePrompt()`, called in the process of the registry. */
import { compare, comparisonOf, spread, takeTurns, type Comparison, type Leg, type Pair } from './measure.ts';
import { versionsOf, type Plan } from './plan.ts';
import type { Row, Table } from './report.ts';
import type { At, ReadOf, Registry, StylePrompt } from '../registry/index.ts';
import { openRegistry } from './support/registry.ts';
import { packNames } from './support/fill.ts';
import type { Workplace } from './support/workplace.ts';

/** Keys to ask for, in no order; a power of two, so that picking one costs next to nothing. */
export const KEYS = 1024;
/** The most nanoseconds that a read may take. */
const MOST = 100;
/** A read may cost as much as one look at the clock and so many look-ups in a map. */
const LOOKUPS = 3;
/** Legs that run before any is measured, so that everything is compiled. */
const WARM_UP = 50;

/** What the loops count up. It is exported, so that the compiler cannot drop the reads. */
export const sink = { count: 0 };

/** S4. */
export async function readsAgainstMap(plan: Plan, workplace: Workplace): Promise<Table> {
  const registry = await openRegistry(await workplace.small());
  try {
    const prompts = new Map<string, StylePrompt>(registry.view().stylePrompts);
    const ids = keys([...prompts.keys()]);
    const row = await againstClockAndMap(
      plan,
      'S4 getStylePrompt(styleId)',
      {
        nothing: (reads) => readNothing(ids, reads),
        ours: (reads) => readDefault(registry, ids, reads),
        map: (reads) => readMap(prompts, ids, reads),
      },
      MOST,
    );
    return {
      title: 'Reads in process',
      about:
        'A read through the registry, against one look at the monotonic clock (`performance.now()`), which each read needs to say whether it is current (SPEC R10), and three times a bare `Map.get` ' +
        'of the same key, in the same run. The cost of the loop is subtracted from all of them.',
      rows: [row],
    };
  } finally {
    await registry.close();
  }
}

/** S9 for S4. */
export async function readsInProcessAmongMany(plan: Plan, workplace: Workplace): Promise<Table> {
  const small = await openRegistry(await workplace.small());
  let large: Registry | undefined;
  try {
    large = await openRegistry(await workplace.large());
    const many = large;
    const packs = packNames(plan.packs);
    const maps = new Map(packs.map((pack) => [pack, new Map<string, StylePrompt>(many.view({ pack }).stylePrompts)]));
    const ids = keys([...small.view().stylePrompts.keys()]);
    const onePack = keys([small.defaultPack]).map((pack): At => ({ pack }));
    const names = keys(packs);
    const anyPack = names.map((pack): At => ({ pack }));
    const rows = [
      await againstSmall(plan, 'S9 getStylePrompt(styleId)', {
        nothing: (reads) => readNothing(ids, reads),
        ours: (reads) => readDefault(many, ids, reads),
        small: (reads) => readDefault(small, ids, reads),
      }),
      await againstSmall(plan, 'S9 getStylePrompt(styleId, {pack})', {
        nothing: (reads) => readNothing(ids, reads),
        ours: (reads) => readAt(many, ids, onePack, reads),
        small: (reads) => readAt(small, ids, onePack, reads),
      }),
      await againstClockAndMap(plan, 'S9 getStylePrompt(styleId, {pack}), packs at random', {
        nothing: (reads) => readNothing(ids, reads),
        ours: (reads) => readAt(many, ids, anyPack, reads),
        map: (reads) => readMaps(maps, names, ids, reads),
      }),
    ];
    return {
      title: `Reads in process among ${versionsOf(plan)} versions in ${plan.packs} packs`,
      about:
        'The registry with that many versions, compared with the registry with three versions of one pack. Any reads of random packs miss the caches ' +
        'that reads of one pack hit, so they are compared with random reads of bare maps (two look-ups: the pack, then the style).',
      rows,
    };
  } finally {
    await Promise.all([small.close(), large?.close()]);
  }
}

export type Reads = (reads: number) => void;

async function againstClockAndMap(
  plan: Plan,
  what: string,
  { ours, map, nothing }: { ours: Reads; map: Reads; nothing: Reads },
  most?: number,
): Promise<Row> {
  const { pairs, each } = plan.reads;
  const loop = warmedUp(plan, [ours, map, readClock], nothing);
  const cost = (read: Reads) => timed(read, each) - loop;
  const legs = { clock: [] as number[], map: [] as number[] };
  const { nanoseconds } = await compare<'nanoseconds'>(
    pairs,
    async () => ({ nanoseconds: cost(ours) }),
    async () => {
      const [clock, lookup] = [cost(readClock), cost(map)];
      legs.clock.push(clock);
      legs.map.push(lookup);
      return { nanoseconds: clock + LOOKUPS * lookup };
    },
  );
  return {
    what: `${what} / clock + ${LOOKUPS} × Map.get`,
    figures: {
      time: { spread: nanoseconds.ratio, unit: '×', goal: { atMost: 1 } },
      'a read': { spread: nanoseconds.ours, unit: 'ns', ...(most !== undefined && { goal: { atMost: most } }) },
      'the clock': { spread: spread(legs.clock), unit: 'ns' },
      'Map.get': { spread: spread(legs.map), unit: 'ns' },
    },
  };
}

async function againstSmall(
  plan: Plan,
  what: string,
  { ours, small, nothing }: { ours: Reads; small: Reads; nothing: Reads },
): Promise<Row> {
  const { rate, nanoseconds } = await measured(plan, ours, small, nothing);
  return {
    what,
    figures: {
      speed: { spread: rate.ratio, unit: '×', goal: { atLeast: 0.95 } },
      'a read': { spread: nanoseconds.ours, unit: 'ns' },
      'with three versions': { spread: nanoseconds.reference, unit: 'ns' },
    },
  };
}

/** Nanoseconds a read, and reads a nanosecond, without what the loop takes. */
export async function measured(
  plan: Plan,
  ours: Reads,
  reference: Reads,
  nothing: Reads,
): Promise<Record<'nanoseconds' | 'rate', Comparison>> {
  return comparisonOf(await turnsOf(plan, ours, reference, nothing));
}

/** Pairs of the same. */
export function turnsOf(
  plan: Plan,
  ours: Reads,
  reference: Reads,
  nothing: Reads,
): Promise<Pair<'nanoseconds' | 'rate'>[]> {
  const { pairs, each } = plan.reads;
  const loop = warmedUp(plan, [ours, reference], nothing);
  const leg =
    (read: Reads): Leg<'nanoseconds' | 'rate'> =>
    async () => {
      const nanoseconds = timed(read, each) - loop;
      return { nanoseconds, rate: 1 / nanoseconds };
    };
  return takeTurns(pairs, leg(ours), leg(reference));
}

/** Runs all loops until they are compiled. @returns the nanoseconds of a pass of the loop that reads nothing */
function warmedUp({ reads: { pairs, each } }: Plan, loops: readonly Reads[], nothing: Reads): number {
  for (const read of [...loops, nothing]) for (let count = 0; count < WARM_UP; count += 1) read(each);
  return spread(Array.from({ length: pairs }, () => timed(nothing, each))).median;
}

/** Nanoseconds a read. */
function timed(read: Reads, each: number): number {
  const start = process.hrtime.bigint();
  read(each);
  return Number(process.hrtime.bigint() - start) / each;
}

// Each loop is a separate function, so that each is compiled for what it reads.

export function readNothing(ids: readonly string[], reads: number): void {
  for (let index = 0; index < reads; index += 1) sink.count += ids[index % KEYS]?.length ?? 0;
}

function readClock(reads: number): void {
  for (let index = 0; index < reads; index += 1) sink.count += performance.now();
}

export function readMap(map: ReadonlyMap<string, StylePrompt>, ids: readonly string[], reads: number): void {
  for (let index = 0; index < reads; index += 1) sink.count += map.get(ids[index % KEYS] ?? '')?.revision ?? 0;
}

function readMaps(
  maps: ReadonlyMap<string, ReadonlyMap<string, StylePrompt>>,
  packs: readonly string[],
  ids: readonly string[],
  reads: number,
): void {
  for (let index = 0; index < reads; index += 1)
    sink.count += maps.get(packs[index % KEYS] ?? '')?.get(ids[index % KEYS] ?? '')?.revision ?? 0;
}

function readDefault(registry: Registry, ids: readonly string[], reads: number): void {
  for (let index = 0; index < reads; index += 1)
    sink.count += registry.getStylePrompt(ids[index % KEYS] ?? '').revision;
}

export function readAt(registry: Registry, ids: readonly string[], channels: readonly ReadOf[], reads: number): void {
  for (let index = 0; index < reads; index += 1)
    sink.count += registry.getStylePrompt(ids[index % KEYS] ?? '', channels[index % KEYS]).revision;
}

/**
 * As many keys as `KEYS`, in an order that no branch predictor knows, and the same in each run. They are strings of their own,
 * as those of a caller are: a map finds the very string that it holds faster than one that only reads the same.
 */
export function keys(held: readonly string[]): string[] {
  const names = held.map((name) => Buffer.from(name).toString());
  let state = names.length;
  return Array.from({ length: KEYS }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return names[Math.floor((state / 2 ** 32) * names.length)] ?? '';
  });
}
