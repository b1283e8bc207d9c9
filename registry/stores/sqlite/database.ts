/**
 * One connection to the database file, with every setting that the store's promises depend on.
 */
import { DatabaseSync } from 'node:sqlite';
import { StartRefused } from '../../errors.ts';
import { openFault } from './faults.ts';
import { lastMigration } from './migrations.ts';

/** How long a statement waits for another program's lock, in milliseconds. The wait blocks the event loop, so it is short. */
const BUSY_TIMEOUT = 250;
/** The size to which the write-ahead log is truncated after a large batch, in bytes. */
const WAL_SIZE_LIMIT = 64 * 1024 * 1024;

/**
 * Opens the database.
 * @param file its real path; the lock on it is held already
 * @throws StartRefused (65, 78) if a person has to fix something; RegistryError `store-unavailable` if it may pass
 */
export function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT, enableForeignKeyConstraints: true, defensive: true });
    database.exec('PRAGMA trusted_schema = OFF');
    lastMigration(database, file); // before the first setting that is written to the file, so that another program's file is not changed
    const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'];
    if (mode !== 'wal') {
      throw new StartRefused(
        78,
        `The registry database ${file} cannot use a write-ahead log in this location (is it a network share?). Put it on a local disk.`,
      );
    }
    // SPEC R3: `done` means on disk. FULL syncs the write-ahead log at each commit; NORMAL would not.
    database.exec(`PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${WAL_SIZE_LIMIT}`);
    return database;
  } catch (cause) {
    database?.close();
    throw openFault(file, cause);
  }
}
