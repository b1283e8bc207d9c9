/**
 * The store port: what the registry needs of a database, and nothing more. Each engine lives in its own folder under
 * `stores/` and passes `test/registry/stores/store-suite.ts`.
 *
 * Each promise below is relied on. A method that cannot reach the database rejects with `RegistryError('store-unavailable')`;
 * `append` does so only where nothing was sent.
 */
import type { Event, EventType, Head } from './event.ts';
import type { PackContent } from './model.ts';

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
}

/**
 * - `done`: the batch is on disk, whole, and will survive a loss of power.
 * - `conflict`: nothing was written; the log's head is not at the expected revision.
 * - `unknown`: the connection went away around the commit; the batch is in the log as a whole, or not at all. Appending the
 *   same batch again is safe, as one event only can take a revision.
 */
export type AppendOutcome = 'done' | 'conflict' | 'unknown';

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

/** A log, the contents its events name, and the session keys. */
export interface Store {
  /** The engine, for messages and logs: `memory`, `sqlite`. */
  readonly kind: string;

  /** The last event's place, or undefined for an empty log. Never older than an append that has answered `done`. */
  head(): Promise<Head | undefined>;

  /**
   * Writes the batch where the log's head is at `expectedRevision` (0 for an empty log) and is the event that the batch names as
   * the one before it, else answers `conflict`. A batch that is empty or not chained rejects with TypeError.
   * Contents and session keys that are there already are left as they are.
   */
  append(batch: Batch, expectedRevision: number): Promise<AppendOutcome>;

  /** Events of a log that holds no gap, as they were appended. */
  events(query: EventQuery): Promise<readonly Event[]>;

  /** The event that a request of this key with this Idempotency-Key made, or undefined. A log never holds two (SPEC R6). */
  repeated(actorKeyId: string, idempotencyKey: string): Promise<Event | undefined>;

  /** The content of a digest, or undefined where there is none. One that cannot be read at all rejects with the member `digest`. */
  content(digest: string): Promise<PackContent | undefined>;

  /** All session keys, the newest last. */
  sessionKeys(): Promise<readonly SessionKey[]>;

  /** Gives everything back: connections, locks. Later calls reject. Closing twice is fine. */
  close(): Promise<void>;
}
