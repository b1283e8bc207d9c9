/**
 * Closing in good order: requests under way are finished; connections that carry none are closed.
 *
 * Problem: the framework closes idle connections once, when closing begins. One whose answer is sent after that stays open for
 * its keep-alive time, one that never sent a request for ever, and the process waits for both.
 * Rule: while the application closes, its connections are looked at again and again; what still is not done in the end is cut, so
 * that the store is closed in every case.
 * Example: a client that sends a request every second over one connection is answered, then disconnected; so is a browser that
 * opened a connection to have it ready.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

/** Between two looks, in milliseconds. */
const PAUSE = 50;
/** How long requests under way may take once closing began, in milliseconds. Below what the process itself has (server.ts). */
const LONGEST = 8000;

declare module 'fastify' {
  interface FastifyInstance {
    /** The process was asked to end: probes say so, requests are still answered. */
    draining: boolean;
  }
}

function drain(app: FastifyInstance, _options: object, done: () => void): void {
  const { server } = app;
  app.decorate('draining', false);
  const open = new Set<Socket>();
  const timers: NodeJS.Timeout[] = [];
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });

  app.addHook('preClose', (next) => {
    app.draining = true;
    const look = () => {
      server.closeIdleConnections();
      for (const socket of open) if (socket.bytesRead === 0) socket.destroy(); // not idle to the server: its first request may be on its way
    };
    timers.push(
      setInterval(look, PAUSE),
      setTimeout(() => server.closeAllConnections(), LONGEST),
    );
    next();
  });
  app.addHook('onClose', (_app, next) => {
    for (const timer of timers) clearTimeout(timer);
    next();
  });
  done();
}

export default fp(drain, { name: 'drain' });
