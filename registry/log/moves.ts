/** The moves of pointers within events. */
import type { Move } from './data/moves.ts';
import type { Event, EventType } from './event.ts';

export const MOVES: readonly EventType[] = ['version-activated', 'version-rolled-back', 'version-revoked'];

/** Every move that an event made. */
export function movesOf(event: Event): readonly Move[] {
  if (event.type === 'version-revoked') return event.data.moves;
  if (event.type !== 'version-activated' && event.type !== 'version-rolled-back') return [];
  const { channel = '', version = '', data } = event;
  return [{ channel, version, digest: data.digest, previousVersion: data.previousVersion }];
}
