/** Versions and packs as they are answered, from the snapshot's metadata. */
import type { PackState, VersionRecord } from '../../registry/index.ts';
import semver from 'semver';
import type { Pack, VersionSummary } from './schemas.ts';

/** How many versions a pack's own answer lists. */
const VERSIONS_SHOWN = 20;

export function versionSummary(state: PackState, record: VersionRecord): VersionSummary {
  const { pack, version, digest, summary, author, publishedAt, publishedBy, defaultStyle, compatibility, styles } = record;
  const activeIn = [...state.pointers.values()].filter((pointer) => pointer.version === version).map(({ channel }) => channel);
  return { pack, version, digest, status: 'registered', summary, author, publishedAt, publishedBy, defaultStyle, compatibility, activeIn, problems: [], styles: [...styles] };
}

export function packAnswer(state: PackState): Pack {
  const latest = state.sorted.find(({ version }) => semver.prerelease(version) === null)?.version ?? null;
  return {
    pack: state.pack,
    versionCount: state.sorted.length,
    latest,
    versions: state.sorted.slice(0, VERSIONS_SHOWN).map((record) => versionSummary(state, record)),
    channels: [...state.pointers.values()].map(({ channel, version, digest, revision, activatedAt, activatedBy }) => ({ channel, version, digest, revision, activatedAt, activatedBy })),
  };
}
