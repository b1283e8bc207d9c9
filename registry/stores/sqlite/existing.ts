/** Opens a database that a server of this build has made, while that server may be using it: for tools on its host. */
import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { StartRefused } from '../../errors.ts';
import { lastWriteOf } from './clock.ts';
import { prepareDatabaseFile } from './database-file.ts';
import { openDatabase } from './database.ts';
import { openFault } from './faults.ts';
import { lastMigration, MIGRATIONS } from './migrations.ts';

export interface Existing {
  /** The real path of the file. */
  readonly path: string;
  readonly database: DatabaseSync;
  /** When it was last written before it was opened, in milliseconds since the epoch. */
  readonly writtenAt: number;
}

/** @throws StartRefused (65) not a database, damaged, or of an older or newer build; (78) missing or not readable */
export function openExisting(file: string): Existing {
  if (!existsSync(file))
    throw new StartRefused(
      78,
      `There is no registry database at ${file}. Set DATA_DIR or STORE_URL to the value that the service uses.`,
    );
  const path = prepareDatabaseFile(file);
  const writtenAt = lastWriteOf(path);
  const database = openDatabase(path);
  try {
    if (lastMigration(database, path) === MIGRATIONS.length) return { path, database, writtenAt };
    throw new StartRefused(
      65,
      `The registry database ${path} was made by an older build. Start the service of this build once, then try again.`,
    );
  } catch (cause) {
    database.close();
    throw openFault(path, cause);
  }
}
