/** Schemas of the metrics. */
import { Type } from '@sinclair/typebox';
import { revisionHeaders } from '../wire/headers.ts';
import { noQuery } from '../wire/parameters.ts';
import { problems } from '../wire/problems.ts';
import { ref } from '../wire/schema-types.ts';

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

export const metricsSchemas = [Metrics];

// ── Operations ──

export const getMetrics = {
  operationId: 'getMetrics',
  tags: ['Health'],
  summary: 'Read the metrics',
  description:
    'For Prometheus: requests, reads per version, moves, freshness, the store, the process. docs/observability explains each metric.',
  querystring: noQuery,
  response: {
    200: {
      description: 'The metrics.',
      headers: revisionHeaders,
      content: { 'text/plain': { schema: ref(Metrics), examples: { typical: { value: example } } } },
    },
    ...problems(),
  },
};
