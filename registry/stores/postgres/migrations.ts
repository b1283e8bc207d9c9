/**
 * The tables, as a list of steps. Steps are only ever added.
 *
 * Problem: a database is used by older and newer builds, in both directions of a deploy, and many instances start on it at once.
 * Rule: steps are numbered from 1 and only go forward. All missing steps run in one transaction, one instance at a time (an advisory lock). A
 * database that is ahead of this build, or another program's, is not changed. A column with a default gets no number: an older build can
 * run with it, but would refuse a database with a higher number.
 * Example: of ten instances that start on an empty database one creates the tables; nine wait, and then find them.
 */
import { GENESIS_HASH } from '../../log/event.ts';
import { StartRefused } from '../../errors.ts';
import { CODES, codeOf } from './faults.ts';
import type { Connection } from './connection.ts';

/** Marks the table `migrations` as the registry's: other programs have one of that name. */
const MARK = 'prompt-registry';
/** The advisory lock of migrations: `PReg`. */
const LOCK = 0x50526567;

/** JSON allows `\u0000`, PostgreSQL text does not; no search term holds it. `jsonb` would take half as long again. */
const DOCUMENT = String.raw`replace(body, '\u0000', '\ufffd')::json`;
const member = (path: string) => `text COLLATE "C" GENERATED ALWAYS AS (${DOCUMENT} #>> '{${path}}') STORED`;

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** The step at index i has number i + 1. A step that was released is never changed. */
export const MIGRATIONS: readonly Migration[] = Object.freeze([
  {
    name: 'log, contents, session keys, leases',
    /*
     * `body` is the event, to the byte. The columns for searches are computed from it, so that the two cannot differ. `revision` must equal
     * the body's. The indexes are for the queries in `events.ts`. `log_head` is the one row that appends compare and set.
     */
    sql: `
      CREATE TABLE migrations (
        number integer PRIMARY KEY,
        name   text NOT NULL,
        at     timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      COMMENT ON TABLE migrations IS '${MARK}';

      CREATE TABLE events (
        revision    bigint PRIMARY KEY,
        body        text NOT NULL CHECK (revision = (${DOCUMENT} #>> '{revision}')::bigint),
        id          ${member('id')} NOT NULL UNIQUE,
        at          ${member('at')} NOT NULL,
        type        ${member('type')} NOT NULL,
        pack        ${member('pack')},
        channel     ${member('channel')},
        version     ${member('version')},
        actor       ${member('actor,keyId')} NOT NULL,
        idempotency ${member('data,idempotency,key')}
      );
      CREATE INDEX events_by_at ON events (at, revision);
      CREATE INDEX events_by_type ON events (type, revision);
      CREATE INDEX events_by_pack ON events (pack, revision);
      CREATE INDEX events_by_pack_and_channel ON events (pack, channel, revision);
      CREATE INDEX events_by_channel ON events (channel, revision);
      CREATE INDEX events_by_actor ON events (actor, revision);
      CREATE UNIQUE INDEX events_by_idempotency ON events (actor, idempotency) WHERE idempotency IS NOT NULL;

      CREATE TABLE log_head (
        one      boolean PRIMARY KEY DEFAULT true CHECK (one),
        revision bigint NOT NULL,
        hash     text COLLATE "C" NOT NULL
      );
      INSERT INTO log_head (revision, hash) VALUES (0, '${GENESIS_HASH}');

      CREATE TABLE contents (
        digest text COLLATE "C" PRIMARY KEY,
        body   text NOT NULL
      );

      CREATE TABLE session_keys (
        number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        key_id     text COLLATE "C" NOT NULL UNIQUE,
        secret     text NOT NULL,
        created_at text COLLATE "C" NOT NULL
      );

      CREATE TABLE leases (
        id               text COLLATE "C" PRIMARY KEY,
        started_at       text NOT NULL,
        epoch            bigint NOT NULL,
        applied_revision bigint NOT NULL,
        pinned_version   text,
        counter          bigint NOT NULL,
        renewed_at       timestamptz NOT NULL
      );
    `,
  },
]);

/** Columns that were added later. An older build does not use them, and can run at the same time as this one. */
const COLUMNS = Object.freeze([
  {
    table: 'log_head',
    column: 'fence',
    sql: 'ALTER TABLE log_head ADD COLUMN IF NOT EXISTS fence bigint NOT NULL DEFAULT 0',
  },
  {
    table: 'leases',
    column: 'knows',
    sql: 'ALTER TABLE leases ADD COLUMN IF NOT EXISTS knows text',
  },
]);

/** Checked first: ALTER TABLE would wait for every statement on the table, even if there is nothing to add. */
const FOUND_COLUMNS = `
  SELECT home.relname || '.' || found.attname FROM pg_attribute AS found JOIN pg_class AS home ON home.oid = found.attrelid
  JOIN pg_namespace AS space ON space.oid = home.relnamespace
  WHERE space.nspname = current_schema() AND found.attnum > 0 AND NOT found.attisdropped AND home.relname = ANY ($1::text[])`;

/** One statement reads both; `to_regclass` would see a table that another instance has just created, but not its mark yet. */
const LOOK = `
  SELECT obj_description(found.oid, 'pg_class') FROM pg_class AS found JOIN pg_namespace AS home ON home.oid = found.relnamespace
  WHERE home.nspname = current_schema() AND found.relname = 'migrations'`;

/**
 * Reads how far a database is, and changes nothing.
 * @param shown the database, for messages
 * @returns the number of the last step it has; 0 if it has no tables of the registry
 * @throws StartRefused (65) if the database is newer than this build, or belongs to another program
 */
async function lastMigration(connection: Connection, shown: string): Promise<number> {
  const [found] = await connection.rows<[string | null]>(LOOK, []);
  if (found === undefined) return 0;
  if (found[0] !== MARK) {
    throw notOurs(shown);
  }
  const [row] = await connection.rows<[string]>('SELECT coalesce(max(number), 0) FROM migrations', []);
  const applied = Number(row?.[0] ?? 0);
  if (applied > MIGRATIONS.length) {
    throw new StartRefused(
      65,
      `The registry database ${shown} is at migration ${applied}; this build knows ${MIGRATIONS.length}. A newer build has used it, so it was not changed. Start that build, or restore a backup made before it.`,
    );
  }
  return applied;
}

/**
 * Reads how far a database is, and changes nothing.
 * @returns the number of its last step, and whether it has all that this build needs
 * @throws StartRefused (65) as `lastMigration`
 */
export async function progressOf(
  connection: Connection,
  shown: string,
): Promise<{ readonly applied: number; readonly complete: boolean }> {
  const applied = await lastMigration(connection, shown);
  return { applied, complete: applied === MIGRATIONS.length && (await missingColumns(connection)).length === 0 };
}

async function missingColumns(connection: Connection): Promise<typeof COLUMNS> {
  const rows = await connection.rows<[string]>(FOUND_COLUMNS, [`{${COLUMNS.map(({ table }) => table).join()}}`]);
  const found = new Set(rows.map(([name]) => name));
  return COLUMNS.filter(({ table, column }) => !found.has(`${table}.${column}`));
}

/** Adds the missing columns to existing tables. */
export async function addColumns(connection: Connection): Promise<void> {
  for (const { sql } of await missingColumns(connection)) await connection.run(sql);
}

/**
 * Brings a database up to date.
 * @throws StartRefused (65) as `lastMigration`; the server's error if a step fails; everything is rolled back then
 */
export async function migrate(connection: Connection, shown: string): Promise<void> {
  try {
    await connection.transaction(async () => {
      await connection.run(`SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(${LOCK})`);
      const applied = await lastMigration(connection, shown); // another instance may have been quicker
      for (const [index, { name, sql }] of MIGRATIONS.entries()) {
        if (index < applied) continue;
        await connection.run(sql);
        await connection.rows('INSERT INTO migrations (number, name) VALUES ($1, $2)', [index + 1, name]);
      }
      await addColumns(connection);
    });
  } catch (error) {
    if (codeOf(error) !== CODES.duplicateTable) throw error;
    throw notOurs(shown, error);
  }
}

function notOurs(shown: string, cause?: unknown): StartRefused {
  return new StartRefused(
    65,
    `The database ${shown} has tables of another program. It was not changed. Give the registry its own database, or its own schema (search_path in the URL).`,
    { cause },
  );
}
