/**
 * The store port: all that the registry needs from a database. Each engine has its own folder under `stores/` and passes
 * `test/registry/stores/store-suite.ts`.
 *
 * The registry relies on every promise below. A method that cannot reach the database rejects with `RegistryError('store-unavailable')`;
 * `append` does so only if nothing was sent.
 */
import type { Event, EventType, Head } from './event.ts';
import type { PackContent } from '../model.ts';

/** A content with its digest. */
export interface StoredContent {
  readonly digest: string;
  readonly content: PackContent;
}

/** A key that signs session ids. It is stored next to the log, never in it. */
export interface SessionKey {
  readonly keyId: string;
  /** 256 random bits, base64url. */
  readonly secret: string;
  readonly createdAt: string;
}

/** What one append writes, all or nothing. */
export interface Batch {
  /** In revision order and chained; the first comes right after the expected revision. Never empty. */
  readonly events: readonly Event[];
  readonly contents: readonly StoredContent[];
  readonly sessionKeys: readonly SessionKey[];
  /** The fence at the time of the decision; the same batch always has the same fence. Default: 0. SPEC R5 */
  readonly fence?: number;
}

/**
 * - `done`: the whole batch is on disk and survives a power loss.
 * - `unknown`: the connection was lost during the commit; the batch is in the log completely or not at all. Appending the same batch
 *   again is safe, because only one event can have a revision.
 * - `Overtaken`: nothing was written, because the log goes on after the expected revision.
 * - `conflict`: nothing was written, for another reason: the fence has changed, or the log is another one. Or the log goes on, but the
 *   store does not say how: more than `MOST_MISSED` events are missing, or they could not be read.
 */
export type AppendOutcome = 'done' | 'unknown' | Overtaken | 'conflict';

/** The events that the writer of a refused batch does not know, so that it can decide again without a read. */
export interface Overtaken {
  /** All events after the expected revision, in order, up to the log's head; at least one, at most `MOST_MISSED`. */
  readonly missed: readonly Event[];
}

/** The most events that a store gives back with a conflict. */
export const MOST_MISSED = 200;

/**
 * - a number: the new fence. Batches that were sent before can no longer be appended.
 * - `conflict`: the fence was not raised; the log's head is elsewhere.
 * - `unknown`: the connection was lost during the commit. Raising the fence again is safe.
 */
export type FenceOutcome = number | 'conflict' | 'unknown';

/** Which events to read; an event must meet all conditions. */
export interface EventQuery {
  /** Only events with a higher revision. */
  readonly after?: number;
  /** Only events with a lower revision. */
  readonly before?: number;
  readonly order: 'ascending' | 'descending';
  /** The most events to return, at least 1. */
  readonly limit: number;
  readonly types?: readonly EventType[];
  readonly pack?: string;
  /** Events of the channel, and revocations that moved it. */
  readonly channel?: string;
  /** Key id of the actor. */
  readonly actor?: string;
  /** The event with this id. */
  readonly id?: string;
  /** Not earlier than this time; RFC 3339 UTC with milliseconds, as in events. */
  readonly from?: string;
  /** Not later than this time. */
  readonly to?: string;
  /**
   * Rejects, with the member `revision`, at an event that is not byte for byte as it was appended, as for an unreadable event. For proofs,
   * not for normal reads: it doubles the cost.
   */
  readonly exact?: boolean;
}

/** What an instance reports each time it renews its lease. */
export interface LeaseClaim {
  /** The instance: one start of one process. */
  readonly id: string;
  readonly startedAt: string;
  /** The position in the log that it answers from. */
  readonly epoch: number;
  readonly appliedRevision: number;
  /** E.g. `coach@1.0.0` if it serves a forced version instead of the active one. */
  readonly pinnedVersion?: string;
}

/** An instance's lease in the store. */
export interface Lease extends LeaseClaim {
  /** Grows by one with each renewal. Waiting instances watch it with their own clock, so that no two clocks are compared. */
  readonly counter: number;
  /** When it was last renewed, by the store's clock; for people. */
  readonly lastSeenAt: string;
}

/** The result of a renewal. */
export interface Renewal {
  /** The log's head, read after the renewal was requested; undefined for an empty log. */
  readonly head: Head | undefined;
  /** The fence, read together with the head. */
  readonly fence: number;
  /** The leases of all instances, including the caller's, which may be from before this renewal. */
  readonly leases: readonly Lease[];
  /** The store's clock at that moment, in milliseconds since the epoch; missing if `Store.now` is missing. */
  readonly now?: number;
}

/** A log, the contents that its events name, the session keys, and the leases of the instances that follow the log. */
export interface Store {
  /** The engine, for messages and logs: `memory`, `sqlite`, `postgres`. */
  readonly kind: string;

  /** The position of the last event; undefined for an empty log. Includes every append that has returned `done`. */
  head(): Promise<Head | undefined>;

  /**
   * Writes the batch if the log's head is at `expectedRevision` (0 for an empty log), is the event before the batch by hash, and the fence
   * is the batch's; else returns `Overtaken` or `conflict`. Rejects with TypeError if the batch is empty or not chained. Contents and session keys that
   * already exist do not change.
   */
  append(batch: Batch, expectedRevision: number): Promise<AppendOutcome>;

  /** The fence: a number next to the log's head that only grows; 0 until it is first raised. */
  fence(): Promise<number>;

  /**
   * Durably raises the fence if the log's head is at this position, so that batches that were sent before can no longer take effect
   * (SPEC R5). A store whose appends cannot arrive late may keep the number.
   * @param at revision 0 and `GENESIS_HASH` for an empty log
   */
  raiseFence(at: Head): Promise<FenceOutcome>;

  /** Events as they were appended, without gaps. */
  events(query: EventQuery): Promise<readonly Event[]>;

  /** The event of a request by this key with this Idempotency-Key, if any. A log never has two (SPEC R6). */
  repeated(actorKeyId: string, idempotencyKey: string): Promise<Event | undefined>;

  /** The content of a digest, if any. Rejects with the member `digest` if it cannot be read. */
  content(digest: string): Promise<PackContent | undefined>;

  /** All session keys, newest last. */
  sessionKeys(): Promise<readonly SessionKey[]>;

  /** The store's clock, in milliseconds since the epoch. Missing if the store uses the clock of this process. */
  now?(): Promise<number>;

  /** Durably renews or creates an instance's lease, and returns the log's head. */
  renew(claim: LeaseClaim): Promise<Renewal>;

  /** Removes a lease; with `counter`, only if the lease still has it. A missing lease is not an error. */
  release(instanceId: string, counter?: number): Promise<void>;

  /**
   * Calls `onHint` whenever the log may have grown, until the returned function is called. Hints can be lost, late or wrong, so callers
   * still poll the log.
   *
   * @param onHint gets the revision that the log may have reached, if known
   */
  watch(onHint: (revision?: number) => void): () => void;

  /** Releases everything: connections, locks. Later calls reject. Closing twice is allowed. */
  close(): Promise<void>;
}
