/** The stream of events: who reads prompts hears of each change as it is made. */
import type { ServerResponse } from 'node:http';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { stamp } from '../../plugins/revision/request-snapshot.ts';
import { refusalBy } from '../../plugins/access/scopes.ts';
import {
  deadBecause,
  packIn,
  RegistryError,
  Watchers,
  type EndReason,
  type Filter,
  type Position,
  type Registry,
  type Sink,
  type Snapshot,
  type Watch,
  type WatchersOptions,
} from '../../registry/index.ts';
import { problems } from '../wire/schema-kit.ts';
import * as wire from './schemas.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Who has a stream open. */
    watchers: Watchers;
  }
}

/** What can be set otherwise than it is shipped. */
export interface EventRoutesOptions extends Omit<WatchersOptions, 'encode' | 'mayWatch' | 'log'> {
  /** Hears of each stream that is opened, and is told where to ask how many there are. */
  readonly counts?: { opened(): void; open: () => number };
}

/** What a caller needs to hear of changes. */
const SCOPE = 'prompts:read';
/** Kept by nobody, and passed on at once by what is between: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering */
const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'private, no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

const eventRoutes: FastifyPluginAsyncTypebox<EventRoutesOptions> = async (app, { counts, ...options }) => {
  const { registry } = app;
  const watchers = new Watchers(registry, {
    ...options,
    encode: wire.encode,
    mayWatch: (snapshot, keyId) => app.keysAreHonoured() && mayWatch(snapshot, keyId, registry.now()),
    log: app.log,
  });
  app.decorate('watchers', watchers);
  if (counts !== undefined) counts.open = () => watchers.size;
  app.addHook('preClose', async () => watchers.close()); // the server would wait for their end
  for (const schema of wire.eventSchemas) app.addSchema(schema);

  const open = (request: FastifyRequest, reply: FastifyReply, { pack, channel }: Filter, after?: Position) => {
    const { current } = registry;
    requireKnown(registry, current, pack, channel);
    stamp(reply, registry, current);
    const response = reply.hijack().raw;
    response.writeHead(200, { ...reply.getHeaders(), ...HEADERS } as Record<string, string>);
    counts?.opened();
    if (request.method === 'HEAD') return void response.end();
    const { keyId = '', expiresAt } = request.caller ?? {};
    watch(
      watchers,
      { pack, channel, keyId, after, ...(expiresAt !== undefined && { until: Date.parse(expiresAt) }) },
      response,
    );
  };

  const openAfterWait = (request: FastifyRequest, reply: FastifyReply, filter: Filter, after: Position) => {
    const refused = refusalBy(registry.current, request, reply, SCOPE);
    if (refused !== undefined) throw refused;
    open(request, reply, filter, after);
  };

  app.get('/v1/events', {
    config: { scope: SCOPE, endless: true },
    schema: {
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
      querystring: wire.streamQuery,
      headers: wire.streamHeaders,
      response: { 200: wire.streamAnswer, ...problems('pack-not-found', 'channel-not-found', 'revision-not-reached') },
    },
    handler: (request, reply) => {
      const after = wire.positionOf(request.headers['last-event-id']);
      if (after === undefined) open(request, reply, request.query);
      else return watchers.reach(after).then(() => openAfterWait(request, reply, request.query, after));
    },
  });
};

export default eventRoutes;

/** Has the answer told; what stays with it of the request is its key's id. */
function watch(watchers: Watchers, what: Watch, response: ServerResponse): void {
  const watcher = watchers.add(what, new ResponseSink(response));
  response.once('close', () => watchers.leave(watcher));
  if (response.destroyed) watchers.leave(watcher); // it went away while its place was being reached
}

/** @throws RegistryError `pack-not-found`, `channel-not-found` for a channel that is not one of the registry's and where no such pack ever had anything active */
function requireKnown(
  { channels }: Registry,
  snapshot: Snapshot,
  pack: string | undefined,
  channel: string | undefined,
): void {
  const packs = pack === undefined ? snapshot.packs.values() : [packIn(snapshot, pack)];
  if (channel === undefined || channels.includes(channel)) return;
  const knownChannels = new Set(channels);
  for (const { pointers } of packs) for (const name of pointers.keys()) knownChannels.add(name);
  if (!knownChannels.has(channel)) {
    throw new RegistryError(
      'channel-not-found',
      `There is no channel "${channel}". Channels here: ${[...knownChannels].join(', ')}.`,
      { knownChannels: [...knownChannels] },
    );
  }
}

function mayWatch(snapshot: Snapshot, keyId: string, now: number): boolean {
  const key = snapshot.keys.get(keyId);
  return key !== undefined && deadBecause(key, now) === undefined;
}

/** A watcher at the other end of an answer. It holds the answer and nothing else of the request: there are ten thousand of them. */
class ResponseSink implements Sink {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get waiting(): number {
    return this.#response.writableLength;
  }

  write(bytes: Buffer): void {
    this.#response.write(bytes);
  }

  onceDrained(go: () => void): void {
    if (this.#response.writableNeedDrain) this.#response.once('drain', go);
    else go();
  }

  end(_reason: EndReason): void {
    // What waits for a reader that does not take it would keep the connection open.
    if (this.#response.writableLength > 0) this.#response.destroy();
    else this.#response.end();
  }
}
