/**
 * Break-glass: one instance serves a version of a pack whatever the log says (`PIN_VERSION`).
 *
 * Problem: in an incident the store, or whoever could roll back in it, may be out of reach.
 * Rule: the pinned version takes the place of what the log has active, in every channel of its pack, in this instance's answers only. It
 * must be registered, above the floor and not revoked, and its texts must have their digest; where it stops being so, the instance goes
 * back to the log and says so. Nothing of it is written anywhere.
 * Example: with `PIN_VERSION=coach@1.0.0` the log may say 2.0.0; this instance answers 1.0.0, marked `Registry-Pinned: coach@1.0.0`.
 */
import { StartRefused, listed } from '../errors.ts';
import { viewOf, type ChannelView } from '../state/views.ts';
import { FrozenMap } from '../values/frozen.ts';
import { SYSTEM_ACTOR, type PackContent } from '../model.ts';
import { isActivatable, unknownVersion, type Snapshot } from '../state/snapshot.ts';
import type { VersionRecord } from '../state/records.ts';

/** Which version of which pack. */
export interface Pin {
  readonly pack: string;
  readonly version: string;
}

/** As settings and headers write it. */
export function pinText({ pack, version }: Pin): string {
  return `${pack}@${version}`;
}

/** The version that a pin names, where it may be served. @throws StartRefused (78) that says why it may not */
export function pinnedRecord(snapshot: Snapshot, { pack, version }: Pin): VersionRecord {
  const refused = (why: string) =>
    new StartRefused(78, `PIN_VERSION is "${pack}@${version}", but ${why} Name another version, or unset it.`);
  const state = snapshot.packs.get(pack);
  if (state === undefined)
    throw refused(`there is no pack "${pack}". Packs here: ${listed([...snapshot.packs.keys()].sort())}.`);
  const record = state.versions.get(version);
  if (record === undefined) throw refused(unknownVersion(state, version).detail);
  if (record.revocation !== undefined)
    throw refused(`${version} was revoked at ${record.revocation.at}: ${record.revocation.reason}.`);
  if (record.violations.length > 0)
    throw refused(`${version} is under the floor: ${record.violations.map(({ detail }) => detail).join(' ')}`); // SPEC R7
  return record;
}

/**
 * The snapshot with the pinned version in the place of what is active; undefined where that version may not be served any more.
 * @param before what was served under the pin so far: its answers go on where nothing of the pack has changed, bytes and all
 */
export function withPin(
  snapshot: Snapshot,
  { pack, version }: Pin,
  content: PackContent,
  before?: Snapshot,
): Snapshot | undefined {
  const state = snapshot.packs.get(pack);
  const record = state?.versions.get(version);
  if (state === undefined || record === undefined || !isActivatable(record)) return undefined;
  const known = before?.packs.get(pack) === state ? before.views.get(pack) : undefined;
  if (known !== undefined) return Object.freeze({ ...snapshot, views: snapshot.views.with([[pack, known]]) });
  const views = [...state.pointers.values()].map((pointer): [string, ChannelView] => [
    pointer.channel,
    viewOf(
      {
        ...pointer,
        version,
        digest: record.digest,
        reason: `PIN_VERSION=${pack}@${version}`,
        activatedBy: SYSTEM_ACTOR,
      },
      content,
    ),
  ]);
  return Object.freeze({ ...snapshot, views: snapshot.views.with([[pack, new FrozenMap(views)]]) });
}
