/**
 * The store that instances share: one PostgreSQL database.
 *
 * Problem: an acknowledged write must survive a loss of power (SPEC R3), exactly one of several racing appends must win (SPEC R5), and no call
 * may hang on a server that does not answer.
 * Rule: one append is one statement. It compares and sets the log's head, writes the whole batch, and notifies the other instances, or it
 * does nothing. Every call has a time limit. If the response to an append is lost, its outcome is unknown.
 * Example: `const store = openPostgresStore({ url: 'postgres://registry@db.example/registry' })`.
 */
import { RegistryError, StartRefused } from '../../errors.ts';
import type { Event, Head } from '../../log/event.ts';
import { SILENT, type Logger } from '../../machine/logger.ts';
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
import { conflictWith, missedAfter, requireChained } from '../batch.ts';
import { contentOf, eventOf, sessionKeyOf } from '../rows.ts';
import { Pool, within } from './pool.ts';
import { eventStatement, isText } from './events.ts';
import { CODES, codeOf, isRolledBack, NotSent, unavailable } from './faults.ts';
import { Listener } from './listener.ts';
import { addColumns, migrate, progressOf } from './migrations.ts';
import { openConnection, requireDriver, type Connection, type Value } from './connection.ts';
import {
  APPEND,
  appendValues,
  headOf,
  leaseOf,
  RAISE_FENCE,
  RENEW,
  type HeadRow,
  type LeaseRow,
} from './statements.ts';
import { parsePostgresUrl, type Target } from './url.ts';

/** Milliseconds for an append or a renewal, from the call to the answer. */
const WRITE_LIMIT = 1500;
/** A large batch gets one more millisecond for each of so many characters. */
const LARGE = 2000;
const READ_LIMIT = 2000;
/** Milliseconds for what a refused append has missed; without it the writer reads the log. */
const MISSED_LIMIT = 500;
/** Milliseconds for creating the tables, or waiting until another instance has created them. */
const MIGRATION_LIMIT = 10_000;
/** Milliseconds that running calls get when the store is closed. */
const CLOSE_LIMIT = 500;
const READERS = 4;

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database?sslmode=…`, see url.ts. */
  readonly url: string;
  /** The password if the URL has none. */
  readonly password?: string;
  readonly log?: Logger;
}

/**
 * Makes a store for the database. It connects at the first call, which also creates missing tables.
 * The first calls reject with StartRefused (65) if the database was made by a newer build or another program.
 * @throws StartRefused (78) if the URL is not valid, or the driver is not installed
 */
export function openPostgresStore({ url, password, log: logger }: PostgresOptions): PostgresStore {
  requireDriver();
  return new PostgresStore(parsePostgresUrl(url, password), logger ?? SILENT);
}

/**
 * Opens the database while instances may be using it: for tools on the host. It creates nothing.
 * @throws StartRefused (65) no tables, or tables of an older or newer build; (75) it cannot be reached; (78) a URL that is not valid
 */
export async function attachPostgresStore({ url, password, log: logger }: PostgresOptions): Promise<PostgresStore> {
  const target = parsePostgresUrl(url, password);
  const store = new PostgresStore(target, logger ?? SILENT, true);
  try {
    await store.head();
    return store;
  } catch (cause) {
    await store.close();
    if (cause instanceof RegistryError)
      throw new StartRefused(75, `${cause.message} Try again when it can be reached.`, { cause });
    throw cause;
  }
}

export class PostgresStore implements Store {
  readonly kind = 'postgres';
  readonly #target: Target;
  /** SPEC R5: a busy pool never delays the move of a pointer, nor a lease. */
  readonly #appends: Pool;
  readonly #reads: Pool;
  readonly #leases: Pool;
  readonly #listener: Listener;
  readonly #attached: boolean;
  readonly #underWay = new Set<Promise<unknown>>();
  #prepared: Promise<void> | undefined;
  #restored = false;
  #closing: Promise<void> | undefined;

  /** For `openPostgresStore`. @param attached whether the tables must exist already; they are never created then */
  constructor(target: Target, logger: Logger, attached = false) {
    this.#target = target;
    this.#attached = attached;
    const opens = (settings: Record<string, string>) => (limit: number) => openConnection(target, { limit, settings });
    // If the server times out first, it reports that, and the outcome is known. A running append is not cancelled, since it may commit.
    this.#appends = new Pool(1, opens({ lock_timeout: '1000' }));
    this.#reads = new Pool(READERS, opens({ statement_timeout: '2500' }));
    this.#leases = new Pool(1, opens({ lock_timeout: '1000', statement_timeout: '2500' }), () =>
      this.#listener.doubt(),
    );
    this.#listener = new Listener({
      open: (notified, limit) => openConnection(target, { limit, notified }),
      shown: target.shown,
      logger,
    });
  }

  async head(): Promise<Head | undefined> {
    return this.#reading(undefined, async (connection) =>
      headOf((await connection.rows<HeadRow>('SELECT revision, hash FROM log_head', []))[0]),
    );
  }

  /**
   * See the port. Expects a batch that `seal` made.
   * @throws RegistryError `store-unavailable` if nothing was written; TypeError if the batch is not chained
   */
  async append(batch: Batch, expectedRevision: number): Promise<AppendOutcome> {
    requireChained(batch, expectedRevision);
    const values = appendValues(batch, expectedRevision);
    const size = values.reduce<number>((sum, value) => sum + String(value).length, 0);
    let missed: readonly Event[] = [];
    const rows = await this.#writing(WRITE_LIMIT + size / LARGE, APPEND, values, async (connection) => {
      missed = await this.#missed(connection, expectedRevision);
    });
    if (rows === 'conflict') return conflictWith(missed);
    return rows === 'unknown' ? rows : 'done';
  }

  async fence(): Promise<number> {
    return this.#reading(0, async (connection) => {
      const [row] = await connection.rows<[string]>('SELECT fence FROM log_head', []);
      return Number(row?.[0] ?? 0);
    });
  }

  async raiseFence({ revision, hash }: Head): Promise<FenceOutcome> {
    const rows = await this.#writing(WRITE_LIMIT, RAISE_FENCE, [revision, hash]);
    return typeof rows === 'string' ? rows : Number(rows[0]?.[0]);
  }

  async events(query: EventQuery): Promise<readonly Event[]> {
    return this.#reading([], (connection) => this.#eventsOn(connection, query));
  }

  async repeated(actorKeyId: string, idempotencyKey: string): Promise<Event | undefined> {
    return this.#reading(undefined, async (connection) => {
      if (!isText(actorKeyId) || !isText(idempotencyKey)) return undefined;
      const sql = 'SELECT body, revision FROM events WHERE actor = $1 AND idempotency = $2 AND idempotency IS NOT NULL';
      const [row] = await connection.rows<[string, string]>(sql, [actorKeyId, idempotencyKey]);
      return row && eventOf(row[0], Number(row[1]), this.#target.shown);
    });
  }

  async content(digest: string): Promise<PackContent | undefined> {
    return this.#reading(undefined, async (connection) => {
      if (!isText(digest)) return undefined;
      const [row] = await connection.rows<[string]>('SELECT body FROM contents WHERE digest = $1', [digest]);
      return row && contentOf(row[0], digest, this.#target.shown);
    });
  }

  async sessionKeys(): Promise<readonly SessionKey[]> {
    return this.#reading([], async (connection) => {
      const rows = await connection.rows<unknown[]>(
        'SELECT key_id, secret, created_at FROM session_keys ORDER BY created_at, number',
        [],
      );
      return rows.map((row) => sessionKeyOf(row, this.#target.shown));
    });
  }

  async now(): Promise<number> {
    return this.#reading(Date.now(), async (connection) => {
      const [row] = await connection.rows<[string]>(
        'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint',
        [],
      );
      return Number(row?.[0]);
    });
  }

  async renew({ id, startedAt, epoch, appliedRevision, pinnedVersion, knows }: LeaseClaim): Promise<Renewal> {
    const nothing: Renewal = { head: undefined, fence: 0, leases: [] };
    return this.#using(this.#leases, WRITE_LIMIT, nothing, async (connection) => {
      const rows = await connection.rows<LeaseRow>(RENEW, [
        id,
        startedAt,
        epoch,
        appliedRevision,
        pinnedVersion ?? null,
        knows?.join() ?? null,
      ]);
      const leases = rows.map(leaseOf);
      const own = leases.find((lease) => lease.id === id);
      return {
        head: headOf(rows[0]),
        fence: Number(rows[0]?.[9] ?? 0),
        leases,
        ...(own !== undefined && { now: Date.parse(own.lastSeenAt) }),
      };
    });
  }

  async release(instanceId: string, counter?: number): Promise<void> {
    await this.#using(this.#leases, WRITE_LIMIT, undefined, async (connection) => {
      await connection.rows('DELETE FROM leases WHERE id = $1 AND counter = coalesce($2, counter)', [
        instanceId,
        counter ?? null,
      ]);
      return undefined;
    });
  }

  watch(onChange: (revision?: number) => void): () => void {
    return this.#closing === undefined ? this.#listener.watch(onChange) : () => undefined;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#listener.close();
    const done = Promise.allSettled([...this.#underWay]);
    await within(performance.now() + CLOSE_LIMIT, done).catch(() => undefined);
    for (const pool of [this.#appends, this.#reads, this.#leases]) pool.close();
    await done;
  }

  async #eventsOn(connection: Connection, query: EventQuery): Promise<readonly Event[]> {
    const statement = eventStatement(query);
    if (statement === undefined) return [];
    const rows = await connection.rows<[string, string]>(statement.sql, statement.values);
    return rows.map(([body, revision]) => eventOf(body, Number(revision), this.#target.shown, query.exact));
  }

  /**
   * What a refused batch has missed. It is another statement: the one that waited for the winner's commit still sees the log as it was
   * before. The batch was refused in any case, so a failure here only costs the events.
   * @param connection has just answered
   */
  async #missed(connection: Connection, expectedRevision: number): Promise<readonly Event[]> {
    try {
      const read = this.#eventsOn(connection, missedAfter(expectedRevision));
      return await within(performance.now() + MISSED_LIMIT, read);
    } catch {
      connection.destroy(); // a late response could be mistaken for the next call's
      return [];
    }
  }

  #reading<T>(ofNothing: T, read: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#using(this.#reads, READ_LIMIT, ofNothing, read);
  }

  /**
   * Runs a statement that changes the head's row.
   * @param refused is called if it changed nothing; never rejects
   * @returns its rows; `conflict` if there are none
   */
  #writing(
    limit: number,
    statement: string,
    values: readonly Value[],
    refused?: (connection: Connection) => Promise<void>,
  ): Promise<readonly (readonly unknown[])[] | 'conflict' | 'unknown'> {
    const deadline = performance.now() + limit;
    return this.#call(async () => {
      await this.#ready(deadline);
      try {
        const rows = await this.#appends.use(deadline, async (connection) => {
          const written = await connection.rows(statement, values);
          if (written.length === 0) await refused?.(connection);
          return written;
        });
        return rows.length === 0 ? 'conflict' : rows;
      } catch (cause) {
        this.#seeColumns(cause);
        if (codeOf(cause) === CODES.undefinedTable && isRolledBack(cause)) return 'conflict'; // the database was replaced by another
        if (cause instanceof NotSent || isRolledBack(cause)) throw cause;
        return 'unknown';
      }
    });
  }

  /** @param ofNothing the result if the tables are missing, because an empty database has replaced ours */
  async #using<T>(pool: Pool, limit: number, ofNothing: T, work: (connection: Connection) => Promise<T>): Promise<T> {
    const deadline = performance.now() + limit;
    return this.#call(async () => {
      await this.#ready(deadline);
      try {
        return await pool.use(deadline, work);
      } catch (cause) {
        this.#seeColumns(cause);
        if (codeOf(cause) === CODES.undefinedTable) return ofNothing;
        throw cause;
      }
    });
  }

  /** Wraps every call: refuses it once the store is closed, lets `close` wait for it, and turns its error into the port's. */
  async #call<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw new RegistryError('store-unavailable', 'The store is closed.');
    const call = work();
    this.#underWay.add(call);
    try {
      return await call;
    } catch (cause) {
      if (cause instanceof RegistryError || cause instanceof StartRefused) throw cause;
      throw unavailable(this.#target.shown, cause);
    } finally {
      this.#underWay.delete(call);
    }
  }

  /**
   * The first call creates or finds the tables; this process never does it again. If an empty database replaces a full one, that is a
   * fault to report, not a new start.
   */
  async #ready(deadline: number): Promise<void> {
    this.#prepared ??= this.#prepare().catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    await within(deadline, this.#prepared);
  }

  async #prepare(): Promise<void> {
    const { shown } = this.#target;
    const { applied, complete } = await this.#reads.use(performance.now() + READ_LIMIT, (connection) =>
      progressOf(connection, shown),
    );
    if (complete) return;
    if (this.#attached) {
      const what = applied === 0 ? 'holds no registry' : 'was made by an older build';
      throw new StartRefused(
        65,
        `The registry database ${shown} ${what}. Start the service of this build on it once, then try again.`,
      );
    }
    const missing = this.#restored ? addColumns : migrate;
    await this.#appends.use(performance.now() + MIGRATION_LIMIT, (connection) => missing(connection, shown));
  }

  /** A backup from an older build was restored over our database: the next call adds the missing columns. */
  #seeColumns(cause: unknown): void {
    if (codeOf(cause) !== CODES.undefinedColumn) return;
    this.#restored = true;
    this.#prepared = undefined;
  }
}
