/**
 * Rate limits: per key, per address without one, so that one caller cannot take the service from the others.
 *
 * Problem: a limit costs every read; the usual plugin, an asynchronous hook with a store behind it, a third of one (docs/adr/0012).
 * Rule: a window of a minute from a caller's first request, counted in memory, within a bound. Each kind of move of a pointer has a share
 * of its own, so that neither a client that reads too much nor one that activates in a loop ever stands in the way of its owner's
 * rollback. Probes are not counted.
 * Example: with 6000 a minute the 6001st request of a key within its minute is a 429 that says how long to wait.
 */
import { isIPv6 } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { HttpProblem } from './problems/problem-details.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Which share of the rate limit the route takes from: the common one where not given; one of its own; none, where it is not counted. */
    share?: 'moves' | 'none';
  }
}

export interface RateLimitsOptions {
  /** Requests a minute; 0 for no limit. */
  readonly perMinute: number;
}

/** A caller's minute. */
interface Window {
  /** Monotonic, in milliseconds. */
  until: number;
  count: number;
}

const MINUTE = 60_000;
/** Callers counted at once; beyond, the one not seen for longest starts anew. */
const CALLERS = 10_000;

function rateLimits(app: FastifyInstance, { perMinute }: RateLimitsOptions, done: () => void): void {
  if (perMinute === 0) return done();
  const common = new LRUCache<string, Window>({ max: CALLERS });
  app.addHook('onRoute', (route) => {
    const share = route.config?.share;
    if (share === 'none') return;
    const windows = share === 'moves' ? new LRUCache<string, Window>({ max: CALLERS }) : common;
    const count = (request: FastifyRequest, _reply: FastifyReply, next: (error?: Error) => void) =>
      next(refusalOf(windows, request, perMinute));
    route.onRequest = [...[route.onRequest ?? []].flat(), count];
  });
  done();
}

export default fp(rateLimits, { name: 'rate-limits', dependencies: ['authentication'] });

/** Counts a request. @returns why it may not go on, where the share is used up */
function refusalOf(
  windows: LRUCache<string, Window>,
  { caller, ip }: FastifyRequest,
  perMinute: number,
): HttpProblem | undefined {
  const who = caller === null ? networkOf(ip) : caller.keyId;
  const now = performance.now();
  const window = windows.get(who);
  if (window === undefined || window.until <= now) {
    windows.set(who, { until: now + MINUTE, count: 1 });
    return undefined;
  }
  window.count += 1;
  if (window.count <= perMinute) return undefined;
  const seconds = Math.max(1, Math.ceil((window.until - now) / 1000));
  // draft-ietf-httpapi-ratelimit-headers-10. Only a refusal says how much is left (nothing): on every answer it would cost more than it tells.
  const headers = {
    'retry-after': String(seconds),
    ratelimit: `"minute";r=0;t=${seconds}`,
    'ratelimit-policy': `"minute";q=${perMinute};w=60`,
  };
  return new HttpProblem(
    'rate-limited',
    `${perMinute} requests a minute are allowed, and they are used up. Try again in ${seconds} s.`,
    headers,
  );
}

/** An IPv4 address as it is; an IPv6 one by its network (/64), as a caller has all addresses of it. */
export function networkOf(ip: string): string {
  if (!isIPv6(ip)) return ip;
  const [address = ''] = ip.toLowerCase().split('%');
  const mapped = /^::ffff:([0-9.]+)$/u.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const between = tail === undefined ? 0 : 8 - before.length - after.length - (address.includes('.') ? 1 : 0);
  const groups = [...before, ...Array.from({ length: between }, () => '0'), ...after];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/u, ''))
    .join(':');
}
