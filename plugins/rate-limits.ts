/**
 * Rate limits: per key, per address without one, so that one caller cannot take the service from the others.
 *
 * Rule: each kind of move of a pointer has a share of its own, so that neither a client that reads too much nor one that activates
 * in a loop ever stands in the way of its owner's rollback. Probes are not counted.
 */
import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { HttpProblem } from './problem-details.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Which share of the rate limit the route takes from: the common one where not given; `none` where it is not counted. */
    share?: 'moves' | 'none';
  }
}

export interface RateLimitsOptions {
  /** Requests a minute; 0 for no limit. */
  readonly perMinute: number;
}

const MINUTE = 60_000;
/** Callers counted at once; beyond, the one not seen for longest starts anew. */
const CALLERS = 10_000;

async function rateLimits(app: FastifyInstance, { perMinute }: RateLimitsOptions): Promise<void> {
  if (perMinute === 0) return;
  app.addHook('onRoute', (route) => {
    const { share } = route.config ?? {};
    if (share === 'none') route.config = { ...route.config, rateLimit: false };
    if (share === 'moves') route.config = { ...route.config, rateLimit: { max: perMinute, timeWindow: MINUTE } };
  });
  await app.register(rateLimit, {
    ...{ global: true, max: perMinute, timeWindow: MINUTE, cache: CALLERS },
    keyGenerator: ({ caller, ip }: FastifyRequest) => caller?.keyId ?? normalizeIP(ip),
    // Only a refusal says how much is left (nothing): headers on every answer would cost more than they tell.
    addHeadersOnExceeding: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
    addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false, 'retry-after': false },
    errorResponseBuilder: (_request, { max, ttl }) => {
      const seconds = Math.max(1, Math.ceil(ttl / 1000));
      // draft-ietf-httpapi-ratelimit-headers-10
      const headers = { 'retry-after': String(seconds), ratelimit: `"minute";r=0;t=${seconds}`, 'ratelimit-policy': `"minute";q=${max};w=60` };
      return new HttpProblem('rate-limited', `${max} requests a minute are allowed, and they are used up. Try again in ${seconds} s.`, headers);
    },
  });
}

export default fp(rateLimits, { name: 'rate-limits', dependencies: ['authentication'] });
