/** The place in the history that a caller saw, as it is passed on in `Registry-Min-Revision` and `Registry-Epoch`. */
import type { IncomingHttpHeaders } from 'node:http';

/** What the headers say: a place, or the one of them that is none; neither where they were not sent. */
export interface PositionSeen {
  /** Of the epoch in force where it names none. */
  readonly position?: { readonly revision: number; readonly epoch?: number | undefined };
  readonly wrong?: 'registry-min-revision' | 'registry-epoch';
}

/** Reads the place that a caller saw. */
export function positionSeen({
  'registry-min-revision': seen,
  'registry-epoch': seenIn,
}: IncomingHttpHeaders): PositionSeen {
  if (seen === undefined) return {};
  const [revision, epoch] = [wholeNumber(seen), seenIn === undefined ? undefined : wholeNumber(seenIn)];
  if (revision === undefined) return { wrong: 'registry-min-revision' };
  if (seenIn !== undefined && epoch === undefined) return { wrong: 'registry-epoch' };
  return { position: { revision, epoch } };
}

function wholeNumber(header: string | string[]): number | undefined {
  return typeof header === 'string' && /^[0-9]{1,15}$/u.test(header) ? Number(header) : undefined;
}
