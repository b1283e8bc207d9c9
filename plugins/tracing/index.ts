/**
 * Traces: one span for each request, with a child span for each call of the store. Loaded only if a collector is configured.
 *
 * Rule: `@fastify/otel` makes the span of a request; `attributes.ts` lists its attributes. Probes and streams have no span: the former are
 * not interesting, and the latter would last for days. Closing sends the remaining spans, and waits for the collector only for a while.
 * Example: `POST /v1/packs/:pack/activations` 201 with the new active version, and its child `store append`.
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
import type { CallWrapper } from '../observed-store.ts';
import {
  assignmentAttributes,
  attributesOf,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
  operationAttributes,
  storeAttributes,
} from './attributes.ts';
import { exporterTo } from './exporter.ts';
import { traceParent } from './trace-parent.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes a span for a call of the store; undefined without tracing. */
    storeSpans?: CallWrapper;
  }
}

export interface TracingOptions {
  /** URL of the collector, e.g. `http://collector:4318`. */
  readonly endpoint: string;
  /** Headers of each request to the collector, e.g. with its key; default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the name in `OTEL_RESOURCE_ATTRIBUTES`, or else `prompt-registry`. */
  readonly serviceName?: string | undefined;
  /** Time between two batches, in milliseconds; default: 5000. */
  readonly pause?: number;
  /** How long closing waits for the collector, in milliseconds; default: 1500. */
  readonly lastWait?: number;
}

async function tracing(
  app: FastifyInstance,
  { endpoint, headers, serviceName, pause, lastWait = 1500 }: TracingOptions,
): Promise<void> {
  const fallback = resourceFromAttributes({
    [ATTR_SERVICE_NAME]: 'prompt-registry',
    [ATTR_SERVICE_VERSION]: packageJson.version,
  });
  const configured = resourceFromAttributes(serviceName === undefined ? {} : { [ATTR_SERVICE_NAME]: serviceName });
  const resource = defaultResource()
    .merge(fallback)
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector] }))
    .merge(configured);
  const provider = new TracerProvider({
    resource,
    spanProcessors: [
      exporterTo({
        endpoint,
        log: app.log,
        ...(headers !== undefined && { headers }),
        ...(pause !== undefined && { pause }),
      }),
    ],
  });
  const releaseGlobals = takeGlobals(new AsyncLocalStorageContextManager().enable());

  app.addHook('onClose', async () => {
    await withinTime(provider.shutdown(), lastWait).catch((error: unknown) =>
      app.log.warn({ reason: messageOf(error) }, 'The collector did not accept the last spans.'),
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
    const { origin, assignment } = request;
    if (origin !== null) {
      const { span } = request.opentelemetry();
      span?.setAttributes(attributesOf(origin));
      if (assignment !== null) span?.setAttributes(assignmentAttributes(assignment));
    }
    next(null, payload);
  });

  app.decorate('storeSpans', spansIn(provider));
}

export default fp(tracing, { name: 'tracing' });

/** Makes a child span of the request's span. Calls outside of a request, such as the one each second, have none. */
function spansIn(provider: TracerProvider): CallWrapper {
  const tracer = provider.getTracer('prompt-registry');
  return async (operation, call) => {
    if (trace.getSpan(context.active()) === undefined) return call();
    const span = tracer.startSpan(`store ${operation}`, {
      kind: SpanKind.CLIENT,
      attributes: storeAttributes(operation),
    });
    try {
      const result = await call();
      if (result === 'unknown') span.setStatus({ code: SpanStatusCode.ERROR });
      return result;
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  };
}

/** Sets the process-wide state of the OpenTelemetry API, unless the application has set it. @returns a function that removes it */
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
    task.catch(() => undefined); // nobody waits for a late failure
  }
}
