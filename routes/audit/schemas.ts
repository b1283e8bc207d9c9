/** Wire shapes of the audit. */
import { Type } from '@sinclair/typebox';
import {
  ChannelName,
  EVENT_ORDERS,
  EVENT_TYPES,
  KeyId,
  PackName,
  Revision,
  Timestamp,
  Version,
} from '../../registry/index.ts';
import { example } from '../wire/examples.ts';
import { limitQuery, noQuery } from '../wire/parameters.ts';
import { problems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, nullable, ref, stringEnum } from '../wire/schema-types.ts';
import { Actor } from '../wire/shared-schemas.ts';

const Hash = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256 of RFC 8785 of the event as listed, without `hash`.',
  examples: ['4f'.repeat(32)],
});

export const Event = closed(
  {
    revision: Revision,
    id: Type.String({
      description: 'Unique; `listEvents?id=` finds it.',
      examples: ['5c1f7d0e-5f0b-4f0a-9a5e-0f6b1a2c3d4e'],
    }),
    at: Timestamp,
    type: Type.String({
      description: `What happened: ${EVENT_TYPES.join(', ')}, or a type that a newer build knows.`,
      examples: ['version-activated'],
    }),
    actor: ref(Actor),
    reason: Type.String({ examples: ['Answers were too blunt'] }),
    pack: Type.Optional(PackName),
    channel: Type.Optional(ChannelName),
    version: Type.Optional(Version),
    data: Type.Object(
      {},
      {
        additionalProperties: true,
        description: 'What else belongs to the type; also the Idempotency-Key of the request.',
      },
    ),
    previousHash: Hash,
    hash: Hash,
  },
  { $id: 'Event', description: 'One entry of the log.' },
);
export const eventExample = {
  revision: 9,
  id: '5c1f7d0e-5f0b-4f0a-9a5e-0f6b1a2c3d4e',
  at: example.at,
  type: 'version-activated',
  actor: example.actor,
  reason: 'Answers were too blunt',
  pack: 'coach',
  channel: 'production',
  version: '1.1.0',
  data: { digest: example.digest, previousVersion: '2.0.0' },
  previousHash: '1a'.repeat(32),
  hash: '4f'.repeat(32),
};

export const EventPage = closed(
  {
    events: Type.Array(ref(Event)),
    nextAfter: nullable(
      Type.Integer({
        description: 'Ask with `after` for the next page; null on the last one, and with `order=newest`.',
        examples: [9],
      }),
    ),
    nextBefore: Type.Optional(
      nullable(
        Type.Integer({
          description: 'With `order=newest` alone: ask with `before` for the next page; null on the last one.',
          examples: [5],
        }),
      ),
    ),
  },
  { $id: 'EventPage' },
);

const time = (description: string) =>
  Type.Optional(Type.String({ format: 'date-time', description, examples: ['2026-01-31T09:30:00Z'] }));

export const eventsQuery = closed({
  after: Type.Optional(
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Only events with a higher revision.' }),
  ),
  before: Type.Optional(
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Only events with a lower revision.' }),
  ),
  order: Type.Optional({ ...stringEnum(EVENT_ORDERS, 'Which events come first.'), default: 'oldest' }),
  limit: limitQuery,
  pack: Type.Optional(PackName),
  channel: Type.Optional(ChannelName),
  actor: Type.Optional({
    ...KeyId,
    pattern: '^[0-9A-Za-z-]{1,32}$',
    description: 'Key id of who acted, 1 to 32 letters, digits and hyphens; `system` for the registry itself.',
  }),
  type: Type.Optional(stringEnum(EVENT_TYPES, 'Only events of this type.')),
  id: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'The event with this id.' })),
  from: time('Not earlier than this.'),
  to: time('Not later than this.'),
});

export const Head = closed(
  { revision: Revision, hash: Hash, at: Timestamp },
  {
    $id: 'Head',
    description:
      'The last event. Keep `(revision, hash)` outside: a chain that was rewritten as a whole is found only against it.',
  },
);
export const headExample = { revision: 9, hash: '4f'.repeat(32), at: example.at };

export const Verification = closed(
  {
    valid: Type.Boolean(),
    events: Type.Integer({ minimum: 0, description: 'How many events were found whole.' }),
    head: closed({ revision: Revision, hash: Hash }, { description: 'The last whole event.' }),
    firstBroken: Type.Optional(
      closed({ revision: Revision, detail: Type.String() }, { description: 'Where the log is broken first, and how.' }),
    ),
  },
  { $id: 'Verification', description: 'Whether the log is the one that was written.' },
);
export const verificationExample = { valid: true, events: 9, head: { revision: 9, hash: '4f'.repeat(32) } };

export const auditSchemas = [Event, EventPage, Head, Verification];

// ── Operations ──

export const listEvents = {
  operationId: 'listEvents',
  tags: ['Audit'],
  summary: 'List events',
  description:
    'Who did what, when and why, page by page; all conditions hold together. The oldest come first: ask with `after=<nextAfter>` for the next page. With `order=newest` the newest come first: ask with `before=<nextBefore>`.',
  querystring: eventsQuery,
  response: {
    200: jsonResponse(EventPage, 'A page of events.', { events: [eventExample], nextAfter: null }),
    ...problems('store-unavailable'),
  },
};

export const getAuditHead = {
  operationId: 'getAuditHead',
  tags: ['Audit'],
  summary: 'Read the head of the log',
  description: 'The place to keep outside, so that a cut tail or a rewritten chain can be found later.',
  querystring: noQuery,
  response: { 200: jsonResponse(Head, 'The head.', headExample), ...problems() },
};

export const verifyAudit = {
  operationId: 'verifyAudit',
  tags: ['Audit'],
  summary: 'Check the whole log',
  description:
    'Hashes every event and every content again. Finds each changed, removed, reordered or inserted event and each changed content. An attacker who rewrites the whole chain is found only against a head that was kept outside (`npm run audit:verify -- --head REVISION:HASH`). A long log takes a while.',
  querystring: noQuery,
  response: {
    200: jsonResponse(Verification, 'What was found.', verificationExample),
    ...problems('store-unavailable'),
  },
};
