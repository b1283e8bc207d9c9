/**
 * The embedded store: one SQLite file, one server, nothing to install.
 *
 * Problem: a success answer must survive a loss of power (SPEC R3), and an event must never be in the log without its
 * content, nor half of a batch.
 * Rule: one append is one IMMEDIATE transaction that looks at the log's head first; `done` is answered after COMMIT, which
 * syncs the write-ahead log. `node:sqlite` is synchronous, so no two calls ever interleave.
 * Example: `const store = await openSqliteStore({ file: 'data/registry.db' })`.
 */
import { statSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { RegistryError } from '../../errors.ts';
import type { Event, Head } from '../../log/event.ts';
import type { PackContent } from '../../model.ts';
import type {
  AppendOutcome,
  Batch,
  EventQuery,
  FenceOutcome,
  LeaseClaim,
  Renewal,
  SessionKey,
  Store,
} from '../../log/store.ts';
import { conflictWith, follows, isAt, missedAfter, requireChained } from '../batch.ts';
import { Leases } from '../leases.ts';
import { contentOf, eventOf, sessionKeyOf } from '../rows.ts';
import { lastWriteOf, requirePlausibleClock } from './clock.ts';
import { copyDatabase } from './copy.ts';
import { openDatabase } from './database.ts';
import { eventStatement } from './events.ts';
import { openExisting } from './existing.ts';
import { openFault, resultCode, SQLITE, unavailable } from './faults.ts';
import { acquireLock, type FileLock } from './lock.ts';
import { lastMigration, migrate } from './migrations.ts';
import { prepareDatabaseFile } from './database-file.ts';
import { byRevisions, type Look } from './times.ts';

export { isOtherDatabase } from './copy.ts';
export { lockDataDir } from './lock.ts';

/** For a tool that uses a database while its server runs, or a copy of it. */
const NO_LOCK: FileLock = { release: () => undefined };

/**
 * Opens a registry database, creates it if it is missing, and locks it against other servers until it is closed.
 *
 * @param options.file path of the database; `<file>.lock` and `<file>.holder.json` are next to it
 * @param options.holder what this process calls itself, for the message that a second one gets
 * @throws StartRefused (65) not a database, damaged, of another program, or of a newer build; (75) in use by another server;
 *   (78) a path that cannot be read and written, or a clock that is years ahead of the last write
 * @throws RegistryError `store-unavailable` if it may pass: a full disk, another program's lock
 */
export async function openSqliteStore(options: {
  readonly file: string;
  readonly holder?: string;
}): Promise<SqliteStore> {
  const file = prepareDatabaseFile(options.file);
  const lock = acquireLock(file, options.holder);
  const writtenAt = lastWriteOf(file);
  let database: DatabaseSync | undefined;
  try {
    database = openDatabase(file);
    const isNew = lastMigration(database, file) === 0;
    migrate(database, file);
    if (!isNew) requirePlausibleClock(file, database, writtenAt);
    return new SqliteStore(file, database, lock);
  } catch (cause) {
    database?.close();
    lock.release();
    throw openFault(file, cause);
  }
}

/**
 * Opens the database while a server may be using it: for tools on the host. It takes no lock and creates nothing. Its appends are a
 * compare-and-set like the server's, and the server follows them.
 *
 * @param options.appends whether the tool appends; if so, the clock is checked as at a start
 * @throws StartRefused (65) not a database, damaged, or of an older or newer build; (78) missing or not readable, or a clock that is years
 *   ahead of the last write
 */
export async function attachSqliteStore({
  file,
  appends = false,
}: {
  readonly file: string;
  readonly appends?: boolean;
}): Promise<SqliteStore> {
  const { path, database, writtenAt } = openExisting(file);
  try {
    if (appends) requirePlausibleClock(path, database, writtenAt);
    return new SqliteStore(path, database, NO_LOCK);
  } catch (cause) {
    database.close();
    throw openFault(path, cause);
  }
}

/**
 * Copies the database to one file while a server may be using it.
 *
 * @param options.to where the copy is made; nothing may be there, and the folder must exist
 * @returns the copy, open for reading only
 * @throws StartRefused as `attachSqliteStore`, and (65) if the database is damaged; RegistryError `store-unavailable` if it cannot be read now,
 *   or the copy cannot be written; the error of the operating system if the copy cannot be created
 */
export async function copySqliteStore(options: { readonly file: string; readonly to: string }): Promise<SqliteStore> {
  const { path, database } = openExisting(options.file);
  try {
    return new SqliteStore(options.to, copyDatabase(database, path, options.to), NO_LOCK);
  } finally {
    database.close();
  }
}

export class SqliteStore implements Store {
  readonly kind = 'sqlite';
  /** The database's real path. */
  readonly file: string;
  readonly #lock: FileLock;
  /** Device and inode of the file, to notice if another file takes the path. */
  readonly #identity: string | undefined;
  /** Undefined after a fault that left the connection in an unknown state; the next call opens a new one. */
  #database: DatabaseSync | undefined;
  readonly #statements = new Map<string, StatementSync>();
  readonly #leases = new Leases();
  /** A batch whose COMMIT failed may be in the write-ahead log, where a restart could find it; nothing was committed over it yet. */
  #mayComeBack = false;
  #closed = false;

  /** For `openSqliteStore`: takes over an open, migrated database and the lock on it. */
  constructor(file: string, database: DatabaseSync, lock: FileLock) {
    this.file = file;
    this.#database = database;
    this.#lock = lock;
    this.#identity = identityOf(file);
  }

  async head(): Promise<Head | undefined> {
    return this.#reading(() => this.#head());
  }

  /**
   * See the port. Expects a batch that `seal` made.
   * @throws RegistryError `store-unavailable` if nothing was written; TypeError if the batch is not chained
   */
  async append(batch: Batch, expectedRevision: number): Promise<AppendOutcome> {
    requireChained(batch, expectedRevision);
    const events = batch.events.map((event) => [event.revision, JSON.stringify(event)] as const);
    const contents = batch.contents.map(({ digest, content }) => [digest, JSON.stringify(content)] as const);
    try {
      this.#requireFileInPlace();
      this.#connection().exec('BEGIN IMMEDIATE');
      // SPEC R5: one winner. The head is looked at under the lock under which the batch is written.
      if (!follows(batch, this.#head())) {
        this.#rollBack();
        return conflictWith(this.#events(missedAfter(expectedRevision)));
      }
      for (const row of events) this.#run('INSERT INTO events (revision, body) VALUES (?, ?)', ...row);
      for (const row of contents)
        this.#run('INSERT INTO contents (digest, body) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING', ...row);
      for (const { keyId, secret, createdAt } of batch.sessionKeys) {
        this.#run(
          'INSERT INTO session_keys (key_id, secret, created_at) VALUES (?, ?, ?) ON CONFLICT (key_id) DO NOTHING',
          keyId,
          secret,
          createdAt,
        );
      }
    } catch (cause) {
      this.#rollBack();
      throw this.#unavailable(cause);
    }
    try {
      this.#connection().exec('COMMIT');
    } catch (cause) {
      return this.#afterFailedCommit(batch, cause);
    }
    this.#mayComeBack = false;
    return 'done';
  }

  /** Always 0: an append runs at once or never, so none can arrive late. `raiseFence` handles what may come back after a restart. */
  async fence(): Promise<number> {
    this.#reading(() => this.#connection());
    return 0;
  }

  /** See the port. Writes only after an append of unknown outcome: it overwrites that append's frame in the write-ahead log. */
  async raiseFence(at: Head): Promise<FenceOutcome> {
    try {
      this.#requireFileInPlace();
      if (!isAt(at, this.#head())) return 'conflict';
      if (this.#mayComeBack) this.#writeOver();
      return 0;
    } catch (cause) {
      this.#rollBack();
      throw this.#unavailable(cause);
    }
  }

  async events(query: EventQuery): Promise<readonly Event[]> {
    return this.#reading(() => this.#events(query));
  }

  async repeated(actorKeyId: string, idempotencyKey: string): Promise<Event | undefined> {
    return this.#reading(() => {
      const sql =
        'SELECT body, revision FROM events INDEXED BY events_by_idempotency WHERE actor = :actor AND idempotency = :key AND idempotency IS NOT NULL';
      const [row] = this.#rows<[string, number]>(sql, { actor: actorKeyId, key: idempotencyKey });
      return row && eventOf(row[0], row[1], this.file);
    });
  }

  async content(digest: string): Promise<PackContent | undefined> {
    return this.#reading(() => {
      const [row] = this.#rows<[string]>('SELECT body FROM contents WHERE digest = :digest', { digest });
      return row && contentOf(row[0], digest, this.file);
    });
  }

  async sessionKeys(): Promise<readonly SessionKey[]> {
    return this.#reading(() => {
      const rows = this.#rows<unknown[]>(
        'SELECT key_id, secret, created_at FROM session_keys ORDER BY created_at, number',
        {},
      );
      return rows.map((row) => sessionKeyOf(row, this.file));
    });
  }

  async renew(claim: LeaseClaim): Promise<Renewal> {
    return this.#reading(() => ({ head: this.#head(), fence: 0, leases: this.#leases.renew(claim) }));
  }

  async release(instanceId: string, counter?: number): Promise<void> {
    this.#reading(() => this.#connection());
    this.#leases.release(instanceId, counter);
  }

  /** No notifications: only a tool on the host appends too, now and then. The follower finds that when it polls. */
  watch(): () => void {
    return () => undefined;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#disconnect();
    } finally {
      this.#lock.release();
    }
  }

  #events(query: EventQuery): readonly Event[] {
    const { sql, values } = eventStatement(byRevisions(query, this.#momentAt));
    return this.#rows<[string, number]>(sql, values).map(([body, revision]) =>
      eventOf(body, revision, this.file, query.exact),
    );
  }

  #head(): Head | undefined {
    const [row] = this.#rows<[string, number]>('SELECT body, revision FROM events ORDER BY revision DESC LIMIT 1', {});
    const last = row && eventOf(row[0], row[1], this.file);
    return last && { revision: last.revision, hash: last.hash };
  }

  readonly #momentAt: Look = (upTo) => {
    const [row] = this.#rows<[number, string]>(
      'SELECT revision, at FROM events WHERE revision <= :upTo ORDER BY revision DESC LIMIT 1',
      { upTo },
    );
    return row && { revision: row[0], at: row[1] };
  };

  /**
   * The outcome of a COMMIT that failed.
   *
   * Some failures mean that nothing was written. After any other, the batch's last frame may be in the write-ahead log without being
   * synced: invisible now, but a restart could find it and treat it as committed. The outcome stays unknown until the same batch, or
   * another write, is committed over it.
   */
  #afterFailedCommit(batch: Batch, cause: unknown): AppendOutcome {
    this.#rollBack();
    const code = resultCode(cause);
    if (code === SQLITE.FULL || code === SQLITE.BUSY || code === SQLITE.CONSTRAINT) throw this.#unavailable(cause);
    this.#mayComeBack = true;
    const first = batch.events[0];
    try {
      const [row] = this.#rows<[string]>('SELECT id FROM events WHERE revision = :revision', {
        revision: first?.revision ?? 0,
      });
      return row?.[0] === first?.id ? 'done' : 'unknown';
    } catch {
      return 'unknown';
    }
  }

  /** Commits a write without effect. It overwrites the failed one in the write-ahead log, so that one can never come back. */
  #writeOver(): void {
    const connection = this.#connection();
    connection.exec('BEGIN IMMEDIATE');
    const [row] = this.#rows<[number]>('PRAGMA user_version', {});
    connection.exec(`PRAGMA user_version = ${((row?.[0] ?? 0) + 1) % 2 ** 31}`);
    connection.exec('COMMIT');
    this.#mayComeBack = false;
  }

  /** Rolls back. If even that fails, the connection is closed, and its transaction with it. */
  #rollBack(): void {
    try {
      if (this.#database?.isTransaction) this.#database.exec('ROLLBACK');
    } catch {
      this.#disconnect();
    }
  }

  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw this.#unavailable(cause);
    }
  }

  #unavailable(cause: unknown): RegistryError {
    return cause instanceof RegistryError ? cause : unavailable(this.file, cause);
  }

  /** SPEC R3: a write to a file that was moved or replaced would be lost at the next start. */
  #requireFileInPlace(): void {
    if (!this.#closed && identityOf(this.file) !== this.#identity) {
      throw new RegistryError(
        'store-unavailable',
        `The registry database ${this.file} was moved or replaced while it was in use. Restart the server now. The next time, stop it first.`,
      );
    }
  }

  #connection(): DatabaseSync {
    if (this.#closed) throw new RegistryError('store-unavailable', 'The store is closed.');
    this.#database ??= openDatabase(this.file);
    return this.#database;
  }

  #disconnect(): void {
    this.#statements.clear();
    const database = this.#database;
    this.#database = undefined;
    database?.close();
  }

  #prepared(sql: string): StatementSync {
    const connection = this.#connection();
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = connection.prepare(sql);
      statement.setReturnArrays(true); // building an object per row would double the cost of reading it
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #rows<Row>(sql: string, values: Record<string, SQLInputValue>): Row[] {
    return this.#prepared(sql).all(values) as Row[];
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#prepared(sql).run(...values);
  }
}

function identityOf(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}
