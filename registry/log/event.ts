/**
 * Events: the entries of the log. The log is the only source of truth.
 *
 * Problem: the state, the audit trail and other instances must never disagree.
 * Rule (SPEC R11): each change is one event with actor and reason, chained by hash to the event before. Everything else is derived from the
 * events. `data` holds all that the fold and the answer to a repeated request need.
 * Example: event 5's `previousHash` is event 4's `hash`, which is the SHA-256 of RFC 8785 of event 4 without `hash`.
 */
import type { Actor } from '../model.ts';
import type { KeyEvents } from './data/keys.ts';
import type { MoveEvents } from './data/moves.ts';
import type { PackEvents } from './data/packs.ts';
import type { RolloutEvents } from './data/rollouts.ts';
import type { RegistryEvents } from './data/registry.ts';
import { canonical, sha256 } from '../values/canonical.ts';

/** The `previousHash` of the first event. */
export const GENESIS_HASH = '0'.repeat(64);

/**
 * `data` by event type; each idea has its part in `data/`. A new type is added there, and `registry/events.ts` says what it does.
 * Older builds keep unknown types in the log and skip them in the fold.
 */
export interface EventData extends RegistryEvents, PackEvents, MoveEvents, RolloutEvents, KeyEvents {}

/** Ties an event to its request, so that a repeat of the request finds it (SPEC R6). */
export interface Idempotency {
  readonly key: string;
  /** SHA-256 of method, path and canonical body. */
  readonly fingerprint: string;
}

export type EventType = keyof EventData;

/** All types, for filters. A full record, so that a missing type is a type error. */
export const EVENT_TYPES = Object.keys({
  'registry-created': 1,
  'version-published': 1,
  'version-activated': 1,
  'version-rolled-back': 1,
  'version-revoked': 1,
  'policy-changed': 1,
  'key-created': 1,
  'key-revoked': 1,
  'registry-restored': 1,
  'rollout-started': 1,
  'rollout-advanced': 1,
  'rollout-paused': 1,
  'rollout-resumed': 1,
  'rollout-aborted': 1,
  'activation-scheduled': 1,
  'schedule-cancelled': 1,
  'schedule-skipped': 1,
  'activation-confirmed': 1,
  'trial-stayed': 1,
} satisfies Record<EventType, 1>) as readonly EventType[];

interface EventOf<T extends EventType> {
  readonly revision: number;
  readonly id: string;
  /** RFC 3339 UTC; never earlier than the event before. */
  readonly at: string;
  readonly type: T;
  readonly actor: Actor;
  readonly reason: string;
  readonly pack?: string;
  readonly channel?: string;
  readonly version?: string;
  readonly data: EventData[T] & { readonly idempotency?: Idempotency };
  readonly previousHash: string;
  readonly hash: string;
}

/** One entry of the log, of any or of one type. */
export type Event<T extends EventType = EventType> = { [K in T]: EventOf<K> }[T];

/** An event as `decide` returns it, before it has a position in the log. */
export type EventDraft = {
  [T in EventType]: Omit<EventOf<T>, 'revision' | 'id' | 'at' | 'previousHash' | 'hash'>;
}[EventType];

/** The position of an event in the log, with its hash. */
export interface Head {
  readonly revision: number;
  /** Lower-case hex SHA-256 of the event at that revision; `GENESIS_HASH` at revision 0. */
  readonly hash: string;
}

/** The correct hash of an event: SHA-256 of the RFC 8785 text of the event without `hash`. */
export function hashOf(event: Omit<Event, 'hash'> & { readonly hash?: string }): string {
  const { hash: _, ...hashed } = event;
  return sha256(canonical(hashed));
}

/** Completes drafts as the events after `head`: revision, id, time, hash chain. `at` is never earlier than `notBefore`. */
export function seal(
  drafts: readonly EventDraft[],
  head: Head,
  clock: { now(): number; newId(): string; readonly notBefore: string },
): Event[] {
  let previous: Head = head;
  let at = new Date(clock.now()).toISOString();
  if (at < clock.notBefore) at = clock.notBefore;
  return drafts.map((draft) => {
    const unhashed = { revision: previous.revision + 1, id: clock.newId(), at, ...draft, previousHash: previous.hash };
    const event = Object.freeze({ ...unhashed, hash: hashOf(unhashed as Omit<Event, 'hash'>) }) as Event;
    previous = event;
    return event;
  });
}
