/**
 * What every store checks before it writes a batch.
 *
 * Problem: a gap in the log, or an event that does not name the one before it, could never be repaired.
 * Rule (SPEC R4, R11): revisions are consecutive and the hash chain is unbroken, within a batch and across batches.
 * Example: with the head at revision 4, a batch holds 5, 6, 7, and 6 names 5's hash as the previous one. The store itself compares 5's
 * previous hash with the log's head.
 */
import type { Event, Head } from '../log/event.ts';
import { GENESIS_HASH } from '../log/event.ts';
import { MOST_MISSED, type Batch, type EventQuery, type Overtaken } from '../log/store.ts';

/**
 * Refuses a batch that would break any log.
 * @throws TypeError because such a batch is the caller's fault, never the database's
 */
export function requireChained(batch: Batch, expectedRevision: number): void {
  if (batch.events.length === 0) throw new TypeError('A batch holds at least one event.');
  let previousHash = batch.events[0]?.previousHash;
  let revision = expectedRevision;
  for (const event of batch.events) {
    revision += 1;
    if (event.revision !== revision) {
      throw new TypeError(`The batch holds revision ${event.revision} where ${revision} belongs.`);
    }
    if (event.previousHash !== previousHash) {
      throw new TypeError(`Revision ${revision} does not name the hash of the event before it.`);
    }
    previousHash = event.hash;
  }
}

/**
 * Whether the batch directly follows the log's head. A head at the expected revision with another hash is another log
 * (a restored file), so that is a conflict too.
 */
export function follows(batch: Batch, head: Head | undefined): boolean {
  const first = batch.events[0];
  return first !== undefined && isAt({ revision: first.revision - 1, hash: first.previousHash }, head);
}

/** Whether the log's head (undefined if the log is empty) is the expected one. */
export function isAt(expected: Head, head: Head | undefined): boolean {
  const { revision, hash } = head ?? { revision: 0, hash: GENESIS_HASH };
  return expected.revision === revision && expected.hash === hash;
}

/** The query for what a refused batch has missed: one more than is given back, so that `conflictWith` sees if there are too many. */
export function missedAfter(expectedRevision: number): EventQuery {
  return { after: expectedRevision, order: 'ascending', limit: MOST_MISSED + 1 };
}

/** The outcome of a refused append. @param missed what `missedAfter` finds */
export function conflictWith(missed: readonly Event[]): Overtaken | 'conflict' {
  return missed.length === 0 || missed.length > MOST_MISSED ? 'conflict' : { missed };
}
