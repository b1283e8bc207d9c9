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
import { MOVE_KINDS, movesOf, type Registry } from '../../registry/index.ts';
import type { AnswerOrigin } from '../answer-origin.ts';
import { BoundedCounts, type Count } from './bounded-counts.ts';
import { processMetrics } from './process.ts';
import { Requests } from './requests.ts';
import { activePointers, reportState } from './state.ts';
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

/** The kind of each read. No other operation reads the prompts of a pointer or a session. */
const KINDS: Readonly<Record<string, string>> = {
  getActivePack: 'pack',
  getSystemPrompt: 'system',
  listStyles: 'styles',
  getStylePrompt: 'style',
  getCoachSession: 'session',
};
/** The label for all requests without an operation: documentation pages, unknown paths. */
const NONE = 'none';
/** The statuses of failed writes. */
const FAULTS = [500, 503];
/** Counts what is special about the responses of an operation. */
type CountSpecial = (request: FastifyRequest, reply: FastifyReply) => void;

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

  const isActive = ({ pack, version }: { readonly pack: string; readonly version: string }) =>
    [...(registry.current.views.get(pack)?.values() ?? [])].some(({ activePack }) => activePack.version === version);
  const bounds = { most, register };
  const reads = new BoundedCounts({
    name: 'prompt_registry_reads_total',
    help: 'Reads of prompts, by kind and by whether the caller already had the content.',
    ...bounds,
    labelNames: ['pack', 'version', 'kind', 'result'],
    growing: ['pack', 'version'],
    isWanted: isActive,
  });
  const sessions = new BoundedCounts({
    name: 'prompt_registry_sessions_started_total',
    help: 'Coach sessions started, by the version they are pinned to.',
    ...bounds,
    labelNames: ['pack', 'version'],
    growing: ['pack', 'version'],
    isWanted: isActive,
  });
  const moves = new BoundedCounts({
    name: 'prompt_registry_pointer_moves_total',
    help: 'Moves of channels that this instance has applied, including those made by other instances.',
    ...bounds,
    labelNames: ['pack', 'channel', 'kind'],
    growing: ['pack', 'channel'],
    isWanted: () => true,
  });

  // Series exist before the first move, so that it is an increase. At the start, half of them are reserved for future packs.
  const expectMoves = ({ pack, channel }: ChannelRef) => {
    for (const kind of Object.values(MOVE_KINDS)) moves.of({ pack, channel, kind });
  };
  const expectAll = () => {
    let left = Math.floor(most / 2 / Object.keys(MOVE_KINDS).length);
    for (const channel of channelsOf(registry)) {
      if ((left -= 1) < 0) return;
      expectMoves(channel);
    }
  };
  expectAll();
  registry.onChange((events) => {
    if (events.length === 0) expectAll(); // a restore has replaced the history
    for (const event of events) {
      if (event.type === 'version-published')
        for (const channel of registry.channels) expectMoves({ pack: event.pack ?? '', channel });
      for (const { channel, kind } of movesOf(event)) moves.of({ pack: event.pack ?? '', channel, kind }).value += 1;
    }
  });

  const specialOf = (operation: string): CountSpecial | undefined => {
    const kind = KINDS[operation];
    if (kind !== undefined) return readsOf(reads, kind);
    if (operation !== 'startCoachSession') return undefined;
    return ({ origin }) => {
      if (origin !== null) sessions.of({ pack: origin.pack, version: origin.version }).value += 1;
    };
  };

  app.addHook('onRoute', (route) => {
    const operation = operationOf(route);
    const counts = requests.of(operation);
    // An alert watches failed writes. Their series must exist before, or the first failure would not be an increase.
    if (operation !== NONE && route.method === 'POST') for (const status of FAULTS) counts.expected.add(status);
    const countSpecial = specialOf(operation);
    const endless = route.config?.endless === true;
    const count = (request: FastifyRequest, reply: FastifyReply, next: () => void) => {
      // A stream was counted when it was opened.
      if (!endless || reply.statusCode >= 400) counts.answered(reply.statusCode, reply.elapsedTime);
      countSpecial?.(request, reply);
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
  processMetrics(); // start observing now, not at the first scrape
  done();
}

export default fp(metrics, { name: 'metrics', dependencies: ['answer-origin', 'drain', 'registry'] });

/** A channel of a pack. */
interface ChannelRef {
  readonly pack: string;
  readonly channel: string;
}

/** The channels of all packs: first those with an active version, beginning with the default pack, then the others. */
function* channelsOf(registry: Registry): Generator<ChannelRef> {
  yield* activePointers(registry, Infinity);
  for (const pack of registry.current.packs.keys()) {
    const active = registry.current.views.get(pack);
    for (const channel of registry.channels) if (active?.has(channel) !== true) yield { pack, channel };
  }
}

function operationOf({ schema }: RouteOptions): string {
  return schema?.operationId ?? NONE;
}

/** The two series of a read: the content was sent, or the caller already had it. */
type ReadCounts = readonly [
  sent: Count<'pack' | 'version' | 'kind' | 'result'>,
  notModified: Count<'pack' | 'version' | 'kind' | 'result'>,
];

/** Counts the reads of one kind. A pointer has the same origin object until it moves, so its series are looked up once. */
function readsOf(reads: BoundedCounts<'pack' | 'version' | 'kind' | 'result'>, kind: string): CountSpecial {
  const known = new WeakMap<AnswerOrigin, ReadCounts>();
  return ({ origin }, { statusCode }) => {
    if (origin === null) return; // refused before anything was read
    let counts = known.get(origin);
    if (counts === undefined) {
      const { pack, version } = origin;
      counts = [
        reads.of({ pack, version, kind, result: 'sent' }),
        reads.of({ pack, version, kind, result: 'not_modified' }),
      ];
      known.set(origin, counts);
    }
    counts[statusCode === 304 ? 1 : 0].value += 1;
  };
}
