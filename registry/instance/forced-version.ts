/**
 * Break-glass: one instance serves a version of a pack, whatever the log says (`PIN_VERSION`).
 *
 * Problem: in an incident the store may be out of reach, and so may everybody who could roll back in it.
 * Rule: in this instance's answers, and in nothing else, the forced version replaces the active one in every channel of its pack. It must be
 * registered, above the floor and not revoked, and its texts must have their digest. When that stops being true, the instance goes back to
 * the log and says so. Nothing is written anywhere.
 * Example: with `PIN_VERSION=coach@1.0.0` this instance answers 1.0.0 although the log says 2.0.0. The answers carry
 * `Registry-Pinned: coach@1.0.0`.
 */
import { StartRefused, listed } from '../errors.ts';
import { viewOf, type ChannelView } from '../state/views.ts';
import { FrozenMap } from '../values/frozen.ts';
import { SYSTEM_ACTOR, type PackContent } from '../model.ts';
import { isActivatable, unknownVersion, type Snapshot } from '../state/snapshot.ts';
import type { Pointer, VersionRecord } from '../state/records.ts';

/** The version of a pack that an instance serves whatever the log says. */
export interface ForcedVersion {
  readonly pack: string;
  readonly version: string;
}

/** The record of a forced version, if it may be served. @throws StartRefused (78) with the reason if it may not */
export function forcedRecord(snapshot: Snapshot, { pack, version }: ForcedVersion): VersionRecord {
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
    throw refused(`${version} is below the floor: ${record.violations.map(({ detail }) => detail).join(' ')}`); // SPEC R7
  return record;
}

/** Replaces the active version of one pack in the snapshots that are served. */
export class ForcedViews {
  readonly #forced: ForcedVersion;
  readonly #content: PackContent;
  /** The last snapshot that it gave: its views are used again while nothing of the pack changes, so that answers stay the same bytes. */
  #last: Snapshot | undefined;

  constructor(forced: ForcedVersion, content: PackContent) {
    this.#forced = forced;
    this.#content = content;
  }

  /** As settings and headers write it: `coach@1.0.0`. */
  get name(): string {
    return `${this.#forced.pack}@${this.#forced.version}`;
  }

  /** The snapshot with the forced version in every channel of its pack; undefined if the version may not be served any more. */
  over(snapshot: Snapshot): Snapshot | undefined {
    const { pack, version } = this.#forced;
    const state = snapshot.packs.get(pack);
    const record = state?.versions.get(version);
    if (state === undefined || record === undefined || !isActivatable(record)) return undefined;
    const unchanged = this.#last?.packs.get(pack) === state ? this.#last.views.get(pack) : undefined;
    const views = unchanged ?? this.#viewsOf(state.pointers.values(), record.digest);
    this.#last = Object.freeze({ ...snapshot, views: snapshot.views.with([[pack, views]]) });
    return this.#last;
  }

  #viewsOf(pointers: Iterable<Pointer>, digest: string): FrozenMap<string, ChannelView> {
    const forced = {
      version: this.#forced.version,
      digest,
      reason: `PIN_VERSION=${this.name}`,
      activatedBy: SYSTEM_ACTOR,
    };
    return new FrozenMap(
      [...pointers].map((pointer) => [
        pointer.channel,
        Object.freeze({ ...viewOf({ ...pointer, ...forced }, this.#content), rollout: undefined }),
      ]),
    );
  }
}
