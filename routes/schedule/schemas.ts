/** Schemas of scheduled activations. */
import { Type } from '@sinclair/typebox';
import {
  ChannelName,
  PackName,
  Reason,
  Revision,
  ScheduleId,
  SessionPolicy,
  Timestamp,
  Version,
} from '../../registry/index.ts';
import { example } from '../wire/examples.ts';
import { createdHeaders, idempotencyHeaders, replayedHeader } from '../wire/headers.ts';
import { channelQuery, noQuery, packParams } from '../wire/parameters.ts';
import { problems, writeProblems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, ref } from '../wire/schema-types.ts';
import { Actor, ReasonBody } from '../wire/shared-schemas.ts';

export const ScheduledActivation = closed(
  {
    id: ScheduleId,
    pack: PackName,
    channel: ChannelName,
    version: Version,
    at: { ...Timestamp, description: 'When it is due, by the clock of the registry.' },
    sessions: Type.Optional(SessionPolicy),
    revision: Revision,
    scheduledAt: Timestamp,
    scheduledBy: ref(Actor),
    reason: Reason,
  },
  {
    $id: 'ScheduledActivation',
    description: 'An activation at a time. It is skipped if the channel has moved since it was scheduled.',
  },
);
export const scheduledExample = {
  id: '0d9c6a52-7f1e-4c57-9a35-0b8f4f5e2f11',
  pack: 'coach',
  channel: 'production',
  version: '2.0.0',
  at: '2026-02-01T06:00:00.000Z',
  revision: 14,
  scheduledAt: example.at,
  scheduledBy: example.actor,
  reason: 'When the team is awake',
};

export const Schedule = closed(
  { scheduled: Type.Array(ref(ScheduledActivation), { description: 'The pending ones, the earliest first.' }) },
  { $id: 'Schedule' },
);

export const ScheduleBody = closed(
  {
    version: Version,
    channel: Type.Optional(ChannelName),
    at: { ...Timestamp, description: 'With its zone; in the future, at most 90 days ahead.' },
    sessions: Type.Optional(SessionPolicy),
    reason: Reason,
  },
  {
    $id: 'ScheduleRequest',
    // A time that has passed: an example that is sent as it is must change nothing.
    examples: [{ version: '2.0.0', at: '2026-02-01T06:00:00Z', reason: 'When the team is awake' }],
  },
);

export const Cancelled = closed(
  { id: ScheduleId, revision: Revision },
  { $id: 'CancelledActivation', description: 'What was cancelled, and by which event.' },
);
const cancelledExample = { id: scheduledExample.id, revision: 15 };

export const scheduleParams = closed({ pack: PackName, id: ScheduleId });
export const scheduleSchemas = [ScheduledActivation, Schedule, ScheduleBody, Cancelled];

// ── Operations ──

export const scheduleActivation = {
  operationId: 'scheduleActivation',
  tags: ['Activation'],
  summary: 'Schedule an activation',
  description:
    'Activates a version at a time. If the channel moves before, or the version may not be active then, it is skipped, and an event says why. At most 20 are pending in a channel.',
  params: packParams,
  querystring: noQuery,
  headers: idempotencyHeaders,
  body: ref(ScheduleBody),
  response: {
    201: jsonResponse(ScheduledActivation, 'Scheduled.', scheduledExample, createdHeaders),
    ...writeProblems(
      'pack-not-found',
      'channel-not-found',
      'unknown-version',
      'version-revoked',
      'policy-violated',
      'schedule-full',
      'idempotency-mismatch',
      'uri-too-long',
    ),
  },
};

export const listSchedule = {
  operationId: 'listSchedule',
  tags: ['Activation'],
  summary: 'List the scheduled activations of a channel',
  description: 'The pending ones. Those that were made or skipped are in the audit.',
  params: packParams,
  querystring: closed(channelQuery),
  response: {
    200: jsonResponse(Schedule, 'The schedule.', { scheduled: [scheduledExample] }),
    ...problems('pack-not-found', 'channel-not-found', 'uri-too-long'),
  },
};

export const cancelScheduledActivation = {
  operationId: 'cancelScheduledActivation',
  tags: ['Activation'],
  summary: 'Cancel a scheduled activation',
  description: 'The activation is not made. `revokeKey` does the same to all that the key has scheduled.',
  params: scheduleParams,
  querystring: noQuery,
  headers: idempotencyHeaders,
  body: ref(ReasonBody),
  response: {
    200: jsonResponse(Cancelled, 'Cancelled.', cancelledExample, replayedHeader),
    ...writeProblems('pack-not-found', 'schedule-not-found', 'idempotency-mismatch', 'uri-too-long'),
  },
};
