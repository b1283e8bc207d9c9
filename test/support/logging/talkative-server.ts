/**
 * The service, which logs many lines when it gets SIGUSR2 and then ends at once: by `process.exit`, or by an error that nobody catches, as its
 * argument says.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';

const [, , count = '0', then = 'exit'] = process.argv;

subscribe('fastify.initialization', (message) => {
  const { fastify } = message as { fastify: FastifyInstance };
  process.once('SIGUSR2', () => {
    for (let line = 0; line < Number(count); line += 1) fastify.log.info({ line }, 'Numbered');
    if (then === 'exit') process.exit(3);
    throw new Error('Nobody catches this');
  });
});
await import('../../../server.ts');
