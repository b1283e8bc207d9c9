/**
 * Load shedding: while the event loop lags, new requests are refused at once, so that not all of them become slow.
 *
 * Rule: probes and pointer moves are always allowed, because an operator needs them most during an overload. Node's own histogram measures
 * the lag. It opens no descriptor and never throws: measuring must not end the process (docs/adr/0015).
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { HttpProblem } from '../problems/problem-details.ts';

/** The highest acceptable lag of the event loop, in milliseconds. */
const MOST_LAG = 1000;
/** Time between two checks of the lag, in milliseconds. */
const INTERVAL = 1000;
/** Resolution of the measurement, in milliseconds. A loop without lag has this as its delay. */
const RESOLUTION = 10;
/** How long after the process listens requests are not refused, in milliseconds: the start itself causes lag. */
const WARM_UP = 3000;

function loadShedding(app: FastifyInstance, _options: object, done: () => void): void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  let [lag, warmAt] = [0, Infinity];
  const look = () => {
    // No sample: the loop was blocked for the whole interval.
    lag = Number.isNaN(delays.mean) ? Infinity : delays.mean / 1e6 - RESOLUTION;
    delays.reset();
  };
  delays.enable();
  const timer = setInterval(look, INTERVAL).unref();
  app.addHook('onListen', async () => {
    warmAt = performance.now() + WARM_UP;
  });
  app.addHook('onRequest', ({ routeOptions }, _reply, next) => {
    if (lag <= MOST_LAG || routeOptions.config.share !== undefined || performance.now() < warmAt) next();
    else next(new HttpProblem('overloaded', 'The service has too much work at the moment.'));
  });
  app.addHook('onClose', (_app, next) => {
    clearInterval(timer);
    delays.disable();
    next();
  });
  done();
}

export default fp(loadShedding, { name: 'load-shedding' });
