/** S4 and its rows of S9: `registry.getStylePrompt()` called where the registry lives. */
import { compare, type Leg } from './measure.ts';
import type { Plan } from './plan.ts';
import type { Row, Table } from './report.ts';
import type { At, Registry, StylePrompt } from '../registry/index.ts';
import { openRegistry } from './support/registry.ts';
import { packNames } from './support/fill.ts';
import type { Workplace } from './support/workplace.ts';

/** Keys to ask for, in no order; a power of two, so that picking one costs next to nothing. */
const KEYS = 1024;

/** What the loops count up: where others can see it, the compiler cannot leave the reads out. */
export const sink = { count: 0 };

/** S4. */
export async function readsAgainstMap(plan: Plan, place: Workplace): Promise<Table> {
  const registry = await openRegistry(await place.small());
  try {
    const styles = [...registry.view().stylePrompts];
    const ids = keys(styles.map(([id]) => id));
    const map = new Map<string, StylePrompt>(styles);
    const { nanoseconds } = await compare(plan, leg(plan, () => readDefault(registry, ids, plan.reads), ids), leg(plan, () => readMap(map, ids, plan.reads), ids));
    const row: Row = {
      what: 'S4 getStylePrompt(styleId) / Map.get',
      figures: {
        'time': { spread: nanoseconds.ratio, unit: '×', goal: { atMost: 3 } },
        'a read': { spread: nanoseconds.ours, unit: 'ns', goal: { atMost: 100 } },
        'a Map.get': { spread: nanoseconds.reference, unit: 'ns' },
      },
    };
    return { title: 'Reads in process', about: 'A read through the registry, against a bare `Map.get` of the same key. The loop around them is measured too, and taken off both.', rows: [row] };
  } finally {
    await registry.close();
  }
}

/** S9 for S4. */
export async function readsInProcessAmongMany(plan: Plan, place: Workplace): Promise<Table> {
  const small = await openRegistry(await place.small());
  let large: Registry | undefined;
  try {
    large = await openRegistry(await place.large());
    const many = large;
    const ids = keys([...small.view().stylePrompts.keys()]);
    const onePack = ids.map((): At => ({ pack: small.defaultPack }));
    const anyPack = keys(packNames(plan.packs)).map((pack): At => ({ pack }));
    const rows: Row[] = [];
    const add = async (what: string, ours: () => void, reference: () => void) => {
      const { nanoseconds } = await compare(plan, leg(plan, ours, ids), leg(plan, reference, ids));
      const { median, min, max } = nanoseconds.ratio;
      const speed = { median: 1 / median, min: 1 / max, max: 1 / min };
      rows.push({ what, figures: { 'speed': { spread: speed, unit: '×', goal: { atLeast: 0.95 } }, 'a read': { spread: nanoseconds.ours, unit: 'ns' }, 'with three versions': { spread: nanoseconds.reference, unit: 'ns' } } });
    };
    await add('S9 getStylePrompt(styleId)', () => readDefault(many, ids, plan.reads), () => readDefault(small, ids, plan.reads));
    await add('S9 getStylePrompt(styleId, {pack}), one pack', () => readAt(many, ids, onePack, plan.reads), () => readAt(small, ids, onePack, plan.reads));
    await add('S9 getStylePrompt(styleId, {pack}), packs at random', () => readAt(many, ids, anyPack, plan.reads), () => readAt(small, ids, onePack, plan.reads));
    return {
      title: `Reads in process among ${plan.packs * plan.versionsPerPack} versions in ${plan.packs} packs`,
      about: 'The registry with that many versions, against the registry with three versions of one pack.',
      rows,
    };
  } finally {
    await Promise.all([small.close(), large?.close()]);
  }
}

/** Nanoseconds a read, without the loop's own. */
function leg(plan: Plan, read: () => void, ids: readonly string[]): Leg<'nanoseconds'> {
  return async () => ({ nanoseconds: (timed(read) - timed(() => readNothing(ids, plan.reads))) / plan.reads });
}

/** Nanoseconds. */
function timed(body: () => void): number {
  const start = process.hrtime.bigint();
  body();
  return Number(process.hrtime.bigint() - start);
}

// Each loop is a function of its own, so that each is compiled for what it reads.

function readNothing(ids: readonly string[], reads: number): void {
  for (let index = 0; index < reads; index += 1) sink.count += ids[index % KEYS]?.length ?? 0;
}

function readMap(map: ReadonlyMap<string, StylePrompt>, ids: readonly string[], reads: number): void {
  for (let index = 0; index < reads; index += 1) sink.count += map.get(ids[index % KEYS] ?? '')?.revision ?? 0;
}

function readDefault(registry: Registry, ids: readonly string[], reads: number): void {
  for (let index = 0; index < reads; index += 1) sink.count += registry.getStylePrompt(ids[index % KEYS] ?? '').revision;
}

function readAt(registry: Registry, ids: readonly string[], places: readonly At[], reads: number): void {
  for (let index = 0; index < reads; index += 1) sink.count += registry.getStylePrompt(ids[index % KEYS] ?? '', places[index % KEYS]).revision;
}

/** As many keys as `KEYS`, in an order that no branch predictor knows, and the same in each run. */
function keys(names: readonly string[]): string[] {
  let state = 1;
  return Array.from({ length: KEYS }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return names[Math.floor((state / 2 ** 32) * names.length)] ?? '';
  });
}
