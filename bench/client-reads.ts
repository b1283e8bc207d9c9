/** Reads through the TypeScript client, compared with a bare map and with in-process evaluation by feature-flag clients. */
import { createPromptSource, type ActivePackDocument, type PromptSource } from '@prompt-registry/client';
import type { Plan } from './plan.ts';
import { keys, KEYS, measured, readMap, readNothing, sink, type Reads } from './reads-in-process.ts';
import type { Goal, Row, Table } from './report.ts';
import { growthBookFor, NOWHERE, unleashWith, type GrowthBook, type Unleash } from './support/flag-clients.ts';
import { openRegistry } from './support/registry.ts';
import type { Workplace } from './support/workplace.ts';

/** Each client has the same styles with the same texts, and is asked for one of them by its name. */
export async function readsOfClient(plan: Plan, workplace: Workplace): Promise<Table> {
  const registry = await openRegistry(await workplace.small());
  const bundle = registry.activePack() as ActivePackDocument;
  await registry.close();
  const { styles } = bundle;
  const source = createPromptSource({ url: NOWHERE, key: 'none', pack: bundle.pack, bundle });
  await source.ready();
  await source.close();
  const prompts = new Map(styles.map(({ id }) => [id, source.getStylePrompt(id)]));
  const unleash = await unleashWith(styles.map(flagOf));
  const features = Object.fromEntries(styles.map(({ id, text }) => [id, { defaultValue: text }]));
  const growthbook = growthBookFor({ id: 'user-1' }, features);

  const ids = keys(styles.map(({ id }) => id));
  const nothing: Reads = (reads) => readNothing(ids, reads);
  const ours: Reads = (reads) => readSource(source, ids, reads);
  try {
    return {
      title: 'Reads of the TypeScript client',
      about:
        '`getStylePrompt(id)` of a source, against a bare `Map.get` of the same key, `getVariant` of unleash-client and `getFeatureValue` of @growthbook/growthbook, each with ' +
        'a flag a style whose value is its text, without targeting rules, in the same run. What the loop around them takes is taken off both.',
      rows: [
        await againstOther(
          plan,
          'client getStylePrompt / Map.get',
          ours,
          (reads) => readMap(prompts, ids, reads),
          nothing,
          { atMost: 3 },
        ),
        await againstOther(
          plan,
          'client getStylePrompt / Unleash getVariant',
          ours,
          (reads) => readUnleash(unleash, ids, reads),
          nothing,
        ),
        await againstOther(
          plan,
          'client getStylePrompt / GrowthBook getFeatureValue',
          ours,
          (reads) => readGrowthBook(growthbook, ids, reads),
          nothing,
        ),
      ],
    };
  } finally {
    unleash.destroy();
    growthbook.destroy();
  }
}

/** The row of a client that is compared with another one. */
export async function againstOther(
  plan: Plan,
  what: string,
  ours: Reads,
  theirs: Reads,
  nothing: Reads,
  goal?: Goal,
): Promise<Row> {
  const { nanoseconds } = await measured(plan, ours, theirs, nothing);
  return {
    what,
    figures: {
      time: { spread: nanoseconds.ratio, unit: '×', ...(goal && { goal }) },
      'a read': { spread: nanoseconds.ours, unit: 'ns' },
      'the other': { spread: nanoseconds.reference, unit: 'ns' },
    },
  };
}

/** A flag whose one variant is the text of a style. */
function flagOf({ id, text }: { readonly id: string; readonly text: string }) {
  const variant = { name: 'text', weight: 1000, weightType: 'variable', stickiness: 'default', overrides: [] };
  return {
    name: id,
    strategies: [{ name: 'default', parameters: {}, constraints: [] }],
    variants: [{ ...variant, payload: { type: 'string', value: text } }],
  };
}

// Each loop is a separate function, so that each is compiled for what it reads.

function readSource(source: PromptSource, ids: readonly string[], reads: number): void {
  for (let index = 0; index < reads; index += 1) sink.count += source.getStylePrompt(ids[index % KEYS] ?? '').revision;
}

function readUnleash(unleash: Unleash, ids: readonly string[], reads: number): void {
  for (let index = 0; index < reads; index += 1)
    sink.count += unleash.getVariant(ids[index % KEYS] ?? '', CONTEXT).payload?.value.length ?? 0;
}

function readGrowthBook(growthbook: GrowthBook, ids: readonly string[], reads: number): void {
  for (let index = 0; index < reads; index += 1)
    sink.count += growthbook.getFeatureValue(ids[index % KEYS] ?? '', '').length;
}

const CONTEXT = { userId: 'user-1' };
