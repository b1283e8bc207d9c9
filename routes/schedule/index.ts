/** Scheduled activations: a version at a time. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { requestedBy } from '../wire/caller.ts';
import { stamp } from '../wire/stamp.ts';
import { scheduledBody } from './response-bodies.ts';
import * as schemas from './schemas.ts';

const scheduleRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/v1/packs/:pack/schedule', {
    config: { scope: 'packs:activate', share: 'moves' },
    schema: schemas.scheduleActivation,
    handler: async (request, reply) => {
      const { registry, params, body } = request;
      const asked = { ...body, ...params, ...requestedBy(request) };
      const { scheduled, replayed } = await registry.rollouts.schedule(asked);
      const { pack } = params;
      const { channel = registry.defaultChannel } = body;
      const location = `/v1/packs/${pack}/schedule?channel=${channel}`;
      stamp(request, reply, { snapshot: registry.current, location, replayed });
      return reply.code(201).send(scheduledBody(pack, channel, scheduled));
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
    schema: schemas.cancelScheduledActivation,
    handler: async (request, reply) => {
      const { registry, params, body } = request;
      const asked = { pack: params.pack, schedule: params.id, ...body, ...requestedBy(request) };
      const { revision, replayed } = await registry.rollouts.cancel(asked);
      stamp(request, reply, { snapshot: registry.current, replayed });
      return { id: params.id, revision };
    },
  });
};

export default scheduleRoutes;
