/** Schemas of the active pack and of moves. */
import { Type } from '@sinclair/typebox';
import {
  ChannelName,
  Digest,
  Duration,
  PackName,
  Reason,
  Revision,
  RolloutId,
  SessionPolicy,
  StyleId,
  Timestamp,
  Version,
} from '../../registry/index.ts';
import { AssetDiff, diffExample } from '../versions/diff-schemas.ts';
import { Violation } from '../versions/schemas.ts';
import { example } from '../wire/examples.ts';
import {
  assignmentHeader,
  createdHeaders,
  etagHeader,
  moveHeaders,
  readHeaders,
  replayedHeader,
  waitedHeader,
} from '../wire/headers.ts';
import { channelQuery, cursorQuery, limitQuery, NextCursor, noQuery, packParams } from '../wire/parameters.ts';
import { InstancesReached, pendingInstancesExample } from '../wire/prefer-wait.ts';
import { problems, writeProblems } from '../wire/problems.ts';
import { jsonResponse, notModifiedArm } from '../wire/responses.ts';
import { subjectQuery } from '../wire/subject.ts';
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
    description: 'The whole active version, from one snapshot. `revision` is the revision that last moved the channel.',
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

const EndedRollout = closed(
  { id: RolloutId, state: stringEnum(['promoted', 'aborted'], 'How it ended.') },
  {
    $id: 'EndedRollout',
    description: 'The rollout that the move ends: its promotion, or a move back to the stable version.',
  },
);

export const Activation = closed(
  {
    revision: Revision,
    kind: stringEnum(['activation', 'rollback', 'revocation'], 'What moved the channel.'),
    pack: PackName,
    channel: ChannelName,
    version: Version,
    digest: Digest,
    previousVersion: nullable(
      Type.String({ description: 'The version that was active before; null if none was.', examples: ['2.0.0'] }),
    ),
    actor: ref(Actor),
    reason: Reason,
    activatedAt: Timestamp,
    changed: Type.Boolean({
      description:
        'False if the version was already active: this is the move that activated it. If it was on trial, the trial has still ended.',
    }),
    rollout: Type.Optional(ref(EndedRollout)),
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
  Type.Boolean({ description: 'Report what would happen, and change nothing. Omit it to move the channel.' }),
);

export const ActivateBody = closed(
  {
    version: Version,
    channel: Type.Optional(ChannelName),
    reason: Reason,
    revertAfter: Type.Optional({
      ...Duration,
      description:
        'A trial: the channel goes back after this time unless `confirmActivation` comes first. At most `90d`.',
    }),
    sessions: Type.Optional(SessionPolicy),
    dryRun,
  },
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
      description:
        'Roll back to this version, which must have been active in the channel before. Default: one step down the stack.',
    }),
    fromVersion: Type.Optional({
      ...Version,
      description: 'Refuse the rollback unless this version is still active, or being rolled out.',
    }),
    sessions: Type.Optional(SessionPolicy),
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
      Type.String({ description: 'The version that is active now; null if none is.', examples: ['2.0.0'] }),
    ),
    diff: Type.Array(ref(AssetDiff), {
      description: 'How the prompts would change. For a revoked version, only a key with `audit:read` sees the lines.',
    }),
    stylesAdded: Type.Array(StyleId),
    stylesRemoved: Type.Array(StyleId),
    problems: Type.Array(ref(Violation), { description: 'Why the move would be refused; empty if it would succeed.' }),
    rollout: Type.Optional(ref(EndedRollout)),
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

/** The body of a 200: nothing had to change, or it was a dry run. */
export const ActivationOrPreview = Type.Union([ref(Activation), ref(Preview)], {
  $id: 'ActivationOrPreview',
  description: 'The move already in force (`changed: false`), or with `dryRun` what the move would do.',
});

export const activationsQuery = closed({
  ...channelQuery,
  at: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'The move in force at this time, and the moves before it.',
      examples: ['2026-01-31T09:30:00Z'],
    }),
  ),
  limit: limitQuery,
  cursor: cursorQuery,
});

export const activationSchemas = [
  ActivePack,
  EndedRollout,
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
  description:
    'The whole version that the channel points at: system prompt, styles and metadata. Supports conditional requests.',
  params: packParams,
  querystring: closed({ ...channelQuery, ...subjectQuery }),
  headers: readHeaders,
  response: {
    200: jsonResponse(ActivePack, 'The active pack.', activePackExample, { ...etagHeader, ...assignmentHeader }),
    304: notModifiedArm,
    ...problems('pack-not-found', 'channel-not-found', 'uri-too-long'),
  },
};

export const listActivations = {
  operationId: 'listActivations',
  tags: ['Activation'],
  summary: "List a pack's activations",
  description:
    'Every move of its channels, including rollbacks and revocations, newest first, page by page. With `at`, the first entry is the move in force at that time.',
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

/** The responses to every move of a channel. */
const moveResponses = {
  200: jsonResponse(
    ActivationOrPreview,
    'The version was already active; nothing changed. With `dryRun`: what the move would do.',
    { ...activationExample, changed: false },
    { ...replayedHeader, ...waitedHeader },
  ),
  201: jsonResponse(Activation, 'Moved.', activationExample, { ...createdHeaders, ...waitedHeader }),
  202: jsonResponse(
    Activation,
    'Moved. With `Prefer: wait`: some instances have not applied it in time.',
    pendingExample,
    { ...createdHeaders, ...waitedHeader },
  ),
};

export const activateVersion = {
  operationId: 'activateVersion',
  tags: ['Activation'],
  summary: 'Activate a version',
  description:
    'Points a channel at any registered version, in one atomic step. Activating the version that is already active succeeds without effect.',
  params: packParams,
  querystring: noQuery,
  headers: moveHeaders,
  body: ref(ActivateBody),
  response: {
    ...moveResponses,
    ...writeProblems(
      'pack-not-found',
      'channel-not-found',
      'unknown-version',
      'already-active',
      'trial-running',
      'nothing-to-roll-back-to',
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
  summary: 'Roll back a channel',
  description:
    'Goes one step down the stack of versions that were active in the channel, or to `toVersion`. A second rollback goes one step further down, never forward again. Send `fromVersion` or `If-Match`, so that two operators do not roll back twice.',
  params: packParams,
  querystring: noQuery,
  headers: moveHeaders,
  body: ref(RollbackBody),
  response: {
    ...moveResponses,
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
