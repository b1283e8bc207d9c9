/**
 * Where moves have sent a session (SPEC R16).
 *
 * Problem: a session keeps its version, but an operator may have said that sessions on a bad version move along, or end.
 * Rule: a session is walked through the moves of its channel after its own place, in the order of the log. A move concerns it if the
 * session is then on the version that the move leaves. Positions are compared by epoch and revision, so a session from a void history is
 * walked through all moves since the restore. A session from before a move that is no longer known is answered from what is active.
 * Example: started on 2.0.0; a rollback to 1.1.0 with `next-turn`: its next read is answered from 1.1.0.
 */
import { reaches, type Position } from '../state/position.ts';

/** Where a session is: a version, and the event that put it there. */
export interface Place extends Position {
  readonly version: string;
}

/** A move that concerned running sessions. */
export interface SessionStep extends Position {
  readonly from: string;
  /** Where they go; with `end` they end. */
  readonly to: string;
  readonly sessions: 'next-turn' | 'end';
  readonly reason: string;
}

/** The moves of a channel that concerned its sessions. */
export interface SessionSteps {
  /** In the order of the log. */
  readonly sessionMoves: readonly SessionStep[];
  /** The newest move that is no longer known. */
  readonly droppedUpTo?: Position | undefined;
}

/**
 * @param start where the session started
 * @param active where the channel's pointer is
 * @returns where the session is now, or the move that ended it
 */
export function walk<Step extends SessionStep>(
  start: Place,
  { sessionMoves, droppedUpTo }: SessionSteps & { readonly sessionMoves: readonly Step[] },
  active: Place | undefined,
): { readonly place: Place } | { readonly endedBy: Step } {
  if (droppedUpTo !== undefined && !reaches(start, droppedUpTo)) return { place: active ?? start };
  let place = start;
  for (const move of sessionMoves) {
    if (move.from !== place.version || reaches(place, move)) continue;
    if (move.sessions === 'end') return { endedBy: move };
    place = { version: move.to, epoch: move.epoch, revision: move.revision };
  }
  return { place };
}
