/** What a decision asks the log to take. */
import type { EventDraft } from './event.ts';
import type { StoredContent, SessionKey } from './store.ts';

/** What a command comes to. No events: the state is already as asked. */
export interface Decision {
  readonly events: readonly EventDraft[];
  /** Stored in the same transaction as the events. */
  readonly contents: readonly StoredContent[];
}

export const NOTHING: Decision = Object.freeze({ events: Object.freeze([]), contents: Object.freeze([]) });

/** What to append. */
export interface Proposal {
  readonly events: readonly EventDraft[];
  readonly contents: readonly StoredContent[];
  readonly sessionKeys?: readonly SessionKey[];
  /** A revision of the log that the answer rests on: it is visible here before the answer is given. */
  readonly seen?: number;
}
