/**
 * `Registry-Min-Revision`: a client that sends the revision it last saw never gets a response from an older one, whichever instance
 * responds (SPEC R10).
 *
 * Rule: an instance that is behind catches up first. If it cannot do so in time, or has lost the store, it refuses. After a restore of the
 * database the same revision numbers are used again; the header `Registry-Epoch` says which history the revision belongs to. This runs
 * after the scope check, so that nobody without a key can make the store work. Then the key is checked again: it may have been revoked
 * while the request waited.
 * Example: an operator rolls back on one instance (`Registry-Revision: 9`). A read on another instance with `Registry-Min-Revision: 9`
 * shows the rollback, or is a 503.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { invalidInput, type RegistryError, type Scope } from '../../registry/index.ts';
import { positionSeen, type PositionSeen } from './position-seen.ts';
import { changeSnapshot } from './request-snapshot.ts';
import { refusalBy } from '../access/scopes.ts';

function minRevision(app: FastifyInstance, _options: object, done: () => void): void {
  const { registry } = app;
  const catchUpFirst =
    (scope: Scope) => (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void) => {
      const { position, invalid } = positionSeen(request.headers);
      if (invalid !== undefined) return next(notValid(invalid));
      if (position === undefined) return next();
      registry.reach(position).then(() => {
        changeSnapshot(request, reply, registry.current);
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

function notValid(parameter: NonNullable<PositionSeen['invalid']>): RegistryError {
  const [name, source, example] =
    parameter === 'registry-epoch'
      ? ['Registry-Epoch', 'Registry-Epoch', 2]
      : ['Registry-Min-Revision', 'Registry-Revision', 42];
  const detail = `It must be a whole number: the ${source} of an earlier response, e.g. ${example}.`;
  return invalidInput(`${name} is not valid.`, [{ parameter, detail }]);
}

export default fp(minRevision, { name: 'min-revision', dependencies: ['scopes', 'request-snapshot'] });
