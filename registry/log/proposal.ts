/** What a decision asks the log to take. */
import type { Event, EventDraft } from './event.ts';
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
  /** The request repeats an earlier one: the event of the first. It is visible here before the answer is given (SPEC R3). */
  readonly replayOf?: Event;
}
