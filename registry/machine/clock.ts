/** The clock and the random ids of the process, so that tests can bring their own. */
import { randomUUID } from 'node:crypto';

/** Time and ids, so that tests can hold them. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  newId(): string;
}

export const SYSTEM_CLOCK: Clock = Object.freeze({ now: () => Date.now(), newId: () => randomUUID() });
