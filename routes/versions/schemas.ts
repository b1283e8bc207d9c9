/** Schemas of versions. */
import { Type, type Static } from '@sinclair/typebox';
import {
  ChannelName,
  Digest,
  PackDocument,
  PackName,
  Reason,
  StyleId,
  Timestamp,
  Version,
  Violation as ViolationWord,
} from '../../registry/index.ts';
import { example } from '../wire/examples.ts';
import { createdHeaders, idempotencyHeaders } from '../wire/headers.ts';
import { cursorQuery, limitQuery, NextCursor, noQuery, packParams, versionParams } from '../wire/parameters.ts';
import { problems, writeProblems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, ref, stringEnum } from '../wire/schema-types.ts';
import { Actor, Compatibility, Style, StyleTitle } from '../wire/shared-schemas.ts';

export const Violation = closed(ViolationWord.properties, {
  $id: 'Violation',
  description: 'One reason why a version cannot be activated.',
});

const versionMembers = {
  pack: PackName,
  version: Version,
  digest: Digest,
  status: stringEnum(
    ['registered', 'revoked'],
    'A revoked version is never active again, and never served to sessions. A key with `audit:read` can still read its texts.',
  ),
  summary: PackDocument.properties.summary,
  author: PackDocument.properties.author,
  publishedAt: Timestamp,
  publishedBy: ref(Actor),
  defaultStyle: StyleId,
  compatibility: ref(Compatibility),
  activeIn: Type.Array(ChannelName, { description: 'Channels that point at this version.' }),
  problems: Type.Array(ref(Violation), {
    description: 'Why the version cannot be activated; empty if it can.',
  }),
  revokedReason: Type.Optional(Reason),
  revokedAt: Type.Optional(Timestamp),
  replacement: Type.Optional({ ...Version, description: 'The version that replaces it since it was revoked.' }),
};

export const VersionSummary = closed(
  { ...versionMembers, styles: Type.Array(ref(StyleTitle)) },
  { $id: 'VersionSummary', description: 'A version without its texts.' },
);
export type VersionSummary = Static<typeof VersionSummary>;
export const versionSummaryExample = {
  pack: 'coach',
  version: '1.1.0',
  digest: example.digest,
  status: 'registered',
  summary: 'Clearer crisis wording',
  author: 'Coaching content team',
  publishedAt: example.at,
  publishedBy: example.actor,
  defaultStyle: 'supportive',
  compatibility: example.compatibility,
  activeIn: ['production'],
  problems: [],
  styles: example.styles,
};

export const VersionDetail = closed(
  { ...versionMembers, system: Type.String(), styles: Type.Array(ref(Style)) },
  { $id: 'Version', description: 'A version with its texts.' },
);
export const versionDetailExample = {
  ...versionSummaryExample,
  system: 'You are a coach, not a therapist.',
  styles: example.texts,
};

export const VersionPage = closed(
  { pack: PackName, versions: Type.Array(ref(VersionSummary)), nextCursor: NextCursor },
  { $id: 'VersionPage' },
);

export const versionsQuery = closed({
  limit: limitQuery,
  cursor: cursorQuery,
  status: Type.Optional(stringEnum(['registered', 'revoked'], 'Only versions of this status.')),
});

export const PackDocumentBody = closed(
  {
    ...PackDocument.properties,
    compatibility: ref(Compatibility),
    styles: Type.Array(ref(Style), { minItems: 1, maxItems: 50 }),
  },
  {
    $id: 'PackDocument',
    description:
      'A version to register. Once registered, it never changes. `defaultStyle` is the id of one of the styles.',
    // No style has this id, so the example registers nothing when it is sent unchanged from Swagger UI.
    examples: [
      {
        version: '1.2.0',
        summary: 'Warmer openings',
        author: 'Coaching content team',
        system: 'You are a coach, not a therapist.',
        styles: example.texts,
        defaultStyle: 'one-of-the-styles',
        compatibility: example.compatibility,
      },
    ],
  },
);

export const versionSchemas = [Violation, VersionSummary, VersionDetail, VersionPage, PackDocumentBody];

// ── Operations ──

export const listVersions = {
  operationId: 'listVersions',
  tags: ['Packs'],
  summary: "List a pack's versions",
  description: 'The highest SemVer comes first, page by page.',
  params: packParams,
  querystring: versionsQuery,
  response: {
    200: jsonResponse(VersionPage, 'A page of versions.', {
      pack: 'coach',
      versions: [versionSummaryExample],
      nextCursor: null,
    }),
    ...problems('pack-not-found', 'uri-too-long'),
  },
};

export const getVersion = {
  operationId: 'getVersion',
  tags: ['Packs'],
  summary: 'Read a version',
  description: 'A registered version with its texts, active or not. The texts of a revoked version need `audit:read`.',
  params: versionParams,
  querystring: noQuery,
  response: {
    200: jsonResponse(VersionDetail, 'The version.', versionDetailExample),
    ...problems(
      'pack-not-found',
      'version-not-found',
      'content-revoked',
      'uri-too-long',
      'store-unavailable',
      'overloaded',
    ),
  },
};

export const publishVersion = {
  operationId: 'publishVersion',
  tags: ['Packs'],
  summary: 'Register a version',
  description:
    'Registers an immutable version. Publishing does not activate it. A new pack name creates the pack. Publishing the same again succeeds without effect; anything else under the same version is refused.',
  params: packParams,
  querystring: noQuery,
  headers: idempotencyHeaders,
  body: ref(PackDocumentBody),
  response: {
    200: jsonResponse(
      VersionSummary,
      'The same version was already registered; nothing changed.',
      versionSummaryExample,
      createdHeaders,
    ),
    201: jsonResponse(VersionSummary, 'Registered.', { ...versionSummaryExample, activeIn: [] }, createdHeaders),
    ...writeProblems('version-exists', 'policy-violated', 'idempotency-mismatch', 'uri-too-long'),
  },
};
