/** Schemas of the probes. */
import { Type } from '@sinclair/typebox';
import { Revision } from '../../registry/index.ts';
import { noQuery } from '../wire/parameters.ts';
import { openProblems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, stringEnum } from '../wire/schema-types.ts';

const Liveness = closed({ status: stringEnum(['live'], 'The process responds.') }, { $id: 'Liveness' });
const Readiness = closed(
  {
    status: stringEnum(['ready'], 'There is a whole snapshot to serve.'),
    revision: Revision,
    epoch: Type.Integer({
      minimum: 1,
      description: 'Which history the revision belongs to. Each accepted restore of the database adds 1.',
    }),
    stale: Type.Boolean({ description: 'Whether the snapshot may be older than the log.' }),
    staleSeconds: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Seconds since this instance last knew that it was current.' }),
    ),
    pinned: Type.Optional(
      Type.String({
        description: 'The forced version (`PIN_VERSION`), which is served whatever the log says.',
        examples: ['coach@1.0.0'],
      }),
    ),
    conditions: Type.Array(
      closed({
        name: stringEnum(
          ['stale', 'pinned', 'log-diverged', 'clock-behind-log', 'clock-in-doubt', 'snapshot-differs'],
          'Stable, for programs.',
        ),
        detail: Type.String(),
      }),
      {
        description: 'Problems of an instance that still serves; empty if there are none.',
      },
    ),
  },
  { $id: 'Readiness' },
);
const readyExample = { status: 'ready', revision: 7, epoch: 1, stale: false, conditions: [] };

export const healthSchemas = [Liveness, Readiness];

// ── Operations ──

export const live = {
  operationId: 'live',
  tags: ['Health'],
  summary: 'Is it alive?',
  description: 'Depends only on the process itself. Restart the process if this fails.',
  querystring: noQuery,
  response: { 200: jsonResponse(Liveness, 'Alive.', { status: 'live' }), ...openProblems() },
};

export const ready = {
  operationId: 'ready',
  tags: ['Health'],
  summary: 'Is it ready?',
  description:
    'Ready once there is a whole snapshot to serve, until the process is asked to stop. Send no requests to an instance that is not ready. An instance that has lost its store stays ready: it serves what it has, and reports `stale` here and in every response.',
  querystring: noQuery,
  response: { 200: jsonResponse(Readiness, 'Ready.', readyExample), ...openProblems('not-ready') },
};
