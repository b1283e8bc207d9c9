/**
 * Rate limits per key, or per address without a key, so that one caller cannot use up the service.
 *
 * Problem: a limit adds to the cost of every read. The usual plugin, an asynchronous hook with a store, adds a third (docs/adr/0012).
 * Rule: a one-minute window starts with a caller's first request. Windows are counted in memory, and their number is bounded. Each kind of
 * pointer move has its own share: a client that reads too much, or activates in a loop, never blocks the rollback of its owner. Probes
 * are not counted.
 * Example: with 6000 a minute, the 6001st request of a key within its minute gets a 429 that says how long to wait.
 */
import { isIPv6 } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { HttpProblem } from './problems/problem-details.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Which share of the rate limit the route uses. `moves`: its own; `none`: it is not counted; default: the common one. */
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
/** How many callers are counted at once. Beyond that, the least recently seen one is forgotten. */
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

/** Counts a request. @returns a refusal if the share is used up */
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
  // draft-ietf-httpapi-ratelimit-headers-10. Only refusals carry these headers: on every response they would cost more than they are worth.
  const headers = {
    'retry-after': String(seconds),
    ratelimit: `"minute";r=0;t=${seconds}`,
    'ratelimit-policy': `"minute";q=${perMinute};w=60`,
  };
  return new HttpProblem(
    'rate-limited',
    `The limit of ${perMinute} requests a minute is reached. Try again in ${seconds} s.`,
    headers,
  );
}

/** An IPv4 address as it is; for an IPv6 address its /64 network, because one caller has all addresses in it. */
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
