/** Versions as they are answered, from the snapshot's metadata. */
import type { PackState, VersionRecord } from '../../registry/index.ts';
import { mutable } from '../wire/schema-kit.ts';
import type { VersionSummary } from './schemas.ts';

export function versionSummary(state: PackState, record: VersionRecord): VersionSummary {
  const activeIn = [...state.pointers.values()]
    .filter(({ version }) => version === record.version)
    .map(({ channel }) => channel);
  return summary(record, activeIn);
}

/** The summary as it is at the moment of publishing: registered, above the floor, active nowhere. */
export function publishedSummary({ revocation: _, ...record }: VersionRecord): VersionSummary {
  return summary({ ...record, violations: [] }, []); // a floor that was raised since is no part of the first answer
}

function summary(record: VersionRecord, activeIn: string[]): VersionSummary {
  const {
    pack,
    version,
    digest,
    author,
    publishedAt,
    publishedBy,
    defaultStyle,
    compatibility,
    styles,
    violations,
    revocation,
  } = record;
  return mutable({
    pack,
    version,
    digest,
    status: revocation === undefined ? ('registered' as const) : ('revoked' as const),
    summary: record.summary,
    author,
    publishedAt,
    publishedBy,
    defaultStyle,
    compatibility,
    activeIn,
    styles,
    problems:
      revocation === undefined
        ? violations
        : [{ rule: 'revoked' as const, detail: `Revoked at ${revocation.at}: ${revocation.reason}` }, ...violations],
    ...(revocation !== undefined && { revokedReason: revocation.reason, revokedAt: revocation.at }),
    ...(revocation?.replacement !== undefined && { replacement: revocation.replacement }),
  });
}
