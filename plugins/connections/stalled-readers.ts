/**
 * Disconnects clients that stop reading, so that an unread response does not hold memory and a socket forever.
 *
 * Problem: the timeouts of the server cover only incoming requests. A response can wait for its reader without limit.
 * Rule: a connection with a waiting response is closed if it read almost nothing for a while. A byte now and then is not enough.
 * Connections are checked at intervals, so this costs a request nothing.
 * Example: a client requests a hundred large versions over one connection and stops reading. It is disconnected at most nine seconds later.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

/** Time between two checks, in milliseconds. */
const INTERVAL = 500;
/** How long a reader may read less than `LEAST`, in milliseconds. */
const TIMEOUT = 5000;
/** How much a reader must read in this time, in bytes: 3 KB a second. */
const LEAST = 16 * 1024;

/** How many bytes the operating system has taken from a socket, and since when it took almost none. */
interface Progress {
  readonly taken: number;
  readonly since: number;
}

function stalledReaders(app: FastifyInstance, _options: object, done: () => void): void {
  /** Of the connections with a waiting response. */
  let progresses = new Map<Socket, Progress>();
  const look = () => {
    const now = performance.now();
    const next = new Map<Socket, Progress>();
    for (const socket of app.sockets) {
      const waiting = socket.writableLength;
      if (waiting === 0) continue;
      const taken = socket.bytesWritten - waiting;
      const before = progresses.get(socket);
      const progress = before !== undefined && taken - before.taken < LEAST ? before : { taken, since: now };
      if (now - progress.since >= TIMEOUT) socket.destroy();
      else next.set(socket, progress);
    }
    progresses = next;
  };
  const timer = setInterval(look, INTERVAL).unref();
  app.addHook('onClose', (_app, next) => {
    clearInterval(timer);
    next();
  });
  done();
}

export default fp(stalledReaders, { name: 'stalled-readers', dependencies: ['connections'] });
