/**
 * Backups of a store, as an operator puts them back: the log up to a revision, and everything that belongs to it.
 *
 * Example: `connection.inner = await backupOf(store, 5)` is a database that was restored as it was at revision 5.
 */
import type { Store, StoredContent } from '../../../registry/log/store.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { readLog } from './events.ts';

/** A copy of the log up to a revision, with its contents and the session keys. */
export async function backupOf(store: Store, revision: number): Promise<MemoryStore> {
  const events = (await readLog(store)).slice(0, revision);
  const digests = new Set(events.flatMap((event) => (event.type === 'version-published' ? [event.data.digest] : [])));
  const contents: StoredContent[] = [];
  for (const digest of digests) {
    const content = await store.content(digest);
    if (content !== undefined) contents.push({ digest, content });
  }
  const backup = new MemoryStore();
  await backup.append({ events, contents, sessionKeys: await store.sessionKeys() }, 0);
  return backup;
}
