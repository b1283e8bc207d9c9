/**
 * One server per database file, and one per data folder.
 *
 * Problem: a second server on the same file would serve an older state without knowing; two that share a data folder overwrite each
 * other's snapshot, contents and operator key. A PID file outlives a `kill -9`, and `locking_mode=EXCLUSIVE` would keep readers (an audit
 * tool) out of the database.
 * Rule: the server holds an exclusive transaction on a small SQLite file next to the database, or in the folder, for its whole life. The
 * operating system releases it whenever the process ends. A third file names the holder, for people only.
 * Example: `registry.db`, `registry.db.lock`, `registry.db.holder.json` {"pid":4711,"host":"a","startedAt":"2026-01-31T…"}.
 *
 * Nothing else in this process may open the lock file: closing it would release the lock (POSIX). Removing it while it is held
 * would let a second server in, so the file stays when the server ends.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartRefused } from '../../errors.ts';
import { openFault, resultCode, SQLITE } from './faults.ts';
import { prepareDatabaseFile } from './database-file.ts';

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
  /** What the process calls itself, e.g. an instance's name. */
  readonly holder?: string;
}

/** What is locked; for the message that a second server gets. */
interface Locked {
  /** Begins the sentence "… is in use by". */
  readonly name: string;
  /** What a second server needs for itself. */
  readonly other: string;
}

/** The right to be the only server on a file or folder. */
export interface FileLock {
  /** Releases the lock; a second call does nothing. */
  release(): void;
}

/**
 * Takes the lock of a database, without waiting.
 * @param file the database's real path
 * @param holder what this process calls itself, for the message that a second one gets
 * @throws StartRefused (75) where another server has it, naming that; (78) where the lock file cannot be used.
 */
export function acquireLock(file: string, holder?: string): FileLock {
  return acquire(file, { name: `The registry database ${file}`, other: 'database' }, holder);
}

/**
 * Takes the lock of a data folder, without waiting: `instance.lock` in it.
 * @param dir an existing folder
 * @throws StartRefused (75) where another server has it, naming that; (78) where the lock file cannot be used.
 */
export function lockDataDir(dir: string): FileLock {
  return acquire(join(dir, 'instance'), { name: `DATA_DIR "${dir}"`, other: 'DATA_DIR' });
}

function acquire(file: string, locked: Locked, holder?: string): FileLock {
  const database = beginExclusive(file, locked);
  const holderFile = holderFileOf(file);
  writeHolder(holderFile, {
    pid: process.pid,
    host: hostname(),
    startedAt: new Date().toISOString(),
    ...(holder === undefined ? {} : { holder }),
  });
  return {
    release() {
      if (!database.isOpen) return;
      rmSync(holderFile, { force: true }); // while it is certainly mine
      database.close();
    },
  };
}

function beginExclusive(file: string, locked: Locked): DatabaseSync {
  const lockFile = prepareDatabaseFile(`${file}.lock`);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(lockFile, { timeout: 0 });
    // Nothing is ever committed to this file. Without a journal on disk, the lock works on a full disk too.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return database;
  } catch (cause) {
    database?.close();
    if (resultCode(cause) === SQLITE.BUSY) throw inUse(file, locked, cause);
    if (resultCode(cause) === SQLITE.NOTADB) {
      throw new StartRefused(
        78,
        `${lockFile} is not a lock file of this service. Move it away: ${locked.name} needs a lock file of that name.`,
        { cause },
      );
    }
    throw openFault(lockFile, cause);
  }
}

function inUse(file: string, { name, other }: Locked, cause: unknown): StartRefused {
  const first = readHolder(holderFileOf(file));
  const who = first
    ? `process ${first.pid}${first.holder === undefined ? '' : ` (${first.holder})`} on ${first.host}, started ${first.startedAt}`
    : 'another process';
  return new StartRefused(
    75,
    `${name} is in use by ${who}. Only one server can use it at a time. Stop that server and start this one again, or give this one its own ${other}.`,
    { cause },
  );
}

function holderFileOf(file: string): string {
  return `${file}.holder.json`;
}

/** A failure here does not stop the start: on a full disk the registry can still serve. No name is better than a wrong one. */
function writeHolder(holderFile: string, holder: Holder): void {
  const temporary = `${holderFile}.${process.pid}`;
  try {
    writeFileSync(temporary, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
    renameSync(temporary, holderFile);
  } catch {
    for (const stale of [temporary, holderFile]) rmSync(stale, { force: true });
  }
}

function readHolder(holderFile: string): Holder | undefined {
  try {
    const { pid, host, startedAt, holder } = JSON.parse(readFileSync(holderFile, 'utf8')) as Partial<
      Record<keyof Holder, unknown>
    >;
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof startedAt !== 'string') return undefined;
    return { pid, host, startedAt, ...(typeof holder === 'string' ? { holder } : {}) };
  } catch {
    return undefined; // missing or cut: the lock counts, not the name
  }
}
