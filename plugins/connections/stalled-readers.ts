/**
 * Readers that take nothing: cut, so that an answer nobody takes does not hold memory and a socket for ever.
 *
 * Problem: the server's limits on time hold for requests on their way in; an answer may wait for its reader without end.
 * Rule: a connection with an answer waiting that took next to nothing of it for a while is cut, also one that takes a byte now and then.
 * Connections are looked at now and then, so that a request costs nothing.
 * Example: a client asks for a hundred large versions over one connection and stops reading; it is cut nine seconds later at most.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

/** Between two looks, in milliseconds. */
const PAUSE = 500;
/** How long a reader may take next to nothing, in milliseconds. */
const PATIENCE = 5000;
/** What a reader must take meanwhile, in bytes: 3 KB a second. */
const LEAST = 16 * 1024;

/** How many bytes the operating system took off a socket's hands, and since when no more. */
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
      } else if (now - progress.since >= PATIENCE) {
        socket.destroy();
      }
    }
  };
  const timer = setInterval(look, PAUSE).unref();
  app.addHook('onClose', (_app, next) => {
    clearInterval(timer);
    next();
  });
  done();
}

export default fp(stalledReaders, { name: 'stalled-readers' });
