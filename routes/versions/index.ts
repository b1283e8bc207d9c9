/** Versions: list, read, publish, compare, revoke. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { differences, packIn, viewIn } from '../../registry/index.ts';
import { readerOf, requestedBy } from '../wire/caller.ts';
import { MOVE_TIMEOUT, sendMoved } from '../wire/prefer-wait.ts';
import { mutable } from '../wire/schema-types.ts';
import { stamp } from '../wire/stamp.ts';
import { diffVersions } from './diff-schemas.ts';
import { publishedBody, versionBody, versionPage, versionSummary } from './response-bodies.ts';
import { revokeVersion } from './revocation-schemas.ts';
import * as schemas from './schemas.ts';

const versionRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/v1/packs/:pack/versions', {
    config: { scope: 'prompts:read' },
    schema: schemas.listVersions,
    handler: async ({ snapshot, params, query }) => versionPage(packIn(snapshot, params.pack), query),
  });

  app.get('/v1/packs/:pack/versions/:version', {
    config: { scope: 'prompts:read' },
    schema: schemas.getVersion,
    handler: async (request) => {
      const { registry, snapshot, params } = request;
      const edition = await registry.version(params.pack, params.version, readerOf(request), snapshot);
      return versionBody(packIn(snapshot, params.pack), edition);
    },
  });

  app.post('/v1/packs/:pack/versions', {
    config: { scope: 'packs:publish' },
    schema: schemas.publishVersion,
    handler: async (request, reply) => {
      const { registry, params, body: document } = request;
      const published = await registry.publish({ ...params, document, ...requestedBy(request) });
      const { record, snapshot, created, replayed } = published;
      stamp(request, reply, { snapshot, replayed, location: `/v1/packs/${record.pack}/versions/${record.version}` });
      // A replayed response is the same as the first one, whatever has happened to the version since.
      return created
        ? reply.code(201).send(publishedBody(record))
        : reply.code(200).send(versionSummary(packIn(snapshot, record.pack), record));
    },
  });

  app.get('/v1/packs/:pack/versions/:version/diff', {
    config: { scope: 'prompts:read' },
    schema: diffVersions,
    handler: async (request) => {
      const { registry, snapshot, params, query } = request;
      const to = await registry.version(params.pack, params.version, readerOf(request), snapshot);
      const against = query.against ?? viewIn(snapshot, params.pack, registry.defaultChannel).activePack.version;
      const from = await registry.version(params.pack, against, readerOf(request), snapshot);
      return mutable({ pack: params.pack, from: against, to: params.version, ...(await differences(from, to)) });
    },
  });

  app.post('/v1/packs/:pack/versions/:version/revoke', {
    config: { scope: 'packs:revoke', share: 'moves' },
    handlerTimeout: MOVE_TIMEOUT,
    schema: revokeVersion,
    handler: async (request, reply) => {
      const { registry, params, body } = request;
      const { dryRun = false, ...revocation } = { ...params, ...body, ...requestedBy(request) };
      if (!dryRun) return sendMoved(request, reply, await registry.revoke(revocation), 200);
      const { snapshot, ...preview } = await registry.previewRevoke(revocation);
      stamp(request, reply, { snapshot });
      return mutable(preview);
    },
  });
};

export default versionRoutes;
