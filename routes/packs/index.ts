/** Packs: what there is, and the floor under it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { packIn } from '../../registry/index.ts';
import { answer, closed, packParams, problems } from '../wire/schema-kit.ts';
import { packAnswer, policyAnswer } from './present.ts';
import * as wire from './schemas.ts';

const packRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/packs', {
    config: { scope: 'prompts:read' },
    schema: {
      operationId: 'listPacks', tags: ['Packs'], summary: 'List the packs', description: 'Every pack with its channels and its 20 highest versions.',
      querystring: closed({}),
      response: { 200: answer(wire.PackList, 'The packs, by name.', { packs: [wire.packExample] }), ...problems() },
    },
    handler: async (request) => {
      const states = [...request.snapshot.packs.values()].sort((a, b) => (a.pack < b.pack ? -1 : 1));
      return { packs: states.map(packAnswer) };
    },
  });

  app.get('/v1/packs/:pack', {
    config: { scope: 'prompts:read' },
    schema: {
      operationId: 'getPack', tags: ['Packs'], summary: 'Read a pack', description: 'One pack with its channels and its 20 highest versions.',
      params: packParams,
      querystring: closed({}),
      response: { 200: answer(wire.Pack, 'The pack.', wire.packExample), ...problems('pack-not-found', 'uri-too-long') },
    },
    handler: async (request) => packAnswer(packIn(request.snapshot, request.params.pack)),
  });

  app.get('/v1/packs/:pack/policy', {
    config: { scope: 'prompts:read' },
    schema: {
      operationId: 'getPolicy', tags: ['Packs'], summary: "Read a pack's policy", description: 'The floor: what every version of the pack must hold before it may be active.',
      params: packParams,
      querystring: closed({}),
      response: { 200: answer(wire.Policy, 'The policy in force.', wire.policyExample), ...problems('pack-not-found', 'uri-too-long') },
    },
    handler: async (request) => policyAnswer(packIn(request.snapshot, request.params.pack)),
  });
};

export default packRoutes;
