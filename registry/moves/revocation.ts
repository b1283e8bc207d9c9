/**
 * Revocation: a version is never served again (SPEC R7, R8).
 *
 * Problem: revoking a version must not leave a channel empty, or at another bad version.
 * Rule: every channel at the version moves in the same event: to the replacement if one is named, else down its stack to the next version
 * that is neither revoked nor below the floor. If a channel has no such version, the revocation is refused and lists possible replacements.
 * Example: revoke 2.0.0 with replacement 2.0.1: production moves from 2.0.0 to 2.0.1, and so do the sessions pinned on 2.0.0.
 */
import { RegistryError, listed } from '../errors.ts';
import type { Move } from '../log/data/moves.ts';
import type { Event, EventDraft } from '../log/event.ts';
import type { Actor } from '../model.ts';
import { isActivatable, packIn, unknownVersion, versionIn, type PackState, type Snapshot } from '../state/snapshot.ts';
import type { Pointer, Revocation, VersionRecord } from '../state/records.ts';

export interface RevokeCommand {
  readonly type: 'revoke';
  readonly pack: string;
  readonly version: string;
  readonly replacement?: string;
  /** Default: sessions on the version go on with what replaces it. */
  readonly sessions?: 'next-turn' | 'end';
  readonly actor: Actor;
  readonly reason: string;
}

/** What a revocation did, or would do. */
export interface RevocationAnswer {
  readonly revision: number;
  readonly pack: string;
  readonly version: string;
  readonly moves: readonly Move[];
}

/** The answer to a revocation. Without an event nothing changed: the answer describes the earlier revocation. */
export function revocationOf(event: Event | undefined, record: VersionRecord): RevocationAnswer {
  const { pack, version, revocation } = record;
  const moves = event?.type === 'version-revoked' ? event.data.moves : [];
  return { revision: event?.revision ?? revocation?.revision ?? 0, pack, version, moves };
}

/**
 * @returns one event, or none if the version is already revoked with the same replacement
 * @throws RegistryError `pack-not-found`, `version-not-found`, `version-revoked`, `unknown-version`, `policy-violated`, `replacement-required`
 */
export function decideRevoke(snapshot: Snapshot, command: RevokeCommand): EventDraft[] {
  const { pack, version, replacement, sessions, actor, reason } = command;
  const state = packIn(snapshot, pack);
  const record = versionIn(state, version);
  if (record.revocation !== undefined) {
    requireSame(record, record.revocation, command);
    return [];
  }
  const successor = replacement === undefined ? undefined : checkedReplacement(state, record, replacement);
  const moves = [...state.pointers.values()]
    .filter((pointer) => pointer.version === version)
    .map((pointer) => moveOf(state, pointer, successor));
  return [
    {
      type: 'version-revoked',
      actor,
      reason,
      pack,
      version,
      data: { ...(replacement !== undefined && { replacement }), ...(sessions === 'end' && { sessions }), moves },
    },
  ];
}

/** A revocation is final: a repeat may only ask for what it did. @throws RegistryError `version-revoked` */
function requireSame(record: VersionRecord, revocation: Revocation, { replacement, sessions }: RevokeCommand): void {
  const revoked = `Version ${record.version} of pack "${record.pack}" is already revoked`;
  if (replacement !== undefined && replacement !== revocation.replacement)
    throw new RegistryError(
      'version-revoked',
      `${revoked}, ${replacedBy(record)}; that cannot change. To move on, revoke its replacement.`,
    );
  if (sessions !== undefined && (sessions === 'end') !== (revocation.sessions === 'end'))
    throw new RegistryError(
      'version-revoked',
      `${revoked}, and its sessions ${revocation.sessions === 'end' ? 'have ended' : 'go on with what replaces it'}; that cannot change.`,
    );
}

/** @throws RegistryError `version-revoked`, `policy-violated`: why the version cannot be activated */
export function requireActivatable({ pack, version, revocation, violations }: VersionRecord): void {
  if (revocation !== undefined) {
    throw new RegistryError(
      'version-revoked',
      `Version ${version} of pack "${pack}" was revoked at ${revocation.at} (${revocation.reason}) and is not served again.`,
      {
        revokedAt: revocation.at,
        ...(revocation.replacement !== undefined && { replacement: revocation.replacement }),
      },
    ); // SPEC R7
  }
  if (violations.length > 0) {
    throw new RegistryError(
      'policy-violated',
      `Version ${version} of pack "${pack}" is below the floor: ${violations.map(({ detail }) => detail).join(' ')}`,
      { violations },
    ); // SPEC R7
  }
}

function checkedReplacement(state: PackState, revoked: VersionRecord, replacement: string): VersionRecord {
  const record = state.versions.get(replacement);
  if (record === undefined || record === revoked) {
    const { detail, knownVersions } = unknownVersion(state, replacement);
    throw new RegistryError(
      'unknown-version',
      record === revoked ? `Version ${replacement} cannot replace itself.` : detail,
      { knownVersions },
    );
  }
  requireActivatable(record);
  return record;
}

function moveOf(state: PackState, pointer: Pointer, successor: VersionRecord | undefined): Move {
  const { channel, version, stack } = pointer;
  const nextBelow = stack
    .map((name) => state.versions.get(name))
    .findLast((record) => record !== undefined && record.version !== version && isActivatable(record));
  const target = successor ?? nextBelow;
  if (target === undefined) {
    const candidates = [...state.versions]
      .filter((record) => record.version !== version && isActivatable(record))
      .map((record) => record.version);
    throw new RegistryError(
      'replacement-required',
      `Channel "${channel}" of pack "${state.pack}" is at ${version} and has no earlier version to fall back to. Name a "replacement"; possible versions: ${listed(candidates)}.`,
      { channel, candidates },
    );
  }
  return { channel, version: target.version, digest: target.digest, previousVersion: version };
}

function replacedBy({ revocation }: VersionRecord): string {
  return revocation?.replacement === undefined ? 'without a replacement' : `replaced by ${revocation.replacement}`;
}
