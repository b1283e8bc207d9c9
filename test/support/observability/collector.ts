/**
 * A collector of OpenTelemetry that keeps what it is sent (OTLP over HTTP, as JSON), and can hang, or answer without end.
 *
 * Example: `const collector = await openCollector(t); … tracing: { endpoint: collector.endpoint, serviceName: 'test' }`.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';

/** A span as it was received; attributes as a plain object. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly unknown[];
  readonly status: { readonly code?: number; readonly message?: string };
  readonly service: unknown;
}

export interface Collector {
  /** What the service is told. */
  readonly endpoint: string;
  /** Every body, as it came. */
  readonly bodies: readonly string[];
  readonly spans: readonly ReceivedSpan[];
  /** The `authorization` of each request. */
  readonly authorizations: readonly (string | undefined)[];
  /** Where each body was sent to. */
  readonly paths: readonly string[];
  /** The most requests that were under way at once. */
  readonly mostAtOnce: number;
  /** From now on nothing is answered, until `answer` is called. */
  hang(): void;
  /** From now on every answer goes on and on, a byte at a time, until `answer` is called. */
  trickle(): void;
  answer(): void;
}

/** Opens a collector; it closes with the test. */
export async function openCollector(t: Test): Promise<Collector> {
  const bodies: string[] = [];
  const paths: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const held = new Set<ServerResponse>();
  const dripping = setInterval(() => {
    for (const response of held) if (response.headersSent) response.write(' ');
  }, 100).unref();
  let [hangs, trickles, under, mostAtOnce] = [false, false, 0, 0];
  const give = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  const server = createServer((request, response) => {
    under += 1;
    mostAtOnce = Math.max(mostAtOnce, under);
    response.once('close', () => (under -= 1));
    paths.push(request.url ?? '');
    authorizations.push(request.headers.authorization);
    text(request).then(
      (body) => {
        bodies.push(body);
        if (trickles) response.writeHead(200).flushHeaders();
        if (hangs || trickles) held.add(response);
        else give(response);
      },
      () => undefined, // its sender gave up, or the test is over: half a body is none
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    clearInterval(dripping);
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    paths,
    authorizations,
    get spans() {
      return bodies.flatMap(spansIn);
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
    hang: () => {
      hangs = true;
    },
    trickle: () => {
      trickles = true;
    },
    answer: () => {
      [hangs, trickles] = [false, false];
      for (const response of held)
        if (response.headersSent) response.end();
        else give(response);
      held.clear();
    },
  };
}

type Value = Readonly<Record<string, unknown>>;
interface Attribute {
  readonly key: string;
  readonly value: Value;
}
interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, 'attributes' | 'service' | 'events'> & {
        readonly attributes: readonly Attribute[];
        readonly events?: readonly unknown[];
      })[];
    }[];
  }[];
}

function spansIn(body: string): ReceivedSpan[] {
  return (JSON.parse(body) as Body).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = plain(resource.attributes)['service.name'];
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({ ...span, attributes: plain(span.attributes), events: span.events ?? [], service })),
    );
  });
}

function plain(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
