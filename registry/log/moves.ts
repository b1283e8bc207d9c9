/** The moves of pointers within events. */
import type { MoveKind } from '../model.ts';
import type { Move, MoveEvents } from './data/moves.ts';
import type { Event, EventType } from './event.ts';

/** The kind of move of each event that moves pointers; a full Record, so that none is forgotten. */
export const MOVE_KINDS: Readonly<Record<keyof MoveEvents, MoveKind>> = {
  'version-activated': 'activation',
  'version-rolled-back': 'rollback',
  'version-revoked': 'revocation',
};

/** The types of the events that may be the answer to a move: those that move pointers, and the end of a rollout by a move. */
export const MOVES = [...Object.keys(MOVE_KINDS), 'rollout-aborted'] as readonly EventType[];

/** Every move that an event made. The end of a rollout by a move counts as one from the stable version to itself. */
export function movesOf(event: Event): readonly (Move & { readonly kind: MoveKind })[] {
  if (event.type === 'version-revoked') {
    return event.data.moves.map((move) => ({ ...move, kind: MOVE_KINDS[event.type] }));
  }
  if (event.type === 'rollout-aborted') return endOf(event);
  if (event.type !== 'version-activated' && event.type !== 'version-rolled-back') return [];
  const { channel = '', version = '', data } = event;
  return [
    { kind: MOVE_KINDS[event.type], channel, version, digest: data.digest, previousVersion: data.previousVersion },
  ];
}

function endOf({ channel = '', data }: Event<'rollout-aborted'>): readonly (Move & { readonly kind: MoveKind })[] {
  const { by, stable } = data;
  return by === 'abort' ? [] : [{ kind: by, channel, ...stable, previousVersion: stable.version }];
}
