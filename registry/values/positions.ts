/** Positions in the history of a registry, across restores. */

/** An event, by its epoch and revision: an accepted restore begins the next epoch, in which revisions may repeat. */
export interface Position {
  readonly epoch: number;
  readonly revision: number;
}

/** Whether a position is at least as late as another. */
export function reaches(position: Position, other: Position): boolean {
  return position.epoch > other.epoch || (position.epoch === other.epoch && position.revision >= other.revision);
}
