/** Schemas of the probes. */
import { Type } from '@sinclair/typebox';
import { Revision } from '../../registry/index.ts';
import { noQuery } from '../wire/parameters.ts';
import { openProblems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, stringEnum } from '../wire/schema-types.ts';

const Liveness = closed({ status: stringEnum(['live'], 'The process answers.') }, { $id: 'Liveness' });
const Readiness = closed(
  {
    status: stringEnum(['ready'], 'There is a whole snapshot to answer from.'),
    revision: Revision,
    epoch: Type.Integer({
      minimum: 1,
      description: 'Which history the revision is of: one more after each accepted restore.',
    }),
    stale: Type.Boolean({ description: 'Whether the snapshot may be older than the log.' }),
    staleSeconds: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Seconds since this instance last knew that it is current.' }),
    ),
    pinned: Type.Optional(
      Type.String({
        description: 'The version served whatever the log says (`PIN_VERSION`).',
        examples: ['coach@1.0.0'],
      }),
    ),
    conditions: Type.Array(
      closed({
        name: stringEnum(
          ['stale', 'pinned', 'log-diverged', 'clock-behind-log', 'snapshot-differs'],
          'Stable; made for programs.',
        ),
        detail: Type.String(),
      }),
      {
        description: 'What is not as it should be although the instance serves; empty where all is.',
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
  description: 'Depends on nothing but the process itself; restart it where this fails.',
  querystring: noQuery,
  response: { 200: jsonResponse(Liveness, 'Alive.', { status: 'live' }), ...openProblems() },
};

export const ready = {
  operationId: 'ready',
  tags: ['Health'],
  summary: 'Is it ready?',
  description:
    'Ready as soon as there is a whole snapshot to answer from, until the process is asked to end; send no requests where this fails. An instance that lost its store stays ready: it serves what it has, and says `stale` here and on every answer.',
  querystring: noQuery,
  response: { 200: jsonResponse(Readiness, 'Ready.', readyExample), ...openProblems('not-ready') },
};
