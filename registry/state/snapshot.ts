/**
 * The snapshot: the frozen state at one revision, which every answer is computed from (SPEC R2).
 *
 * `views` holds what reads of the active version need and nothing else, so that the hot part of memory stays small however
 * many versions are registered.
 */
import { FrozenMap } from '../values/frozen.ts';
import type { GrowingSet } from '../values/growing-set.ts';
import { GENESIS_HASH } from '../log/event.ts';
import { RegistryError } from '../errors.ts';
import type { Actor, Compatibility, MoveKind, PackContent, Scope, Style, StyleTitle, Violation } from '../model.ts';
import type { Policy } from '../packs/policy.ts';
import type { Versions } from './versions.ts';

/** What is known of a registered version without its texts. */
export interface VersionRecord {
  readonly pack: string;
  readonly version: string;
  readonly digest: string;
  readonly summary: string;
  readonly author: string;
  readonly defaultStyle: string;
  readonly styles: readonly Readonly<StyleTitle>[];
  readonly compatibility: Readonly<Compatibility>;
  readonly publishedAt: string;
  readonly publishedBy: Actor;
  /** What keeps it from being activated under the policy in force (SPEC R7). */
  readonly violations: readonly Violation[];
  readonly revocation?: Revocation;
}

/** Why and since when a version must not be served again. */
export interface Revocation {
  readonly revision: number;
  readonly at: string;
  readonly by: Actor;
  readonly reason: string;
  readonly replacement: string | undefined;
}

/** The floor under a pack's versions, as the log has it. */
export interface PolicyRecord {
  readonly policy: Policy;
  readonly digest: string;
  readonly revision: number;
  readonly changedAt: string;
  readonly changedBy: Actor;
}

/** A key without its secret, which is nowhere; only the secret's hash is kept. */
export interface KeyRecord {
  readonly keyId: string;
  readonly label: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  readonly createdBy: Actor;
  readonly expiresAt: string | undefined;
  readonly revokedAt: string | undefined;
  /** Lower-case hex SHA-256 of the secret part of the token. */
  readonly secretHash: string;
}

/** Where a channel of a pack points, and how it came there. */
export interface Pointer {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  /** The event that last moved it. */
  readonly revision: number;
  readonly kind: MoveKind;
  readonly previousVersion: string | null;
  readonly activatedAt: string;
  readonly activatedBy: Actor;
  readonly reason: string;
  /** What a rollback walks down; the bottom first, the active version last. At most `STACK_DEPTH` deep. */
  readonly stack: readonly string[];
  /** Every version that was ever active here, in order of its first activation. */
  readonly everActive: GrowingSet<string>;
}

/** A pack's metadata. */
export interface PackState {
  readonly pack: string;
  readonly versions: Versions;
  /** By channel. */
  readonly pointers: FrozenMap<string, Pointer>;
  readonly policy: PolicyRecord | undefined;
}

/** Where an answer comes from; every read carries it (SPEC R2). */
export interface Origin {
  readonly pack: string;
  readonly channel: string;
  readonly version: string;
  readonly digest: string;
  readonly revision: number;
}

export interface ActivePack extends Origin {
  readonly activatedAt: string;
  readonly activatedBy: Actor;
  readonly reason: string;
  readonly defaultStyle: string;
  readonly compatibility: Readonly<Compatibility>;
  readonly system: string;
  readonly styles: readonly Readonly<Style>[];
}

export interface SystemPrompt extends Origin {
  readonly text: string;
}

export interface StylePrompt extends Origin {
  readonly styleId: string;
  readonly title: string;
  readonly text: string;
}

export interface StyleList extends Origin {
  readonly defaultStyle: string;
  readonly styles: readonly Readonly<StyleTitle>[];
}

/** All answers that hang on one pointer, made at the flip. */
export interface ChannelView {
  readonly activePack: ActivePack;
  readonly systemPrompt: SystemPrompt;
  readonly styleList: StyleList;
  readonly stylePrompts: FrozenMap<string, StylePrompt>;
  /** What all of them are made of. */
  readonly content: PackContent;
}

export interface Snapshot {
  readonly registryId: string;
  /** Which history the revision is of: 1, and one more after each accepted restore. Higher is later, whatever the revision (SPEC R4). */
  readonly epoch: number;
  /** The revision that opened the epoch; 0 in the first. What lies below is common to it and the history before. */
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

/** What the log says, without the answers that are made of contents. */
export type State = Omit<Snapshot, 'views'>;

/** A place in the history, restores included. */
export interface Place {
  readonly epoch: number;
  readonly revision: number;
}

/** Whether the one place is at least as late as the other. */
export function reaches(place: Place, other: Place): boolean {
  return place.epoch > other.epoch || (place.epoch === other.epoch && place.revision >= other.revision);
}

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

/** The most names that a message or a `known…` member lists. */
const NAMES_LISTED = 100;

/** The pack of that name. @throws RegistryError `pack-not-found`, with the packs there are */
export function packIn(snapshot: Snapshot, pack: string): PackState {
  const state = snapshot.packs.get(pack);
  if (state === undefined) {
    const knownPacks = [...snapshot.packs.keys()].sort().slice(0, NAMES_LISTED);
    throw new RegistryError('pack-not-found', `There is no pack "${pack}". Packs here: ${listed(knownPacks)}.`, {
      knownPacks,
    });
  }
  return state;
}

/** The registered version of that name. @throws RegistryError `version-not-found`, with the versions there are */
export function versionIn(state: PackState, version: string): VersionRecord {
  const record = state.versions.get(version);
  if (record === undefined) {
    const { detail, knownVersions } = unknownVersion(state, version);
    throw new RegistryError('version-not-found', detail, { knownVersions });
  }
  return record;
}

/** Whether a version may be made active: neither revoked nor under the floor (SPEC R7). */
export function isActivatable(record: VersionRecord): boolean {
  return record.revocation === undefined && record.violations.length === 0;
}

/**
 * The version that stands in for a revoked one: its replacement, and where that is revoked too, that one's, to the end; where
 * the chain ends without one, undefined (then the active version stands in). SPEC R8
 */
export function standIn(state: PackState, record: VersionRecord): VersionRecord | undefined {
  const seen = new Set<string>();
  let current: VersionRecord | undefined = record;
  while (current?.revocation !== undefined && !seen.has(current.version)) {
    seen.add(current.version);
    current =
      current.revocation.replacement === undefined ? undefined : state.versions.get(current.revocation.replacement);
  }
  return current?.revocation === undefined ? current : undefined;
}

/** What to say of a version that is not registered. */
export function unknownVersion(state: PackState, version: string): { detail: string; knownVersions: string[] } {
  const knownVersions = state.versions.highest(NAMES_LISTED).map((known) => known.version);
  return {
    detail: `Pack "${state.pack}" has no version "${version}". Versions here, the highest first: ${listed(knownVersions)}.`,
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
      `Pack "${pack}" has nothing active in channel "${channel}". Channels of the pack with an active version: ${listed(knownChannels)}.`,
      { knownChannels },
    );
  }
  return view;
}

/** One style of a channel's active version. @throws RegistryError `style-not-found`, with the styles it supports */
export function styleIn(view: ChannelView, styleId: string): StylePrompt {
  const prompt = view.stylePrompts.get(styleId);
  if (prompt === undefined) {
    const { pack, version } = view.activePack;
    const supportedStyles = [...view.stylePrompts.keys()];
    throw new RegistryError(
      'style-not-found',
      `Version ${version} of pack "${pack}" has no style "${styleId}". Its styles: ${listed(supportedStyles)}.`,
      {
        supportedStyles,
      },
    );
  }
  return prompt;
}

/** A list for a sentence. */
export function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
