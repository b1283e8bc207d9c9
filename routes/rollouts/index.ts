/** Rollouts: a channel's gradual move to another version. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PAGE, type RolloutAnswer, type RolloutPreview } from '../../registry/index.ts';
import { readerOf, requestedBy } from '../wire/caller.ts';
import { revisionCursor, encodeCursor } from '../wire/cursors.ts';
import { preconditionOf, rolloutPreconditionOf } from '../wire/if-match.ts';
import { MOVE_TIMEOUT, sendMoved } from '../wire/prefer-wait.ts';
import { sendPrepared } from '../wire/conditional-read.ts';
import { stamp } from '../wire/stamp.ts';
import { rolloutBody, rolloutPreviewBody } from './response-bodies.ts';
import * as schemas from './schemas.ts';

const rolloutRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/v1/packs/:pack/rollouts', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.startRollout,
    handler: async (request, reply) => {
      const { params, body, registry } = request;
      const { dryRun, ...plan } = body;
      const started = { ...plan, ...params, ...requestedBy(request), precondition: preconditionOf(request) };
      return dryRun === true
        ? sendPreview(request, reply, await registry.rollouts.previewStart(started, readerOf(request)))
        : sendRollout(request, reply, await registry.rollouts.start(started), 201);
    },
  });

  app.get('/v1/packs/:pack/rollouts', {
    config: { scope: 'prompts:read' },
    schema: schemas.listRollouts,
    handler: async ({ registry, snapshot, params, query }) => {
      const { channel, state, limit = PAGE.usual, cursor } = query;
      const page = { channel, state, limit, before: revisionCursor(cursor) };
      const { rollouts, nextBefore } = await registry.rollouts.list(params.pack, page, snapshot);
      return { rollouts: rollouts.map(rolloutBody), nextCursor: encodeCursor(nextBefore) };
    },
  });

  app.get('/v1/packs/:pack/rollouts/:rollout', {
    config: { scope: 'prompts:read' },
    schema: schemas.getRollout,
    handler: async (request, reply) => {
      const { registry, snapshot, params } = request;
      const rollout = await registry.rollouts.get(params.pack, params.rollout, snapshot);
      return sendConditional(request, reply, rollout);
    },
  });

};

export default rolloutRoutes;
