/**
 * A proxy between a client and the registry that does to HTTP what proxies, gateways and outages do.
 *
 * Rule: everything passes unchanged unless the plan says otherwise. The plan decides for each request, and can change at any time.
 * Example: `front.plan = () => ({ status: 502, type: 'text/html', body: '<h1>Bad gateway</h1>' })`.
 */
import {
  createServer,
  request as ask,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

/** What happens to a request instead of passing it on. */
export type Fate =
  | undefined
  /** There is no response. */
  | 'hang'
  /** The connection is reset. */
  | 'reset'
  /** This is the response. */
  | { readonly status: number; readonly type?: string; readonly body?: string; readonly headers?: OutgoingHttpHeaders }
  /** The response of the registry, with a truncated body. */
  | 'cut'
  /** The test handles it. */
  | ((response: ServerResponse) => void)
  /** The response of the registry, changed. */
  | { readonly change: (answer: { headers: OutgoingHttpHeaders; body: string }) => void };

export type Plan = (request: IncomingMessage) => Fate;

export class HttpFront {
  plan: Plan = () => undefined;
  /** Each request, as `GET /v1/packs`. */
  readonly requests: string[] = [];
  /** Headers of each of them. */
  readonly headers: IncomingMessage['headers'][] = [];
  /** Unfinished responses. */
  open = 0;
  #target: URL;
  readonly #server: Server;

  constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((request, response) => this.#take(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Switches to another registry, and cuts all open connections. */
  retarget(target: string): void {
    this.#target = new URL(target);
    this.cut();
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  /** Cuts all open connections. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    this.headers.push(request.headers);
    this.open += 1;
    response.once('close', () => (this.open -= 1));
    const fate = this.plan(request);
    if (fate === 'hang') return;
    if (fate === 'reset') return void request.socket.destroy();
    if (typeof fate === 'function') return fate(response);
    if (typeof fate === 'object' && 'status' in fate) {
      response
        .writeHead(fate.status, { 'content-type': fate.type ?? 'application/problem+json', ...fate.headers })
        .end(fate.body ?? '');
      return;
    }
    this.#passOn(request, response, fate);
  }

  #passOn(
    request: IncomingMessage,
    response: ServerResponse,
    fate: 'cut' | { readonly change: (answer: { headers: OutgoingHttpHeaders; body: string }) => void } | undefined,
  ): void {
    const { hostname, port } = this.#target;
    const onward = ask(
      { hostname, port, method: request.method, path: request.url, headers: request.headers },
      (answer) => {
        answer.on('error', () => response.destroy());
        if (fate === undefined) {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
          return;
        }
        let body = '';
        answer
          .setEncoding('utf8')
          .on('data', (chunk: string) => (body += chunk))
          .on('end', () => {
            if (fate === 'cut') {
              response.writeHead(answer.statusCode ?? 502, answer.headers);
              response.write(body.slice(0, body.length / 2), () => response.destroy());
              return;
            }
            const { 'content-length': _, ...headers } = answer.headers;
            const changed = { headers: headers as OutgoingHttpHeaders, body };
            fate.change(changed);
            response.writeHead(answer.statusCode ?? 502, changed.headers).end(changed.body);
          });
      },
    );
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }
}

/** A stream that a test writes: its messages, as the registry would. Example: `front.plan = () => streamOf((send) => send('heartbeat', { epoch: 1, revision: 9 }))`. */
export function streamOf(
  write: (send: (event: string, data: unknown) => void, response: ServerResponse) => void,
): Fate {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    write((event, data) => void response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`), response);
  };
}

/** Starts a front; it is closed with the test. */
export async function startFront(t: Test, target: string): Promise<HttpFront> {
  const front = new HttpFront(target);
  await front.listen();
  t.teardown(() => front.close());
  return front;
}
