/** Positions in the history. */

/** A position in the history, across restores. */
export interface Position {
  readonly epoch: number;
  readonly revision: number;
}

/** Whether a position is at least as late as another. */
export function reaches(position: Position, other: Position): boolean {
  return position.epoch > other.epoch || (position.epoch === other.epoch && position.revision >= other.revision);
}
