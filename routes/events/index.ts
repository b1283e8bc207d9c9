/** The stream of events: a client receives each change when it happens. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { refusalBy } from '../../plugins/access/scopes.ts';
import {
  whyInvalid,
  packIn,
  RegistryError,
  Watchers,
  type Filter,
  type Registry,
  type Snapshot,
  type Watch,
  type WatchersOptions,
} from '../../registry/index.ts';
import { stamp } from '../wire/stamp.ts';
import { OpenStreams } from './open-streams.ts';
import * as schemas from './schemas.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The open streams. */
    watchers: Watchers;
  }
}

/** Settings for tests and benchmarks, and the metrics of streams. */
export interface EventRoutesOptions extends Omit<WatchersOptions, 'encode' | 'mayWatch' | 'log'> {
  /** The route calls `opened` for each stream, and sets `open` to a function that counts the open ones. */
  readonly counts?: { opened(): void; open: () => number };
}

const SCOPE = 'prompts:read';
/** No cache keeps a stream, and no proxy buffers it: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering */
const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'private, no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

const eventRoutes: FastifyPluginAsyncTypebox<EventRoutesOptions> = async (app, { counts, ...options }) => {
  const { registry } = app;
  const watchers = new Watchers(registry, {
    ...options,
    encode: schemas.encode,
    mayWatch: (snapshot, keyId) => app.keysAreHonoured() && isLive(snapshot, keyId, registry.now()),
    logger: app.log,
  });
  app.decorate('watchers', watchers);
  if (counts !== undefined) counts.open = () => watchers.size;
  const streams = new OpenStreams(watchers);
  app.addHook('preClose', async () => watchers.close()); // the server waits until all responses have ended

  const open = (request: FastifyRequest, reply: FastifyReply, filter: Filter, after?: Watch['after']) => {
    const { current } = registry;
    requireKnown(registry, current, filter);
    stamp(request, reply, { snapshot: current });
    const headers = { ...reply.getHeaders(), ...HEADERS } as Record<string, string>;
    const response = reply.hijack().raw;
    counts?.opened();
    if (request.method === 'HEAD') response.writeHead(200, headers).end();
    else streams.open(response, headers, { ...filter, ...keyOf(request), after });
  };

  app.get('/v1/events', {
    config: { scope: SCOPE, endless: true },
    schema: schemas.streamEvents,
    handler: (request, reply) => {
      const after = schemas.positionIn(request.headers['last-event-id']);
      if (after === undefined) return open(request, reply, request.query);
      return watchers.reach(after).then(() => {
        const refused = refusalBy(registry.current, request, reply, SCOPE); // the key may have been revoked meanwhile
        if (refused !== undefined) throw refused;
        open(request, reply, request.query, after);
      });
    },
  });
};

export default eventRoutes;

/** @throws RegistryError `pack-not-found`; `channel-not-found` if the channel is not configured and no pack in the filter has used it */
function requireKnown({ channels }: Registry, snapshot: Snapshot, { pack, channel }: Filter): void {
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

function isLive(snapshot: Snapshot, keyId: string, now: number): boolean {
  const key = snapshot.keys.get(keyId);
  return key !== undefined && whyInvalid(key, now) === undefined;
}

/** A stream ends when its key does. */
function keyOf({ caller }: FastifyRequest): Pick<Watch, 'keyId' | 'until'> {
  const { keyId = '', expiresAt } = caller ?? {};
  return { keyId, ...(expiresAt !== undefined && { until: Date.parse(expiresAt) }) };
}
