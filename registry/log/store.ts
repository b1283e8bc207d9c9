/**
 * The store port: what the registry needs of a database, and nothing more. Each engine lives in its own folder under
 * `stores/` and passes `test/registry/stores/store-suite.ts`.
 *
 * Each promise below is relied on. A method that cannot reach the database rejects with `RegistryError('store-unavailable')`;
 * `append` does so only where nothing was sent.
 */
import type { Event, EventType, Head } from './event.ts';
import type { PackContent } from '../model.ts';

/** A content, filed under its digest. */
export interface StoredContent {
  readonly digest: string;
  readonly content: PackContent;
}

/** A key that signs session ids. Kept beside the log, never in it. */
export interface SessionKey {
  readonly keyId: string;
  /** 256 random bits, base64url. */
  readonly secret: string;
  readonly createdAt: string;
}

/** What one append writes: all of it or none. */
export interface Batch {
  /** In revision order, chained, the first directly behind the expected revision. Never empty. */
  readonly events: readonly Event[];
  readonly contents: readonly StoredContent[];
  readonly sessionKeys: readonly SessionKey[];
  /** The fence that was known when the batch was decided. The same batch always carries the same one; default: 0. SPEC R5 */
  readonly fence?: number;
}

/**
 * - `done`: the batch is on disk, whole, and will survive a loss of power.
 * - `conflict`: nothing was written; the log's head is not at the expected revision, or the fence is another one.
 * - `unknown`: the connection went away around the commit; the batch is in the log as a whole, or not at all. Appending the
 *   same batch again is safe, as one event only can take a revision.
 */
export type AppendOutcome = 'done' | 'conflict' | 'unknown';

/**
 * - a number: the fence as it is now. No batch that was sent before can be appended any more.
 * - `conflict`: nothing was raised; the log's head is at another place.
 * - `unknown`: the connection was lost around the commit. Raising it again is safe.
 */
export type FenceOutcome = number | 'conflict' | 'unknown';

/** Which events to read; all conditions hold together. */
export interface EventQuery {
  /** Only events with a higher revision. */
  readonly after?: number;
  /** Only events with a lower revision. */
  readonly before?: number;
  readonly order: 'ascending' | 'descending';
  /** The most events to give, at least 1. */
  readonly limit: number;
  readonly types?: readonly EventType[];
  readonly pack?: string;
  /** Events of the channel, and revocations that moved it. */
  readonly channel?: string;
  /** Key id of the actor. */
  readonly actor?: string;
  /** The event with this id. */
  readonly id?: string;
  /** Not earlier than this time; RFC 3339 UTC with milliseconds, as events have it. */
  readonly from?: string;
  /** Not later than this time. */
  readonly to?: string;
  /**
   * Rejects at an event that does not lie there to the byte as it was appended, as it does at one that cannot be read at all: with
   * the member `revision`. For proof, not for reading: it costs as much again.
   */
  readonly exact?: boolean;
}

/** What an instance says of itself each time it renews its lease. */
export interface LeaseClaim {
  /** The instance: one start of one process. */
  readonly id: string;
  readonly startedAt: string;
  /** The place in the log that it answers from. */
  readonly epoch: number;
  readonly appliedRevision: number;
  /** `coach@1.0.0` where it serves a version whatever the log says. */
  readonly pinnedVersion?: string;
}

/** An instance's lease, as the store holds it. */
export interface Lease extends LeaseClaim {
  /** Moves by one with each renewal. Whoever waits for an instance watches it on a clock of its own: no two clocks are compared. */
  readonly counter: number;
  /** When it was last renewed, by the store's clock; for people. */
  readonly lastSeenAt: string;
}

/** The answer to a renewal. */
export interface Renewal {
  /** The log's head at a moment after the renewal was asked for; undefined for an empty log. */
  readonly head: Head | undefined;
  /** The fence, read together with the head. */
  readonly fence: number;
  /** The leases of all instances, the caller's own among them, perhaps as it was before this renewal. */
  readonly leases: readonly Lease[];
  /** The store's clock at that moment, in milliseconds since the epoch; missing where `Store.now` is. */
  readonly now?: number;
}

/** A log, the contents its events name, the session keys, and the leases of the instances that follow the log. */
export interface Store {
  /** The engine, for messages and logs: `memory`, `sqlite`, `postgres`. */
  readonly kind: string;

  /** The last event's place, or undefined for an empty log. Never older than an append that has answered `done`. */
  head(): Promise<Head | undefined>;

  /**
   * Writes the batch where the log's head is at `expectedRevision` (0 for an empty log) and is the event that the batch names as
   * the one before it, and the fence is the batch's, else answers `conflict`. A batch that is empty or not chained rejects with TypeError.
   * Contents and session keys that are there already are left as they are.
   */
  append(batch: Batch, expectedRevision: number): Promise<AppendOutcome>;

  /** The fence: a number beside the log's head that only grows. 0 until it is raised for the first time. */
  fence(): Promise<number>;

  /**
   * Raises the fence, durably, where the log's head is at this place, so that no batch that was sent before can take effect (SPEC R5).
   * A store whose appends cannot arrive late may leave the number as it is.
   * @param at revision 0 and `GENESIS_HASH` for an empty log
   */
  raiseFence(at: Head): Promise<FenceOutcome>;

  /** Events of a log that holds no gap, as they were appended. */
  events(query: EventQuery): Promise<readonly Event[]>;

  /** The event that a request of this key with this Idempotency-Key made, or undefined. A log never holds two (SPEC R6). */
  repeated(actorKeyId: string, idempotencyKey: string): Promise<Event | undefined>;

  /** The content of a digest, or undefined where there is none. One that cannot be read at all rejects with the member `digest`. */
  content(digest: string): Promise<PackContent | undefined>;

  /** All session keys, the newest last. */
  sessionKeys(): Promise<readonly SessionKey[]>;

  /** The store's clock, in milliseconds since the epoch. A store that goes by the clock of this process has none. */
  now?(): Promise<number>;

  /** Renews an instance's lease, durably, and says how far the log is. The lease is made where there is none. */
  renew(claim: LeaseClaim): Promise<Renewal>;

  /** Takes a lease away; with `counter`, only while it still stands there. One that is not there is no fault. */
  release(instanceId: string, counter?: number): Promise<void>;

  /**
   * Calls `woken` whenever the log may have grown, until the function that it returns is called. A hint: calls can be lost, come
   * late, or come for nothing; the log is to be read, and to be asked now and then all the same.
   *
   * @param woken is given the revision that the hint speaks of, where it is known
   */
  watch(woken: (revision?: number) => void): () => void;

  /** Gives everything back: connections, locks. Later calls reject. Closing twice is fine. */
  close(): Promise<void>;
}
