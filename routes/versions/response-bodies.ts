/** Response bodies of versions, made from the metadata in a snapshot. */
import semver from 'semver';
import type { Static } from '@sinclair/typebox';
import { PAGE, type Edition, type PackState, type VersionRecord } from '../../registry/index.ts';
import { decodeCursor, encodeCursor } from '../wire/cursors.ts';
import { mutable } from '../wire/schema-types.ts';
import type { VersionDetail, VersionPage, versionsQuery, VersionSummary } from './schemas.ts';

export function versionPage(
  state: PackState,
  { status, cursor, limit = PAGE.usual }: Static<typeof versionsQuery>,
): Static<typeof VersionPage> {
  const after = decodeCursor(cursor, (text) => semver.valid(text) === text);
  const found: VersionRecord[] = [];
  for (const record of after === undefined ? state.versions : state.versions.below(after)) {
    if (status === undefined || status === statusOf(record.revocation)) found.push(record);
    if (found.length > limit) break;
  }
  const page = found.slice(0, limit);
  return {
    pack: state.pack,
    versions: page.map((record) => versionSummary(state, record)),
    nextCursor: encodeCursor(found.length > limit ? page.at(-1)?.version : undefined),
  };
}

export function versionBody(state: PackState, { record, content }: Edition): Static<typeof VersionDetail> {
  return { ...versionSummary(state, record), system: content.system, styles: [...content.styles] };
}

export function versionSummary(state: PackState, record: VersionRecord): VersionSummary {
  const activeIn = [...state.pointers.values()]
    .filter(({ version }) => version === record.version)
    .map(({ channel }) => channel);
  return summary(record, activeIn);
}

/** The summary at the moment of publishing: not active, not revoked, and above the floor of that time. */
export function publishedBody({ revocation: _, ...record }: VersionRecord): VersionSummary {
  return summary({ ...record, violations: [] }, []);
}

function summary({ revocation, violations, ...record }: VersionRecord, activeIn: string[]): VersionSummary {
  return mutable({
    pack: record.pack,
    version: record.version,
    digest: record.digest,
    status: statusOf(revocation),
    summary: record.summary,
    author: record.author,
    publishedAt: record.publishedAt,
    publishedBy: record.publishedBy,
    defaultStyle: record.defaultStyle,
    compatibility: record.compatibility,
    activeIn,
    styles: record.styles,
    problems: revocation === undefined ? violations : [revokedProblem(revocation), ...violations],
    ...(revocation !== undefined && { revokedReason: revocation.reason, revokedAt: revocation.at }),
    ...(revocation?.replacement !== undefined && { replacement: revocation.replacement }),
  });
}

function statusOf(revocation: VersionRecord['revocation']) {
  return revocation === undefined ? 'registered' : 'revoked';
}

function revokedProblem({ at, reason }: NonNullable<VersionRecord['revocation']>) {
  return { rule: 'revoked' as const, detail: `Revoked at ${at}: ${reason}` };
}
