/**
 * The tables, as a list of steps. Steps are only ever added.
 *
 * Problem: a database is used by older and newer builds, in both directions of a deploy.
 * Rule: numbered from 1, forward only, each step in its own transaction together with its row in `migrations`, so that a
 * start that is killed halfway can continue. A database that is ahead of this build is not changed.
 * Example: a database at 1 and a build that knows 2 runs step 2; a build that knows 1 refuses a database at 2.
 */
import type { DatabaseSync } from 'node:sqlite';
import { StartRefused } from '../../errors.ts';

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Marks a database file as a prompt registry's (https://sqlite.org/pragma.html#pragma_application_id): `PReg`. */
export const APPLICATION_ID = 0x50526567;

/** The step at index i has number i + 1. A step that was released is never changed. */
export const MIGRATIONS: readonly Migration[] = Object.freeze([
  {
    name: 'log, contents, session keys',
    /*
     * `body` is the event. Every other column is computed from it, so that searched and hashed values cannot differ. `revision` is the
     * row's key and must equal the body's. The indexes are for the queries in `events.ts`.
     */
    sql: `
      PRAGMA application_id = ${APPLICATION_ID};
      CREATE TABLE migrations (
        number INTEGER PRIMARY KEY,
        name   TEXT NOT NULL,
        at     TEXT NOT NULL
      ) STRICT;

      CREATE TABLE events (
        revision INTEGER PRIMARY KEY,
        id       TEXT NOT NULL UNIQUE GENERATED ALWAYS AS (body ->> '$.id') VIRTUAL,
        at       TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.at') VIRTUAL,
        type     TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.type') VIRTUAL,
        pack     TEXT GENERATED ALWAYS AS (body ->> '$.pack') VIRTUAL,
        channel  TEXT GENERATED ALWAYS AS (body ->> '$.channel') VIRTUAL,
        version  TEXT GENERATED ALWAYS AS (body ->> '$.version') VIRTUAL,
        actor    TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.actor.keyId') VIRTUAL,
        body     TEXT NOT NULL CHECK (revision = body ->> '$.revision')
      ) STRICT;
      CREATE INDEX events_by_type ON events (type, revision, pack);
      CREATE INDEX events_by_pack ON events (pack, revision);
      CREATE INDEX events_by_pack_and_channel ON events (pack, channel, revision, type);
      CREATE INDEX events_by_channel ON events (channel, revision, type);

      CREATE TABLE contents (
        digest TEXT PRIMARY KEY,
        body   TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE session_keys (
        number     INTEGER PRIMARY KEY,
        key_id     TEXT NOT NULL UNIQUE,
        secret     TEXT NOT NULL,
        created_at TEXT NOT NULL
      ) STRICT;
    `,
  },
  {
    name: 'idempotency keys, look-ups of the audit',
    sql: `
      ALTER TABLE events ADD COLUMN idempotency TEXT GENERATED ALWAYS AS (body ->> '$.data.idempotency.key') VIRTUAL;
      CREATE UNIQUE INDEX events_by_idempotency ON events (actor, idempotency) WHERE idempotency IS NOT NULL;
      CREATE INDEX events_by_actor ON events (actor, revision);
      CREATE INDEX events_by_at ON events (at, revision);
    `,
  },
  {
    name: 'times are found without an index (times.ts)',
    sql: 'DROP INDEX events_by_at;',
  },
]);

/**
 * Reads how far a database is, and changes nothing.
 * @param file its path, for messages
 * @returns the number of the last step it has; 0 for an empty one
 * @throws StartRefused (65) if the database is newer than this build, or belongs to another program
 */
export function lastMigration(
  database: DatabaseSync,
  file: string,
  migrations: readonly Migration[] = MIGRATIONS,
): number {
  const tables = database.prepare("SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table'").get()?.[
    'tables'
  ];
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
  const mark = database.prepare('PRAGMA application_id').get()?.['application_id'];
  if (tables === 0 && pages <= 1 && mark === 0) return 0; // pages, or the mark, mean that there were tables: do not make a new registry over what is left of them
  if (mark !== APPLICATION_ID) {
    throw new StartRefused(
      65,
      `${file} is the SQLite database of another program. It was not changed. Name another file.`,
    );
  }
  if (tables === 0)
    throw new StartRefused(
      65,
      `The registry database ${file} is damaged: its tables are gone. Keep a copy, and restore it from a backup.`,
    );
  const applied = Number(database.prepare('SELECT max(number) AS applied FROM migrations').get()?.['applied'] ?? 0);
  if (applied > migrations.length) {
    throw new StartRefused(
      65,
      `The registry database ${file} is at migration ${applied}; this build knows ${migrations.length}. A newer build has used it, so it was not changed. Start that build, or restore a backup made before it.`,
    );
  }
  return applied;
}

/**
 * Brings a database up to date.
 * @param file its path, for messages
 * @throws StartRefused (65) as `lastMigration`; what SQLite throws if a step fails; that step is rolled back
 */
export function migrate(database: DatabaseSync, file: string, migrations: readonly Migration[] = MIGRATIONS): void {
  const applied = lastMigration(database, file, migrations);
  for (const [index, { name, sql }] of migrations.entries()) {
    if (index < applied) continue;
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(sql);
      database
        .prepare('INSERT INTO migrations (number, name, at) VALUES (?, ?, ?)')
        .run(index + 1, name, new Date().toISOString());
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}
