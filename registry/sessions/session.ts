/** What a coach session runs on: the version it started on, or what stands in for it (SPEC R8). */
import type { PackContent } from '../model.ts';
import { packIn, standIn, versionIn, type PackState, type Snapshot } from '../state/snapshot.ts';
import type { VersionRecord } from '../state/records.ts';
import type { Origin } from '../state/views.ts';

/** A session as it is answered. */
export interface Session {
  readonly sessionId: string;
  readonly startedAt: string;
  readonly expiresAt: string;
  readonly promptPack: Origin;
  readonly prompt: {
    readonly system: string;
    readonly style: { readonly id: string; readonly title: string; readonly text: string };
  };
  /** The channel is at another version by now. */
  readonly superseded: boolean;
  /** Where it was pinned, if that version was revoked since. */
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
 * The answer to a read of a pinned session (SPEC R8): from its pin, or, where that version was revoked, from its replacement,
 * followed to the end, or else from what is active; a style that the other version lacks becomes its default style.
 *
 * @param contentOf gives a version's texts
 * @throws RegistryError what `contentOf` rejects with
 */
export async function sessionOf(
  sessionId: string,
  pin: Pin,
  snapshot: Snapshot,
  contentOf: (record: VersionRecord) => Promise<PackContent>,
): Promise<Session> {
  const { channel, startedAt, expiresAt } = pin;
  const { record, revision, styleId, movedFrom } = served(pin, snapshot);
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

function served(
  pin: Pin,
  snapshot: Snapshot,
): { record: VersionRecord; revision: number; styleId: string; movedFrom?: Session['movedFrom'] } {
  const pinned = pin.record;
  const styleId = pinned.styles[pin.styleIndex]?.id ?? pinned.defaultStyle;
  if (pinned.revocation === undefined) return { record: pinned, revision: pin.revision, styleId };
  const state = packIn(snapshot, pinned.pack);
  const replacement = standIn(state, pinned);
  const active = state.pointers.get(pin.channel);
  const record = replacement ?? versionIn(state, active?.version ?? '');
  const revision = replacement === undefined ? (active?.revision ?? 0) : standsInSince(state, pinned);
  const kept = record.styles.some(({ id }) => id === styleId);
  return {
    record,
    revision,
    styleId: kept ? styleId : record.defaultStyle,
    movedFrom: { version: pinned.version, styleId },
  };
}

/** When what stands in for a version came to do so: at the last revocation on the way, as only what is not revoked can replace (SPEC R4). */
function standsInSince(state: PackState, revoked: VersionRecord): number {
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
