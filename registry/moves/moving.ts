/**
 * Activation and rollback: whether a pointer may move, and where to (SPEC R5, R7).
 *
 * Rule: checks run in the order pack, channel, `If-Match`, `fromVersion`, target. A version that is revoked or below the floor is never a
 * target. A rollback without a target goes to the nearest entry of the stack that may be active.
 * Example: on the stack `[1.0.0, 1.1.0]` a rollback gives `version-rolled-back` to 1.0.0.
 */
import { RegistryError, listed } from '../errors.ts';
import type { Actor } from '../model.ts';
import { requireActivatable } from './revocation.ts';
import { isActivatable, packIn, unknownVersion, type PackState, type Snapshot } from '../state/snapshot.ts';
import { type Decision, NOTHING } from '../log/proposal.ts';
import type { Pointer, VersionRecord } from '../state/records.ts';
import type { ChannelView } from '../state/views.ts';

/**
 * Whether the caller still wants the move, given what is active in the channel now (`If-Match`) and in which history.
 * False: the channel has moved. A text: why the condition does not match although the channel has not moved.
 */
export type Precondition = (
  view: ChannelView | undefined,
  history: Pick<Snapshot, 'epoch' | 'epochStart'>,
) => boolean | string;

export interface ActivateCommand {
  readonly type: 'activate';
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly actor: Actor;
  readonly reason: string;
  readonly precondition?: Precondition;
}

export interface RollbackCommand {
  readonly type: 'rollback';
  readonly pack: string;
  readonly channel: string;
  readonly actor: Actor;
  readonly reason: string;
  /** The version to go back to; it must have been active in the channel. */
  readonly toVersion?: string;
  /** Only if this version is still active. */
  readonly fromVersion?: string;
  readonly precondition?: Precondition;
}

export type MoveCommand = ActivateCommand | RollbackCommand;

/** What decisions depend on besides the snapshot. */
export interface Rules {
  /** The configured channels. */
  readonly channels: readonly string[];
}

export function decideMove(snapshot: Snapshot, command: MoveCommand, rules: Rules): Decision {
  const { record, pointer } = resolveMove(snapshot, command, rules);
  if (pointer?.version === record.version) return NOTHING;
  requireActivatable(record);
  const { pack, version, digest } = record;
  const { channel, actor, reason } = command;
  const type = command.type === 'activate' ? 'version-activated' : 'version-rolled-back';
  return {
    events: [
      { type, actor, reason, pack, channel, version, data: { digest, previousVersion: pointer?.version ?? null } },
    ],
    contents: [],
  };
}

/**
 * The target of a move, even if that version may not be active.
 * @throws RegistryError as `decide`, except `version-revoked` and `policy-violated`
 */
export function resolveMove(
  snapshot: Snapshot,
  command: MoveCommand,
  rules: Rules,
): { record: VersionRecord; pointer: Pointer | undefined } {
  const { state, pointer } = channelOf(snapshot, command, rules);
  if (command.type === 'activate') return { record: registeredVersion(state, command.version), pointer };
  const { pack, channel, fromVersion, toVersion } = command;
  if (fromVersion !== undefined && fromVersion !== pointer?.version) {
    const activeVersion = pointer?.version ?? null;
    throw new RegistryError(
      'not-active',
      `"fromVersion" is ${fromVersion}, but channel "${channel}" of pack "${pack}" is now at ${activeVersion ?? 'no version'}. Read the channel again before you retry.`,
      { activeVersion },
    );
  }
  const version =
    toVersion === undefined ? versionBelow(state, pointer, command) : onceActive(state, pointer, toVersion, channel);
  return { record: registeredVersion(state, version), pointer };
}

/** The pack and the channel's pointer, after the `If-Match` check (SPEC R5). */
function channelOf(
  snapshot: Snapshot,
  command: MoveCommand,
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

function registeredVersion(state: PackState, version: string): VersionRecord {
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
