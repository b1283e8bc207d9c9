/** For probes: is the process alive, and may it be sent requests? */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { RegistryError, Revision } from '../../registry/index.ts';
import { answer, closed, openProblems, stringEnum } from '../wire/schema-kit.ts';

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

const healthRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { registry } = app;
  app.addSchema(Liveness);
  app.addSchema(Readiness);

  app.get('/livez', {
    config: { scope: 'open', share: 'none' },
    schema: {
      operationId: 'live',
      tags: ['Health'],
      summary: 'Is it alive?',
      description: 'Depends on nothing but the process itself; restart it where this fails.',
      querystring: closed({}),
      response: { 200: answer(Liveness, 'Alive.', { status: 'live' }), ...openProblems() },
    },
    handler: async () => ({ status: 'live' as const }),
  });

  app.get('/readyz', {
    config: { scope: 'open', share: 'none' },
    schema: {
      operationId: 'ready',
      tags: ['Health'],
      summary: 'Is it ready?',
      description:
        'Ready as soon as there is a whole snapshot to answer from, until the process is asked to end; send no requests where this fails. An instance that lost its store stays ready: it serves what it has, and says `stale` here and on every answer.',
      querystring: closed({}),
      response: { 200: answer(Readiness, 'Ready.', readyExample), ...openProblems('not-ready') },
    },
    handler: async ({ snapshot: { epoch, revision } }) => {
      const { ready, conditions } = registry.health();
      if (app.draining)
        throw new RegistryError('not-ready', 'The process was asked to end; requests under way are finished.');
      if (!ready)
        throw new RegistryError('not-ready', conditions.map(({ detail }) => detail).join(' '), { conditions });
      const { staleSeconds, pinnedVersion } = registry;
      return {
        status: 'ready' as const,
        revision,
        epoch,
        stale: staleSeconds !== undefined,
        ...(staleSeconds !== undefined && { staleSeconds }),
        ...(pinnedVersion !== undefined && { pinned: pinnedVersion }),
        conditions: conditions.flatMap(({ name, detail }) => (name === 'waiting' ? [] : [{ name, detail }])),
      };
    },
  });
};

export default healthRoutes;
