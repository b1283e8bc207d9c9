/**
 * Load shedding: where the event loop lags, new requests are refused at once instead of all becoming slow.
 *
 * Rule: what an operator needs in exactly that moment goes through: probes, and moves of pointers.
 */
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { HttpProblem } from './problem-details.ts';

/** How far the event loop may lag behind, in milliseconds. */
const MOST_LAG = 1000;

/** What a start itself costs is no load: measured from this long after the process listens, in milliseconds. */
const WARM_UP = 3000;

async function loadShedding(app: FastifyInstance): Promise<void> {
  let warmAt = Infinity;
  app.addHook('onListen', async () => {
    warmAt = performance.now() + WARM_UP;
  });
  await app.register(underPressure, {
    maxEventLoopDelay: MOST_LAG,
    pressureHandler: ({ routeOptions }) => {
      if (routeOptions.config.share !== undefined || performance.now() < warmAt) return;
      throw new HttpProblem('overloaded', 'The service has more to do than it can at the moment.');
    },
  });
}

export default fp(loadShedding, { name: 'load-shedding' });
