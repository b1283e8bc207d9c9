/**
 * Graceful shutdown: requests in progress are finished, and idle connections are closed.
 *
 * Problem: the framework closes idle connections only once, when closing begins. A connection that gets its response later stays open for
 * its keep-alive time, and one that never sent a request stays open forever. The process waits for both.
 * Rule: while the application closes, check its connections repeatedly. After a timeout, cut the rest, so that the store is always closed.
 * Example: a client that sends a request every second over one connection gets a response and is then disconnected. A browser that opened
 * a connection in advance is disconnected too.
 */
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

/** Time between two checks, in milliseconds. */
const INTERVAL = 50;
/** How long requests in progress may take after closing begins, in milliseconds. Shorter than the limit of the process (server.ts). */
const TIMEOUT = 8000;

declare module 'fastify' {
  interface FastifyInstance {
    /** The process is shutting down: probes say so, but requests still get responses. */
    draining: boolean;
  }
}

function drain(app: FastifyInstance, _options: object, done: () => void): void {
  const { server } = app;
  app.decorate('draining', false);
  const timers: NodeJS.Timeout[] = [];

  app.addHook('preClose', (next) => {
    app.draining = true;
    const look = () => {
      server.closeIdleConnections();
      for (const socket of app.sockets) if (socket.bytesRead === 0) socket.destroy(); // the server does not count it as idle, because a first request may be coming
    };
    timers.push(
      setInterval(look, INTERVAL),
      setTimeout(() => server.closeAllConnections(), TIMEOUT),
    );
    next();
  });
  app.addHook('onClose', (_app, next) => {
    for (const timer of timers) clearTimeout(timer);
    next();
  });
  done();
}

export default fp(drain, { name: 'drain', dependencies: ['connections'] });
