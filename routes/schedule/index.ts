/** Scheduled activations: a version at a time. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { requestedBy } from '../wire/caller.ts';
import { MOVE_TIMEOUT, sendMoved } from '../wire/prefer-wait.ts';
import { scheduledBody } from './response-bodies.ts';
import * as schemas from './schemas.ts';

const scheduleRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/v1/packs/:pack/schedule', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.scheduleActivation,
    handler: async (request, reply) => {
      const { registry, params, body } = request;
      const asked = { ...body, ...params, ...requestedBy(request) };
      const { scheduled, replayed } = await registry.rollouts.schedule(asked);
      const { pack } = params;
      const { channel = registry.defaultChannel } = body;
      const location = `/v1/packs/${pack}/schedule?channel=${channel}`;
      return sendMoved(request, reply, { ...scheduledBody(pack, channel, scheduled), replayed }, 201, { location });
    },
  });

  app.get('/v1/packs/:pack/schedule', {
    config: { scope: 'prompts:read' },
    schema: schemas.listSchedule,
    handler: async ({ registry, snapshot, params, query }) => {
      const { channel = registry.defaultChannel } = query;
      const scheduled = registry.rollouts.scheduled({ pack: params.pack, channel }, snapshot);
      return { scheduled: scheduled.map((each) => scheduledBody(params.pack, channel, each)) };
    },
  });

  app.post('/v1/packs/:pack/schedule/:id/cancel', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.cancelScheduledActivation,
    handler: async (request, reply) => {
      const { pack, id } = request.params;
      const asked = { pack, schedule: id, ...request.body, ...requestedBy(request) };
      const { revision, replayed } = await request.registry.rollouts.cancel(asked);
      return sendMoved(request, reply, { id, revision, replayed }, 200);
    },
  });
};

export default scheduleRoutes;
