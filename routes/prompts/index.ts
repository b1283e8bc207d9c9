/** The prompts of the active version: what services read on every request. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import { styleIn, viewIn, type ArmView } from '../../registry/index.ts';
import { sendPrepared } from '../wire/conditional-read.ts';
import { armOf } from '../wire/subject.ts';
import * as schemas from './schemas.ts';

const promptRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/prompts/system', {
    config: { scope: 'prompts:read' },
    schema: schemas.getSystemPrompt,
    handler: (request, reply) => sendPrepared(request, reply, armFor(request).systemPrompt),
  });

  app.get('/v1/prompts/styles', {
    config: { scope: 'prompts:read' },
    schema: schemas.listStyles,
    handler: (request, reply) => sendPrepared(request, reply, armFor(request).styleList),
  });

  app.get('/v1/prompts/styles/:styleId', {
    config: { scope: 'prompts:read' },
    schema: schemas.getStylePrompt,
    handler: (request, reply) => sendPrepared(request, reply, styleIn(armFor(request), request.params.styleId)),
  });
};

export default promptRoutes;

/** What the pack and channel of a request serve its subject now. @throws RegistryError `pack-not-found`, `channel-not-found`, `validation-failed` */
function armFor(request: FastifyRequest & { query: Static<typeof schemas.promptQuery> }): ArmView {
  const { registry, snapshot, query } = request;
  const view = viewIn(snapshot, query.pack ?? registry.defaultPack, query.channel ?? registry.defaultChannel);
  return armOf(request, view);
}
