/** Schemas of coach sessions. */
import { Type } from '@sinclair/typebox';
import {
  Attributes,
  ChannelName,
  Digest,
  PackName,
  Revision,
  RolloutId,
  StyleId,
  Subject,
  Timestamp,
  Version,
} from '../../registry/index.ts';
import { locationHeader } from '../wire/headers.ts';
import { noQuery } from '../wire/parameters.ts';
import { bodyProblems, problems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, ref, stringEnum } from '../wire/schema-types.ts';
import { Style } from '../wire/shared-schemas.ts';

const SessionId = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Opaque. Keep it to read the session again.',
  examples: ['eyJhbGciOiJIUzI1NiIsImtpZCI6IjExMmQ3YSJ9.e30.c2ln'],
});

export const Session = closed(
  {
    sessionId: SessionId,
    startedAt: Timestamp,
    expiresAt: Timestamp,
    promptPack: closed(
      { pack: PackName, channel: ChannelName, version: Version, digest: Digest, revision: Revision },
      { description: 'The pin: the version that the session keeps until it expires.' },
    ),
    prompt: closed({ system: Type.String({ description: 'The system prompt.' }), style: ref(Style) }),
    assignment: Type.Optional(
      closed(
        { rollout: RolloutId, arm: stringEnum(['stable', 'candidate'], 'Which arm.') },
        { description: 'The arm that the session started on. Present if a rollout was under way.' },
      ),
    ),
    movedFrom: Type.Optional(
      closed(
        { version: Version, styleId: StyleId },
        {
          description:
            'The original pin. Present if the session continues on another version: its own was revoked, or a move sent it along.',
        },
      ),
    ),
    superseded: Type.Boolean({
      description: 'True if the channel has moved to another version. The session keeps its own.',
    }),
  },
  { $id: 'Session', description: 'A coach session and the pack version that it keeps.' },
);
export const sessionExample = {
  sessionId: 'eyJhbGciOiJIUzI1NiIsImtpZCI6IjExMmQ3YSJ9.e30.c2ln',
  startedAt: '2026-01-31T09:30:00.000Z',
  expiresAt: '2026-02-01T09:30:00.000Z',
  promptPack: {
    pack: 'coach',
    channel: 'production',
    version: '1.1.0',
    digest: `sha256:${'4f'.repeat(32)}`,
    revision: 7,
  },
  prompt: {
    system: 'You are a coach, not a therapist.',
    style: { id: 'supportive', title: 'Supportive', text: 'Lead with what went well.' },
  },
  superseded: false,
};

export const StartSessionBody = closed(
  {
    styleId: Type.Optional({ ...StyleId, description: "Default: the version's default style." }),
    channel: Type.Optional(ChannelName),
    subject: Type.Optional({
      ...Subject,
      description: 'Decides which version the session starts on while a rollout runs. Default: the session itself.',
    }),
    attributes: Type.Optional(Attributes),
  },
  { $id: 'StartSessionRequest', examples: [{ styleId: 'supportive' }] },
);

export const sessionParams = closed({ sessionId: SessionId });

export const coachSchemas = [Session, StartSessionBody];

// ── Operations ──

export const startCoachSession = {
  operationId: 'startCoachSession',
  tags: ['Coach'],
  summary: 'Start a coach session',
  description:
    'Starts a session on the active version of the default pack. The response says which version it is; the session keeps it until it expires.',
  querystring: noQuery,
  body: ref(StartSessionBody),
  response: {
    201: jsonResponse(Session, 'Started.', sessionExample, locationHeader),
    ...bodyProblems('pack-not-found', 'channel-not-found', 'style-not-supported'),
  },
};

export const getCoachSession = {
  operationId: 'getCoachSession',
  tags: ['Coach'],
  summary: 'Read a coach session',
  description:
    'The session with the version that was pinned at its start, whatever activations, rollbacks and restarts followed. If that version was revoked, its replacement.',
  params: sessionParams,
  querystring: noQuery,
  response: {
    200: jsonResponse(Session, 'The session.', sessionExample),
    ...problems(
      'session-not-found',
      'session-ended',
      'uri-too-long',
      'store-unavailable',
      'revision-not-reached',
      'overloaded',
    ),
  },
};
