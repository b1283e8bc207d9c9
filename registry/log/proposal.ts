/** What to append to the log. */
import type { Event, EventDraft } from './event.ts';
import type { StoredContent, SessionKey } from './store.ts';

/** The result of a command. No events: nothing needs to change. */
export interface Decision {
  readonly events: readonly EventDraft[];
  /** Stored in the same transaction as the events. */
  readonly contents: readonly StoredContent[];
}

export const NOTHING: Decision = Object.freeze({ events: Object.freeze([]), contents: Object.freeze([]) });

/** What a write appends. */
export interface Proposal {
  readonly events: readonly EventDraft[];
  readonly contents: readonly StoredContent[];
  readonly sessionKeys?: readonly SessionKey[];
  /** The event of the first request, if this request repeats it. It is visible on this instance before the answer is sent (SPEC R3). */
  readonly replayOf?: Event;
}
