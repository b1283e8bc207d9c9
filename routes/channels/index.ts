/** Channels: both arms with the rule between them, and the confirmation of a trial. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { requestedBy } from '../wire/caller.ts';
import { sendValue } from '../wire/conditional-read.ts';
import { preconditionOf } from '../wire/if-match.ts';
import { MOVE_TIMEOUT, sendMoved } from '../wire/prefer-wait.ts';
import { channelBody } from './response-bodies.ts';
import * as schemas from './schemas.ts';

const channelRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/packs/:pack/channels/:channel', {
    config: { scope: 'prompts:read' },
    schema: schemas.getChannel,
    handler: (request, reply) => {
      const body = channelBody(request.snapshot, request.params);
      request.origin = body.stable; // a caller that reads both arms decides on its own, so no arm is counted
      sendValue(request, reply, body);
    },
  });

  app.post('/v1/packs/:pack/channels/:channel/confirm', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.confirmActivation,
    handler: async (request, reply) => {
      const { params, body, registry } = request;
      const asked = { ...params, ...body, ...requestedBy(request), precondition: preconditionOf(request) };
      const { version, revision, replayed } = await registry.rollouts.confirm(asked);
      return sendMoved(request, reply, { ...params, version, revision, replayed }, 200);
    },
  });
};

export default channelRoutes;
