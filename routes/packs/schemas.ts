/** Schemas of packs and their policies. */
import { Type, type Static } from '@sinclair/typebox';
import {
  ChannelName,
  Digest,
  PackName,
  Policy as PolicyWord,
  Revision,
  Timestamp,
  Version,
} from '../../registry/index.ts';
import { VersionSummary, versionSummaryExample } from '../versions/schemas.ts';
import { example } from '../wire/examples.ts';
import { noQuery, packParams } from '../wire/parameters.ts';
import { problems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, nullable, ref } from '../wire/schema-types.ts';
import { Actor } from '../wire/shared-schemas.ts';

export const Channel = closed(
  {
    channel: ChannelName,
    version: Version,
    digest: Digest,
    revision: Revision,
    activatedAt: Timestamp,
    activatedBy: ref(Actor),
  },
  { $id: 'Channel', description: 'Where a channel of the pack points.' },
);

export const Pack = closed(
  {
    pack: PackName,
    versionCount: Type.Integer({ minimum: 0 }),
    latest: nullable(
      Type.String({
        description: 'The highest version that is neither a prerelease nor revoked; null if there is none.',
        examples: ['2.0.0'],
      }),
    ),
    versions: Type.Array(ref(VersionSummary), { description: 'The 20 highest; `listVersions` lists all.' }),
    channels: Type.Array(ref(Channel)),
  },
  { $id: 'Pack', description: 'A pack with its versions and channels.' },
);
export type Pack = Static<typeof Pack>;
export const packExample = {
  pack: 'coach',
  versionCount: 1,
  latest: '1.1.0',
  versions: [versionSummaryExample],
  channels: [
    {
      channel: 'production',
      version: '1.1.0',
      digest: example.digest,
      revision: 7,
      activatedAt: example.at,
      activatedBy: example.actor,
    },
  ],
};

export const PackList = closed({ packs: Type.Array(ref(Pack)) }, { $id: 'PackList' });

export const Policy = closed(
  {
    pack: PackName,
    ...PolicyWord.properties,
    version: Type.Integer({
      minimum: 0,
      description: 'A higher version replaces a lower one; 0 if the pack has no policy.',
      examples: [1],
    }),
    digest: nullable(
      Type.String({
        description: 'SHA-256 over RFC 8785 of the policy; null if the pack has none.',
        examples: [example.digest],
      }),
    ),
    revision: nullable(
      Type.Integer({
        description: 'The revision that put the policy in force; null if the pack has none.',
        examples: [2],
      }),
    ),
  },
  { $id: 'Policy', description: 'The floor under every version of a pack.' },
);
export const policyExample = {
  pack: 'coach',
  version: 1,
  digest: example.digest,
  revision: 2,
  clauses: [{ id: 'not-a-therapist', text: 'You are a coach, not a therapist.' }],
  forbidden: [{ id: 'claims-to-be-human', text: 'I am a human' }],
  requiredStyles: ['supportive'],
  limits: { system: 20_000 },
  placeholders: ['user_name'],
};

export const packSchemas = [Channel, Pack, PackList, Policy];

// ── Operations ──

export const listPacks = {
  operationId: 'listPacks',
  tags: ['Packs'],
  summary: 'List the packs',
  description: 'Every pack with its channels and its 20 highest versions.',
  querystring: noQuery,
  response: { 200: jsonResponse(PackList, 'The packs, by name.', { packs: [packExample] }), ...problems() },
};

export const getPack = {
  operationId: 'getPack',
  tags: ['Packs'],
  summary: 'Read a pack',
  description: 'One pack with its channels and its 20 highest versions.',
  params: packParams,
  querystring: noQuery,
  response: {
    200: jsonResponse(Pack, 'The pack.', packExample),
    ...problems('pack-not-found', 'uri-too-long'),
  },
};

export const getPolicy = {
  operationId: 'getPolicy',
  tags: ['Packs'],
  summary: "Read a pack's policy",
  description: 'The floor: the conditions that every version of the pack must meet before it can be active.',
  params: packParams,
  querystring: noQuery,
  response: {
    200: jsonResponse(Policy, 'The policy in force.', policyExample),
    ...problems('pack-not-found', 'uri-too-long'),
  },
};
