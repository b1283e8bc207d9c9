/**
 * Activation and rollback: whether a pointer may move, and where to (SPEC R5, R7).
 *
 * Rule: checks run in the order pack, channel, `If-Match`, `fromVersion`, target. A version that is revoked or below the floor is never a
 * target. A rollback without a target goes to the nearest entry of the stack that may be active.
 * Example: on the stack `[1.0.0, 1.1.0]` a rollback gives `version-rolled-back` to 1.0.0.
 */
import { RegistryError, listed } from '../errors.ts';
import { requireActivatable } from './revocation.ts';
import { isActivatable, packIn, planIn, unknownVersion, type PackState, type Snapshot } from '../state/snapshot.ts';
import type { Decision } from '../log/proposal.ts';
import { decideStay } from './staying.ts';
import type { MoveDetails } from '../log/data/moves.ts';
import type { Rollout } from '../state/plans.ts';
import type { Pointer, VersionRecord } from '../state/records.ts';
import { type EndedRollout, type RollbackCommand, type MoveCommand, type Rules, concerned } from './move-command.ts';

/** @throws RegistryError as `decide` says */
export function decideMove(snapshot: Snapshot, command: MoveCommand, rules: Rules): Decision {
  const target = resolveMove(snapshot, command, rules);
  if (target.pointer?.version !== target.record.version) requireActivatable(target.record);
  return moveTo(target, snapshot, command, rules);
}

/**
 * What a move would do, even if its target may not be active.
 * @throws RegistryError as `decideMove`, except `version-revoked` and `policy-violated`
 */
export function foreseeMove(
  snapshot: Snapshot,
  command: MoveCommand,
  rules: Rules,
): Target & { readonly rollout: EndedRollout | undefined } {
  const target = resolveMove(snapshot, command, rules);
  const { events } = moveTo(target, snapshot, command, rules);
  const running = planIn(snapshot, command)?.rollout;
  if (running === undefined || events.length === 0) return { ...target, rollout: undefined };
  const state = running.version === target.record.version ? 'promoted' : 'aborted';
  return { ...target, rollout: { id: running.id, state } };
}

function moveTo({ record, pointer }: Target, snapshot: Snapshot, command: MoveCommand, rules: Rules): Decision {
  if (pointer?.version === record.version) return decideStay(command, pointer, planIn(snapshot, pointer));
  const { pack, version, digest } = record;
  const { channel, actor, reason } = command;
  const type = command.type === 'activate' ? 'version-activated' : 'version-rolled-back';
  const data = { digest, previousVersion: pointer?.version ?? null, ...detailsOf(command, pointer, rules) };
  return { events: [{ type, actor, reason, pack, channel, version, data }], contents: [] };
}

function detailsOf(command: MoveCommand, pointer: Pointer | undefined, { now }: Rules): MoveDetails {
  const sessions = concerned(command.sessions);
  if (command.type === 'rollback' || command.revertAfter === undefined) return sessions;
  if (pointer === undefined)
    throw new RegistryError(
      'nothing-to-roll-back-to',
      `Channel "${command.channel}" of pack "${command.pack}" has no active version, so there is nothing to go back to after a trial. Activate the first version without "revertAfter".`,
    );
  return { ...sessions, revertAt: new Date(now + command.revertAfter).toISOString() };
}

/** Where a move goes, and where the channel is. */
export interface Target {
  readonly record: VersionRecord;
  readonly pointer: Pointer | undefined;
}

/**
 * The target of a move, even if that version may not be active.
 * @throws RegistryError as `decide`, except `version-revoked` and `policy-violated`
 */
export function resolveMove(snapshot: Snapshot, command: MoveCommand, rules: Rules): Target {
  const { state, pointer } = channelOf(snapshot, command, rules);
  if (command.type === 'activate') return { record: registeredVersion(state, command.version), pointer };
  const { pack, channel, fromVersion } = command;
  const rollout = planIn(snapshot, command)?.rollout;
  if (fromVersion !== undefined && fromVersion !== pointer?.version && fromVersion !== rollout?.version) {
    const activeVersion = pointer?.version ?? null;
    const rolledOut = rollout === undefined ? '' : `, and ${rollout.version} is being rolled out`;
    throw new RegistryError(
      'not-active',
      `"fromVersion" is ${fromVersion}, but channel "${channel}" of pack "${pack}" is now at ${activeVersion ?? 'no version'}${rolledOut}. Read the channel again before you retry.`,
      { activeVersion },
    );
  }
  return { record: registeredVersion(state, rollbackTarget(state, pointer, command, rollout)), pointer };
}

/** The pack and the channel's pointer, after the `If-Match` check (SPEC R5). */
export function channelOf(
  snapshot: Snapshot,
  command: Pick<MoveCommand, 'pack' | 'channel' | 'precondition'>,
  rules: Rules,
): { state: PackState; pointer: Pointer | undefined } {
  const { pack, channel, precondition } = command;
  const state = packIn(snapshot, pack);
  const pointer = state.pointers.get(channel);
  if (pointer === undefined && !rules.channels.includes(channel)) {
    const knownChannels = [...new Set([...rules.channels, ...state.pointers.keys()])];
    throw new RegistryError(
      'channel-not-found',
      `There is no channel "${channel}". Channels here: ${listed(knownChannels)}.`,
      { knownChannels },
    );
  }
  const matches = precondition?.(snapshot.views.get(pack)?.get(channel), snapshot) ?? true;
  if (matches !== true) throw revisionConflict(`Channel "${channel}" of pack "${pack}"`, pointer, matches);
  return { state, pointer };
}

function revisionConflict(subject: string, pointer: Pointer | undefined, why: false | string): RegistryError {
  const currentRevision = pointer?.revision ?? 0;
  if (pointer === undefined)
    return new RegistryError(
      'revision-conflict',
      `${subject} has no active version, so no If-Match can match. Leave If-Match out to activate the first version.`,
      { currentRevision },
    );
  const now = `at ${pointer.version} since revision ${currentRevision}`;
  const detail =
    why === false
      ? `${subject} has moved: it is ${now}, which does not match If-Match. Read it again, then decide.`
      : `${why} ${subject} is ${now}.`;
  return new RegistryError('revision-conflict', detail, { currentRevision });
}

export function registeredVersion(state: PackState, version: string): VersionRecord {
  const record = state.versions.get(version);
  if (record === undefined) {
    const { detail, knownVersions } = unknownVersion(state, version);
    throw new RegistryError('unknown-version', detail, { knownVersions });
  }
  return record;
}

function onceActive(state: PackState, pointer: Pointer | undefined, version: string, channel: string): string {
  registeredVersion(state, version);
  if (pointer?.everActive.has(version) !== true) {
    const ever = [...(pointer?.everActive ?? [])];
    throw new RegistryError(
      'never-active',
      `Version ${version} was never active in channel "${channel}" of pack "${state.pack}", so a rollback cannot go there; activate it instead. Versions that were active here: ${listed(ever)}.`,
      { everActive: ever },
    );
  }
  return version;
}

/** SPEC R14: while a rollout runs, a rollback ends it, and the channel keeps its version. */
function rollbackTarget(
  state: PackState,
  pointer: Pointer | undefined,
  command: RollbackCommand,
  rollout: Rollout | undefined,
): string {
  const { toVersion, channel } = command;
  if (toVersion !== undefined) return onceActive(state, pointer, toVersion, channel);
  return rollout !== undefined && pointer !== undefined ? pointer.version : versionBelow(state, pointer, command);
}

/** The nearest version down the stack that is not the current one and may be active (SPEC R7). */
function versionBelow(state: PackState, pointer: Pointer | undefined, { pack, channel }: RollbackCommand): string {
  const found = pointer?.stack.findLast((version) => {
    const record = state.versions.get(version);
    return version !== pointer.version && record !== undefined && isActivatable(record);
  });
  if (found === undefined) {
    throw new RegistryError(
      'nothing-to-roll-back-to',
      `Channel "${channel}" of pack "${pack}" has no earlier version to roll back to${pointer === undefined ? '' : `; ${pointer.version} stays active`}.`,
    );
  }
  return found;
}
