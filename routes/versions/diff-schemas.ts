/** Schemas of the comparison of two versions. */
import { Type } from '@sinclair/typebox';
import { PackName, StyleId, Version } from '../../registry/index.ts';
import { versionParams } from '../wire/parameters.ts';
import { problems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, nullable, ref, stringEnum } from '../wire/schema-types.ts';

const Hunk = closed(
  {
    oldStart: Type.Integer(),
    oldLines: Type.Integer(),
    newStart: Type.Integer(),
    newLines: Type.Integer(),
    lines: Type.Array(Type.String(), {
      description: 'Each begins with a space (unchanged), `-` (removed) or `+` (added).',
    }),
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
    from: Type.String({ description: 'As JSON text.' }),
    to: Type.String({ description: 'As JSON text.' }),
  },
  { $id: 'MetadataDiff', description: 'How one field of the metadata differs.' },
);

export const Diff = closed(
  {
    pack: PackName,
    from: nullable(
      Type.String({ description: 'The version compared with; null if there is none.', examples: ['1.0.0'] }),
    ),
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
    description: 'The version to compare with. Default: the version that is active in the default channel.',
  }),
});

export const diffSchemas = [Hunk, AssetDiff, MetadataDiff, Diff];

export const diffVersions = {
  operationId: 'diffVersions',
  tags: ['Packs'],
  summary: 'Compare two versions',
  description:
    'Unified hunks for each prompt, changes of metadata, and styles added and removed, from the version `against` to this one. If either is revoked, this needs `audit:read`.',
  params: versionParams,
  querystring: diffQuery,
  response: {
    200: jsonResponse(Diff, 'How they differ.', diffExample),
    ...problems(
      'pack-not-found',
      'version-not-found',
      'content-revoked',
      'channel-not-found',
      'uri-too-long',
      'store-unavailable',
      'overloaded',
    ),
  },
};
