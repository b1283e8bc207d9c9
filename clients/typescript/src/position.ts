/**
 * Places in a registry's log, which only grow.
 *
 * Rule: a revision is of a history, its epoch. A restore of the database that an operator accepted begins the next epoch, and lower
 * revisions in it are later ones; within an epoch a lower revision is an older state, and is never gone back to.
 */

export interface Position {
  readonly epoch: number;
  readonly revision: number;
}

export const NOWHERE: Position = { epoch: 1, revision: 0 };

/** Whether `position` is before `other`. */
export function isBefore(position: Position, other: Position): boolean {
  return position.epoch < other.epoch || (position.epoch === other.epoch && position.revision < other.revision);
}

export function latest(position: Position, other: Position): Position {
  return isBefore(position, other) ? other : position;
}

/** A place as the stream names it. */
export function idOf({ epoch, revision }: Position): string {
  return epoch === 1 ? `${revision}` : `${epoch}:${revision}`;
}

/** Headers that ask for an answer from a place or a later one. */
export function atLeast({ epoch, revision }: Position): {
  readonly 'registry-min-revision'?: number;
  readonly 'registry-epoch'?: number;
} {
  return revision > 0 ? { 'registry-min-revision': revision, 'registry-epoch': epoch } : {};
}

/** Milliseconds since the instance that answered knew that it is current; undefined where its header is no number. */
export function ageOf(headers: Headers): number | undefined {
  const seconds = /^\d{1,9}$/u.exec(headers.get('registry-stale') ?? '0');
  return seconds === null ? undefined : 1000 * Number(seconds[0]);
}

/** The place that an answer is from; undefined where its headers name none. */
export function positionOf(headers: Headers): Position | undefined {
  const revision = /^\d{1,15}$/u.exec(headers.get('registry-revision') ?? '');
  const epoch = /^\d{1,15}$/u.exec(headers.get('registry-epoch') ?? '1');
  return revision === null || epoch === null ? undefined : { epoch: Number(epoch[0]), revision: Number(revision[0]) };
}
