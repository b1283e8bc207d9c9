/** Opens the service's store for a tool on its host, whether or not the service is running. */
import type { Config } from '../config.ts';
import type { Store } from '../registry/index.ts';

/**
 * @param appends whether the tool appends to the log
 * @throws StartRefused if it is missing or of another build; Error if the store is in the service's memory
 */
export async function attachStore({ store }: Pick<Config, 'store'>, { appends = false } = {}): Promise<Store> {
  if (store.kind === 'memory') throw new Error('STORE_URL is "memory:"; there is no log outside the service.');
  // Only the engine in use is loaded.
  if (store.kind === 'postgres')
    return (await import('../registry/stores/postgres/index.ts')).attachPostgresStore(store);
  return (await import('../registry/stores/sqlite/index.ts')).attachSqliteStore({ file: store.file, appends });
}
