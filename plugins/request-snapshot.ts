/**
 * One snapshot a request (SPEC R2): taken before anything else is done for it, named in `Registry-Revision` on every answer.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import fp from 'fastify-plugin';
import type { Snapshot } from '../registry/index.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What this request is answered from. */
    snapshot: Snapshot;
  }
}

function requestSnapshot(app: FastifyInstance, _options: object, done: () => void): void {
  const { registry } = app;
  app.decorateRequest('snapshot', null as unknown as Snapshot); // set on every request, before anybody reads it
  app.addHook('onRequest', (request, reply, next) => {
    const snapshot = registry.current;
    request.snapshot = snapshot;
    stamp(reply, snapshot);
    next();
  });
  done();
}

/** The headers of every answer. */
export function stamp(reply: FastifyReply, { revision }: Snapshot): void {
  void reply.header('registry-revision', revision).header('cache-control', 'private, no-cache').header('x-content-type-options', 'nosniff');
}

export default fp(requestSnapshot, { name: 'request-snapshot', dependencies: ['registry'] });
