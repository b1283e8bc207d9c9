/**
 * Metrics: counts requests and reports the counts when they are scraped (`routes/metrics`).
 *
 * Problem: counting must cost a read almost nothing, and client input (paths, unknown names) must never become a label.
 * Rule: a route gets its counters when it is registered, so that a request only increments them, in one hook after its response. Labels are
 * the document's operationIds, and the packs and versions of `request.origin`. The number of series is bounded.
 * Example: a read of the system prompt increments `getSystemPrompt 200`, its bucket, and `coach 2.0.0 system sent`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { Registry as Register } from 'prom-client';
import { countFailedPlans, countMoves } from './moves.ts';
import { processMetrics } from './process.ts';
import { Requests } from './requests.ts';
import { reportRollouts } from './rollouts.ts';
import { Served } from './served.ts';
import { reportState } from './state.ts';
import { StoreCalls } from './store-calls.ts';

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics;
  }
}

/** What routes see of the metrics. */
export interface Metrics {
  /** All metrics in the Prometheus text format. */
  scrape(): Promise<string>;
  /** For the stream route, which calls `opened` for each stream and sets `open` to return the number of open ones. */
  readonly streams: { opened(): void; open: () => number };
  /** Counts a refusal without a route, and for how many milliseconds it took. */
  refused(status: number, milliseconds: number): void;
}

/** The part that must exist before the application does, because the store is opened first. */
export class MetricsBase {
  readonly register = new Register();
  readonly storeCalls = new StoreCalls(this.register);
}

export interface MetricsOptions {
  readonly base: MetricsBase;
  /** The maximum number of series of a metric that grows with packs and versions; default: 1000. */
  readonly most?: number;
}

/** The label for all requests without an operation: documentation pages, unknown paths. */
const NONE = 'none';
/** The statuses of failed writes. */
const FAULTS = [500, 503];

function metrics(
  app: FastifyInstance,
  { base: { register, storeCalls }, most = 1000 }: MetricsOptions,
  done: () => void,
): void {
  const { registry } = app;
  const requests = new Requests(register);
  const streamed = requests.of('streamEvents');
  const streams = { opened: () => void (streamed.opened += 1), open: () => 0 };
  const nowhere = requests.of(NONE);
  app.decorate('metrics', {
    scrape: async () => (await register.metrics()) + (await processMetrics().metrics()),
    streams,
    refused: (status, milliseconds) => nowhere.answered(status, milliseconds),
  });

  const bounds = { most, register };
  const served = new Served(registry, bounds);
  countMoves(registry, bounds);
  countFailedPlans(registry, bounds);

  app.addHook('onRoute', (route) => {
    const operation = operationOf(route);
    const counts = requests.of(operation);
    // An alert watches failed writes. Their series must exist before, or the first failure would not be an increase.
    if (operation !== NONE && route.method === 'POST') for (const status of FAULTS) counts.expected.add(status);
    const countServed = served.countOf(operation);
    const endless = route.config?.endless === true;
    const count = (request: FastifyRequest, reply: FastifyReply, next: () => void) => {
      // A stream was counted when it was opened.
      if (!endless || reply.statusCode >= 400) counts.answered(reply.statusCode, reply.elapsedTime);
      countServed?.(request, reply);
      next();
    };
    route.onResponse = [...[route.onResponse ?? []].flat(), count];
  });

  reportState({
    registry,
    draining: () => app.draining,
    knownHead: () => storeCalls.knownHead,
    openStreams: () => streams.open(),
    ...bounds,
  });
  reportRollouts(registry, bounds);
  processMetrics(); // start observing now, not at the first scrape
  done();
}

export default fp(metrics, { name: 'metrics', dependencies: ['answer-origin', 'drain', 'registry'] });

function operationOf({ schema }: RouteOptions): string {
  return schema?.operationId ?? NONE;
}
