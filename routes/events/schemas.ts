/** Schemas of the stream of events, and its messages as bytes (Server-Sent Events, WHATWG HTML section 9.2). */
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

export const Epoch = Type.Integer({
  minimum: 1,
  description:
    'Which history the revision belongs to. It starts at 1, and each accepted restore of the database adds 1.',
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
    channel: Type.Optional({ ...ChannelName, description: 'The channel that the event is about, if it is about one.' }),
    moves: Type.Optional(
      Type.Array(ref(Move), { description: 'Where the event moved channels; empty if it moved none.' }),
    ),
    at: Type.Optional(Timestamp),
    staleSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Seconds since this instance last knew that it was current; absent while it knows.',
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
  channel: 'production',
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
        '`id` of the last message that you have. The stream continues after it, without a gap or a repeat. It is a revision, e.g. 42; after a restore also the epoch, e.g. 2:17.',
    }),
  ),
});

export const streamResponse = {
  description: 'The stream. It does not end. The schema describes the `data` of each message.',
  headers: revisionHeaders,
  content: {
    'text/event-stream': { schema: ref(StreamMessage), examples: { typical: { value: streamMessageExample } } },
  },
} as const;

/** A position as the `id` of a message: the revision; after the first restore with the epoch, e.g. `2:17`. */
function idOf({ epoch, revision }: Position): string {
  return epoch === 1 ? `${revision}` : `${epoch}:${revision}`;
}

/** The position in an `id`, if it is valid. */
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
    'Server-Sent Events. The first message is `event: revision` with the current position in the log. Then each revision is one message: `event` is the type of the event, and `data` says which channels moved where. Messages have no prompt texts.',
    'The `id` of a message is the position up to which you have received everything. Send it as `Last-Event-ID` to resume, on any instance, without a gap or a repeat.',
    'If that position is not in the log, because a database was restored, the first message is `event: resync`: read again what you keep, then continue from here.',
    '`event: heartbeat` comes every 15 s. With `pack` or `channel`, only events that may change what they serve are sent; the `id` of a heartbeat skips the others. A reader that is too slow is disconnected, and can resume.',
    'Swagger UI cannot show a response that does not end, so there is no Execute button here. In a shell: `curl -N -H "Authorization: Bearer prk_…" <this server>/v1/events`.',
  ].join('\n\n'),
  querystring: streamQuery,
  headers: streamHeaders,
  response: { 200: streamResponse, ...problems('pack-not-found', 'channel-not-found', 'revision-not-reached') },
};
