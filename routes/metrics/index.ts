/** For Prometheus: what the service counts of itself. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { closed, problems, ref, revisionHeader } from '../wire/schema-kit.ts';

const example = [
  '# HELP prompt_registry_ready Whether this instance accepts requests, as /readyz says.',
  '# TYPE prompt_registry_ready gauge',
  'prompt_registry_ready 1',
  '',
].join('\n');

const Metrics = Type.String({
  $id: 'Metrics',
  description: 'Metrics in the text format of Prometheus, version 0.0.4.',
  examples: [example],
});

const metricsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addSchema(Metrics);

  app.get('/metrics', {
    config: { scope: 'metrics:read' },
    schema: {
      operationId: 'getMetrics',
      tags: ['Health'],
      summary: 'Read the metrics',
      description:
        'For Prometheus to scrape: requests, reads by version, moves, freshness, the store, the process. docs/observability tells what each means.',
      querystring: closed({}),
      response: {
        200: {
          description: 'The metrics.',
          headers: revisionHeader,
          content: { 'text/plain': { schema: ref(Metrics), examples: { typical: { value: example } } } },
        },
        ...problems(),
      },
    },
    handler: async (_request, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(await app.metrics.scrape()),
  });
};

export default metricsRoutes;
