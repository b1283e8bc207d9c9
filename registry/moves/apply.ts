/**
 * What moves and revocations do to the state.
 *
 * SPEC R4: an activation pushes onto the channel's stack, a rollback pops; either way the pointer gets the event's revision. A revocation
 * pops down to the version that is left, or puts the replacement where the revoked version was.
 */
import type { Event } from '../log/event.ts';
import type { Move, MoveEvents } from '../log/data/moves.ts';
import type { MoveKind } from '../model.ts';
import { changePlan, changeRollouts, moveSessions, planOf, removeScheduled } from '../state/plan-changes.ts';
import type { Trial } from '../state/plans.ts';
import { changeRecord, named, type Appliers, type Draft, type PackDraft, type PointerDraft } from '../state/draft.ts';
import { freezeActor } from '../state/views.ts';
import { GrowingSet } from '../values/growing-set.ts';

/** The most entries that a rollback can walk down. Deeper ones fall off; `toVersion` still reaches every version that was active. */
export const STACK_DEPTH = 1000;

export const MOVE_APPLIERS: Appliers<keyof MoveEvents> = {
  'version-activated': (draft, event) => {
    moveChannel(draft, event, 'activation');
  },

  'version-rolled-back': (draft, event) => {
    moveChannel(draft, event, 'rollback');
  },

  'version-revoked': (draft, event) => {
    const pack = draft.packOf(event);
    const { replacement, moves, sessions } = event.data;
    const revocation = Object.freeze({
      revision: event.revision,
      at: event.at,
      by: freezeActor(event.actor),
      reason: event.reason,
      replacement,
      ...(sessions === 'end' && { sessions }),
    });
    changeRecord(pack, named(event, 'version'), event, { revocation });
    for (const move of moves) {
      movePointer(pack, move, event, 'revocation');
      endTrial(pack, move, event);
    }
    changeRollouts(pack, event);
    if (sessions === 'end') endSessions(draft, event);
  },
};

/** Notes in every channel that the sessions on a revoked version have ended, so that a client that answers sessions itself knows it, too. */
function endSessions(draft: Draft, event: Event<'version-revoked'>): void {
  const pack = draft.packOf(event);
  const version = named(event, 'version');
  for (const channel of new Set([...(pack.base?.pointers.keys() ?? []), ...pack.pointers.keys()]))
    moveSessions(pack, channel, event, { epoch: draft.epoch, from: version, to: version, sessions: 'end' });
}

function moveChannel(
  draft: Draft,
  event: Event<'version-activated' | 'version-rolled-back'>,
  kind: 'activation' | 'rollback',
): void {
  const pack = draft.packOf(event);
  const move = { ...event.data, channel: named(event, 'channel'), version: named(event, 'version') };
  movePointer(pack, move, event, kind);
  endTrial(pack, move, event);
  changeRollouts(pack, event);
  const { channel, version, previousVersion, revertAt, schedule, sessions } = move;
  if (schedule !== undefined) removeScheduled(pack, channel, event, schedule);
  if (revertAt !== undefined) changePlan(pack, channel, event, { trial: trialOf(event, version, revertAt) });
  if (sessions !== undefined && previousVersion !== null)
    moveSessions(pack, channel, event, { epoch: draft.epoch, from: previousVersion, to: version, sessions });
}

/** Any move ends the channel's trial. */
function endTrial(pack: PackDraft, { channel }: Move, event: Event): void {
  if (planOf(pack, channel)?.trial !== undefined) changePlan(pack, channel, event, { trial: undefined });
}

function trialOf({ revision, at, actor, reason }: Event, version: string, revertAt: string): Trial {
  return Object.freeze({
    id: revision,
    version,
    revertAt,
    startedAt: at,
    startedBy: freezeActor(actor),
    reason,
  });
}

function movePointer(pack: PackDraft, move: Move, event: Event, kind: MoveKind): void {
  const { channel, version, digest, previousVersion } = move;
  const pointer = pointerOf(pack, channel);
  const isReplacement = event.type === 'version-revoked' && event.data.replacement === version;
  moveStack(pointer, version, kind === 'activation', isReplacement);
  pointer.everActive = pointer.everActive.with(version);
  pointer.last = {
    pack: pack.pack,
    channel,
    version,
    digest,
    previousVersion,
    kind,
    revision: event.revision,
    activatedAt: event.at,
    activatedBy: event.actor,
    reason: event.reason,
  };
}

function pointerOf(pack: PackDraft, channel: string): PointerDraft {
  let pointer = pack.pointers.get(channel);
  if (pointer === undefined) {
    const base = pack.base?.pointers.get(channel);
    pointer = {
      last: undefined,
      bottom: 0,
      stack: [...(base?.stack ?? [])],
      everActive: base?.everActive ?? new GrowingSet(),
    };
    pack.pointers.set(channel, pointer);
  }
  return pointer;
}

function moveStack(pointer: PointerDraft, version: string, isActivation: boolean, isReplacement: boolean): void {
  const { stack } = pointer;
  if (isReplacement) stack.pop();
  const index = isActivation || isReplacement ? -1 : stack.lastIndexOf(version, stack.length - 2);
  if (index >= pointer.bottom && stack.length > 1) stack.length = index + 1;
  else stack.push(version);
  if (stack.length - pointer.bottom > STACK_DEPTH) pointer.bottom += 1;
  if (pointer.bottom > STACK_DEPTH) {
    stack.splice(0, pointer.bottom);
    pointer.bottom = 0;
  }
}
