/** The instances that share the log, and how far each has followed it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import * as schemas from './schemas.ts';

const instanceRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/instances', {
    config: { scope: 'audit:read' },
    schema: schemas.listInstances,
    handler: async ({ registry }) => ({ instances: registry.instance.list() }),
  });
};

export default instanceRoutes;
