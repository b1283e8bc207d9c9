/** Reads through the TypeScript client, compared with a bare map and with in-process evaluation by feature-flag clients. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createPromptSource, type ActivePackDocument, type PromptSource } from '@prompt-registry/client';
import { installTool } from '../scripts/tools.ts';
import type { Plan } from './plan.ts';
import { keys, KEYS, measured, readMap, readNothing, sink, type Reads } from './reads-in-process.ts';
import type { Row, Table } from './report.ts';
import { openRegistry } from './support/registry.ts';
import type { Workplace } from './support/workplace.ts';

/** What is used of `@growthbook/growthbook`. It is installed in tools/peers, like `unleash-client`, so its types cannot be imported. */
interface GrowthBook {
  initSync(options: { readonly payload: object }): void;
  getFeatureValue(key: string, fallback: string): string;
  destroy(): void;
}

/** What is used of `unleash-client`. */
interface Unleash {
  on(event: 'error' | 'warn', listener: () => void): void;
  once(event: 'ready', listener: (value: unknown) => void): void;
  getVariant(name: string, context: object): { readonly payload?: { readonly value: string } };
  destroy(): void;
}

interface Peers {
  readonly GrowthBook: new (options: object) => GrowthBook;
  readonly Unleash: new (options: object) => Unleash;
}

/** Where nothing listens: the clients answer from what they are given. */
const NOWHERE = 'http://127.0.0.1:1';

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
  const peers = loadPeers();
  const unleash = await unleashWith(peers, styles);
  const growthbook = new peers.GrowthBook({ attributes: { id: 'user-1' } });
  growthbook.initSync({
    payload: { features: Object.fromEntries(styles.map(({ id, text }) => [id, { defaultValue: text }])) },
  });

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
        await row(
          plan,
          'client getStylePrompt / Map.get',
          ours,
          (reads) => readMap(prompts, ids, reads),
          nothing,
          true,
        ),
        await row(
          plan,
          'client getStylePrompt / Unleash getVariant',
          ours,
          (reads) => readUnleash(unleash, ids, reads),
          nothing,
        ),
        await row(
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

async function row(plan: Plan, what: string, ours: Reads, theirs: Reads, nothing: Reads, isMap = false): Promise<Row> {
  const { nanoseconds } = await measured(plan, ours, theirs, nothing);
  return {
    what,
    figures: {
      time: { spread: nanoseconds.ratio, unit: '×', ...(isMap && { goal: { atMost: 3 } }) },
      'a read': { spread: nanoseconds.ours, unit: 'ns' },
      'the other': { spread: nanoseconds.reference, unit: 'ns' },
    },
  };
}

/** @throws Error where they cannot be installed */
function loadPeers(): Peers {
  const require = createRequire(join(installTool('peers'), 'package.json'));
  const { GrowthBook } = require('@growthbook/growthbook') as Pick<Peers, 'GrowthBook'>;
  const { Unleash } = require('unleash-client') as Pick<Peers, 'Unleash'>;
  return { GrowthBook, Unleash };
}

/** A client that was given its flags, asks nobody and reports nothing. */
async function unleashWith(
  { Unleash }: Peers,
  styles: readonly { readonly id: string; readonly text: string }[],
): Promise<Unleash> {
  const data = styles.map(({ id, text }) => ({
    name: id,
    type: 'release',
    enabled: true,
    stale: false,
    project: 'default',
    impressionData: false,
    strategies: [{ name: 'default', parameters: {}, constraints: [] }],
    variants: [
      {
        name: 'text',
        weight: 1000,
        weightType: 'variable',
        stickiness: 'default',
        payload: { type: 'string', value: text },
        overrides: [],
      },
    ],
  }));
  const unleash = new Unleash({
    url: NOWHERE,
    appName: 'bench',
    disableMetrics: true,
    refreshInterval: 0,
    skipInstanceCountWarning: true,
    bootstrap: { data },
  });
  unleash.on('error', () => undefined); // there is no server to ask
  unleash.on('warn', () => undefined);
  await new Promise((resolve) => unleash.once('ready', resolve));
  return unleash;
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
