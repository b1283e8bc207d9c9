/** Prompts of the active version: what services read on every request. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { styleIn, viewIn, type ChannelView, type Snapshot } from '../../registry/index.ts';
import { sendPrepared } from '../wire/conditional.ts';
import { answer, conditionalHeaders, etagHeader, notModified, problems } from '../wire/schema-kit.ts';
import * as wire from './schemas.ts';

const promptRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { registry } = app;
  for (const schema of wire.promptSchemas) app.addSchema(schema);

  const viewOf = (snapshot: Snapshot, { pack, channel }: { pack?: string; channel?: string }): ChannelView =>
    viewIn(snapshot, pack ?? registry.defaultPack, channel ?? registry.defaultChannel);

  app.get('/v1/prompts/system', {
    config: { scope: 'prompts:read' },
    schema: {
      operationId: 'getSystemPrompt',
      tags: ['Prompts'],
      summary: 'Read the system prompt',
      description:
        'The system prompt of the active version of a pack; of the default pack where none is named. Conditional.',
      querystring: wire.promptQuery,
      headers: conditionalHeaders,
      response: {
        200: answer(wire.SystemPrompt, 'The system prompt.', wire.systemPromptExample, etagHeader),
        304: notModified,
        ...problems('pack-not-found', 'channel-not-found'),
      },
    },
    handler: (request, reply) => {
      sendPrepared(request, reply, viewOf(request.snapshot, request.query).systemPrompt);
    },
  });

  app.get('/v1/prompts/styles', {
    config: { scope: 'prompts:read' },
    schema: {
      operationId: 'listStyles',
      tags: ['Prompts'],
      summary: 'List the styles',
      description: 'The styles that the active version supports, in its own order. Conditional.',
      querystring: wire.promptQuery,
      headers: conditionalHeaders,
      response: {
        200: answer(wire.StyleList, 'The styles.', wire.styleListExample, etagHeader),
        304: notModified,
        ...problems('pack-not-found', 'channel-not-found'),
      },
    },
    handler: (request, reply) => {
      sendPrepared(request, reply, viewOf(request.snapshot, request.query).styleList);
    },
  });

  app.get('/v1/prompts/styles/:styleId', {
    config: { scope: 'prompts:read' },
    schema: {
      operationId: 'getStylePrompt',
      tags: ['Prompts'],
      summary: "Read a style's prompt",
      description:
        'One style of the active version. A style that the version lacks is a 404 that lists those it has. Conditional.',
      params: wire.styleParams,
      querystring: wire.promptQuery,
      headers: conditionalHeaders,
      response: {
        200: answer(wire.StylePrompt, 'The style prompt.', wire.stylePromptExample, etagHeader),
        304: notModified,
        ...problems('pack-not-found', 'channel-not-found', 'style-not-found', 'uri-too-long'),
      },
    },
    handler: (request, reply) => {
      sendPrepared(request, reply, styleIn(viewOf(request.snapshot, request.query), request.params.styleId));
    },
  });
};

export default promptRoutes;
