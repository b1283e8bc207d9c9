/**
 * Times as places in the log.
 *
 * Problem: an index over times would be written at every append, and be read when an auditor asks.
 * Rule: no event is earlier than the one before it (`seal`), so the last one before a time is found by halving the log: twenty looks at
 * one row each in a log of a million.
 * Example: in a log whose revisions 1 to 40 are of yesterday, `from` this morning is `after: 40`.
 */
import type { EventQuery } from '../../log/store.ts';

/** An event's place and time. */
export interface Moment {
  readonly revision: number;
  readonly at: string;
}

/** The last event at a revision or before it; undefined if there is none. */
export type Look = (revision: number) => Moment | undefined;

/** A query that names no times. */
export type RevisionQuery = Omit<EventQuery, 'from' | 'to'>;

/** The same query by places alone. */
export function byRevisions({ from, to, ...query }: EventQuery, look: Look): RevisionQuery {
  if (from === undefined && to === undefined) return query;
  const after = from === undefined ? 0 : lastOf((at) => at < from, look);
  const upTo = to === undefined ? Number.MAX_SAFE_INTEGER - 1 : lastOf((at) => at <= to, look);
  return {
    ...query,
    after: Math.max(query.after ?? 0, after),
    before: Math.min(query.before ?? Number.MAX_SAFE_INTEGER, upTo + 1),
  };
}

/** The revision of the last event whose time passes; 0 where none does. @param passes holds up to some event, and for none after it */
function lastOf(passes: (at: string) => boolean, look: Look): number {
  let found = 0;
  let [low, high] = [1, look(Number.MAX_SAFE_INTEGER)?.revision ?? 0];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const moment = look(middle);
    if (moment === undefined || passes(moment.at)) {
      found = moment?.revision ?? found;
      low = middle + 1;
    } else {
      high = moment.revision - 1;
    }
  }
  return found;
}
