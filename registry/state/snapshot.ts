/**
 * The snapshot: the frozen state at one revision. Every answer is computed from one snapshot (SPEC R2).
 *
 * `views` holds only what reads of active versions need, so that the hot part of memory stays small, however many versions there are.
 */
import { FrozenMap } from '../values/frozen.ts';
import { GENESIS_HASH } from '../log/event.ts';
import { RegistryError, MAX_NAMES, listed } from '../errors.ts';
import type { Versions } from './versions.ts';
import type { VersionRecord, PolicyRecord, KeyRecord, Pointer } from './records.ts';
import type { ChannelPlan } from './plans.ts';
import type { ChannelView } from './views.ts';

/** A pack's metadata. */
export interface PackState {
  readonly pack: string;
  readonly versions: Versions;
  /** By channel. */
  readonly pointers: FrozenMap<string, Pointer>;
  readonly policy: PolicyRecord | undefined;
  /** By channel; only channels that have or had a rollout, a trial, a schedule or a move of sessions. */
  readonly plans: FrozenMap<string, ChannelPlan>;
}

export interface Snapshot {
  readonly registryId: string;
  /** Which history the revision belongs to: 1, plus 1 for each accepted restore. A higher epoch is later, whatever the revision (SPEC R4). */
  readonly epoch: number;
  /** The revision that opened the epoch; 0 in the first. Events below it belong to the history before, too. */
  readonly epochStart: number;
  readonly revision: number;
  /** Hash of the event at `revision`. */
  readonly hash: string;
  /** Time of the event at `revision`; empty at revision 0. */
  readonly at: string;
  readonly packs: FrozenMap<string, PackState>;
  /** API keys by id, revoked ones included. */
  readonly keys: FrozenMap<string, KeyRecord>;
  /** By pack, then by channel. */
  readonly views: FrozenMap<string, FrozenMap<string, ChannelView>>;
}

/** The state of the log, without the answers that need contents. */
export type State = Omit<Snapshot, 'views'>;

/** The state before the first event. */
export const EMPTY_SNAPSHOT: Snapshot = Object.freeze({
  registryId: '',
  epoch: 1,
  epochStart: 0,
  revision: 0,
  hash: GENESIS_HASH,
  at: '',
  packs: new FrozenMap<string, PackState>(),
  keys: new FrozenMap<string, KeyRecord>(),
  views: new FrozenMap<string, FrozenMap<string, ChannelView>>(),
});

/** @throws RegistryError `pack-not-found`, with the known packs */
export function packIn(snapshot: Snapshot, pack: string): PackState {
  const state = snapshot.packs.get(pack);
  if (state === undefined) {
    const knownPacks = [...snapshot.packs.keys()].sort().slice(0, MAX_NAMES);
    throw new RegistryError('pack-not-found', `There is no pack "${pack}". Packs here: ${listed(knownPacks)}.`, {
      knownPacks,
    });
  }
  return state;
}

/** The plan of a channel; undefined if it never had one. */
export function planIn(
  snapshot: Snapshot,
  { pack, channel }: { readonly pack: string; readonly channel: string },
): ChannelPlan | undefined {
  return snapshot.packs.get(pack)?.plans.get(channel);
}

/** @throws RegistryError `version-not-found`, with the known versions */
export function versionIn(state: PackState, version: string): VersionRecord {
  const record = state.versions.get(version);
  if (record === undefined) {
    const { detail, knownVersions } = unknownVersion(state, version);
    throw new RegistryError('version-not-found', detail, { knownVersions });
  }
  return record;
}

/** Whether a version may be activated: it is neither revoked nor below the floor (SPEC R7). */
export function isActivatable(record: VersionRecord): boolean {
  return record.revocation === undefined && record.violations.length === 0;
}

/**
 * The version that replaces a revoked one: the end of its chain of replacements. Undefined if the chain has no end that can be served;
 * then the active version is used. SPEC R8
 */
export function replacementOf(state: PackState, record: VersionRecord): VersionRecord | undefined {
  const seen = new Set<string>();
  let current: VersionRecord | undefined = record;
  while (current?.revocation !== undefined && !seen.has(current.version)) {
    seen.add(current.version);
    current =
      current.revocation.replacement === undefined ? undefined : state.versions.get(current.revocation.replacement);
  }
  return current?.revocation === undefined ? current : undefined;
}

/** What to tell the caller about a version that is not registered. */
export function unknownVersion(state: PackState, version: string): { detail: string; knownVersions: string[] } {
  const knownVersions = state.versions.highest(MAX_NAMES).map((known) => known.version);
  return {
    detail: `Pack "${state.pack}" has no version "${version}". Versions here, highest first: ${listed(knownVersions)}.`,
    knownVersions,
  };
}

/** The answers of a channel. @throws RegistryError `pack-not-found`, `channel-not-found` */
export function viewIn(snapshot: Snapshot, pack: string, channel: string): ChannelView {
  const view = snapshot.views.get(pack)?.get(channel);
  if (view === undefined) {
    const knownChannels = [...packIn(snapshot, pack).pointers.keys()].sort();
    throw new RegistryError(
      'channel-not-found',
      `Pack "${pack}" has no active version in channel "${channel}". Its channels with an active version: ${listed(knownChannels)}.`,
      { knownChannels },
    );
  }
  return view;
}
