/** Packs and their policies. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { packIn } from '../../registry/index.ts';
import { packBody, policyBody } from './response-bodies.ts';
import * as schemas from './schemas.ts';

const packRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/packs', {
    config: { scope: 'prompts:read' },
    schema: schemas.listPacks,
    handler: async ({ snapshot }) => {
      const packs = [...snapshot.packs.values()].sort((a, b) => (a.pack < b.pack ? -1 : 1));
      return { packs: packs.map(packBody) };
    },
  });

  app.get('/v1/packs/:pack', {
    config: { scope: 'prompts:read' },
    schema: schemas.getPack,
    handler: async ({ snapshot, params }) => packBody(packIn(snapshot, params.pack)),
  });

  app.get('/v1/packs/:pack/policy', {
    config: { scope: 'prompts:read' },
    schema: schemas.getPolicy,
    handler: async ({ snapshot, params }) => policyBody(packIn(snapshot, params.pack)),
  });
};

export default packRoutes;
