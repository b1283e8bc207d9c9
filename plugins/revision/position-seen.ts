/** The position in the log that a caller has seen: the headers `Registry-Min-Revision` and `Registry-Epoch`. */
import type { IncomingHttpHeaders } from 'node:http';

/** A position, or the header that is not valid. Neither is set if the headers were not sent. */
export interface PositionSeen {
  /** Default of `epoch`: the current one. */
  readonly position?: { readonly revision: number; readonly epoch?: number | undefined };
  readonly invalid?: 'registry-min-revision' | 'registry-epoch';
}

export function positionSeen({
  'registry-min-revision': seen,
  'registry-epoch': seenIn,
}: IncomingHttpHeaders): PositionSeen {
  if (seen === undefined) return {};
  const [revision, epoch] = [wholeNumber(seen), seenIn === undefined ? undefined : wholeNumber(seenIn)];
  if (revision === undefined) return { invalid: 'registry-min-revision' };
  if (seenIn !== undefined && epoch === undefined) return { invalid: 'registry-epoch' };
  return { position: { revision, epoch } };
}

function wholeNumber(header: string | string[]): number | undefined {
  return typeof header === 'string' && /^[0-9]{1,15}$/u.test(header) ? Number(header) : undefined;
}
