/**
 * What may happen: each command is decided against one snapshot and gives the events that it means, or is refused.
 *
 *     command ── decide(snapshot, command) ──> events      pure; refuses with a RegistryError
 *     event ──── apply(snapshot, event) ──> next snapshot  pure (`fold.ts`)
 *
 * Rule: nothing here waits, reads a clock or changes its input, so a decision can be made again on a newer snapshot after a
 * lost race, and property tests can drive it through any history.
 * Example: `activate coach 1.1.0` while 1.1.0 is active gives no events: the state is already what was asked for.
 */
import { invalidInput, RegistryError } from './errors.ts';
import type { EventDraft } from './log/event.ts';
import type { Actor, PackVersion } from './model.ts';
import { decideCreateKey, decideRevokeKey, type CreateKeyCommand, type RevokeKeyCommand } from './keys/keys.ts';
import { violationsOf } from './packs/floor.ts';
import type { Policy } from './packs/policy.ts';
import { decideRevoke, requireActivatable, type RevokeCommand } from './moves/revocation.ts';
import type { StoredContent } from './log/store.ts';
import {
  isActivatable,
  listed,
  packIn,
  unknownVersion,
  type ChannelView,
  type PackState,
  type Pointer,
  type Snapshot,
  type VersionRecord,
} from './state/snapshot.ts';

export { apply } from './state/fold.ts';

/**
 * Says whether the caller still wants the move, given what is active in the channel now (`If-Match`), and in which history that is.
 * False means that the channel has moved; a text says why the caller's condition does not match although it has not.
 */
export type Precondition = (
  view: ChannelView | undefined,
  history: Pick<Snapshot, 'epoch' | 'epochStart'>,
) => boolean | string;

export interface PublishCommand {
  readonly type: 'publish';
  readonly version: PackVersion;
  readonly actor: Actor;
  readonly reason: string;
  /** Whether a version under the floor is registered all the same, flagged: shipped ones are. */
  readonly belowFloor?: 'flag' | 'refuse';
  /** The policy to check against; the one in force where not given. */
  readonly policy?: Policy | undefined;
}

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
export type Command =
  PublishCommand | ActivateCommand | RollbackCommand | RevokeCommand | CreateKeyCommand | RevokeKeyCommand;

/** What a command comes to. No events: the state is already as asked. */
export interface Decision {
  readonly events: readonly EventDraft[];
  /** Stored in the same transaction as the events. */
  readonly contents: readonly StoredContent[];
}

/** What decisions depend on beside the snapshot. */
export interface Rules {
  /** The channels that may be pointed at a version. */
  readonly channels: readonly string[];
}

const NOTHING: Decision = Object.freeze({ events: Object.freeze([]), contents: Object.freeze([]) });

/**
 * Decides a command.
 *
 * @returns the events to append, none where the state is already as asked
 * @throws RegistryError the refusal: `version-exists`, `pack-not-found`, `channel-not-found`, `unknown-version`,
 *   `revision-conflict`, `not-active`, `never-active`, `nothing-to-roll-back-to`, `version-revoked`, `policy-violated`,
 *   `version-not-found`, `replacement-required`, `key-not-found`, `forbidden`, `validation-failed`
 */
export function decide(snapshot: Snapshot, command: Command, rules: Rules): Decision {
  switch (command.type) {
    case 'publish':
      return decidePublish(snapshot, command);
    case 'activate':
    case 'rollback':
      return decideMove(snapshot, command, rules);
    case 'revoke':
      return { events: decideRevoke(snapshot, command), contents: [] };
    case 'create-key':
      return { events: decideCreateKey(command), contents: [] };
    case 'revoke-key':
      return { events: decideRevokeKey(snapshot, command), contents: [] };
  }
}

/** SPEC R1: the same again is a success without effect; anything else under the same version is refused. */
function decidePublish(snapshot: Snapshot, command: PublishCommand): Decision {
  const { version, actor, reason, belowFloor = 'refuse' } = command;
  const { content, digest, summary, author } = version;
  const state = snapshot.packs.get(content.pack);
  const known = state?.versions.get(content.version);
  if (known !== undefined) {
    const differing = [
      known.digest !== digest && 'content',
      known.summary !== summary && 'summary',
      known.author !== author && 'author',
    ].filter(Boolean);
    if (differing.length === 0) return NOTHING;
    throw new RegistryError(
      'version-exists',
      `Version ${content.version} of pack "${content.pack}" is registered already and versions never change, but this one differs in its ${differing.join(', ')}. Publish the change under a new version.`,
      { digest: known.digest, differing },
    );
  }
  if (version.unseen.length > 0)
    throw invalidInput('The pack document holds texts in which nothing can be seen.', version.unseen);
  const policy = command.policy ?? state?.policy?.policy;
  const violations = policy === undefined ? [] : violationsOf(content, policy);
  if (violations.length > 0 && belowFloor === 'refuse') {
    throw new RegistryError(
      'policy-violated',
      `Version ${content.version} of pack "${content.pack}" is under the floor: ${violations.map(({ detail }) => detail).join(' ')}`,
      { violations },
    ); // SPEC R7
  }
  const { styles, defaultStyle, compatibility } = content;
  const event: EventDraft = {
    type: 'version-published',
    actor,
    reason,
    pack: content.pack,
    version: content.version,
    data: {
      digest,
      summary,
      author,
      defaultStyle,
      styles: styles.map(({ id, title }) => ({ id, title })),
      compatibility,
      ...(policy !== undefined && { violations }),
    },
  };
  return { events: [event], contents: [{ digest, content }] };
}

function decideMove(snapshot: Snapshot, command: MoveCommand, rules: Rules): Decision {
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

function revisionConflict(place: string, pointer: Pointer | undefined, why: false | string): RegistryError {
  const currentRevision = pointer?.revision ?? 0;
  if (pointer === undefined)
    return new RegistryError(
      'revision-conflict',
      `${place} points at no version, so no If-Match can match. Leave it out to activate the first version.`,
      { currentRevision },
    );
  const now = `at ${pointer.version} since revision ${currentRevision}`;
  const detail =
    why === false
      ? `${place} has moved: it is ${now}, which is not what If-Match names. Read it again, then decide.`
      : `${why} ${place} is ${now}.`;
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
