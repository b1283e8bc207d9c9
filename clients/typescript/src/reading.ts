/** What a source reads of a channel. */
import type { Position } from './position.ts';

/** What was read: `getChannel`, or `getActivePack` of an older registry. */
export type Operation = 'channel' | 'active';

/** A response of the registry. */
export interface Reading {
  readonly operation: Operation;
  /** Undefined if it is unchanged. */
  readonly document: unknown;
  readonly position: Position;
  readonly etags: Etags;
  /** Milliseconds since the instance was last in sync. */
  readonly age: number;
}

/** The ETags of the current channel, by operation. */
export type Etags = Readonly<Partial<Record<Operation, string | undefined>>>;
