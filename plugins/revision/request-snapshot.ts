/**
 * Each request has one snapshot (SPEC R2). It is taken before anything else, and `Registry-Revision` names it on every response. If this
 * instance does not know that it is current, or serves a forced version, every response says that too (SPEC R10).
 *
 * Rule: a mark (stale, forced, another epoch) is set when the snapshot is taken: an instance that is current again when the response is sent
 * was not when the snapshot was taken. The other headers are set when the response is sent, so that a usual read has none until then
 * (`routes/wire/conditional-read.ts`).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { invalidInput, RegistryError, type Registry, type Snapshot } from '../../registry/index.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The snapshot that the response comes from. */
    snapshot: Snapshot;
  }
}

function requestSnapshot(app: FastifyInstance, _options: object, done: () => void): void {
  const { registry } = app;
  app.decorateRequest('snapshot', null as unknown as Snapshot); // set on every request before it is read
  app.addHook('onRequest', (request, reply, next) => {
    const snapshot = registry.current;
    request.snapshot = snapshot;
    mark(reply, registry, snapshot);
    if (request.raw.headers.host === undefined && request.raw.httpVersion === '1.1') {
      return next(
        invalidInput('The Host header is missing.', [
          { parameter: 'host', detail: 'HTTP/1.1 needs a Host header (RFC 9112 section 3.2).' },
        ]),
      );
    }
    const coding = request.raw.headers['transfer-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      void reply.header('connection', 'close'); // the end of such a body is unknown (RFC 9112 section 6.3)
      return next(
        invalidInput('The transfer coding of the body is not supported.', [
          { parameter: 'transfer-encoding', detail: 'Send "chunked", or a body with Content-Length.' },
        ]),
      );
    }
    if (registry.ready || request.routeOptions.config.scope === 'open') return next();
    next(new RegistryError('not-ready', 'A request arrived before this instance had loaded a complete snapshot.'));
  });
  app.addHook('onSend', (request, reply, payload, next) => {
    const snapshot = request.snapshot as Snapshot | null;
    if (snapshot !== null) addCommonHeaders(reply, snapshot); // null: a fault came before it was taken
    next(null, payload);
  });
  done();
}

/** The headers that every response has, as name, value, name, value, … */
export function commonHeaders({ revision }: Snapshot): string[] {
  return [
    'registry-revision',
    String(revision),
    'cache-control',
    'private, no-cache',
    'x-content-type-options',
    'nosniff',
  ];
}

/** Sets the headers that every response has, and the marks: for a response that no `onSend` hook sees. */
export function stamp(reply: FastifyReply, registry: Registry, snapshot: Snapshot): void {
  addCommonHeaders(reply, snapshot);
  mark(reply, registry, snapshot);
}

/** From now on, the response comes from this snapshot: a later one than its request started with. */
export function changeSnapshot(request: FastifyRequest, reply: FastifyReply, snapshot: Snapshot): void {
  request.snapshot = snapshot;
  for (const name of MARKS) void reply.removeHeader(name);
  void reply.removeHeader('registry-revision');
  stamp(reply, request.server.registry, snapshot);
}

/** Keeps what a route has set, such as the `Cache-Control` of a file. */
function addCommonHeaders(reply: FastifyReply, snapshot: Snapshot): void {
  const headers = commonHeaders(snapshot);
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (!reply.hasHeader(name)) void reply.header(name, headers[index + 1]);
  }
}

function mark(reply: FastifyReply, registry: Registry, snapshot: Snapshot): void {
  for (const [name, value] of marksOf(registry, snapshot)) void reply.header(name, value);
}

/** The headers that only some responses have: the epoch after a restore, how stale the response may be, a forced version. */
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
