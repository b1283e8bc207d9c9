/** What is active, and the moves of channels. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { linkTo } from '../../plugins/path-prefix.ts';
import { restamp } from '../../plugins/revision/request-snapshot.ts';
import { callerMay } from '../../plugins/access/scopes.ts';
import { PAGE, viewIn, type Activation, type Preview, type Receipt, type Registry } from '../../registry/index.ts';
import { attributionOf, markReplayed } from '../wire/idempotency-key.ts';
import { preconditionOf, sendPrepared } from '../wire/conditional.ts';
import { decodeCursor, encodeCursor } from '../wire/cursors.ts';
import { waited, WAIT_TIMEOUT } from '../wire/prefer-wait.ts';
import {
  answer,
  channelQuery,
  closed,
  conditionalHeaders,
  etagHeader,
  moveHeaders,
  notModified,
  packParams,
  problems,
  ref,
  replayedHeader,
  waitedHeader,
  writeProblems,
  writtenHeaders,
} from '../wire/schema-kit.ts';
import { previewAnswer } from './present.ts';
import * as wire from './schemas.ts';

const activationRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { registry } = app;

  app.get('/v1/packs/:pack/active', {
    config: { scope: 'prompts:read' },
    schema: {
      operationId: 'getActivePack',
      tags: ['Activation'],
      summary: 'Read the active pack',
      description: 'The whole version that the channel points at: system prompt, styles, metadata. Conditional.',
      params: packParams,
      querystring: closed(channelQuery),
      headers: conditionalHeaders,
      response: {
        200: answer(wire.ActivePack, 'The active pack.', wire.activePackExample, etagHeader),
        304: notModified,
        ...problems('pack-not-found', 'channel-not-found', 'uri-too-long'),
      },
    },
    handler: (request, reply) => {
      const channel = request.query.channel ?? registry.defaultChannel;
      sendPrepared(request, reply, viewIn(request.snapshot, request.params.pack, channel).activePack);
    },
  });

  app.get('/v1/packs/:pack/activations', {
    config: { scope: 'audit:read' },
    schema: {
      operationId: 'listActivations',
      tags: ['Activation'],
      summary: "List a pack's activations",
      description:
        'Every move of its channels, rollbacks and revocations included, the newest first, page by page. `at` asks for a time: the first entry is the one in force then.',
      params: packParams,
      querystring: wire.activationsQuery,
      response: {
        200: answer(wire.ActivationPage, 'A page of moves.', {
          activations: [wire.activationExample],
          nextCursor: null,
        }),
        ...problems('pack-not-found', 'uri-too-long', 'store-unavailable', 'overloaded'),
      },
    },
    handler: async (request) => {
      const { channel, at, limit = PAGE.usual, cursor } = request.query;
      const before =
        cursor === undefined ? undefined : Number(decodeCursor(cursor, (text) => /^[1-9]\d{0,14}$/u.test(text)));
      const { activations, nextBefore } = await registry.activations(
        request.params.pack,
        { channel, at, before, limit },
        request.snapshot,
      );
      return { activations, nextCursor: nextBefore === undefined ? null : encodeCursor(String(nextBefore)) };
    },
  });

  app.post('/v1/packs/:pack/activations', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: WAIT_TIMEOUT,
    schema: {
      operationId: 'activateVersion',
      tags: ['Activation'],
      summary: 'Activate a version',
      description:
        'Points a channel at any registered version, at once and whole. Activating what is active already is a success without effect.',
      params: packParams,
      querystring: closed({}),
      headers: moveHeaders,
      body: ref(wire.ActivateBody),
      response: {
        200: answer(
          wire.ActivationOrPreview,
          'The version was active already; nothing was changed.',
          { ...wire.activationExample, changed: false },
          { ...replayedHeader, ...waitedHeader },
        ),
        201: answer(wire.Activation, 'Activated.', wire.activationExample, { ...writtenHeaders, ...waitedHeader }),
        202: answer(
          wire.Activation,
          'Activated; with `Prefer: wait`, some instances had not applied it in time.',
          wire.pendingExample,
          { ...writtenHeaders, ...waitedHeader },
        ),
        ...writeProblems(
          'pack-not-found',
          'channel-not-found',
          'unknown-version',
          'revision-conflict',
          'version-revoked',
          'policy-violated',
          'idempotency-mismatch',
          'uri-too-long',
        ),
      },
    },
    handler: async (request, reply) => {
      const { dryRun = false, ...body } = request.body;
      const move = { ...request.params, ...body, ...attributionOf(request), precondition: preconditionOf(request) };
      if (dryRun)
        return sendPreview(
          reply,
          registry,
          await registry.previewActivate(move, { mayAudit: callerMay(request, 'audit:read') }),
        );
      return sendMove(request, reply, registry, await registry.activate(move));
    },
  });

  app.post('/v1/packs/:pack/rollback', {
    config: { scope: 'packs:activate', share: 'moves' },
    handlerTimeout: WAIT_TIMEOUT,
    schema: {
      operationId: 'rollbackPack',
      tags: ['Activation'],
      summary: 'Roll a channel back',
      description:
        'Walks one step down the stack of versions that were active in the channel, or to `toVersion`. Pressing it twice goes two back, never forward again. Send `fromVersion` or `If-Match`, so that two operators do not roll back twice.',
      params: packParams,
      querystring: closed({}),
      headers: moveHeaders,
      body: ref(wire.RollbackBody),
      response: {
        200: answer(
          wire.ActivationOrPreview,
          '`toVersion` was active already; nothing was changed.',
          { ...wire.activationExample, kind: 'rollback', changed: false },
          { ...replayedHeader, ...waitedHeader },
        ),
        201: answer(
          wire.Activation,
          'Rolled back.',
          { ...wire.activationExample, kind: 'rollback' },
          { ...writtenHeaders, ...waitedHeader },
        ),
        202: answer(
          wire.Activation,
          'Rolled back; with `Prefer: wait`, some instances had not applied it in time.',
          { ...wire.pendingExample, kind: 'rollback' },
          { ...writtenHeaders, ...waitedHeader },
        ),
        ...writeProblems(
          'pack-not-found',
          'channel-not-found',
          'unknown-version',
          'never-active',
          'not-active',
          'nothing-to-roll-back-to',
          'revision-conflict',
          'version-revoked',
          'policy-violated',
          'idempotency-mismatch',
          'uri-too-long',
        ),
      },
    },
    handler: async (request, reply) => {
      const { dryRun = false, ...body } = request.body;
      const move = { ...request.params, ...body, ...attributionOf(request), precondition: preconditionOf(request) };
      if (dryRun)
        return sendPreview(
          reply,
          registry,
          await registry.previewRollback(move, { mayAudit: callerMay(request, 'audit:read') }),
        );
      return sendMove(request, reply, registry, await registry.rollback(move));
    },
  });
};

export default activationRoutes;

function sendPreview(reply: FastifyReply, registry: Registry, preview: Preview): FastifyReply {
  restamp(reply, registry, preview.snapshot);
  return reply.code(200).send(previewAnswer(preview));
}

async function sendMove(
  request: FastifyRequest,
  reply: FastifyReply,
  registry: Registry,
  { replayed, ...activation }: Receipt<Activation>,
): Promise<FastifyReply> {
  const { pack, channel, changed, revision } = activation;
  const wait = await waited(request, reply, registry, revision);
  markReplayed(reply, replayed);
  request.origin = activation;
  restamp(reply, registry, registry.current);
  void reply.header('location', linkTo(request, `/v1/packs/${pack}/active?channel=${channel}`));
  const status = wait?.complete === false ? 202 : changed ? 201 : 200;
  return reply.code(status).send({ ...activation, ...(wait !== undefined && { instances: wait.instances }) });
}
