/** Schemas of rollouts. */
import { Type } from '@sinclair/typebox';
import {
  Audience,
  ChannelName,
  Duration,
  Finish,
  PackName,
  Reason,
  Revision,
  RolloutId,
  SessionPolicy,
  Share,
  Step,
  Timestamp,
  Version,
} from '../../registry/index.ts';
import { AssetDiff } from '../versions/diff-schemas.ts';
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
import { closed, ref, stringEnum } from '../wire/schema-types.ts';
import { Actor } from '../wire/shared-schemas.ts';

const STATES = ['running', 'paused', 'baking', 'promoted', 'aborted'] as const;
const RolloutState = stringEnum(
  STATES,
  'Running, paused or baking: the rollout is under way. Promoted or aborted: it has ended.',
);

export const Rollout = closed(
  {
    id: RolloutId,
    pack: PackName,
    channel: ChannelName,
    state: RolloutState,
    version: { ...Version, description: 'The candidate.' },
    stableVersion: { ...Version, description: 'Where the channel was when the rollout started.' },
    share: Share,
    step: Type.Integer({ minimum: 0, description: 'The last step that was taken; 0 below the first.', examples: [1] }),
    steps: Type.Array(Step),
    bake: Type.Optional(Duration),
    finish: Finish,
    audience: Type.Optional(Audience),
    startedAt: Timestamp,
    startedBy: ref(Actor),
    reason: Reason,
    revision: { ...Revision, description: 'The event that last changed the rollout.' },
    nextAt: Type.Optional({
      ...Timestamp,
      description: 'When the current wait is over. Without it, somebody must act.',
    }),
    endedAt: Type.Optional(Timestamp),
    endedBy: Type.Optional(ref(Actor)),
    endReason: Type.Optional(Reason),
    changed: Type.Optional(
      Type.Boolean({ description: 'In the answer to a change: false if it held already, so nothing was written.' }),
    ),
    instances: Type.Optional(ref(InstancesReached)),
  },
  { $id: 'Rollout', description: "A channel's gradual move to another version." },
);
export const rolloutExample = {
  id: 12,
  pack: 'coach',
  channel: 'production',
  state: 'running',
  version: '2.0.0',
  stableVersion: '1.1.0',
  share: 10,
  step: 1,
  steps: [{ share: 10, hold: '1h' }, { share: 100 }],
  bake: '1d',
  finish: 'promote',
  startedAt: example.at,
  startedBy: example.actor,
  reason: 'Warmer openings',
  revision: 12,
  nextAt: '2026-01-31T10:30:00.000Z',
};
const { nextAt: _, ...notWaiting } = rolloutExample;
const endedExample = {
  ...notWaiting,
  state: 'aborted',
  revision: 13,
  endedAt: example.at,
  endedBy: example.actor,
  endReason: 'Answers were too blunt',
};
const pausedExample = { ...notWaiting, state: 'paused', revision: 13, changed: true };
const pendingExample = { ...rolloutExample, instances: pendingInstancesExample };

export const RolloutPage = closed(
  { rollouts: Type.Array(ref(Rollout)), nextCursor: NextCursor },
  { $id: 'RolloutPage' },
);

const dryRun = Type.Optional(Type.Boolean({ description: 'Report what would happen, and change nothing.' }));

export const StartRolloutBody = closed(
  {
    version: { ...Version, description: 'The candidate.' },
    channel: Type.Optional(ChannelName),
    reason: Reason,
    steps: Type.Array(Step, { minItems: 1, maxItems: 50, description: 'Rising shares.' }),
    bake: Type.Optional({ ...Duration, description: 'How long it stays at its last share before it ends.' }),
    finish: Finish,
    audience: Type.Optional(Audience),
    sameSubjectsAs: Type.Optional({
      ...RolloutId,
      description: 'One of the last 20 rollouts of the channel: the same users get the candidate again.',
    }),
    force: Type.Optional(
      Type.Boolean({
        description: 'Start although instances of an older build are live. They serve the stable version.',
      }),
    ),
    dryRun,
  },
  {
    $id: 'StartRolloutRequest',
    examples: [
      {
        version: '2.0.0',
        reason: 'Warmer openings',
        steps: [{ share: 10, hold: '1h' }, { share: 100 }],
        bake: '1d',
        finish: 'promote',
        dryRun: true,
      },
    ],
  },
);

export const AdvanceRolloutBody = closed(
  {
    share: Type.Optional({ ...Share, description: 'Set this share. Default: take the next step.' }),
    reason: Reason,
    dryRun,
  },
  { $id: 'AdvanceRolloutRequest', examples: [{ reason: 'No complaints after an hour' }] },
);

export const SteerRolloutBody = closed(
  { reason: Reason, dryRun },
  { $id: 'SteerRolloutRequest', examples: [{ reason: 'Wait for the team' }] },
);

export const EndRolloutBody = closed(
  { sessions: Type.Optional(SessionPolicy), reason: Reason, dryRun },
  { $id: 'EndRolloutRequest', examples: [{ reason: 'Answers were too blunt', sessions: 'next-turn' }] },
);

export const RolloutPreview = closed(
  {
    rollout: ref(Rollout),
    everybody: Type.Boolean({
      description:
        'Whether the audience is everybody, so that `rollout.share` is the percentage of all subjects. Else it is that of the audience.',
    }),
    testers: Type.Integer({ minimum: 0, description: 'Subjects that get the candidate whatever the share.' }),
    diff: Type.Array(ref(AssetDiff), { description: 'How the prompts of the candidate differ from the stable ones.' }),
    problems: Type.Array(ref(Violation), { description: 'Why it would be refused; empty if it would succeed.' }),
    olderInstances: Type.Array(Type.String(), {
      description: 'Live instances of a build that does not know rollouts: without `force` a start is refused.',
    }),
  },
  { $id: 'RolloutPreview', description: 'What a start or a change of a rollout would do.' },
);
const previewExample = {
  rollout: rolloutExample,
  everybody: true,
  testers: 0,
  diff: [],
  problems: [],
  olderInstances: [],
};

/** The body of a 200: the rollout as it is, or what a dry run found. */
export const RolloutOrPreview = Type.Union([ref(Rollout), ref(RolloutPreview)], {
  $id: 'RolloutOrPreview',
  description: 'The rollout, or with `dryRun` what would happen.',
});

export const rolloutParams = closed({ pack: PackName, rollout: RolloutId });
const rolloutsQuery = closed({
  ...channelQuery,
  state: Type.Optional(stringEnum(STATES, 'Only rollouts in this state.')),
  limit: limitQuery,
  cursor: cursorQuery,
});

export const rolloutSchemas = [
  Rollout,
  RolloutPage,
  StartRolloutBody,
  AdvanceRolloutBody,
  SteerRolloutBody,
  EndRolloutBody,
  RolloutPreview,
  RolloutOrPreview,
];

// ── Operations ──

export const startRollout = {
  operationId: 'startRollout',
  tags: ['Rollouts'],
  summary: 'Start a rollout',
  description:
    'Gives a version to a share of the subjects of a channel, and raises the share step by step. Everybody else stays on the active version. A rollback ends it.',
  params: packParams,
  querystring: noQuery,
  headers: moveHeaders,
  body: ref(StartRolloutBody),
  response: {
    200: jsonResponse(RolloutOrPreview, 'With `dryRun`: what the rollout would do.', previewExample, replayedHeader),
    201: jsonResponse(Rollout, 'Started.', rolloutExample, { ...createdHeaders, ...waitedHeader }),
    202: jsonResponse(
      Rollout,
      'Started. With `Prefer: wait`: some instances have not applied it in time.',
      pendingExample,
      { ...createdHeaders, ...waitedHeader },
    ),
    ...writeProblems(
      'pack-not-found',
      'channel-not-found',
      'rollout-not-found',
      'unknown-version',
      'already-active',
      'rollout-running',
      'trial-running',
      'older-instances',
      'revision-conflict',
      'version-revoked',
      'policy-violated',
      'idempotency-mismatch',
      'uri-too-long',
    ),
  },
};

export const listRollouts = {
  operationId: 'listRollouts',
  tags: ['Rollouts'],
  summary: "List a pack's rollouts",
  description: 'The newest first, page by page, those that have ended included.',
  params: packParams,
  querystring: rolloutsQuery,
  response: {
    200: jsonResponse(RolloutPage, 'A page of rollouts.', { rollouts: [endedExample], nextCursor: null }),
    ...problems('pack-not-found', 'uri-too-long', 'store-unavailable', 'overloaded'),
  },
};

export const getRollout = {
  operationId: 'getRollout',
  tags: ['Rollouts'],
  summary: 'Read a rollout',
  description: 'A rollout with its plan and how far it is. Supports conditional requests.',
  params: rolloutParams,
  querystring: noQuery,
  headers: conditionalHeaders,
  response: {
    200: jsonResponse(Rollout, 'The rollout.', rolloutExample, etagHeader),
    304: notModified,
    ...problems('pack-not-found', 'rollout-not-found', 'uri-too-long', 'store-unavailable', 'overloaded'),
  },
};

/** The responses to every change of a rollout that is under way. */
const changedResponses = {
  200: jsonResponse(
    RolloutOrPreview,
    'The rollout after the change. With `dryRun`: what would happen.',
    pausedExample,
    { ...replayedHeader, ...waitedHeader },
  ),
  202: jsonResponse(
    Rollout,
    'The rollout after the change. With `Prefer: wait`: some instances have not applied it in time.',
    pendingExample,
    { ...replayedHeader, ...waitedHeader },
  ),
};
const steeringProblems = writeProblems(
  'pack-not-found',
  'rollout-not-found',
  'rollout-ended',
  'revision-conflict',
  'idempotency-mismatch',
  'uri-too-long',
);
const steering = { tags: ['Rollouts'], params: rolloutParams, querystring: noQuery, headers: moveHeaders };

export const advanceRollout = {
  operationId: 'advanceRollout',
  ...steering,
  summary: 'Advance a rollout',
  description: 'Takes the next step of the plan, or sets a share; the plan then goes on with the first step above it.',
  body: ref(AdvanceRolloutBody),
  response: { ...changedResponses, ...steeringProblems },
};

export const pauseRollout = {
  operationId: 'pauseRollout',
  ...steering,
  summary: 'Pause a rollout',
  description: 'The share keeps serving. The wait of the plan stops, and goes on when the rollout is resumed.',
  body: ref(SteerRolloutBody),
  response: { ...changedResponses, ...steeringProblems },
};

export const resumeRollout = {
  operationId: 'resumeRollout',
  ...steering,
  summary: 'Resume a rollout',
  description: 'The wait of the plan goes on where it stopped.',
  body: ref(SteerRolloutBody),
  response: { ...changedResponses, ...steeringProblems },
};

export const promoteRollout = {
  operationId: 'promoteRollout',
  ...steering,
  summary: 'Promote a rollout',
  description: 'Everybody gets the candidate: it becomes the active version of the channel.',
  body: ref(EndRolloutBody),
  response: { ...changedResponses, ...steeringProblems },
};

export const abortRollout = {
  operationId: 'abortRollout',
  ...steering,
  summary: 'Abort a rollout',
  description: 'Everybody is on the stable version again. `rollbackPack` does the same.',
  body: ref(EndRolloutBody),
  response: { ...changedResponses, ...steeringProblems },
};
