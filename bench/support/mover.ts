/**
 * One instance of the registry with its writers, in its own process. On request of its parent, each writer moves the production channel of
 * its pack to and fro, the next move as soon as it has the receipt of the last one, until the time is over.
 */
import { RegistryError, type Registry } from '../../registry/index.ts';
import { openPostgresStore } from '../../registry/stores/postgres/index.ts';
import { versionNames } from './fill.ts';
import { openRegistry, openRegistryOn } from './registry.ts';

/** Where the registry is: the first message of the parent. */
export type Where = { readonly dataDir: string } | { readonly url: string };

/** A leg: one writer for each of these packs. */
export interface Order {
  readonly packs: readonly string[];
  readonly milliseconds: number;
}

/** The moves that were acknowledged, those that got no receipt, and the time from the first request to the last answer. */
export interface Moved {
  readonly moves: number;
  readonly lost: number;
  readonly seconds: number;
}

const VERSIONS = versionNames(2);

process.once('message', (where: Where) => void serve(where));

async function serve(where: Where): Promise<void> {
  const registry =
    'url' in where ? await openRegistryOn(openPostgresStore({ url: where.url })) : await openRegistry(where.dataDir);
  process.on('message', (order: Order) => void leg(registry, order).then((moved) => process.send?.(moved)));
  process.once('disconnect', () => void registry.close());
  process.send?.('ready');
}

async function leg(registry: Registry, { packs, milliseconds }: Order): Promise<Moved> {
  const start = performance.now();
  const counts = await Promise.all(packs.map((pack) => writer(registry, pack, start + milliseconds)));
  return {
    moves: counts.reduce((total, { moves }) => total + moves, 0),
    lost: counts.reduce((total, { lost }) => total + lost, 0),
    seconds: (performance.now() - start) / 1000,
  };
}

/** What happens to writers on a store that is busy or shared: the move lost to others, or nobody knows whether it was made. */
const WITHOUT_RECEIPT: ReadonlySet<string> = new Set(['store-busy', 'store-unavailable', 'outcome-unknown']);

async function writer(registry: Registry, pack: string, end: number): Promise<Omit<Moved, 'seconds'>> {
  const count = { moves: 0, lost: 0 };
  while (performance.now() < end) {
    const version = VERSIONS.find((each) => each !== registry.activePack({ pack }).version) ?? '';
    try {
      await registry.activate({ pack, version, reason: 'Users report that answers are too blunt' });
      count.moves += 1;
    } catch (error) {
      if (!(error instanceof RegistryError && WITHOUT_RECEIPT.has(error.code))) throw error;
      count.lost += 1;
    }
  }
  return count;
}
