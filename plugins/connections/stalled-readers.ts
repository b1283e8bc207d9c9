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
  taken: number;
  since: number;
}

function stalledReaders(app: FastifyInstance, _options: object, done: () => void): void {
  const open = new Map<Socket, Progress>();
  app.server.on('connection', (socket: Socket) => {
    open.set(socket, { taken: -1, since: 0 });
    socket.once('close', () => open.delete(socket));
  });
  const look = () => {
    const now = performance.now();
    for (const [socket, progress] of open) {
      const waiting = socket.writableLength;
      const taken = waiting === 0 ? -1 : socket.bytesWritten - waiting;
      if (taken === -1 || progress.taken === -1 || taken - progress.taken >= LEAST) {
        progress.taken = taken;
        progress.since = now;
      } else if (now - progress.since >= TIMEOUT) {
        socket.destroy();
      }
    }
  };
  const timer = setInterval(look, INTERVAL).unref();
  app.addHook('onClose', (_app, next) => {
    clearInterval(timer);
    next();
  });
  done();
}

export default fp(stalledReaders, { name: 'stalled-readers' });
