/**
 * The statements that write: each is one round trip and one transaction.
 *
 * Problem: BEGIN, a read, four inserts and COMMIT are seven round trips, during which another instance waits for the head.
 * Rule: everything is written from the row that moved the head (SPEC R5): if no row moves, nothing is written. Lists are bound as array literals, so
 * that a batch of any size is the same statement.
 * Example: of two appends that expect revision 4, one moves the head to 5; the other waits for it, then finds no row to move.
 */
import { GENESIS_HASH, type Head } from '../../log/event.ts';
import type { Batch, Lease } from '../../log/store.ts';
import { CHANNEL } from './listener.ts';
import { durable, type Value } from './connection.ts';

/**
 * Set in the transaction that is committed: behind a pooler, a session's settings may belong to another client. It must be evaluated
 * whenever something was written.
 */
const DURABLE = durable(true);

/** Returns one row if the batch was written, none if the head or the fence differs. */
export const APPEND = `
  WITH moved AS (
    UPDATE log_head SET revision = $1::bigint + cardinality($4::text[]), hash = $3
    WHERE revision = $1::bigint AND hash = $2 AND fence = $10::bigint
    RETURNING revision
  ), appended AS (
    INSERT INTO events (revision, body)
    SELECT $1::bigint + given.place, given.body FROM moved, unnest($4::text[]) WITH ORDINALITY AS given (body, place)
  ), filed AS (
    INSERT INTO contents (digest, body)
    SELECT given.digest, given.body FROM moved, unnest($5::text[], $6::text[]) AS given (digest, body)
    ON CONFLICT (digest) DO NOTHING
  ), kept AS (
    INSERT INTO session_keys (key_id, secret, created_at)
    SELECT given.key_id, given.secret, given.created_at FROM moved, unnest($7::text[], $8::text[], $9::text[]) AS given (key_id, secret, created_at)
    ON CONFLICT (key_id) DO NOTHING
  )
  SELECT pg_notify('${CHANNEL}', revision::text), ${DURABLE} FROM moved`;

/**
 * Returns the new fence if the head matches, else no row. A later append with the old fence moves nothing. A running append holds the
 * row: this statement waits for it, and then finds that the head has moved.
 */
export const RAISE_FENCE = `UPDATE log_head SET fence = fence + 1 WHERE revision = $1::bigint AND hash = $2 RETURNING fence, ${DURABLE}`;

/** The values of APPEND. */
export function appendValues({ events, contents, sessionKeys, fence = 0 }: Batch, expectedRevision: number): Value[] {
  return [
    expectedRevision,
    events[0]?.previousHash ?? GENESIS_HASH,
    events.at(-1)?.hash ?? GENESIS_HASH,
    textArray(events.map((event) => JSON.stringify(event))),
    textArray(contents.map(({ digest }) => digest)),
    textArray(contents.map(({ content }) => JSON.stringify(content))),
    textArray(sessionKeys.map(({ keyId }) => keyId)),
    textArray(sessionKeys.map(({ secret }) => secret)),
    textArray(sessionKeys.map(({ createdAt }) => createdAt)),
    fence,
  ];
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function textArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
}

/** Returns a row for each lease, the renewed one included, each with the log's head. */
export const RENEW = `
  WITH renewed AS (
    INSERT INTO leases AS old (id, started_at, epoch, applied_revision, pinned_version, knows, counter, renewed_at)
    VALUES ($1, $2, $3, $4, $5, $6, 1, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET
      started_at = excluded.started_at, epoch = excluded.epoch, applied_revision = excluded.applied_revision,
      pinned_version = excluded.pinned_version, knows = excluded.knows, counter = old.counter + 1, renewed_at = excluded.renewed_at
    RETURNING *
  )
  SELECT head.revision, head.hash, lease.id, lease.started_at, lease.epoch, lease.applied_revision, lease.pinned_version, lease.counter,
    to_char(lease.renewed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    head.fence, lease.knows
  FROM (SELECT * FROM renewed UNION ALL SELECT * FROM leases WHERE id <> $1) AS lease LEFT JOIN log_head AS head ON true
  ORDER BY lease.id`;

/** A head: its revision and hash. */
export type HeadRow = readonly [revision: string | null, hash: string | null, ...unknown[]];
export type LeaseRow = readonly [
  ...(readonly [revision: string | null, hash: string | null, id: string, startedAt: string, epoch: string]),
  ...(readonly [appliedRevision: string, pinnedVersion: string | null, counter: string, lastSeenAt: string]),
  fence: string | null,
  knows: string | null,
];

export function headOf(row: HeadRow | undefined): Head | undefined {
  const [revision, hash] = row ?? [];
  return typeof revision !== 'string' || typeof hash !== 'string' || revision === '0'
    ? undefined
    : { revision: Number(revision), hash };
}

export function leaseOf([
  ,
  ,
  id,
  startedAt,
  epoch,
  appliedRevision,
  pinnedVersion,
  counter,
  lastSeenAt,
  ,
  knows,
]: LeaseRow): Lease {
  const numbers = { epoch: Number(epoch), appliedRevision: Number(appliedRevision), counter: Number(counter) };
  return Object.freeze({
    id,
    startedAt,
    ...numbers,
    lastSeenAt,
    ...(pinnedVersion !== null && { pinnedVersion }),
    ...(knows !== null && { knows: knows.split(',') }),
  });
}
