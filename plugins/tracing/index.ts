/**
 * Traces: one span a request, one below it for each call of the store that it made. Loaded only where a collector is named.
 *
 * Rule: a request's span is `@fastify/otel`'s; what it may say is in `attributes.ts`. Probes and streams have none: the former say
 * nothing, the latter would last for days. Closing sends what is left, and waits for a collector only so long.
 * Example: `POST /v1/packs/:pack/activations` 201, with the version that is active now, and below it `store append`.
 */
import { FastifyOtelInstrumentation } from '@fastify/otel';
import { context, propagation, SpanKind, SpanStatusCode, trace, type ContextManager } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import packageJson from '../../package.json' with { type: 'json' };
import { messageOf } from '../../registry/index.ts';
import type { Around } from '../observed-store.ts';
import {
  attributesOf,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
  operationAttributes,
  storeAttributes,
} from './attributes.ts';
import { outlet } from './outlet.ts';
import { traceParent } from './trace-parent.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes a span of a call of the store; undefined where there are no traces. */
    storeSpans?: Around;
  }
}

export interface TracingOptions {
  /** Of the collector, e.g. `http://collector:4318`. */
  readonly endpoint: string;
  /** Where not given, what `OTEL_RESOURCE_ATTRIBUTES` says, or `prompt-registry`. */
  readonly serviceName?: string | undefined;
  /** Between two batches, in milliseconds; 5000 where not given. */
  readonly pause?: number;
  /** How long closing waits for the collector, in milliseconds; 1500 where not given. */
  readonly lastWait?: number;
}

async function tracing(
  app: FastifyInstance,
  { endpoint, serviceName, pause, lastWait = 1500 }: TracingOptions,
): Promise<void> {
  const shipped = resourceFromAttributes({
    [ATTR_SERVICE_NAME]: 'prompt-registry',
    [ATTR_SERVICE_VERSION]: packageJson.version,
  });
  const set = resourceFromAttributes(serviceName === undefined ? {} : { [ATTR_SERVICE_NAME]: serviceName });
  const resource = defaultResource()
    .merge(shipped)
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector] }))
    .merge(set);
  const provider = new TracerProvider({
    resource,
    spanProcessors: [outlet({ endpoint, log: app.log, ...(pause !== undefined && { pause }) })],
  });
  const releaseGlobals = takeGlobals(new AsyncLocalStorageContextManager().enable());

  app.addHook('onClose', async () => {
    await withinTime(provider.shutdown(), lastWait).catch((error: unknown) =>
      app.log.warn({ reason: messageOf(error) }, 'The last spans were not taken by the collector.'),
    );
    releaseGlobals();
  });
  app.addHook('onRoute', (route) => {
    if (route.config?.endless === true || route.config?.share === 'none')
      route.config = { ...route.config, otel: false };
  });

  const instrumentation = new FastifyOtelInstrumentation({
    instrumentHooks: false,
    instrumentHandler: false,
    recordExceptions: false,
    requestHook: (span, { method, routeOptions: { url, schema } }) => {
      span.updateName(url === undefined ? method : `${method} ${url}`); // semantic conventions, "Name" of HTTP server spans
      if (schema?.operationId !== undefined) span.setAttributes(operationAttributes(schema.operationId));
    },
  });
  instrumentation.setTracerProvider(provider);
  await app.register(instrumentation.plugin());

  app.addHook('onSend', (request, _reply, payload, next) => {
    if (request.origin !== null) request.opentelemetry().span?.setAttributes(attributesOf(request.origin));
    next(null, payload);
  });

  app.decorate('storeSpans', spansIn(provider));
}

export default fp(tracing, { name: 'tracing' });

/** A span below the request's; none for what the instance does by itself, once a second. */
function spansIn(provider: TracerProvider): Around {
  const tracer = provider.getTracer('prompt-registry');
  return async (operation, call) => {
    if (trace.getSpan(context.active()) === undefined) return call();
    const span = tracer.startSpan(`store ${operation}`, {
      kind: SpanKind.CLIENT,
      attributes: storeAttributes(operation),
    });
    try {
      const answer = await call();
      if (answer === 'unknown') span.setStatus({ code: SpanStatusCode.ERROR });
      return answer;
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  };
}

/** Puts in place what the API keeps once a process, unless somebody else has. @returns what takes it away again */
function takeGlobals(contextManager: ContextManager): () => void {
  const took = {
    context: context.setGlobalContextManager(contextManager),
    propagation: propagation.setGlobalPropagator(traceParent),
  };
  return () => {
    if (took.context) context.disable();
    if (took.propagation) propagation.disable();
  };
}

async function withinTime(task: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It took longer than ${milliseconds} ms.`)), milliseconds);
  });
  try {
    await Promise.race([task, limit]);
  } finally {
    clearTimeout(timer);
    task.catch(() => undefined); // what is left of it is nobody's any more
  }
}
