/**
 * Load shedding: where the event loop lags, new requests are refused at once instead of all becoming slow.
 *
 * Rule: what an operator needs in exactly that moment goes through: probes, and moves of pointers. The lag is measured by a histogram of
 * Node's that opens nothing and throws nothing: a measure must never be what ends the process (docs/adr/0015).
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { HttpProblem } from '../problems/problem-details.ts';

/** How far the event loop may lag behind, in milliseconds. */
const MOST_LAG = 1000;
/** Between two looks at the lag, in milliseconds. */
const PAUSE = 1000;
/** How exactly the lag is measured, in milliseconds. A loop without lag shows this as its delay. */
const RESOLUTION = 10;
/** What a start itself costs is no load: measured from this long after the process listens, in milliseconds. */
const WARM_UP = 3000;

function loadShedding(app: FastifyInstance, _options: object, done: () => void): void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  let [lag, warmAt] = [0, Infinity];
  const look = () => {
    // No sample at all: the loop was blocked from one look to the next.
    lag = Number.isNaN(delays.mean) ? Infinity : delays.mean / 1e6 - RESOLUTION;
    delays.reset();
  };
  delays.enable();
  const timer = setInterval(look, PAUSE).unref();
  app.addHook('onListen', async () => {
    warmAt = performance.now() + WARM_UP;
  });
  app.addHook('onRequest', ({ routeOptions }, _reply, next) => {
    if (lag <= MOST_LAG || routeOptions.config.share !== undefined || performance.now() < warmAt) next();
    else next(new HttpProblem('overloaded', 'The service has more to do than it can at the moment.'));
  });
  app.addHook('onClose', (_app, next) => {
    clearInterval(timer);
    delays.disable();
    next();
  });
  done();
}

export default fp(loadShedding, { name: 'load-shedding' });
