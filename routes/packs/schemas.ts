/** Wire shapes of packs, versions and activations. */
import { Type, type Static } from '@sinclair/typebox';
import {
  Actor, ChannelName, Compatibility, Digest, PackDocument, PackName, Reason, Revision, Style, StyleId, StyleTitle, Timestamp, Version,
} from '../../registry/index.ts';
import { channelQuery, closed, cursorQuery, limitQuery, NextCursor, nullable, ref, stringEnum } from '../schema-kit.ts';

export const example = {
  digest: `sha256:${'4f'.repeat(32)}`,
  actor: { keyId: 'k7Qm2', label: 'Dana, on call' },
  at: '2026-01-31T09:30:00.000Z',
  styles: [{ id: 'supportive', title: 'Supportive' }, { id: 'direct', title: 'Direct' }],
  texts: [
    { id: 'supportive', title: 'Supportive', text: 'Lead with what went well.' },
    { id: 'direct', title: 'Direct', text: 'Say the main point first.' },
  ],
  compatibility: { packFormat: 1, models: [{ provider: 'anthropic', family: 'claude' }], clients: [{ name: 'coach-web', range: '>=2.0.0 <4.0.0' }], locales: ['en'] },
};

const versionMembers = {
  pack: PackName,
  version: Version,
  digest: Digest,
  status: stringEnum(['registered', 'revoked'], 'A revoked version is not served again.'),
  summary: PackDocument.properties.summary,
  author: PackDocument.properties.author,
  publishedAt: Timestamp,
  publishedBy: Actor,
  defaultStyle: StyleId,
  compatibility: Compatibility,
  activeIn: Type.Array(ChannelName, { description: 'Channels that point at it.' }),
  problems: Type.Array(Type.String(), { description: 'What keeps it from being activated; empty where nothing does.' }),
};

export const VersionSummary = closed({ ...versionMembers, styles: Type.Array(StyleTitle) }, { $id: 'VersionSummary', description: 'A version without its texts.' });
export type VersionSummary = Static<typeof VersionSummary>;
export const versionSummaryExample = {
  ...{ pack: 'coach', version: '1.1.0', digest: example.digest, status: 'registered', summary: 'Clearer crisis wording', author: 'Coaching content team' },
  ...{ publishedAt: example.at, publishedBy: example.actor, defaultStyle: 'supportive', compatibility: example.compatibility, activeIn: ['production'], problems: [] },
  styles: example.styles,
};

export const VersionDetail = closed({ ...versionMembers, system: Type.String(), styles: Type.Array(Style) }, { $id: 'Version', description: 'A version with its texts.' });
export const versionDetailExample = { ...versionSummaryExample, system: 'You are a coach, not a therapist.', styles: example.texts };

export const Channel = closed(
  { channel: ChannelName, version: Version, digest: Digest, revision: Revision, activatedAt: Timestamp, activatedBy: Actor },
  { $id: 'Channel', description: 'Where a channel of the pack points.' },
);

export const Pack = closed(
  {
    pack: PackName,
    versionCount: Type.Integer({ minimum: 0 }),
    latest: nullable(Type.String({ description: 'The highest version that is no prerelease and not revoked; null where there is none.', examples: ['2.0.0'] })),
    versions: Type.Array(ref(VersionSummary), { description: 'The 20 highest; `listVersions` has all.' }),
    channels: Type.Array(ref(Channel)),
  },
  { $id: 'Pack', description: 'A pack with its versions and channels.' },
);
export type Pack = Static<typeof Pack>;
export const packExample = {
  ...{ pack: 'coach', versionCount: 1, latest: '1.1.0', versions: [versionSummaryExample] },
  channels: [{ channel: 'production', version: '1.1.0', digest: example.digest, revision: 7, activatedAt: example.at, activatedBy: example.actor }],
};

export const PackList = closed({ packs: Type.Array(ref(Pack)) }, { $id: 'PackList' });

export const VersionPage = closed({ pack: PackName, versions: Type.Array(ref(VersionSummary)), nextCursor: NextCursor }, { $id: 'VersionPage' });

export const versionsQuery = closed({
  limit: limitQuery,
  cursor: cursorQuery,
  status: Type.Optional(stringEnum(['registered', 'revoked'], 'Only versions of this status.')),
});

/** What a publisher sends: the pack document. */
export const PackDocumentBody = closed(PackDocument.properties, {
  $id: 'PackDocument',
  description: 'A version to be registered. Once registered it never changes.',
  examples: [
    { version: '1.2.0', summary: 'Warmer openings', author: 'Coaching content team', system: 'You are a coach, not a therapist.', styles: example.texts, defaultStyle: 'supportive', compatibility: example.compatibility },
  ],
});

export const ActivePack = closed(
  {
    ...{ pack: PackName, channel: ChannelName, version: Version, digest: Digest, revision: Revision },
    ...{ activatedAt: Timestamp, activatedBy: Actor, reason: Reason, defaultStyle: StyleId, compatibility: Compatibility },
    system: Type.String({ description: 'The system prompt.' }),
    styles: Type.Array(Style),
  },
  { $id: 'ActivePack', description: 'The whole active version, from one snapshot. `revision` is the one that last moved the channel.' },
);
export const activePackExample = {
  ...{ pack: 'coach', channel: 'production', version: '1.1.0', digest: example.digest, revision: 7, activatedAt: example.at, activatedBy: example.actor },
  ...{ reason: 'Answers were too blunt', defaultStyle: 'supportive', compatibility: example.compatibility, system: 'You are a coach, not a therapist.', styles: example.texts },
};

export const Activation = closed(
  {
    revision: Revision,
    kind: stringEnum(['activation', 'rollback', 'revocation'], 'How the channel came to move.'),
    ...{ pack: PackName, channel: ChannelName, version: Version, digest: Digest },
    previousVersion: nullable(Type.String({ description: 'Where the channel was before; null where nowhere.', examples: ['2.0.0'] })),
    ...{ actor: Actor, reason: Reason, activatedAt: Timestamp },
    changed: Type.Boolean({ description: 'False where the channel was there already: no event was made, and this tells how it came there.' }),
  },
  { $id: 'Activation', description: 'A move of a channel.' },
);
export const activationExample = {
  ...{ revision: 9, kind: 'activation', pack: 'coach', channel: 'production', version: '1.1.0', digest: example.digest, previousVersion: '2.0.0' },
  ...{ actor: example.actor, reason: 'Answers were too blunt', activatedAt: example.at, changed: true },
};

export const ActivationPage = closed({ activations: Type.Array(ref(Activation)), nextCursor: NextCursor }, { $id: 'ActivationPage' });

export const ActivateBody = closed(
  { version: Version, channel: Type.Optional(ChannelName), reason: Reason },
  { $id: 'ActivateRequest', examples: [{ version: '1.1.0', reason: 'Answers were too blunt' }] },
);

export const RollbackBody = closed(
  {
    channel: Type.Optional(ChannelName),
    reason: Reason,
    toVersion: Type.Optional({ ...Version, description: 'Back to this version, which was active in the channel before. Without it: one step down.' }),
    fromVersion: Type.Optional({ ...Version, description: 'Only where this version is still the active one.' }),
  },
  { $id: 'RollbackRequest', examples: [{ reason: 'Answers were too blunt', fromVersion: '2.0.0' }] },
);

export const activationsQuery = closed({ ...channelQuery, limit: limitQuery, cursor: cursorQuery });

/** Everything that is referred to by name. */
export const packSchemas = [VersionSummary, VersionDetail, Channel, Pack, PackList, VersionPage, PackDocumentBody, ActivePack, Activation, ActivationPage, ActivateBody, RollbackBody];
