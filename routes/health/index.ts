/** For probes: is the process alive, and may it be sent requests? */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import { Revision } from '../../registry/index.ts';
import { answer, closed, openProblems, stringEnum } from '../schema-kit.ts';

const Liveness = closed({ status: stringEnum(['live'], 'The process answers.') }, { $id: 'Liveness' });
const Readiness = closed(
  { status: stringEnum(['ready'], 'There is a whole snapshot to answer from.'), revision: Revision, stale: Type.Boolean({ description: 'Whether it may be older than the log.' }) },
  { $id: 'Readiness' },
);

const healthRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addSchema(Liveness);
  app.addSchema(Readiness);

  app.get('/livez', {
    config: { scope: 'open', share: 'none' },
    schema: {
      ...{ operationId: 'live', tags: ['Health'], summary: 'Is it alive?', description: 'Depends on nothing but the process itself; restart it where this fails.' },
      querystring: closed({}),
      response: { 200: answer(Liveness, 'Alive.', { status: 'live' }), ...openProblems() },
    },
    handler: async () => ({ status: 'live' as const }),
  });

  app.get('/readyz', {
    config: { scope: 'open', share: 'none' },
    schema: {
      ...{ operationId: 'ready', tags: ['Health'], summary: 'Is it ready?', description: 'Ready as soon as there is a whole snapshot to answer from; send no requests where this fails.' },
      querystring: closed({}),
      response: { 200: answer(Readiness, 'Ready.', { status: 'ready', revision: 7, stale: false }), ...openProblems('not-ready') },
    },
    handler: async (request) => ({ status: 'ready' as const, revision: request.snapshot.revision, stale: false }),
  });
};

export default healthRoutes;
