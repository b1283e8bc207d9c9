/**
 * What every store asks of a batch before it writes it.
 *
 * Problem: a gap, or an event that does not name the one before it, would be in the log for good.
 * Rule (SPEC R4, R11): revisions follow on each other and the hash chain is whole, within a batch and across batches.
 * Example: with the head at revision 4, a batch holds 5, 6, 7, and 6 names 5's hash as the one before it. Whether 5 names 4's
 * hash is for the store to see, with the log's head before it.
 */
import type { Head } from '../log/event.ts';
import { GENESIS_HASH } from '../log/event.ts';
import type { Batch } from '../log/store.ts';

/**
 * Refuses a batch that would break the log wherever it were put.
 * @throws TypeError: such a batch is a fault of the caller, never of the database.
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
 * Whether the batch goes directly behind the log's head. A head at the expected revision with another hash is another log
 * (a restored file), so that is a conflict as well.
 */
export function follows(batch: Batch, head: Head | undefined): boolean {
  const first = batch.events[0];
  return first !== undefined && isAt({ revision: first.revision - 1, hash: first.previousHash }, head);
}

/** Whether a log with this head, undefined for an empty one, is at a place. */
export function isAt(expected: Head, head: Head | undefined): boolean {
  const { revision, hash } = head ?? { revision: 0, hash: GENESIS_HASH };
  return expected.revision === revision && expected.hash === hash;
}
