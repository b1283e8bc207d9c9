/** Wire shapes of what is active, and of its moves. */
import { Type } from '@sinclair/typebox';
import { ChannelName, Digest, PackName, Reason, Revision, StyleId, Timestamp, Version } from '../../registry/index.ts';
import { AssetDiff, diffExample } from '../versions/diff-schemas.ts';
import { Violation } from '../versions/schemas.ts';
import { example } from '../wire/examples.ts';
import {
  conditionalHeaders,
  createdHeaders,
  etagHeader,
  moveHeaders,
  replayedHeader,
  waitedHeader,
} from '../wire/headers.ts';
import { channelQuery, cursorQuery, limitQuery, NextCursor, noQuery, packParams } from '../wire/parameters.ts';
import { InstancesReached, pendingInstancesExample } from '../wire/prefer-wait.ts';
import { problems, writeProblems } from '../wire/problems.ts';
import { jsonResponse, notModified } from '../wire/responses.ts';
import { closed, nullable, ref, stringEnum } from '../wire/schema-types.ts';
import { Actor, Compatibility, Style } from '../wire/shared-schemas.ts';

export const ActivePack = closed(
  {
    pack: PackName,
    channel: ChannelName,
    version: Version,
    digest: Digest,
    revision: Revision,
    activatedAt: Timestamp,
    activatedBy: ref(Actor),
    reason: Reason,
    defaultStyle: StyleId,
    compatibility: ref(Compatibility),
    system: Type.String({ description: 'The system prompt.' }),
    styles: Type.Array(ref(Style)),
  },
  {
    $id: 'ActivePack',
    description: 'The whole active version, from one snapshot. `revision` is the one that last moved the channel.',
  },
);
export const activePackExample = {
  pack: 'coach',
  channel: 'production',
  version: '1.1.0',
  digest: example.digest,
  revision: 7,
  activatedAt: example.at,
  activatedBy: example.actor,
  reason: 'Answers were too blunt',
  defaultStyle: 'supportive',
  compatibility: example.compatibility,
  system: 'You are a coach, not a therapist.',
  styles: example.texts,
};

export const Activation = closed(
  {
    revision: Revision,
    kind: stringEnum(['activation', 'rollback', 'revocation'], 'How the channel came to move.'),
    pack: PackName,
    channel: ChannelName,
    version: Version,
    digest: Digest,
    previousVersion: nullable(
      Type.String({ description: 'Where the channel was before; null where nowhere.', examples: ['2.0.0'] }),
    ),
    actor: ref(Actor),
    reason: Reason,
    activatedAt: Timestamp,
    changed: Type.Boolean({
      description: 'False where the channel was there already: no event was made, and this tells how it came there.',
    }),
    instances: Type.Optional(ref(InstancesReached)),
  },
  { $id: 'Activation', description: 'A move of a channel.' },
);
export const activationExample = {
  revision: 9,
  kind: 'activation',
  pack: 'coach',
  channel: 'production',
  version: '1.1.0',
  digest: example.digest,
  previousVersion: '2.0.0',
  actor: example.actor,
  reason: 'Answers were too blunt',
  activatedAt: example.at,
  changed: true,
};

export const pendingExample = {
  ...activationExample,
  instances: pendingInstancesExample,
};

export const ActivationPage = closed(
  { activations: Type.Array(ref(Activation)), nextCursor: NextCursor },
  { $id: 'ActivationPage' },
);

const dryRun = Type.Optional(
  Type.Boolean({ description: 'Only say what would happen. Leave it out to move the channel.' }),
);

export const ActivateBody = closed(
  { version: Version, channel: Type.Optional(ChannelName), reason: Reason, dryRun },
  {
    $id: 'ActivateRequest',
    examples: [{ version: '1.1.0', channel: 'production', reason: 'Answers were too blunt', dryRun: true }],
  },
);

export const RollbackBody = closed(
  {
    channel: Type.Optional(ChannelName),
    reason: Reason,
    toVersion: Type.Optional({
      ...Version,
      description: 'Back to this version, which was active in the channel before. Without it: one step down.',
    }),
    fromVersion: Type.Optional({ ...Version, description: 'Only where this version is still the active one.' }),
    dryRun,
  },
  {
    $id: 'RollbackRequest',
    examples: [{ channel: 'production', reason: 'Answers were too blunt', fromVersion: '2.0.0', dryRun: true }],
  },
);

export const Preview = closed(
  {
    wouldActivate: Version,
    previousVersion: nullable(
      Type.String({ description: 'What is active now; null where nothing is.', examples: ['2.0.0'] }),
    ),
    diff: Type.Array(ref(AssetDiff), {
      description:
        'How the prompts would change. Of a revoked version without its lines, for who may not read its texts (`audit:read`).',
    }),
    stylesAdded: Type.Array(StyleId),
    stylesRemoved: Type.Array(StyleId),
    problems: Type.Array(ref(Violation), { description: 'What would refuse it; empty where nothing would.' }),
  },
  { $id: 'Preview', description: 'What a move would do.' },
);
export const previewExample = {
  wouldActivate: '1.1.0',
  previousVersion: '1.0.0',
  diff: diffExample.assets,
  stylesAdded: ['socratic'],
  stylesRemoved: [],
  problems: [],
};

/** 200 is either that nothing had to change, or the answer to a dry run. */
export const ActivationOrPreview = Type.Union([ref(Activation), ref(Preview)], {
  $id: 'ActivationOrPreview',
  description: 'The move in force (`changed: false`), or with `dryRun` what a move would do.',
});

export const activationsQuery = closed({
  ...channelQuery,
  at: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'The move in force at that time, and those before it.',
      examples: ['2026-01-31T09:30:00Z'],
    }),
  ),
  limit: limitQuery,
  cursor: cursorQuery,
});

export const activationSchemas = [
  ActivePack,
  Activation,
  ActivationPage,
  ActivateBody,
  RollbackBody,
  Preview,
  ActivationOrPreview,
];

// ── Operations ──

export const getActivePack = {
  operationId: 'getActivePack',
  tags: ['Activation'],
  summary: 'Read the active pack',
  description: 'The whole version that the channel points at: system prompt, styles, metadata. Conditional.',
  params: packParams,
  querystring: closed(channelQuery),
  headers: conditionalHeaders,
  response: {
    200: jsonResponse(ActivePack, 'The active pack.', activePackExample, etagHeader),
    304: notModified,
    ...problems('pack-not-found', 'channel-not-found', 'uri-too-long'),
  },
};

export const listActivations = {
  operationId: 'listActivations',
  tags: ['Activation'],
  summary: "List a pack's activations",
  description:
    'Every move of its channels, rollbacks and revocations included, the newest first, page by page. `at` asks for a time: the first entry is the one in force then.',
  params: packParams,
  querystring: activationsQuery,
  response: {
    200: jsonResponse(ActivationPage, 'A page of moves.', {
      activations: [activationExample],
      nextCursor: null,
    }),
    ...problems('pack-not-found', 'uri-too-long', 'store-unavailable', 'overloaded'),
  },
};

export const activateVersion = {
  operationId: 'activateVersion',
  tags: ['Activation'],
  summary: 'Activate a version',
  description:
    'Points a channel at any registered version, at once and whole. Activating what is active already is a success without effect.',
  params: packParams,
  querystring: noQuery,
  headers: moveHeaders,
  body: ref(ActivateBody),
  response: {
    200: jsonResponse(
      ActivationOrPreview,
      'The version was active already; nothing was changed.',
      { ...activationExample, changed: false },
      { ...replayedHeader, ...waitedHeader },
    ),
    201: jsonResponse(Activation, 'Activated.', activationExample, { ...createdHeaders, ...waitedHeader }),
    202: jsonResponse(
      Activation,
      'Activated; with `Prefer: wait`, some instances had not applied it in time.',
      pendingExample,
      { ...createdHeaders, ...waitedHeader },
    ),
    ...writeProblems(
      'pack-not-found',
      'channel-not-found',
      'unknown-version',
      'revision-conflict',
      'version-revoked',
      'policy-violated',
      'idempotency-mismatch',
      'uri-too-long',
    ),
  },
};

export const rollbackPack = {
  operationId: 'rollbackPack',
  tags: ['Activation'],
  summary: 'Roll a channel back',
  description:
    'Walks one step down the stack of versions that were active in the channel, or to `toVersion`. Pressing it twice goes two back, never forward again. Send `fromVersion` or `If-Match`, so that two operators do not roll back twice.',
  params: packParams,
  querystring: noQuery,
  headers: moveHeaders,
  body: ref(RollbackBody),
  response: {
    200: jsonResponse(
      ActivationOrPreview,
      '`toVersion` was active already; nothing was changed.',
      { ...activationExample, kind: 'rollback', changed: false },
      { ...replayedHeader, ...waitedHeader },
    ),
    201: jsonResponse(
      Activation,
      'Rolled back.',
      { ...activationExample, kind: 'rollback' },
      { ...createdHeaders, ...waitedHeader },
    ),
    202: jsonResponse(
      Activation,
      'Rolled back; with `Prefer: wait`, some instances had not applied it in time.',
      { ...pendingExample, kind: 'rollback' },
      { ...createdHeaders, ...waitedHeader },
    ),
    ...writeProblems(
      'pack-not-found',
      'channel-not-found',
      'unknown-version',
      'never-active',
      'not-active',
      'nothing-to-roll-back-to',
      'revision-conflict',
      'version-revoked',
      'policy-violated',
      'idempotency-mismatch',
      'uri-too-long',
    ),
  },
};
