/** Schemas of channels: everything that decides what a subject gets. */
import { Type } from '@sinclair/typebox';
import {
  Audience,
  ChannelName,
  PackName,
  Reason,
  Revision,
  RolloutId,
  Share,
  Timestamp,
  Version,
} from '../../registry/index.ts';
import { ActivePack, activePackExample } from '../activations/schemas.ts';
import { Epoch } from '../events/schemas.ts';
import { ScheduledActivation } from '../schedule/schemas.ts';
import { conditionalHeaders, etagHeader, moveHeaders, replayedHeader, waitedHeader } from '../wire/headers.ts';
import { noQuery } from '../wire/parameters.ts';
import { InstancesReached, pendingInstancesExample } from '../wire/prefer-wait.ts';
import { problems, writeProblems } from '../wire/problems.ts';
import { jsonResponse, notModified } from '../wire/responses.ts';
import { closed, ref, stringEnum } from '../wire/schema-types.ts';
import { Actor, ReasonBody } from '../wire/shared-schemas.ts';

const SessionMove = closed(
  {
    epoch: Epoch,
    revision: Revision,
    from: { ...Version, description: 'The version that the channel left.' },
    to: { ...Version, description: 'The version that it moved to.' },
    sessions: stringEnum(['next-turn', 'end'], 'What happens to the sessions on the version that was left.'),
    at: Timestamp,
    reason: Reason,
  },
  { $id: 'SessionMove', description: 'A move that concerned running sessions of the channel.' },
);

export const ChannelState = closed(
  {
    pack: PackName,
    channel: ChannelName,
    revision: { ...Revision, description: 'The event that last changed any part of this.' },
    stable: ref(ActivePack),
    rollout: Type.Optional(
      closed(
        {
          id: RolloutId,
          candidate: ref(ActivePack),
          share: Share,
          audience: Type.Optional(Audience),
          salt: Type.String({ description: 'Decides, with the subject, who gets the candidate.' }),
          hash: stringEnum(['v1'], 'How the bucket of a subject is computed; see docs/rollouts.md.'),
          state: stringEnum(['running', 'paused', 'baking'], 'How far the rollout is.'),
        },
        { description: 'The rollout under way: the other arm, and who gets it.' },
      ),
    ),
    trial: Type.Optional(
      closed(
        { version: Version, revertAt: Timestamp, startedAt: Timestamp, startedBy: ref(Actor), reason: Reason },
        { description: 'The active version is on trial: the channel goes back at `revertAt` unless it is confirmed.' },
      ),
    ),
    schedule: Type.Array(ref(ScheduledActivation)),
    sessionMoves: Type.Array(ref(SessionMove), {
      description: 'In the order of the log, at most 1,000. With them a client knows where its own sessions are.',
    }),
    droppedUpTo: Type.Optional(
      closed(
        { epoch: Epoch, revision: Revision },
        {
          description:
            'Session moves up to here are no longer listed. An older session is answered from what is active.',
        },
      ),
    ),
  },
  {
    $id: 'ChannelState',
    description:
      'What a channel serves: the stable version, and the candidate with the rule of a rollout. A client decides with it locally.',
  },
);
/** Short: the channel has two packs. */
const armExample = { ...activePackExample, styles: activePackExample.styles.slice(0, 1) };
const channelExample = {
  pack: 'coach',
  channel: 'production',
  revision: 12,
  stable: armExample,
  rollout: {
    id: 12,
    candidate: { ...armExample, version: '2.0.0', revision: 12 },
    share: 10,
    salt: 'nYw2x0pZ1fJ3kQ8s',
    hash: 'v1',
    state: 'running',
  },
  schedule: [],
  sessionMoves: [],
};

export const Confirmation = closed(
  {
    pack: PackName,
    channel: ChannelName,
    version: Version,
    revision: Revision,
    instances: Type.Optional(ref(InstancesReached)),
  },
  { $id: 'Confirmation', description: 'The version that stays, and the event that says so.' },
);
const confirmationExample = { pack: 'coach', channel: 'production', version: '1.1.0', revision: 16 };

export const channelParams = closed({ pack: PackName, channel: ChannelName });
export const channelSchemas = [SessionMove, ChannelState, Confirmation];

// ── Operations ──

export const getChannel = {
  operationId: 'getChannel',
  tags: ['Rollouts'],
  summary: 'Read a channel',
  description:
    'Both arms of the channel and the rule that decides between them, its trial and its schedule. Supports conditional requests.',
  params: channelParams,
  querystring: noQuery,
  headers: conditionalHeaders,
  response: {
    200: jsonResponse(ChannelState, 'The channel.', channelExample, etagHeader),
    304: notModified,
    ...problems('pack-not-found', 'channel-not-found', 'uri-too-long'),
  },
};

export const confirmActivation = {
  operationId: 'confirmActivation',
  tags: ['Activation'],
  summary: 'Confirm a trial',
  description: 'The version that is on trial stays active.',
  params: channelParams,
  querystring: noQuery,
  headers: moveHeaders,
  body: ref(ReasonBody),
  response: {
    200: jsonResponse(Confirmation, 'Confirmed.', confirmationExample, { ...replayedHeader, ...waitedHeader }),
    202: jsonResponse(
      Confirmation,
      'Confirmed. With `Prefer: wait`: some instances have not applied it in time.',
      { ...confirmationExample, instances: pendingInstancesExample },
      { ...replayedHeader, ...waitedHeader },
    ),
    ...writeProblems(
      'pack-not-found',
      'channel-not-found',
      'no-trial',
      'revision-conflict',
      'idempotency-mismatch',
      'uri-too-long',
    ),
  },
};
