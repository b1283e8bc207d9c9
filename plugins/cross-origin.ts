/**
 * CORS: only pages of listed origins may read responses.
 *
 * Rule: this plugin answers only preflights: OPTIONS requests with `Origin` and `Access-Control-Request-Method`
 * (https://fetch.spec.whatwg.org/#cors-preflight-request). Any other OPTIONS request is refused like any unsupported method.
 */
import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

export interface CrossOriginOptions {
  /** As a browser sends them, e.g. `https://console.example.com`. */
  readonly origins: readonly string[];
}

/** The response headers that a page of another origin may read. */
const EXPOSED = [
  'ETag',
  'Location',
  'Registry-Revision',
  'Registry-Epoch',
  'Registry-Stale',
  'Registry-Pinned',
  'Registry-Assignment',
  'Preference-Applied',
  'Retry-After',
  'Idempotency-Replayed',
];

async function crossOrigin(app: FastifyInstance, { origins }: CrossOriginOptions): Promise<void> {
  app.addHook('onRequest', (request, reply, next) => {
    if (request.method !== 'OPTIONS' || isPreflight(request)) next();
    else reply.callNotFound();
  });
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    exposedHeaders: EXPOSED,
    maxAge: 600,
  });
}

function isPreflight({ headers }: FastifyRequest): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}

export default fp(crossOrigin, { name: 'cross-origin' });
