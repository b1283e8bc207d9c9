/** Walks a session through the moves of its channel, and says so if one of them ended it (SPEC R16). */
import { RegistryError } from '../errors.ts';
import type { ChannelPlan } from '../state/plans.ts';
import { walk, type Place } from './walk.ts';

/**
 * @param start where the session started
 * @param active where the channel's pointer is
 * @throws RegistryError `session-ended`, with the reason and the revision of the move that ended it
 */
export function walked(start: Place, plan: ChannelPlan | undefined, active: Place | undefined): Place {
  if (plan === undefined) return start;
  const end = walk(start, plan, active);
  if ('endedBy' in end) throw sessionEnded(end.endedBy);
  return end.place;
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
