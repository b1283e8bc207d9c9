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
import { invalidInput, type RegistryError, type Scope } from '../../registry/index.ts';
import { positionSeen, type PositionSeen } from './position-seen.ts';
import { restamp } from './request-snapshot.ts';
import { refusalBy } from '../access/scopes.ts';

function minRevision(app: FastifyInstance, _options: object, done: () => void): void {
  const { registry } = app;
  const catchUpFirst =
    (scope: Scope) => (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void) => {
      const { position: position, wrong } = positionSeen(request.headers);
      if (wrong !== undefined) return next(invalidPosition(wrong));
      if (position === undefined) return next();
      registry.reach(position).then(() => {
        request.snapshot = registry.current;
        restamp(reply, registry, request.snapshot);
        next(refusalBy(request.snapshot, request, reply, scope));
      }, next);
    };
  app.addHook('onRoute', (route) => {
    const { scope } = route.config ?? {};
    if (scope === undefined || scope === 'open') return;
    route.onRequest = [...[route.onRequest ?? []].flat(), catchUpFirst(scope)];
  });
  done();
}

/** Says which header names no place, and what it should be. */
function invalidPosition(parameter: NonNullable<PositionSeen['wrong']>): RegistryError {
  const [name, source, example] =
    parameter === 'registry-epoch'
      ? ['Registry-Epoch', 'Registry-Epoch', 2]
      : ['Registry-Min-Revision', 'Registry-Revision', 42];
  const detail = `It must be a whole number: the ${source} of an earlier answer, e.g. ${example}.`;
  return invalidInput(`${name} is not valid.`, [{ parameter, detail }]);
}

export default fp(minRevision, { name: 'min-revision', dependencies: ['scopes', 'request-snapshot'] });
