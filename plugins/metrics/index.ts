/**
 * Metrics: what is counted while requests are answered, and told when it is scraped (`routes/metrics`).
 *
 * Problem: a counter that every read passes must cost next to nothing, and what clients write (paths, names that are not there) must
 * never become a label.
 * Rule: a route is given its counters when it is registered, so that a request only adds to them, in one hook behind its answer.
 * Operations are the document's; packs and versions come from what was answered (`request.origin`); all that grows is bounded.
 * Example: a read of the system prompt adds one to `getSystemPrompt 200`, one to its bucket, one to `coach 2.0.0 system sent`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { Registry as Register } from 'prom-client';
import { movesOf, type EventType, type Registry } from '../../registry/index.ts';
import type { AnswerOrigin } from '../answer-origin.ts';
import { BoundedCounts, type Count } from './bounded-counts.ts';
import { processMetrics } from './process.ts';
import { Requests } from './requests.ts';
import { activePointers, tellState } from './state.ts';
import { StoreCalls } from './store-calls.ts';

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics;
  }
}

/** What the routes know of metrics. */
export interface Metrics {
  /** Everything, as Prometheus reads it. */
  scrape(): Promise<string>;
  /** For the route of the streams: says that one was opened, and is asked how many there are. */
  readonly streams: { opened(): void; open: () => number };
  /** Counts a refusal that comes before there is a route, so that no hook hears of it. */
  refused(status: number): void;
}

/** What is counted before there is an application: the store is open by then. */
export class MetricsBase {
  readonly register = new Register();
  readonly storeCalls = new StoreCalls(this.register);
}

export interface MetricsOptions {
  readonly base: MetricsBase;
  /** The most series of a metric whose labels grow with packs and versions; 1000 where not given. */
  readonly most?: number;
}

/** What each of the reads gives; all other operations read no prompts of a pointer or a pin. */
const KINDS: Readonly<Record<string, string>> = {
  getActivePack: 'pack',
  getSystemPrompt: 'system',
  listStyles: 'styles',
  getStylePrompt: 'style',
  getCoachSession: 'session',
};
/** What stands for every request that is no operation's: pages of documentation, addresses that lead nowhere. */
const NONE = 'none';
/** What a write is answered where it fails. */
const FAULTS = [500, 503];
/** What kind of move each event is. */
const MOVE_KINDS: Readonly<Partial<Record<EventType, 'activation' | 'rollback' | 'revocation'>>> = {
  'version-activated': 'activation',
  'version-rolled-back': 'rollback',
  'version-revoked': 'revocation',
};

/** Counts something else of an answer than that it was given. */
type Also = (request: FastifyRequest, reply: FastifyReply) => void;

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
    refused: (status) => nowhere.answered(status, 0),
  });

  const isActive = ({ pack, version }: { readonly pack: string; readonly version: string }) =>
    [...(registry.current.views.get(pack)?.values() ?? [])].some(({ activePack }) => activePack.version === version);
  const bounds = { most, register };
  const reads = new BoundedCounts({
    name: 'prompt_registry_reads_total',
    help: 'Reads of prompts, by what was read and whether the caller had it already.',
    ...bounds,
    labelNames: ['pack', 'version', 'kind', 'result'],
    growing: ['pack', 'version'],
    isWanted: isActive,
  });
  const sessions = new BoundedCounts({
    name: 'prompt_registry_sessions_started_total',
    help: 'Coach sessions started, by the version that they are pinned to.',
    ...bounds,
    labelNames: ['pack', 'version'],
    growing: ['pack', 'version'],
    isWanted: isActive,
  });
  const moves = new BoundedCounts({
    name: 'prompt_registry_pointer_moves_total',
    help: 'Moves of channels that this instance has applied, whoever made them.',
    ...bounds,
    labelNames: ['pack', 'channel', 'kind'],
    growing: ['pack', 'channel'],
    isWanted: () => true,
  });

  // There before the first move, so that it is a rise; at the start half of the room is left to packs that are yet to come.
  const expectMoves = ({ pack, channel }: ChannelRef) => {
    for (const kind of Object.values(MOVE_KINDS)) moves.of({ pack, channel, kind });
  };
  const expectAll = () => {
    let left = Math.floor(most / 2 / Object.keys(MOVE_KINDS).length);
    for (const ref of channelsOf(registry)) {
      if ((left -= 1) < 0) return;
      expectMoves(ref);
    }
  };
  expectAll();
  registry.onChange((events) => {
    if (events.length === 0) expectAll(); // another history has taken the place of the one before
    for (const event of events) {
      if (event.type === 'version-published')
        for (const channel of registry.channels) expectMoves({ pack: event.pack ?? '', channel });
      for (const { channel } of movesOf(event))
        moves.of({ pack: event.pack ?? '', channel, kind: MOVE_KINDS[event.type] ?? NONE }).value += 1;
    }
  });

  const alsoOf = (operation: string): Also | undefined => {
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
    // Writes are few, and one that fails is looked for: were its series not there before, the first failure would be no rise.
    if (operation !== NONE && route.method === 'POST') for (const status of FAULTS) counts.expected.add(status);
    const also = alsoOf(operation);
    const endless = route.config?.endless === true;
    const count = (request: FastifyRequest, reply: FastifyReply, next: () => void) => {
      // A stream was counted when it was opened.
      if (!endless || reply.statusCode >= 400) counts.answered(reply.statusCode, reply.elapsedTime);
      also?.(request, reply);
      next();
    };
    route.onResponse = [...[route.onResponse ?? []].flat(), count];
  });
  app.addHook('onResponse', (request, reply, next) => {
    if (request.is404) nowhere.answered(reply.statusCode, reply.elapsedTime);
    next();
  });

  tellState({
    registry,
    draining: () => app.draining,
    knownHead: () => storeCalls.knownHead,
    openStreams: () => streams.open(),
    ...bounds,
  });
  processMetrics(); // what it observes begins with the application, not with the first scrape
  done();
}

export default fp(metrics, { name: 'metrics', dependencies: ['answers', 'drain', 'registry'] });

/** What can be moved: a channel of a pack. */
interface ChannelRef {
  readonly pack: string;
  readonly channel: string;
}

/** The channels of all packs: those that are at something first, of the default pack before the others, then those that wait for it. */
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

/** The two series of an answer: whether it was sent, or the caller had it already. */
type ReadCounts = readonly [
  sent: Count<'pack' | 'version' | 'kind' | 'result'>,
  notModified: Count<'pack' | 'version' | 'kind' | 'result'>,
];

/** Counts the reads of one kind. What a pointer gives is one object until it moves, so its series are looked up once. */
function readsOf(reads: BoundedCounts<'pack' | 'version' | 'kind' | 'result'>, kind: string): Also {
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
