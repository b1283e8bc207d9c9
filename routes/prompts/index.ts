/** The prompts of the active version: what services read on every request. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { styleIn, viewIn, type ChannelView } from '../../registry/index.ts';
import { sendPrepared } from '../wire/conditional-read.ts';
import * as schemas from './schemas.ts';

const promptRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/prompts/system', {
    config: { scope: 'prompts:read' },
    schema: schemas.getSystemPrompt,
    handler: (request, reply) => sendPrepared(request, reply, viewFor(request).systemPrompt),
  });

  app.get('/v1/prompts/styles', {
    config: { scope: 'prompts:read' },
    schema: schemas.listStyles,
    handler: (request, reply) => sendPrepared(request, reply, viewFor(request).styleList),
  });

  app.get('/v1/prompts/styles/:styleId', {
    config: { scope: 'prompts:read' },
    schema: schemas.getStylePrompt,
    handler: (request, reply) => sendPrepared(request, reply, styleIn(viewFor(request), request.params.styleId)),
  });
};

export default promptRoutes;

/** What the pack and channel of a request serve now. @throws RegistryError `pack-not-found`, `channel-not-found` */
function viewFor({
  registry,
  snapshot,
  query,
}: FastifyRequest & { query: { pack?: string; channel?: string } }): ChannelView {
  return viewIn(snapshot, query.pack ?? registry.defaultPack, query.channel ?? registry.defaultChannel);
}
