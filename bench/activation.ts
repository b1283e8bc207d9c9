/** S5, its row of S9, and how soon a durable activation is visible: writes through the registry to a SQLite file. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compare, spread, type Leg } from './measure.ts';
import { versionsOf, type Plan } from './plan.ts';
import type { Row, Table } from './report.ts';
import type { Registry } from '../registry/index.ts';
import type { Store } from '../registry/log/store.ts';
import { versionNames } from './support/fill.ts';
import { openRegistry } from './support/registry.ts';
import type { Workplace } from './support/workplace.ts';

/** What the reference appends and syncs, in bytes. */
const RECORD = Buffer.alloc(8192, 'x');

/** S5. */
export async function activationAgainstAppend(plan: Plan, workplace: Workplace): Promise<Table> {
  const registry = await openRegistry(await workplace.small());
  const file = openSync(join(workplace.dir, 'appended'), 'a');
  try {
    const append = () => {
      writeSync(file, RECORD);
      fdatasyncSync(file);
    };
    const { milliseconds } = await compare(
      plan.writes.pairs,
      activations(plan, registry),
      medianOf(plan, async () => append()),
    );
    return {
      title: 'Durable activation on SQLite',
      about:
        '`registry.activate()` (p50 of each leg), against one append of 8 KB with `fdatasync` (p50) on the same file system.',
      rows: [
        {
          what: 'S5 activate / append + fdatasync',
          figures: {
            time: { spread: milliseconds.ratio, unit: '×', goal: { atMost: 1.4 } },
            'an activation': { spread: milliseconds.ours, unit: 'ms' },
            'append + fdatasync': { spread: milliseconds.reference, unit: 'ms' },
          },
        },
      ],
    };
  } finally {
    closeSync(file);
    await registry.close();
  }
}

/** S9 for S5. */
export async function activationAmongMany(plan: Plan, workplace: Workplace): Promise<Table> {
  const small = await openRegistry(await workplace.small());
  let large: Registry | undefined;
  try {
    large = await openRegistry(await workplace.large());
    const { milliseconds } = await compare(plan.writes.pairs, activations(plan, large), activations(plan, small));
    const { median, min, max } = milliseconds.ratio;
    const row: Row = {
      what: 'S9 activate',
      figures: {
        speed: { spread: { median: 1 / median, min: 1 / max, max: 1 / min }, unit: '×', goal: { atLeast: 0.95 } },
        'an activation': { spread: milliseconds.ours, unit: 'ms' },
        'with three versions': { spread: milliseconds.reference, unit: 'ms' },
      },
    };
    return {
      title: `Durable activation among ${versionsOf(plan)} versions in ${plan.packs} packs`,
      about:
        'The registry with that many versions, against the registry with three versions of one pack (p50 of each leg).',
      rows: [row],
    };
  } finally {
    await Promise.all([small.close(), large?.close()]);
  }
}

/** From the moment the store has answered `done` to the moment reads see it, against the whole activation. */
export async function flipToVisible(plan: Plan, workplace: Workplace): Promise<Table> {
  const seen: { whole: number; flip: number }[] = [];
  let done = 0;
  const registry = await openRegistry(
    await workplace.small(),
    (store) => ((done = NaN), onDone(store, () => (done = performance.now()))),
  );
  try {
    let visible = 0;
    registry.onChange((events) => {
      if (registry.current.revision !== events.at(-1)?.revision) throw new Error('Announced before it was visible.');
      visible = performance.now();
    });
    const next = nextVersion(registry);
    for (let count = 0; count < plan.writes.pairs * plan.writes.each; count += 1) {
      const start = performance.now();
      await registry.activate({ version: next(), reason: 'Benchmark' });
      seen.push({ whole: visible - start, flip: visible - done });
    }
  } finally {
    await registry.close();
  }
  return {
    title: 'From durable to visible',
    about:
      'From the moment that the store reports `done` to the moment that reads in the process return the new version, and the whole activation. For information: there is no goal.',
    rows: [
      {
        what: 'done → visible',
        figures: {
          'share of the activation': { spread: spread(seen.map(({ whole, flip }) => flip / whole)), unit: '×' },
          'done → visible': { spread: spread(seen.map(({ flip }) => flip * 1000)), unit: 'µs' },
          'an activation': { spread: spread(seen.map(({ whole }) => whole)), unit: 'ms' },
        },
      },
    ],
  };
}

function onDone(store: Store, heard: () => void): void {
  const append = store.append.bind(store);
  store.append = async (...batch) => {
    const outcome = await append(...batch);
    heard();
    return outcome;
  };
}

function activations(plan: Plan, registry: Registry): Leg<'milliseconds'> {
  const next = nextVersion(registry);
  return medianOf(plan, () => registry.activate({ version: next(), reason: 'Benchmark' }));
}

/** Two versions in turn, neither of them the active one at its time. */
function nextVersion(registry: Registry): () => string {
  const [first = '', second = ''] = versionNames(2);
  return () => (registry.activePack().version === first ? second : first);
}

/** The median of some writes, in milliseconds. */
export function medianOf(plan: Plan, write: () => Promise<unknown>): Leg<'milliseconds'> {
  return async () => {
    const times: number[] = [];
    for (let count = 0; count < plan.writes.each; count += 1) {
      const start = performance.now();
      await write();
      times.push(performance.now() - start);
    }
    return { milliseconds: spread(times).median };
  };
}
