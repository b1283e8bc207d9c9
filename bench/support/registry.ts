/** A registry as the service opens it, in this process. */
import { join } from 'node:path';
import { Registry } from '../../registry/index.ts';
import type { Store } from '../../registry/log/store.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { CHANNELS, DEFAULT_PACK } from './fill.ts';

/** Over a SQLite file. @param observed is called with the store before the registry opens it */
export async function openRegistry(
  dataDir: string,
  observed: (store: Store) => void = () => undefined,
): Promise<Registry> {
  const store = await openSqliteStore({ file: join(dataDir, 'registry.db') });
  observed(store);
  return openRegistryOn(store, dataDir);
}

/** @param dataDir for the last good snapshot; default: none is kept */
export function openRegistryOn(store: Store, dataDir?: string): Promise<Registry> {
  return Registry.open({
    store,
    channels: CHANNELS,
    defaultPack: DEFAULT_PACK,
    sessionTtl: 86_400_000,
    ...(dataDir !== undefined && { dataDir }),
  });
}
