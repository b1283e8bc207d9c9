/**
 * Room for connections: bounded, and never used up by those who have no key.
 *
 * Problem: whoever can reach the port can open connections until there is no room left, for a good caller, a probe or the service's own files.
 * Rule: there are at most so many. A caller who has shown a live key is trusted, and its connection is never closed for another. Where there is
 * no room, the oldest of the others makes room for a new one; where there is none of these, the new one is refused. A connection that is
 * not trusted may be idle for seconds only. What was closed for that is logged once a minute.
 * Example: 10,000 idle sockets against room for 928 push out each other; a good caller with a new connection is answered meanwhile.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { messageOf } from '../../registry/index.ts';

export interface ConnectionsOptions {
  /** The most connections at once. */
  readonly most: number;
}

/** Between two looks at all connections, in milliseconds. */
const PAUSE = 500;
/** How long a connection that is not trusted may be idle, in milliseconds: longer than a request's headers may take, which is answered 408. */
const IDLE = 6000;
/** Between two lines that say that there is no room, in milliseconds. */
const SAY_AGAIN = 60_000;
/**
 * Connections beyond the most that are accepted for a moment, so that the oldest can make room; more than one is never seen. Node refuses
 * those beyond without telling which one would do.
 */
const BEYOND = 8;

const trusted = new WeakSet<Socket>();

/** Says that the caller at a connection has shown a live key: it is never closed to make room for another. */
export function trust(socket: Socket): void {
  trusted.add(socket);
}

function connections(app: FastifyInstance, { most }: ConnectionsOptions, done: () => void): void {
  const { server } = app;
  const open = new Set<Socket>();
  /** Not known to be trusted, the oldest first. */
  const strangers = new Set<Socket>();
  const closed = new ClosedForRoom(app, most);

  const forget = (socket: Socket) => {
    open.delete(socket);
    strangers.delete(socket);
  };
  const close = (socket: Socket) => {
    forget(socket); // its own `close` comes later, and its room is needed now
    socket.destroy();
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
    socket.once('close', () => forget(socket));
  });
  server.on('drop', () => (closed.count += 1));
  // The system itself can refuse a connection, e.g. where other processes use up all it has; unheard, such an error ends the process.
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

/** The one that was opened first. Those that have become trusted since are strangers no more. */
function oldestOf(strangers: Set<Socket>): Socket | undefined {
  for (const socket of strangers) {
    if (!trusted.has(socket)) return socket;
    strangers.delete(socket);
  }
  return undefined;
}

/** Looks for connections on which nothing has come or gone for a while, and no answer is under way. */
class IdleStrangers {
  readonly #patience: number;
  /** How many bytes there were, and since when no more (monotonic, milliseconds). */
  readonly #seen = new WeakMap<Socket, { bytes: number; since: number }>();

  constructor(patience: number) {
    this.#patience = patience;
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
      else if (seen.bytes !== bytes || isAnswering(socket)) Object.assign(seen, { bytes, since: now });
      else if (now - seen.since >= this.#patience) yield socket;
    }
  }
}

/** Whether an answer is under way. Node has no public way to ask for it. */
function isAnswering(socket: Socket & { readonly _httpMessage?: object | null }): boolean {
  return (socket._httpMessage ?? null) !== null || socket.writableLength > 0;
}

/** Counts what was closed or refused for want of room, and says so now and then. */
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

  /** The system refused one. */
  because(error: Error): void {
    this.#reason = messageOf(error);
    this.count += 1;
  }

  say(open: number): void {
    if (this.count === 0 || performance.now() - this.#saidAt < SAY_AGAIN) return;
    this.#app.log.warn(
      { closed: this.count, open, most: this.#most, reason: this.#reason },
      'There is no room for more connections. Those that had shown no key were closed, the oldest first, or new ones were refused.',
    );
    this.#saidAt = performance.now();
    this.count = 0;
    this.#reason = undefined;
  }
}
