/**
 * The application: plugins, then routes, in one visible order. Whoever builds it owns it and closes it.
 */
import { randomUUID } from 'node:crypto';
import { types } from 'node:util';
import Fastify, { LogController, type FastifyInstance, type FastifyServerOptions } from 'fastify';
import answerOrigin from './plugins/answer-origin.ts';
import authentication from './plugins/access/authentication.ts';
import { clientErrorHandler } from './plugins/problems/client-errors.ts';
import connections from './plugins/connections/connections.ts';
import crossOrigin from './plugins/cross-origin.ts';
import { mostConnections } from './plugins/connections/descriptors.ts';
import drain from './plugins/connections/drain.ts';
import jsonBodies from './plugins/json-bodies.ts';
import loadShedding from './plugins/connections/load-shedding.ts';
import metrics, { MetricsBase } from './plugins/metrics/index.ts';
import { observed } from './plugins/observed-store.ts';
import minRevision from './plugins/revision/min-revision.ts';
import openapi from './plugins/openapi/index.ts';
import pathPrefix, { trustedProxies } from './plugins/path-prefix.ts';
import problemDetails, { frameworkErrors } from './plugins/problems/problem-details.ts';
import rateLimits from './plugins/rate-limits.ts';
import registryPlugin, { type RegistryPluginOptions } from './plugins/registry.ts';
import requestSnapshot from './plugins/revision/request-snapshot.ts';
import scopes from './plugins/access/scopes.ts';
import stalledReaders from './plugins/connections/stalled-readers.ts';
import type { TracingOptions } from './plugins/tracing/index.ts';
import routes from './routes/index.ts';

export interface AppOptions {
  readonly registry: RegistryPluginOptions;
  /** Largest body, in bytes; 1 MiB where not given. */
  readonly bodyLimit?: number;
  readonly trustProxy?: boolean | string;
  /** Requests a minute per key; no limit where not given. */
  readonly rateLimit?: number;
  /** For how many seconds keys are honoured while the store cannot be asked; without limit where not given. */
  readonly keyMaxStale?: number;
  /** Origins whose pages may read answers; none where not given. */
  readonly corsOrigins?: readonly string[];
  /** The most series of a metric that grows with packs and versions; 1000 where not given. */
  readonly mostSeries?: number;
  /** Where traces go; none are made where not given. */
  readonly tracing?: TracingOptions;
  readonly logger?: FastifyServerOptions['logger'];
  /** The most connections at once; default: as many as the process may open (`descriptors.ts`). */
  readonly mostConnections?: number;
}

/** How long a request may take to arrive, its headers to arrive, and a handler to answer, in milliseconds. */
const LIMITS = {
  requestTimeout: 7_000,
  headersTimeout: 5_000,
  connectionsCheckingInterval: 500,
  handlerTimeout: 15_000,
} as const;
/** The longest part of a path: a session id. */
const LONGEST_PARAMETER = 200;

/**
 * Builds the application, ready to listen or to be injected into.
 *
 * @throws StartRefused where the packs, the settings or the store do not allow a start
 */
export async function buildApp({
  registry,
  bodyLimit = 1024 * 1024,
  trustProxy = false,
  rateLimit = 0,
  keyMaxStale = Infinity,
  corsOrigins = [],
  mostSeries,
  tracing,
  logger = false,
  mostConnections: most = mostConnections(),
}: AppOptions): Promise<FastifyInstance> {
  const proxies = trustedProxies(trustProxy);
  const app = Fastify({
    logger,
    bodyLimit,
    trustProxy: trustProxy !== false && proxies, // one reading of the setting, for addresses and for the prefix
    logController: new LogController({ disableRequestLogging: true }), // one line a request costs as much as the request
    requestTimeout: LIMITS.requestTimeout,
    // Reads have no body: without a stream that ends they cost a tenth less. Such a request emits no event; a client that goes away is heard of
    // on `reply.raw`.
    // A request without a host is refused in `request-snapshot.ts`; node would answer a bare 400, past every hook.
    http: {
      optimizeEmptyRequests: true,
      requireHostHeader: false,
      headersTimeout: LIMITS.headersTimeout,
      connectionsCheckingInterval: LIMITS.connectionsCheckingInterval,
    },
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    forceCloseConnections: 'idle',
    return503OnClosing: false, // a request that still comes in on an open connection is answered; the connection is closed after it
    genReqId: requestIds(),
    childLoggerFactory: (log) => log, // a logger of its own costs a request a tenth; what is logged of one names its id
    frameworkErrors,
    clientErrorHandler,
  });
  app.addHook('onRoute', (route) => {
    // A timer costs a request a tenth as well; a handler that is not async answers at once and has no use for one.
    if (types.isAsyncFunction(route.handler)) route.handlerTimeout ??= LIMITS.handlerTimeout;
  });
  const base = new MetricsBase();
  try {
    if (tracing !== undefined) await app.register((await import('./plugins/tracing/index.ts')).default, tracing); // a start without it need not load its parts
    await app.register(connections, { most });
    await app.register(drain);
    await app.register(stalledReaders);
    await app.register(pathPrefix, { trustedProxies: proxies });
    await app.register(problemDetails);
    await app.register(jsonBodies);
    await app.register(answerOrigin);
    await app.register(registryPlugin, {
      ...registry,
      store: base.storeCalls.of(
        app.storeSpans === undefined ? registry.store : observed(registry.store, app.storeSpans),
      ),
    });
    await app.register(metrics, { base, ...(mostSeries !== undefined && { most: mostSeries }) });
    await app.register(requestSnapshot);
    await app.register(loadShedding);
    if (corsOrigins.length > 0) await app.register(crossOrigin, { origins: corsOrigins });
    await app.register(authentication, { keyMaxStale });
    await app.register(rateLimits, { perMinute: rateLimit });
    await app.register(scopes);
    await app.register(minRevision);
    await app.register(openapi);
    await app.register(routes);
    await app.ready();
    // RFC 9110 section 10.1.1: an expectation that is not known may be ignored; node would answer a bare 417, past every hook.
    app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

/** Ids that no two requests share, in this process or another. */
function requestIds(): () => string {
  const instance = randomUUID();
  let requests = 0;
  return () => `${instance}-${(requests += 1)}`;
}
