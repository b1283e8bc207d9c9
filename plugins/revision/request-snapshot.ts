/**
 * One snapshot a request (SPEC R2): taken before anything else is done for it, named in `Registry-Revision` on every answer. Where this
 * instance does not know that it is current, or serves a version of its own, every answer says that as well (SPEC R10).
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import fp from 'fastify-plugin';
import { invalidInput, RegistryError, type Registry, type Snapshot } from '../../registry/index.ts';

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
    stamp(reply, registry, snapshot);
    if (request.raw.headers.host === undefined && request.raw.httpVersion === '1.1') {
      return next(
        invalidInput('The request names no host.', [
          { parameter: 'host', detail: 'HTTP/1.1 needs a Host header (RFC 9112 section 3.2).' },
        ]),
      );
    }
    const coding = request.raw.headers['transfer-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      void reply.header('connection', 'close'); // where such a body ends is not known (RFC 9112 section 6.3)
      return next(
        invalidInput('The transfer coding of the body is not known.', [
          { parameter: 'transfer-encoding', detail: 'Send "chunked", or a body with Content-Length.' },
        ]),
      );
    }
    if (registry.ready || request.routeOptions.config.scope === 'open') return next();
    next(new RegistryError('not-ready', 'A request came before there is a whole snapshot to answer from.'));
  });
  done();
}

/** The headers of every answer. */
export function stamp(reply: FastifyReply, registry: Registry, snapshot: Snapshot): void {
  void reply
    .header('registry-revision', snapshot.revision)
    .header('cache-control', 'private, no-cache')
    .header('x-content-type-options', 'nosniff');
  for (const [name, value] of marksOf(registry, snapshot)) void reply.header(name, value);
}

/** The headers of an answer that comes from another snapshot than the one its request began with: what was said of that one may not hold any more. */
export function restamp(reply: FastifyReply, registry: Registry, snapshot: Snapshot): void {
  for (const name of MARKS) void reply.removeHeader(name);
  stamp(reply, registry, snapshot);
}

/** What is said of an answer only where it is so: the epoch after a restore, how stale it may be, a pinned version. */
export function marksOf(registry: Registry, { epoch }: Snapshot): readonly (readonly [name: string, value: string])[] {
  const { staleSeconds, pinnedVersion } = registry;
  if (staleSeconds === undefined && pinnedVersion === undefined && epoch === 1) return NO_MARKS;
  const marks: [string, string][] = [];
  if (epoch > 1) marks.push(['registry-epoch', String(epoch)]);
  if (staleSeconds !== undefined) marks.push(['registry-stale', String(staleSeconds)]);
  if (pinnedVersion !== undefined) marks.push(['registry-pinned', pinnedVersion]);
  return marks;
}

const MARKS = ['registry-epoch', 'registry-stale', 'registry-pinned'] as const;
const NO_MARKS: readonly (readonly [string, string])[] = Object.freeze([]);

export default fp(requestSnapshot, { name: 'request-snapshot', dependencies: ['registry'] });
