/** Schemas of the audit. */
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
import { DATA_BY_TYPE } from './event-data.ts';
import { example } from '../wire/examples.ts';
import { limitQuery, noQuery } from '../wire/parameters.ts';
import { problems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, nullable, ref, stringEnum } from '../wire/schema-types.ts';
import { Actor } from '../wire/shared-schemas.ts';

const Hash = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256 over RFC 8785 of the event as listed, without `hash`.',
  examples: ['4f'.repeat(32)],
});

export const Event = closed(
  {
    revision: Revision,
    id: Type.String({
      description: 'Unique. `listEvents?id=` finds the event.',
      examples: ['5c1f7d0e-5f0b-4f0a-9a5e-0f6b1a2c3d4e'],
    }),
    at: Timestamp,
    type: Type.String({
      description: `What happened: ${EVENT_TYPES.join(', ')}, or a type that only newer builds know.`,
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
        description: `Further data of this type of event, and the Idempotency-Key of the request. Shares are in thousandths of a percent, and steps are counted from 0. ${DATA_BY_TYPE}`,
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
        description: 'Send it as `after` for the next page; null on the last page, and with `order=newest`.',
        examples: [9],
      }),
    ),
    nextBefore: Type.Optional(
      nullable(
        Type.Integer({
          description: 'Only with `order=newest`: send it as `before` for the next page; null on the last page.',
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
    description: 'Key id of the actor, 1 to 32 letters, digits and hyphens; `system` for the registry itself.',
  }),
  type: Type.Optional(stringEnum(EVENT_TYPES, 'Only events of this type.')),
  id: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'The event with this id.' })),
  from: time('Only events at or after this time.'),
  to: time('Only events at or before this time.'),
});

export const Head = closed(
  { revision: Revision, hash: Hash, at: Timestamp },
  {
    $id: 'Head',
    description:
      'The last event. Keep `(revision, hash)` outside the registry: only against it can a rewrite of the whole chain be found.',
  },
);
export const headExample = { revision: 9, hash: '4f'.repeat(32), at: example.at };

export const Verification = closed(
  {
    valid: Type.Boolean(),
    events: Type.Integer({ minimum: 0, description: 'Number of intact events.' }),
    head: closed({ revision: Revision, hash: Hash }, { description: 'The last intact event.' }),
    firstBroken: Type.Optional(
      closed({ revision: Revision, detail: Type.String() }, { description: 'Where the log is first broken, and how.' }),
    ),
  },
  { $id: 'Verification', description: 'Whether the log is as it was written.' },
);
export const verificationExample = { valid: true, events: 9, head: { revision: 9, hash: '4f'.repeat(32) } };

export const auditSchemas = [Event, EventPage, Head, Verification];

// ── Operations ──

export const listEvents = {
  operationId: 'listEvents',
  tags: ['Audit'],
  summary: 'List events',
  description:
    'Who did what, when and why, page by page. An event must match all filters. The oldest event comes first: send `after=<nextAfter>` for the next page. With `order=newest`, the newest comes first: send `before=<nextBefore>`.',
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
  description:
    'The revision and hash of the last event. Keep them outside the registry, so that a truncated or rewritten log can be found later.',
  querystring: noQuery,
  response: { 200: jsonResponse(Head, 'The head.', headExample), ...problems() },
};

export const verifyAudit = {
  operationId: 'verifyAudit',
  tags: ['Audit'],
  summary: 'Check the whole log',
  description:
    'Hashes every event and every content again. It finds each changed, removed, reordered or inserted event, and each changed content. A rewrite of the whole chain is found only against a head that was kept outside (`npm run audit:verify -- --head REVISION:HASH`). A long log takes a while.',
  querystring: noQuery,
  response: {
    200: jsonResponse(Verification, 'The result.', verificationExample),
    ...problems('store-unavailable'),
  },
};
