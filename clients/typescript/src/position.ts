/**
 * Positions in a registry's log, which only advance.
 *
 * Rule: a revision belongs to an epoch. When an operator accepts a restored database, the next epoch begins; its revisions are lower but
 * later. Within an epoch, a lower revision is an older state and is never accepted.
 */

export interface Position {
  readonly epoch: number;
  readonly revision: number;
}

export const START_POSITION: Position = { epoch: 1, revision: 0 };

/** Whether `position` is before `other`. */
export function isBefore(position: Position, other: Position): boolean {
  return position.epoch < other.epoch || (position.epoch === other.epoch && position.revision < other.revision);
}

export function latest(position: Position, other: Position): Position {
  return isBefore(position, other) ? other : position;
}

/** The position as an event id of the stream. */
export function idOf({ epoch, revision }: Position): string {
  return epoch === 1 ? `${revision}` : `${epoch}:${revision}`;
}

/** Request headers that require a response from this position or later. */
export function atLeastHeaders({ epoch, revision }: Position): {
  readonly 'registry-min-revision'?: number;
  readonly 'registry-epoch'?: number;
} {
  return revision > 0 ? { 'registry-min-revision': revision, 'registry-epoch': epoch } : {};
}

/** Milliseconds since the instance was last in sync; undefined if the header is invalid. */
export function ageOf(headers: Headers): number | undefined {
  const seconds = /^\d{1,9}$/u.exec(headers.get('registry-stale') ?? '0');
  return seconds === null ? undefined : 1000 * Number(seconds[0]);
}

/** The position of a response; undefined if its headers are missing or invalid. */
export function positionOf(headers: Headers): Position | undefined {
  const revision = /^\d{1,15}$/u.exec(headers.get('registry-revision') ?? '');
  const epoch = /^\d{1,15}$/u.exec(headers.get('registry-epoch') ?? '1');
  return revision === null || epoch === null ? undefined : { epoch: Number(epoch[0]), revision: Number(revision[0]) };
}
