/** Packs: what there is, what is active, and the moves of a channel. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import semver from 'semver';
import { PAGE, packIn, viewIn } from '../../registry/index.ts';
import { callerOf } from '../caller.ts';
import { preconditionOf, sendPrepared } from '../conditional.ts';
import { decodeCursor, encodeCursor } from '../cursors.ts';
import { answer, channelQuery, closed, conditionalHeaders, etagHeader, guardHeaders, locationHeader, notModified, packParams, problems, ref, versionParams, writeProblems } from '../schema-kit.ts';
import { packAnswer, versionSummary } from './present.ts';
import * as wire from './schemas.ts';

const packRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { registry } = app;
  for (const schema of wire.packSchemas) app.addSchema(schema);

  app.get('/v1/packs', {
    config: { scope: 'prompts:read' },
    schema: {
      ...{ operationId: 'listPacks', tags: ['Packs'], summary: 'List the packs', description: 'Every pack with its channels and its 20 highest versions.' },
      querystring: closed({}),
      response: { 200: answer(wire.PackList, 'The packs, by name.', { packs: [wire.packExample] }), ...problems() },
    },
    handler: async (request) => {
      const states = [...request.snapshot.packs.values()].sort((a, b) => (a.pack < b.pack ? -1 : 1));
      return { packs: states.map(packAnswer) };
    },
  });

  app.get('/v1/packs/:pack', {
    config: { scope: 'prompts:read' },
    schema: {
      ...{ operationId: 'getPack', tags: ['Packs'], summary: 'Read a pack', description: 'One pack with its channels and its 20 highest versions.' },
      params: packParams,
      querystring: closed({}),
      response: { 200: answer(wire.Pack, 'The pack.', wire.packExample), ...problems('pack-not-found', 'uri-too-long') },
    },
    handler: async (request) => packAnswer(packIn(request.snapshot, request.params.pack)),
  });

  app.get('/v1/packs/:pack/versions', {
    config: { scope: 'prompts:read' },
    schema: {
      ...{ operationId: 'listVersions', tags: ['Packs'], summary: "List a pack's versions", description: 'The highest SemVer first, page by page.' },
      params: packParams,
      querystring: wire.versionsQuery,
      response: {
        200: answer(wire.VersionPage, 'A page of versions.', { pack: 'coach', versions: [wire.versionSummaryExample], nextCursor: null }),
        ...problems('pack-not-found', 'uri-too-long'),
      },
    },
    handler: async (request) => {
      const { limit = PAGE.usual, cursor, status } = request.query;
      const state = packIn(request.snapshot, request.params.pack);
      const after = cursor === undefined ? undefined : decodeCursor(cursor, (text) => semver.valid(text) === text);
      const found = state.sorted.filter(({ version }) => status !== 'revoked' && (after === undefined || semver.lt(version, after)));
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        pack: state.pack,
        versions: page.map((record) => versionSummary(state, record)),
        nextCursor: last === undefined || found.length <= limit ? null : encodeCursor(last.version),
      };
    },
  });

  app.get('/v1/packs/:pack/versions/:version', {
    config: { scope: 'prompts:read' },
    schema: {
      ...{ operationId: 'getVersion', tags: ['Packs'], summary: 'Read a version', description: 'A registered version with its texts, active or not.' },
      params: versionParams,
      querystring: closed({}),
      response: { 200: answer(wire.VersionDetail, 'The version.', wire.versionDetailExample), ...problems('pack-not-found', 'version-not-found', 'uri-too-long', 'store-unavailable', 'overloaded') },
    },
    handler: async (request) => {
      const { pack, version } = request.params;
      const { record, content } = await registry.version(pack, version, request.snapshot);
      return { ...versionSummary(packIn(request.snapshot, pack), record), system: content.system, styles: [...content.styles] };
    },
  });

  app.post('/v1/packs/:pack/versions', {
    config: { scope: 'packs:publish' },
    schema: {
      ...{ operationId: 'publishVersion', tags: ['Packs'], summary: 'Register a version' },
      description: 'Registers an immutable version; it is not active until it is activated. A pack that is not there yet is made. The same again is a success without effect; anything else under the same version is refused.',
      params: packParams,
      querystring: closed({}),
      body: ref(wire.PackDocumentBody),
      response: {
        200: answer(wire.VersionSummary, 'The same is registered already; nothing was changed.', wire.versionSummaryExample, locationHeader),
        201: answer(wire.VersionSummary, 'Registered.', { ...wire.versionSummaryExample, activeIn: [] }, locationHeader),
        ...writeProblems('version-exists', 'uri-too-long'),
      },
    },
    handler: async (request, reply) => {
      const { pack } = request.params;
      const { record, snapshot, created } = await registry.publish({ pack, document: request.body, actor: callerOf(request) });
      void reply.header('registry-revision', snapshot.revision).header('location', `/v1/packs/${pack}/versions/${record.version}`);
      return reply.code(created ? 201 : 200).send(versionSummary(packIn(snapshot, pack), record));
    },
  });

  app.get('/v1/packs/:pack/active', {
    config: { scope: 'prompts:read' },
    schema: {
      ...{ operationId: 'getActivePack', tags: ['Activation'], summary: 'Read the active pack', description: 'The whole version that the channel points at: system prompt, styles, metadata. Conditional.' },
      params: packParams,
      querystring: closed(channelQuery),
      headers: conditionalHeaders,
      response: { 200: answer(wire.ActivePack, 'The active pack.', wire.activePackExample, etagHeader), 304: notModified, ...problems('pack-not-found', 'channel-not-found', 'uri-too-long') },
    },
    handler: (request, reply) => {
      const channel = request.query.channel ?? registry.defaultChannel;
      sendPrepared(request, reply, viewIn(request.snapshot, request.params.pack, channel).activePack);
    },
  });

  app.get('/v1/packs/:pack/activations', {
    config: { scope: 'audit:read' },
    schema: {
      ...{ operationId: 'listActivations', tags: ['Activation'], summary: "List a pack's activations", description: 'Every move of its channels, rollbacks included, the newest first, page by page.' },
      params: packParams,
      querystring: wire.activationsQuery,
      response: {
        200: answer(wire.ActivationPage, 'A page of moves.', { activations: [wire.activationExample], nextCursor: null }),
        ...problems('pack-not-found', 'uri-too-long', 'store-unavailable', 'overloaded'),
      },
    },
    handler: async (request) => {
      const { channel, limit = PAGE.usual, cursor } = request.query;
      const before = cursor === undefined ? undefined : Number(decodeCursor(cursor, (text) => /^[1-9]\d{0,14}$/u.test(text)));
      const found = await registry.activations(request.params.pack, { channel, before, limit: limit + 1 }, request.snapshot);
      const activations = found.slice(0, limit);
      return { activations, nextCursor: found.length > limit ? encodeCursor(String(activations.at(-1)?.revision)) : null };
    },
  });

  app.post('/v1/packs/:pack/activations', {
    config: { scope: 'packs:activate' },
    schema: {
      ...{ operationId: 'activateVersion', tags: ['Activation'], summary: 'Activate a version' },
      description: 'Points a channel at any registered version, at once and whole. Activating what is active already is a success without effect.',
      params: packParams,
      querystring: closed({}),
      headers: guardHeaders,
      body: ref(wire.ActivateBody),
      response: {
        200: answer(wire.Activation, 'The version was active already; nothing was changed.', { ...wire.activationExample, changed: false }, locationHeader),
        201: answer(wire.Activation, 'Activated.', wire.activationExample, locationHeader),
        ...writeProblems('pack-not-found', 'channel-not-found', 'unknown-version', 'revision-conflict', 'uri-too-long'),
      },
    },
    handler: async (request, reply) => {
      const move = { ...request.params, ...request.body, actor: callerOf(request), precondition: preconditionOf(request.headers['if-match']) };
      const activation = await registry.activate(move);
      void reply.header('registry-revision', registry.current.revision).header('location', activeLocation(activation));
      return reply.code(activation.changed ? 201 : 200).send(activation);
    },
  });

  app.post('/v1/packs/:pack/rollback', {
    config: { scope: 'packs:activate' },
    schema: {
      ...{ operationId: 'rollbackPack', tags: ['Activation'], summary: 'Roll a channel back' },
      description:
        'Walks one step down the stack of versions that were active in the channel, or to `toVersion`. Pressing it twice goes two back, never forward again. Send `fromVersion` or `If-Match`, so that two operators do not roll back twice.',
      params: packParams,
      querystring: closed({}),
      headers: guardHeaders,
      body: ref(wire.RollbackBody),
      response: {
        200: answer(wire.Activation, '`toVersion` was active already; nothing was changed.', { ...wire.activationExample, kind: 'rollback', changed: false }, locationHeader),
        201: answer(wire.Activation, 'Rolled back.', { ...wire.activationExample, kind: 'rollback' }, locationHeader),
        ...writeProblems('pack-not-found', 'channel-not-found', 'unknown-version', 'never-active', 'not-active', 'nothing-to-roll-back-to', 'revision-conflict', 'uri-too-long'),
      },
    },
    handler: async (request, reply) => {
      const move = { ...request.params, ...request.body, actor: callerOf(request), precondition: preconditionOf(request.headers['if-match']) };
      const activation = await registry.rollback(move);
      void reply.header('registry-revision', registry.current.revision).header('location', activeLocation(activation));
      return reply.code(activation.changed ? 201 : 200).send(activation);
    },
  });
};

export default packRoutes;

function activeLocation({ pack, channel }: { readonly pack: string; readonly channel: string }): string {
  return `/v1/packs/${pack}/active?channel=${channel}`;
}
