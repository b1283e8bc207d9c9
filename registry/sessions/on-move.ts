/**
 * Where moves have sent a session (SPEC R16).
 *
 * Problem: a session keeps its version, but an operator may have said that sessions on a bad version move along, or end.
 * Rule: a session is walked through the moves of its channel after its own place, in the order of the log. A move concerns it if the
 * session is then on the version that the move leaves. Positions are compared by epoch and revision, so a session from a void history is
 * walked through all moves since the restore. A session from before a move that is no longer known is answered from what is active.
 * Example: started on 2.0.0; a rollback to 1.1.0 with `next-turn`: its next read is answered from 1.1.0.
 */
import { RegistryError } from '../errors.ts';
import type { ChannelPlan } from '../state/plans.ts';
import { reaches, type Position } from '../state/position.ts';

/** Where a session is: a version, and the event that put it there. */
export interface Place extends Position {
  readonly version: string;
}

/**
 * @param start where the session started
 * @param active where the channel's pointer is
 * @throws RegistryError `session-ended`, with the reason and the revision of the move that ended it
 */
export function walked(start: Place, plan: ChannelPlan | undefined, active: Place | undefined): Place {
  if (plan === undefined) return start;
  const { sessionMoves, droppedUpTo } = plan;
  if (droppedUpTo !== undefined && !reaches(start, droppedUpTo)) return active ?? start;
  let place = start;
  for (const move of sessionMoves) {
    if (move.from !== place.version || reaches(place, move)) continue;
    if (move.sessions === 'end') throw sessionEnded(move);
    place = { version: move.to, epoch: move.epoch, revision: move.revision };
  }
  return place;
}

/** @param end the event that ended the session */
export function sessionEnded({
  reason,
  revision,
}: {
  readonly reason: string;
  readonly revision: number;
}): RegistryError {
  return new RegistryError(
    'session-ended',
    `The session was ended at revision ${revision}: ${reason}. Start a new session.`,
    { reason, revision },
  );
}
