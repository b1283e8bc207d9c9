/** Metrics for Prometheus. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import * as schemas from './schemas.ts';

const metricsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/metrics', {
    config: { scope: 'metrics:read' },
    schema: schemas.getMetrics,
    handler: async (_request, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(await app.metrics.scrape()),
  });
};

export default metricsRoutes;
