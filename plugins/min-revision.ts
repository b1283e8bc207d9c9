/**
 * `Registry-Min-Revision`: a client that passes on the revision it last saw is never answered from an older one, whichever instance
 * answers (SPEC R10).
 *
 * Rule: an instance that is behind catches up first; where it cannot in time, or is cut off, it refuses. After a restore of the database
 * revisions begin anew from an earlier one; `Registry-Epoch`, passed on beside it, says which history the revision is of. Looked at
 * behind the scope, so that nobody without a key makes the store work, and the key once more behind it: it may have been revoked by then.
 * Example: an operator rolls back on one instance (`Registry-Revision: 9`); a read on another with `Registry-Min-Revision: 9` shows the
 * rollback, or is a 503.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { invalidInput, type Scope } from '../registry/index.ts';
import { restamp } from './request-snapshot.ts';
import { refusal } from './scopes.ts';

function minRevision(app: FastifyInstance, _options: object, done: () => void): void {
  const { registry } = app;
  const catchUpFirst = (scope: Scope) => (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void) => {
    const asked = request.headers['registry-min-revision'];
    if (asked === undefined) return next();
    const epoch = request.headers['registry-epoch'];
    const place = { revision: wholeNumber(asked), ...(epoch !== undefined && { epoch: wholeNumber(epoch) }) };
    if (place.revision === undefined || ('epoch' in place && place.epoch === undefined)) {
      const parameter = place.revision === undefined ? 'registry-min-revision' : 'registry-epoch';
      const [name, example] = parameter === 'registry-epoch' ? ['Registry-Epoch', 2] : ['Registry-Min-Revision', 42];
      const detail = `${JSON.stringify(String(request.headers[parameter]).slice(0, 60))} is not a whole number. Send the ${parameter === 'registry-epoch' ? 'Registry-Epoch' : 'Registry-Revision'} of an earlier answer, e.g. ${example}.`;
      return next(invalidInput(`${name} is not valid.`, [{ parameter, detail }]));
    }
    registry.reach({ revision: place.revision, epoch: place.epoch }).then(() => {
      request.snapshot = registry.current;
      restamp(reply, registry, request.snapshot);
      // SPEC R2: whether the key still holds is answered from that snapshot, too
      request.caller = request.snapshot.keys.get(request.caller?.keyId ?? '') ?? null;
      next(refusal(request, reply, scope));
    }, next);
  };
  app.addHook('onRoute', (route) => {
    const { scope } = route.config ?? {};
    if (scope === undefined || scope === 'open') return;
    route.onRequest = [...[route.onRequest ?? []].flat(), catchUpFirst(scope)];
  });
  done();
}

function wholeNumber(header: string | string[]): number | undefined {
  return typeof header === 'string' && /^[0-9]{1,15}$/u.test(header) ? Number(header) : undefined;
}

export default fp(minRevision, { name: 'min-revision', dependencies: ['scopes', 'request-snapshot'] });
