/**
 * Limits the number of connections, and keeps room for callers that have a key.
 *
 * Problem: anybody who can reach the port can open connections until none is left for a good caller, a probe or the service's own files.
 * Rule: the number of connections is limited. A connection that has shown a live key is trusted and is never closed to make room. At the
 * limit, a new connection replaces the oldest untrusted one; if all are trusted, the new one is refused. An untrusted connection may be
 * idle only for seconds. Closed connections are logged once a minute.
 * Example: with a limit of 928, 10,000 idle sockets replace each other. A good caller with a new connection still gets its response.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { messageOf } from '../../registry/index.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The open connections, oldest first. */
    readonly sockets: ReadonlySet<Socket>;
  }
}

export interface ConnectionsOptions {
  /** The maximum number of connections. */
  readonly most: number;
}

/** Time between two checks of all connections, in milliseconds. */
const PAUSE = 500;
/** How long an untrusted connection may be idle, in milliseconds. Longer than the timeout for headers, which ends in a 408. */
const IDLE = 6000;
/** Time between two log lines about closed connections, in milliseconds. */
const SAY_AGAIN = 60_000;
/**
 * How many connections beyond the limit Node accepts, so that the oldest can make room; in practice, there is never more than one. Node
 * refuses any further connection before this plugin can choose one to close.
 */
const BEYOND = 8;

const trusted = new WeakSet<Socket>();

/** Marks a connection whose caller has shown a live key. It is never closed to make room. */
export function trust(socket: Socket): void {
  trusted.add(socket);
}

function connections(app: FastifyInstance, { most }: ConnectionsOptions, done: () => void): void {
  const { server } = app;
  const open = new Set<Socket>();
  app.decorate('sockets', open);
  /** Not yet known to be trusted, oldest first. */
  const strangers = new Set<Socket>();
  const closed = new ClosedForRoom(app, most);

  const forget = (socket: Socket) => {
    open.delete(socket);
    strangers.delete(socket);
  };
  const close = (socket: Socket) => {
    forget(socket); // its `close` event comes later, but its room is needed now
    socket.destroy();
  };
  // One function for all sockets: with ten thousand streams, a closure for each of them takes megabytes.
  const onClose = function (this: Socket) {
    forget(this);
  };
  server.maxConnections = most + BEYOND;
  server.on('connection', (socket: Socket) => {
    if (open.size >= most) {
      const oldest = oldestOf(strangers);
      closed.count += 1;
      if (oldest === undefined) return void socket.destroy();
      close(oldest);
    }
    open.add(socket);
    strangers.add(socket);
    socket.on('close', onClose);
  });
  server.on('drop', () => (closed.count += 1));
  // The operating system can refuse a connection, e.g. when other processes use all descriptors. Without a listener the error ends the process.
  server.on('error', (error) => server.listening && closed.because(error));

  const idle = new IdleStrangers(IDLE);
  const timer = setInterval(() => {
    for (const socket of idle.among(strangers)) close(socket);
    closed.say(open.size);
  }, PAUSE).unref();
  app.addHook('onClose', (_app, next) => {
    clearInterval(timer);
    next();
  });
  done();
}

export default fp(connections, { name: 'connections' });

/** The oldest untrusted connection. Drops those from the set that have become trusted. */
function oldestOf(strangers: Set<Socket>): Socket | undefined {
  for (const socket of strangers) {
    if (!trusted.has(socket)) return socket;
    strangers.delete(socket);
  }
  return undefined;
}

/** Finds untrusted connections without traffic for a while and without a response in progress. */
class IdleStrangers {
  readonly #timeout: number;
  /** How many bytes a socket has transferred, and since when no more (monotonic, milliseconds). */
  readonly #seen = new WeakMap<Socket, { bytes: number; since: number }>();

  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  *among(strangers: Set<Socket>): Generator<Socket> {
    const now = performance.now();
    for (const socket of strangers) {
      if (trusted.has(socket)) {
        strangers.delete(socket);
        continue;
      }
      const bytes = socket.bytesRead + socket.bytesWritten;
      const seen = this.#seen.get(socket);
      if (seen === undefined) this.#seen.set(socket, { bytes, since: now });
      else if (seen.bytes !== bytes || isResponding(socket)) Object.assign(seen, { bytes, since: now });
      else if (now - seen.since >= this.#timeout) yield socket;
    }
  }
}

/** Whether a response is in progress. Node has no public way to ask for this. */
function isResponding(socket: Socket & { readonly _httpMessage?: object | null }): boolean {
  return (socket._httpMessage ?? null) !== null || socket.writableLength > 0;
}

/** Counts connections that were closed or refused to make room, and logs the number at intervals. */
class ClosedForRoom {
  count = 0;
  readonly #app: FastifyInstance;
  readonly #most: number;
  #reason: string | undefined;
  #saidAt = -Infinity;

  constructor(app: FastifyInstance, most: number) {
    this.#app = app;
    this.#most = most;
  }

  /** Counts a connection that the operating system refused. */
  because(error: Error): void {
    this.#reason = messageOf(error);
    this.count += 1;
  }

  say(open: number): void {
    if (this.count === 0 || performance.now() - this.#saidAt < SAY_AGAIN) return;
    this.#app.log.warn(
      { closed: this.count, open, most: this.#most, reason: this.#reason },
      'The connection limit is reached. Connections without a key were closed, oldest first, or new ones were refused.',
    );
    this.#saidAt = performance.now();
    this.count = 0;
    this.#reason = undefined;
  }
}
