/** Wire shapes of the stream of events, and what its messages look like as bytes (Server-Sent Events, WHATWG HTML section 9.2). */
import { Type } from '@sinclair/typebox';
import {
  ChannelName,
  Digest,
  PackName,
  Revision,
  Timestamp,
  Version,
  type Encode,
  type Position,
} from '../../registry/index.ts';
import { example } from '../wire/examples.ts';
import { revisionHeaders } from '../wire/headers.ts';
import { problems } from '../wire/problems.ts';
import { closed, nullable, ref } from '../wire/schema-types.ts';

const Epoch = Type.Integer({
  minimum: 1,
  description: 'Which history the revision is of: 1, and one more after each accepted restore of the database.',
  examples: [1],
});

const Move = closed(
  { channel: ChannelName, version: Version, previousVersion: nullable(Version), digest: Digest },
  { $id: 'StreamMove', description: 'A channel that the event moved.' },
);

export const StreamMessage = closed(
  {
    epoch: Epoch,
    revision: Revision,
    type: Type.Optional(
      Type.String({
        description: 'Type of the event; absent in `revision`, `resync` and `heartbeat`.',
        examples: ['version-activated'],
      }),
    ),
    pack: Type.Optional(PackName),
    moves: Type.Optional(
      Type.Array(ref(Move), { description: 'Where the event moved channels to; empty where it moved none.' }),
    ),
    at: Type.Optional(Timestamp),
    staleSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Seconds since this instance last knew that it was current; absent while it does.',
        examples: [7],
      }),
    ),
  },
  { $id: 'StreamMessage', description: '`data` of one message of the stream.' },
);
export const streamMessageExample = {
  epoch: 1,
  revision: 9,
  type: 'version-activated',
  pack: 'coach',
  at: example.at,
  moves: [{ channel: 'production', version: '1.1.0', previousVersion: '2.0.0', digest: example.digest }],
};

export const streamQuery = closed({ pack: Type.Optional(PackName), channel: Type.Optional(ChannelName) });

const POSITION = /^(?:([1-9]\d{0,14}):)?(0|[1-9]\d{0,14})$/u;

export const streamHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      pattern: POSITION.source,
      description:
        '`id` of the last message that the caller has: what comes after it is sent, without a gap or a repeat. A revision, e.g. 42; after a restore with its epoch, e.g. 2:17.',
    }),
  ),
});

/** The answer 200: a stream of messages, with the headers of every answer. */
export const streamAnswer = {
  description: 'The stream; it has no end of its own. The schema is that of the `data` of each message.',
  headers: revisionHeaders,
  content: {
    'text/event-stream': { schema: ref(StreamMessage), examples: { typical: { value: streamMessageExample } } },
  },
} as const;

/** A place as the `id` of a message: the revision; behind the first restore with its epoch, e.g. `2:17`. */
function idOf({ epoch, revision }: Position): string {
  return epoch === 1 ? `${revision}` : `${epoch}:${revision}`;
}

/** The place that an `id` names; undefined where there is none. */
export function positionIn(id: string | undefined): Position | undefined {
  const [, epoch = '1', revision] = POSITION.exec(id ?? '') ?? [];
  return revision === undefined ? undefined : { epoch: Number(epoch), revision: Number(revision) };
}

/** One message of the stream. */
export const encode: Encode = (kind, upTo, message) =>
  Buffer.from(`id: ${idOf(upTo)}\nevent: ${kind}\ndata: ${JSON.stringify(message)}\n\n`);

export const eventSchemas = [Move, StreamMessage];

// ── Operations ──

export const streamEvents = {
  operationId: 'streamEvents',
  tags: ['Events'],
  summary: 'Stream events',
  description: [
    'Server-Sent Events. First comes `event: revision` with the current place in the log, then one message a revision: `event` is the type of the event, `data` says which channels moved where; no prompt texts.',
    'The `id` of each message is the place up to which the caller has everything; sent back as `Last-Event-ID` it resumes, on any instance, without a gap or a repeat.',
    'Where that place is not in the log, because a database was restored, comes `event: resync`: read again what you keep, then go on from here.',
    '`event: heartbeat` comes every 15 s. With `pack` or `channel` only what is about them is sent, and heartbeats carry the `id` past the rest. A reader that does not keep up is cut off, and resumes.',
    'Swagger UI cannot show an answer without an end, so it has no Execute here. From a shell: `curl -N -H "Authorization: Bearer prk_…" <this server>/v1/events`.',
  ].join('\n\n'),
  querystring: streamQuery,
  headers: streamHeaders,
  response: { 200: streamAnswer, ...problems('pack-not-found', 'channel-not-found', 'revision-not-reached') },
};
