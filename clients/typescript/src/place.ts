/**
 * Places in a registry's log, which only grow.
 *
 * Rule: a revision is of a history, its epoch. A restore of the database that an operator accepted begins the next epoch, and lower
 * revisions in it are later ones; within an epoch a lower revision is an older state, and is never gone back to.
 */

export interface Place {
  readonly epoch: number;
  readonly revision: number;
}

export const NOWHERE: Place = { epoch: 1, revision: 0 };

/** Whether `place` is before `other`. */
export function isBefore(place: Place, other: Place): boolean {
  return place.epoch < other.epoch || (place.epoch === other.epoch && place.revision < other.revision);
}

export function latest(place: Place, other: Place): Place {
  return isBefore(place, other) ? other : place;
}

/** A place as the stream names it. */
export function idOf({ epoch, revision }: Place): string {
  return epoch === 1 ? `${revision}` : `${epoch}:${revision}`;
}

/** Headers that ask for an answer from a place or a later one. */
export function atLeast({ epoch, revision }: Place): {
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
export function placeOf(headers: Headers): Place | undefined {
  const revision = /^\d{1,15}$/u.exec(headers.get('registry-revision') ?? '');
  const epoch = /^\d{1,15}$/u.exec(headers.get('registry-epoch') ?? '1');
  return revision === null || epoch === null ? undefined : { epoch: Number(epoch[0]), revision: Number(revision[0]) };
}
