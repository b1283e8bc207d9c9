/** The clock and random ids of the process. Tests inject their own. */
import { randomUUID } from 'node:crypto';

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  newId(): string;
}

export const SYSTEM_CLOCK: Clock = Object.freeze({ now: () => Date.now(), newId: () => randomUUID() });
