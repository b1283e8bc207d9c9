/** The store of the service, opened beside it by a tool on its host. */
import type { Config } from '../config.ts';
import type { Store } from '../registry/index.ts';

/**
 * @param appends whether the tool appends to the log
 * @throws StartRefused where there is none, or where it is not of this build; Error where the store lives in the memory of the service
 */
export async function attachStore({ store }: Pick<Config, 'store'>, { appends = false } = {}): Promise<Store> {
  if (store.kind === 'memory') throw new Error('STORE_URL is "memory:"; there is no log outside the service.');
  // Each engine is loaded where it is used.
  if (store.kind === 'postgres')
    return (await import('../registry/stores/postgres/index.ts')).attachPostgresStore({ url: store.url });
  return (await import('../registry/stores/sqlite/index.ts')).attachSqliteStore({ file: store.file, appends });
}
