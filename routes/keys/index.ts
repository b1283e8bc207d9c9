/** API keys. A secret is shown once, in the response that creates its key. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { requestedBy } from '../wire/caller.ts';
import { stamp } from '../wire/stamp.ts';
import { keyBody, newKeyBody, revokedKeyBody } from './response-bodies.ts';
import * as schemas from './schemas.ts';

const keyRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/keys', {
    config: { scope: 'keys:admin' },
    schema: schemas.listKeys,
    handler: async ({ snapshot }) => ({ keys: [...snapshot.keys.values()].map(keyBody) }),
  });

  app.post('/v1/keys', {
    config: { scope: 'keys:admin' },
    schema: schemas.createKey,
    handler: async (request, reply) => {
      const { registry, body } = request;
      const { record, token, replayed } = await registry.createKey({ ...body, ...administrator(request) });
      stamp(request, reply, { snapshot: registry.current, location: '/v1/keys', replayed });
      return reply.code(201).send(newKeyBody(record, token));
    },
  });

  app.post('/v1/keys/:keyId/revoke', {
    config: { scope: 'keys:admin' },
    schema: schemas.revokeKey,
    handler: async (request, reply) => {
      const { registry, params, body } = request;
      const { replayed, ...revoked } = await registry.revokeKey({ ...params, ...body, ...administrator(request) });
      stamp(request, reply, { snapshot: registry.current, replayed });
      return revokedKeyBody(revoked);
    },
  });
};

export default keyRoutes;

/** Who creates or revokes a key, and the scopes that limit what they may do. */
function administrator(request: FastifyRequest) {
  return { ...requestedBy(request), heldScopes: request.caller?.scopes ?? [] };
}
