/** What is active in each channel, and the moves of channels. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PAGE, viewIn, type Activation, type Preview, type Receipt } from '../../registry/index.ts';
import { readerOf, requestedBy } from '../wire/caller.ts';
import { encodeCursor, revisionCursor } from '../wire/cursors.ts';
import { preconditionOf } from '../wire/if-match.ts';
import { MOVE_TIMEOUT, sendMoved } from '../wire/prefer-wait.ts';
import { sendPrepared } from '../wire/conditional-read.ts';
import { stamp } from '../wire/stamp.ts';
import { armOf } from '../wire/subject.ts';
import { previewBody } from './response-bodies.ts';
import * as schemas from './schemas.ts';

const activationRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/packs/:pack/active', {
    config: { scope: 'prompts:read' },
    schema: schemas.getActivePack,
    handler: (request, reply) => {
      const { channel = request.registry.defaultChannel } = request.query;
      const view = viewIn(request.snapshot, request.params.pack, channel);
      sendPrepared(request, reply, armOf(request, view).activePack);
    },
  });

  app.get('/v1/packs/:pack/activations', {
    config: { scope: 'audit:read' },
    schema: schemas.listActivations,
    handler: async ({ registry, snapshot, params, query }) => {
      const { channel, at, limit = PAGE.usual, cursor } = query;
      const page = { channel, at, limit, before: revisionCursor(cursor) };
      const { activations, nextBefore } = await registry.activations(params.pack, page, snapshot);
      return { activations, nextCursor: encodeCursor(nextBefore) };
    },
  });

  app.post('/v1/packs/:pack/activations', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.activateVersion,
    handler: async (request, reply) => {
      const { dryRun, ...move } = moveIn(request);
      return dryRun
        ? sendPreview(request, reply, await request.registry.previewActivate(move, readerOf(request)))
        : sendActivation(request, reply, await request.registry.activate(move));
    },
  });

  app.post('/v1/packs/:pack/rollback', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.rollbackPack,
    handler: async (request, reply) => {
      const { dryRun, ...move } = moveIn(request);
      return dryRun
        ? sendPreview(request, reply, await request.registry.previewRollback(move, readerOf(request)))
        : sendActivation(request, reply, await request.registry.rollback(move));
    },
  });
};

export default activationRoutes;

/** The move that a request asks for. */
function moveIn<Params extends object, Body extends { dryRun?: boolean }>(
  request: FastifyRequest & { params: Params; body: Body },
) {
  return {
    dryRun: false,
    ...request.params,
    ...request.body,
    ...requestedBy(request),
    precondition: preconditionOf(request),
  };
}

function sendPreview(request: FastifyRequest, reply: FastifyReply, preview: Preview): FastifyReply {
  stamp(request, reply, { snapshot: preview.snapshot });
  return reply.send(previewBody(preview));
}

function sendActivation(request: FastifyRequest, reply: FastifyReply, activation: Receipt<Activation>) {
  const { pack, channel, changed } = activation;
  const location = `/v1/packs/${pack}/active?channel=${channel}`;
  return sendMoved(request, reply, activation, changed ? 201 : 200, { origin: activation, location });
}
