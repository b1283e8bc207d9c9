/**
 * Activating and rolling back: whether a pointer may move, and where to (SPEC R5, R7).
 *
 * Rule: guards are checked in the order pack, channel, `If-Match`, `fromVersion`, target. Versions that are revoked or below the floor are
 * never a target; a rollback without a target goes to the nearest entry of the stack that may be active.
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
 * Says whether the caller still wants the move, given what is active in the channel now (`If-Match`), and in which history that is.
 * False means that the channel has moved; a text says why the caller's condition does not match although it has not.
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
  /** Back to this version, which must have been active in the channel. */
  readonly toVersion?: string;
  /** Only where this version is still the active one. */
  readonly fromVersion?: string;
  readonly precondition?: Precondition;
}

export type MoveCommand = ActivateCommand | RollbackCommand;

/** What decisions depend on beside the snapshot. */
export interface Rules {
  /** The channels that may be pointed at a version. */
  readonly channels: readonly string[];
}

export function decideMove(snapshot: Snapshot, command: MoveCommand, rules: Rules): Decision {
  const { record, pointer } = aim(snapshot, command, rules);
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
 * Where a move would lead, whether or not that version may be active.
 * @throws RegistryError as `decide`, but for `version-revoked` and `policy-violated`
 */
export function aim(
  snapshot: Snapshot,
  command: MoveCommand,
  rules: Rules,
): { record: VersionRecord; pointer: Pointer | undefined } {
  const { state, pointer } = target(snapshot, command, rules);
  if (command.type === 'activate') return { record: registered(state, command.version), pointer };
  const { pack, channel, fromVersion, toVersion } = command;
  if (fromVersion !== undefined && fromVersion !== pointer?.version) {
    const activeVersion = pointer?.version ?? null;
    throw new RegistryError(
      'not-active',
      `The rollback was asked from ${fromVersion}, but channel "${channel}" of pack "${pack}" is at ${activeVersion ?? 'no version'} by now. Look again, then repeat with "fromVersion" as it is.`,
      { activeVersion },
    );
  }
  const version =
    toVersion === undefined ? below(state, pointer, command) : everActive(state, pointer, toVersion, channel);
  return { record: registered(state, version), pointer };
}

/** The pack and where the channel points, with `If-Match` honoured (SPEC R5). */
function target(
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
  const wanted = precondition?.(snapshot.views.get(pack)?.get(channel), snapshot) ?? true;
  if (wanted !== true) throw revisionConflict(`Channel "${channel}" of pack "${pack}"`, pointer, wanted);
  return { state, pointer };
}

function revisionConflict(channelName: string, pointer: Pointer | undefined, why: false | string): RegistryError {
  const currentRevision = pointer?.revision ?? 0;
  if (pointer === undefined)
    return new RegistryError(
      'revision-conflict',
      `${channelName} points at no version, so no If-Match can match. Leave it out to activate the first version.`,
      { currentRevision },
    );
  const now = `at ${pointer.version} since revision ${currentRevision}`;
  const detail =
    why === false
      ? `${channelName} has moved: it is ${now}, which is not what If-Match names. Read it again, then decide.`
      : `${why} ${channelName} is ${now}.`;
  return new RegistryError('revision-conflict', detail, { currentRevision });
}

function registered(state: PackState, version: string): VersionRecord {
  const record = state.versions.get(version);
  if (record === undefined) {
    const { detail, knownVersions } = unknownVersion(state, version);
    throw new RegistryError('unknown-version', detail, { knownVersions });
  }
  return record;
}

function everActive(state: PackState, pointer: Pointer | undefined, version: string, channel: string): string {
  registered(state, version);
  if (pointer?.everActive.has(version) !== true) {
    const ever = [...(pointer?.everActive ?? [])];
    throw new RegistryError(
      'never-active',
      `Version ${version} was never active in channel "${channel}" of pack "${state.pack}", so it cannot be rolled back to; activate it instead. Versions that were active here: ${listed(ever)}.`,
      { everActive: ever },
    );
  }
  return version;
}

/** The next version down the stack that is not the current one and may be served (SPEC R7). */
function below(state: PackState, pointer: Pointer | undefined, { pack, channel }: RollbackCommand): string {
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
