/** Wire shapes of versions: as read, as published, as compared, as revoked. */
import { Type, type Static } from '@sinclair/typebox';
import {
  ChannelName,
  Digest,
  PackDocument,
  PackName,
  Reason,
  Revision,
  StyleId,
  Timestamp,
  Version,
  Violation as ViolationWord,
} from '../../registry/index.ts';
import { example } from '../wire/examples.ts';
import { closed, cursorQuery, limitQuery, NextCursor, nullable, ref, stringEnum } from '../wire/schema-kit.ts';
import { Instances, instancesExample } from '../wire/prefer-wait.ts';
import { Actor, Compatibility, Style, StyleTitle } from '../wire/words.ts';

export const Violation = closed(ViolationWord.properties, {
  $id: 'Violation',
  description: 'One reason why a version may not be activated.',
});

const versionMembers = {
  pack: PackName,
  version: Version,
  digest: Digest,
  status: stringEnum(['registered', 'revoked'], 'A revoked version is not served again.'),
  summary: PackDocument.properties.summary,
  author: PackDocument.properties.author,
  publishedAt: Timestamp,
  publishedBy: ref(Actor),
  defaultStyle: StyleId,
  compatibility: ref(Compatibility),
  activeIn: Type.Array(ChannelName, { description: 'Channels that point at it.' }),
  problems: Type.Array(ref(Violation), {
    description: 'What keeps it from being activated; empty where nothing does.',
  }),
  revokedReason: Type.Optional(Reason),
  revokedAt: Type.Optional(Timestamp),
  replacement: Type.Optional({ ...Version, description: 'What stands in for it since it was revoked.' }),
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

/** What a publisher sends: the pack document. */
export const PackDocumentBody = closed(
  {
    ...PackDocument.properties,
    compatibility: ref(Compatibility),
    styles: Type.Array(ref(Style), { minItems: 1, maxItems: 50 }),
  },
  {
    $id: 'PackDocument',
    description:
      'A version to be registered. Once registered it never changes. `defaultStyle` is the id of one of the styles.',
    // There is no style of that id: pressed as it stands in Swagger UI, the example registers nothing.
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

const Hunk = closed(
  {
    oldStart: Type.Integer(),
    oldLines: Type.Integer(),
    newStart: Type.Integer(),
    newLines: Type.Integer(),
    lines: Type.Array(Type.String(), { description: 'Each begins with a blank (as it was), `-` (gone) or `+` (new).' }),
  },
  { $id: 'Hunk', description: 'A hunk of a unified diff.' },
);

export const AssetDiff = closed(
  {
    asset: Type.String({ description: '`system` or `styles/<id>`.', examples: ['system'] }),
    change: stringEnum(['added', 'removed', 'changed', 'same'], 'What happened to the asset.'),
    hunks: Type.Array(ref(Hunk)),
  },
  { $id: 'AssetDiff', description: 'How one prompt differs.' },
);

const MetadataDiff = closed(
  {
    field: Type.String({ examples: ['summary'] }),
    from: Type.String({ description: 'JSON text.' }),
    to: Type.String({ description: 'JSON text.' }),
  },
  { $id: 'MetadataDiff', description: 'How one field of the metadata differs.' },
);

export const Diff = closed(
  {
    pack: PackName,
    from: nullable(Type.String({ description: 'The version compared with; null for nothing.', examples: ['1.0.0'] })),
    to: Version,
    assets: Type.Array(ref(AssetDiff)),
    metadata: Type.Array(ref(MetadataDiff)),
    stylesAdded: Type.Array(StyleId),
    stylesRemoved: Type.Array(StyleId),
  },
  { $id: 'Diff', description: 'How two versions differ.' },
);
export const diffExample = {
  pack: 'coach',
  from: '1.0.0',
  to: '1.1.0',
  metadata: [{ field: 'summary', from: '"First"', to: '"Second"' }],
  stylesAdded: ['socratic'],
  stylesRemoved: [],
  assets: [
    {
      asset: 'system',
      change: 'changed',
      hunks: [
        { oldStart: 1, oldLines: 1, newStart: 1, newLines: 1, lines: ['-You are a helper.', '+You are a coach.'] },
      ],
    },
  ],
};

export const diffQuery = closed({
  against: Type.Optional({
    ...Version,
    description: 'Compare with this version; with the one active in the default channel where not given.',
  }),
});

export const RevokeBody = closed(
  {
    reason: Reason,
    replacement: Type.Optional({
      ...Version,
      description: 'What stands in for it: in channels that point at it, and in sessions pinned on it.',
    }),
    dryRun: Type.Optional(
      Type.Boolean({ description: 'Only say what would happen. Leave it out to revoke the version for good.' }),
    ),
  },
  { $id: 'RevokeRequest', examples: [{ reason: 'Leaves out the crisis wording', replacement: '1.0.0', dryRun: true }] },
);

const Move = closed(
  {
    channel: ChannelName,
    version: Version,
    digest: Digest,
    previousVersion: nullable(Type.String({ examples: ['2.0.0'] })),
  },
  { $id: 'Move', description: 'A move of a channel.' },
);

export const Revocation = closed(
  {
    revision: Revision,
    pack: PackName,
    version: Version,
    moves: Type.Array(ref(Move)),
    instances: Type.Optional(ref(Instances)),
  },
  {
    $id: 'Revocation',
    description:
      'A revocation, and where channels that pointed at the version went. In a dry run `revision` is the present one.',
  },
);
export const revocationExample = {
  revision: 12,
  pack: 'coach',
  version: '2.0.0',
  moves: [{ channel: 'production', version: '1.1.0', digest: example.digest, previousVersion: '2.0.0' }],
};

export const pendingExample = {
  ...revocationExample,
  instances: { ...instancesExample, pending: ['registry-2-0c55e9ab'] },
};

/** Everything that is referred to by name. */
export const versionSchemas = [
  Violation,
  VersionSummary,
  VersionDetail,
  VersionPage,
  PackDocumentBody,
  Hunk,
  AssetDiff,
  MetadataDiff,
  Diff,
  RevokeBody,
  Move,
  Revocation,
];
