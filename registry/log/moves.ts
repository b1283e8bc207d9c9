/** The moves of pointers within events. */
import type { MoveKind } from '../model.ts';
import type { Move, MoveEvents } from './data/moves.ts';
import type { Event } from './event.ts';

/** The kind of move of each event that moves pointers; a full Record, so that none is forgotten. */
export const MOVE_KINDS: Readonly<Record<keyof MoveEvents, MoveKind>> = {
  'version-activated': 'activation',
  'version-rolled-back': 'rollback',
  'version-revoked': 'revocation',
};

/** The types of the events that move pointers. */
export const MOVES = Object.keys(MOVE_KINDS) as readonly (keyof MoveEvents)[];

/** Every move that an event made. */
export function movesOf(event: Event): readonly (Move & { readonly kind: MoveKind })[] {
  if (event.type === 'version-revoked') {
    return event.data.moves.map((move) => ({ ...move, kind: MOVE_KINDS[event.type] }));
  }
  if (event.type !== 'version-activated' && event.type !== 'version-rolled-back') return [];
  const { channel = '', version = '', data } = event;
  return [
    { kind: MOVE_KINDS[event.type], channel, version, digest: data.digest, previousVersion: data.previousVersion },
  ];
}
