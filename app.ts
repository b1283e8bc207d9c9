/**
 * Builds the application: plugins, then routes, in one visible order. The caller owns the application and closes it.
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
import { queryOf } from './plugins/read-query.ts';
import registryPlugin, { type RegistryPluginOptions } from './plugins/registry.ts';
import requestSnapshot from './plugins/revision/request-snapshot.ts';
import scopes from './plugins/access/scopes.ts';
import stalledReaders from './plugins/connections/stalled-readers.ts';
import type { TracingOptions } from './plugins/tracing/index.ts';
import unknownPaths from './plugins/problems/unknown-paths.ts';
import routes from './routes/index.ts';

export interface AppOptions {
  readonly registry: RegistryPluginOptions;
  /** Maximum size of a body, in bytes; default: 1 MiB. */
  readonly bodyLimit?: number;
  readonly trustProxy?: boolean | string;
  /** The address that users see, with its path, without a trailing slash; default: unknown. */
  readonly publicUrl?: string | undefined;
  /** Requests a minute per key; default: no limit. */
  readonly rateLimit?: number;
  /** For how many seconds keys are accepted while the store is unreachable; default: no limit. */
  readonly keyMaxStale?: number;
  /** Origins whose pages may read responses; default: none. */
  readonly corsOrigins?: readonly string[];
  /** The maximum number of series of a metric that grows with packs and versions; default: 1000. */
  readonly mostSeries?: number;
  /** Where to send traces; default: no tracing. */
  readonly tracing?: TracingOptions;
  readonly logger?: FastifyServerOptions['logger'];
  /** The maximum number of connections; default: as many as the process may open (`descriptors.ts`). */
  readonly mostConnections?: number;
}

/** Timeouts for a complete request, for its headers, and for a handler, in milliseconds. */
const LIMITS = {
  requestTimeout: 7_000,
  headersTimeout: 5_000,
  connectionsCheckingInterval: 500,
  handlerTimeout: 15_000,
} as const;
/** The maximum length of a path segment; a session id is the longest. */
const LONGEST_PARAMETER = 200;

/**
 * Builds the application, ready for `listen` or `inject`.
 *
 * @throws StartRefused if the packs, the settings or the store do not allow a start
 */
export async function buildApp({
  registry,
  bodyLimit = 1024 * 1024,
  trustProxy = false,
  publicUrl,
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
    trustProxy: trustProxy !== false && proxies, // the same function decides about addresses and about the prefix
    logController: new LogController({ disableRequestLogging: true }), // a log line costs as much as a request
    requestTimeout: LIMITS.requestTimeout,
    // `optimizeEmptyRequests` makes reads a tenth cheaper: a request without a body gets no stream. Such a request emits no events, so listen
    // on `reply.raw` for a client that disconnects.
    // `requireHostHeader`: `request-snapshot.ts` refuses a request without Host. Node itself would send a bare 400, without running any hook.
    http: {
      optimizeEmptyRequests: true,
      requireHostHeader: false,
      headersTimeout: LIMITS.headersTimeout,
      connectionsCheckingInterval: LIMITS.connectionsCheckingInterval,
    },
    routerOptions: { maxParamLength: LONGEST_PARAMETER, querystringParser: queryOf },
    forceCloseConnections: 'idle',
    return503OnClosing: false, // a request on an open connection still gets its response; then the connection is closed
    genReqId: requestIds(),
    childLoggerFactory: (log) => log, // a logger for each request would make it a tenth slower; log lines name the request id themselves
    frameworkErrors,
    clientErrorHandler,
  });
  app.addHook('onRoute', (route) => {
    // A timer makes a request a tenth slower, and only an async handler needs one.
    if (types.isAsyncFunction(route.handler)) route.handlerTimeout ??= LIMITS.handlerTimeout;
  });
  const base = new MetricsBase();
  try {
    if (tracing !== undefined) await app.register((await import('./plugins/tracing/index.ts')).default, tracing); // load OpenTelemetry only if it is used
    await app.register(connections, { most });
    await app.register(drain);
    await app.register(stalledReaders);
    await app.register(pathPrefix, { trustedProxies: proxies, publicUrl });
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
    await app.register(unknownPaths); // after all plugins whose hooks it needs, before all routes
    await app.register(openapi, { publicUrl });
    await app.register(routes);
    await app.ready();
    // RFC 9110 section 10.1.1: a server may ignore an unknown expectation. Node itself would send a bare 417, without running any hook.
    app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

/** Makes request ids that are unique across processes. */
function requestIds(): () => string {
  const instance = randomUUID();
  let requests = 0;
  return () => `${instance}-${(requests += 1)}`;
}
