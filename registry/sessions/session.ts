/** What a coach session runs on: the version it started on, or the version that replaces it (SPEC R8). */
import type { PackContent } from '../model.ts';
import { packIn, replacementOf, versionIn, type PackState, type Snapshot } from '../state/snapshot.ts';
import type { VersionRecord } from '../state/records.ts';
import type { Origin } from '../state/views.ts';

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
  /** The original pin, if that version has been revoked. */
  readonly movedFrom?: { readonly version: string; readonly styleId: string };
}

/** What a valid session id says. */
export interface Pin {
  readonly record: VersionRecord;
  readonly channel: string;
  readonly revision: number;
  readonly styleIndex: number;
  readonly startedAt: string;
  readonly expiresAt: string;
}

/**
 * The answer to a read of a pinned session (SPEC R8). It comes from the pinned version. If that is revoked, it comes from the end of its
 * chain of replacements, or from the active version if the chain has no end. If that version lacks the style, its default style is used.
 *
 * @param contentOf loads a version's texts
 * @throws RegistryError the error of `contentOf`
 */
export async function sessionOf(
  sessionId: string,
  pin: Pin,
  snapshot: Snapshot,
  contentOf: (record: VersionRecord) => Promise<PackContent>,
): Promise<Session> {
  const { channel, startedAt, expiresAt } = pin;
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
    superseded: snapshot.packs.get(pack)?.pointers.get(channel)?.version !== version,
    ...(movedFrom !== undefined && { movedFrom }),
  };
}

function servedBy(
  pin: Pin,
  snapshot: Snapshot,
): { record: VersionRecord; revision: number; styleId: string; movedFrom?: Session['movedFrom'] } {
  const pinned = pin.record;
  const styleId = pinned.styles[pin.styleIndex]?.id ?? pinned.defaultStyle;
  if (pinned.revocation === undefined) return { record: pinned, revision: pin.revision, styleId };
  const state = packIn(snapshot, pinned.pack);
  const replacement = replacementOf(state, pinned);
  const active = state.pointers.get(pin.channel);
  const record = replacement ?? versionIn(state, active?.version ?? '');
  const revision = replacement === undefined ? (active?.revision ?? 0) : replacementSince(state, pinned);
  const hasStyle = record.styles.some(({ id }) => id === styleId);
  return {
    record,
    revision,
    styleId: hasStyle ? styleId : record.defaultStyle,
    movedFrom: { version: pinned.version, styleId },
  };
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
