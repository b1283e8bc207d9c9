/** What a coach session runs on: the version it started on, or the version that replaces it (SPEC R8). */
import type { PackContent } from '../model.ts';
import { packIn, replacementOf, versionIn, type PackState, type Snapshot } from '../state/snapshot.ts';
import type { Pointer, VersionRecord } from '../state/records.ts';
import { sessionEnded, walked } from './on-move.ts';
import type { Place } from './walk.ts';
import type { Assignment, Origin } from '../state/views.ts';
import type { Position } from '../state/position.ts';

/** A session, as callers see it. */
export interface Session {
  readonly sessionId: string;
  readonly startedAt: string;
  readonly expiresAt: string;
  readonly promptPack: Origin;
  readonly prompt: {
    readonly system: string;
    readonly style: { readonly id: string; readonly title: string; readonly text: string };
  };
  /** Whether the channel has moved to another version. */
  readonly superseded: boolean;
  /** The arm that the session started on, if a rollout was running. */
  readonly assignment?: Assignment;
  /** The original pin, if a move or a revocation sent the session to another version. */
  readonly movedFrom?: { readonly version: string; readonly styleId: string };
}

/** What a valid session id says. */
export interface Pin extends Position {
  readonly record: VersionRecord;
  readonly channel: string;
  readonly assignment: Assignment | undefined;
  readonly styleIndex: number;
  readonly startedAt: string;
  readonly expiresAt: string;
}

/**
 * The answer to a read of a pinned session (SPEC R8, R16). It comes from the pinned version, or from the one that moves have sent it to. If
 * that is revoked, it comes from the end of its chain of replacements, or from the active version if the chain has no end. If that version
 * lacks the style, its default style is used.
 *
 * @param contentOf loads a version's texts
 * @throws RegistryError `session-ended`; the error of `contentOf`
 */
export async function sessionOf(
  sessionId: string,
  pin: Pin,
  snapshot: Snapshot,
  contentOf: (record: VersionRecord) => Promise<PackContent>,
): Promise<Session> {
  const { channel, startedAt, expiresAt, assignment } = pin;
  const { record, revision, styleId, movedFrom } = servedBy(pin, snapshot);
  const { pack, version, digest } = record;
  const content = await contentOf(record);
  const style = content.styles.find(({ id }) => id === styleId);
  if (style === undefined) throw new Error(`${pack} ${version} has no style "${styleId}" although its record says so.`);
  return {
    sessionId,
    startedAt,
    expiresAt,
    promptPack: { pack, channel, version, digest, revision },
    prompt: { system: content.system, style },
    superseded: !isServed(snapshot.packs.get(pack), channel, version),
    ...(assignment !== undefined && { assignment }),
    ...(movedFrom !== undefined && { movedFrom }),
  };
}

function servedBy(
  pin: Pin,
  snapshot: Snapshot,
): { record: VersionRecord; revision: number; styleId: string; movedFrom?: Session['movedFrom'] } {
  const pinned = pin.record;
  const styleId = pinned.styles[pin.styleIndex]?.id ?? pinned.defaultStyle;
  const state = packIn(snapshot, pinned.pack);
  const active = state.pointers.get(pin.channel);
  const place = walked(
    { version: pinned.version, epoch: pin.epoch, revision: pin.revision },
    state.plans.get(pin.channel),
    active && { version: active.version, epoch: snapshot.epoch, revision: active.revision },
  );
  const { record, revision } = unrevoked(state, active, place);
  if (record === pinned) return { record, revision: pin.revision, styleId };
  const hasStyle = record.styles.some(({ id }) => id === styleId);
  return {
    record,
    revision,
    styleId: hasStyle ? styleId : record.defaultStyle,
    movedFrom: { version: pinned.version, styleId },
  };
}

/** SPEC R8: what answers for a version that may be revoked, and since which revision. */
function unrevoked(
  state: PackState,
  active: Pointer | undefined,
  { version, revision }: Place,
): { record: VersionRecord; revision: number } {
  const record = versionIn(state, version);
  if (record.revocation === undefined) return { record, revision };
  if (record.revocation.sessions === 'end') throw sessionEnded(record.revocation);
  const replacement = replacementOf(state, record);
  return replacement === undefined
    ? { record: versionIn(state, active?.version ?? ''), revision: active?.revision ?? 0 }
    : { record: replacement, revision: Math.max(revision, replacementSince(state, record)) };
}

/** Whether a channel serves the version now, to everybody or to an arm. */
function isServed(state: PackState | undefined, channel: string, version: string): boolean {
  return state?.pointers.get(channel)?.version === version || state?.plans.get(channel)?.rollout?.version === version;
}

/** The revision at which a revoked version got its current replacement: the last revocation in the chain (SPEC R4). */
function replacementSince(state: PackState, revoked: VersionRecord): number {
  let since = 0;
  for (
    let record: VersionRecord | undefined = revoked;
    record?.revocation !== undefined && record.revocation.revision > since;
    record = state.versions.get(record.revocation.replacement ?? '')
  ) {
    since = record.revocation.revision;
  }
  return since;
}
