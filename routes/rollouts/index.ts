/** Rollouts: a channel's gradual move to another version. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  PAGE,
  type RolloutAnswer,
  type RolloutPreview,
  type RolloutVerb,
  type SessionPolicy,
} from '../../registry/index.ts';
import { readerOf, requestedBy } from '../wire/caller.ts';
import { encodeCursor, revisionCursor } from '../wire/cursors.ts';
import { preconditionOf, rolloutPreconditionOf } from '../wire/if-match.ts';
import { MOVE_TIMEOUT, sendMoved } from '../wire/prefer-wait.ts';
import { sendValue } from '../wire/conditional-read.ts';
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
      sendValue(request, reply, rolloutBody(rollout));
      return reply;
    },
  });

  app.post('/v1/packs/:pack/rollouts/:rollout/advance', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.advanceRollout,
    handler: async (request, reply) => steer(request, reply, 'advance-rollout'),
  });

  app.post('/v1/packs/:pack/rollouts/:rollout/pause', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.pauseRollout,
    handler: async (request, reply) => steer(request, reply, 'pause-rollout'),
  });

  app.post('/v1/packs/:pack/rollouts/:rollout/resume', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.resumeRollout,
    handler: async (request, reply) => steer(request, reply, 'resume-rollout'),
  });

  app.post('/v1/packs/:pack/rollouts/:rollout/promote', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.promoteRollout,
    handler: async (request, reply) => steer(request, reply, 'promote-rollout'),
  });

  app.post('/v1/packs/:pack/rollouts/:rollout/abort', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: schemas.abortRollout,
    handler: async (request, reply) => steer(request, reply, 'abort-rollout'),
  });
};

export default rolloutRoutes;

type SteeringRequest = FastifyRequest & {
  readonly params: { readonly pack: string; readonly rollout: number };
  readonly body: {
    readonly reason: string;
    readonly dryRun?: boolean;
    readonly share?: number;
    readonly sessions?: SessionPolicy;
  };
};

/** Changes a rollout, or says what the change would do. */
async function steer(request: SteeringRequest, reply: FastifyReply, verb: RolloutVerb): Promise<FastifyReply> {
  const { rollouts } = request.registry;
  const { dryRun, ...given } = request.body;
  const precondition = rolloutPreconditionOf(request, rolloutBody);
  const asked = { ...given, ...request.params, ...requestedBy(request), precondition };
  return dryRun === true
    ? sendPreview(request, reply, await rollouts.previewSteering(verb, asked, readerOf(request)))
    : sendRollout(request, reply, await rollouts.steer(verb, asked), 200);
}

function sendPreview(request: FastifyRequest, reply: FastifyReply, preview: RolloutPreview): FastifyReply {
  stamp(request, reply, { snapshot: preview.snapshot });
  return reply.send(rolloutPreviewBody(preview));
}

function sendRollout(
  request: FastifyRequest,
  reply: FastifyReply,
  { rollout, changed, replayed }: RolloutAnswer,
  status: 200 | 201,
): Promise<FastifyReply> {
  const body = rolloutBody(rollout);
  const location = `/v1/packs/${rollout.pack}/rollouts/${rollout.id}`;
  return sendMoved(
    request,
    reply,
    { ...body, ...(status === 200 && { changed }), replayed },
    status,
    status === 201 ? { location } : {},
  );
}
