/** Versions: listed, read, published, compared, revoked. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import semver from 'semver';
import { linkTo } from '../../plugins/path-prefix.ts';
import { restamp } from '../../plugins/revision/request-snapshot.ts';
import { callerMay } from '../../plugins/access/scopes.ts';
import { PAGE, differences, packIn, viewIn, type VersionRecord } from '../../registry/index.ts';
import { attributionOf, markReplayed } from '../wire/idempotency-key.ts';
import { decodeCursor, encodeCursor } from '../wire/cursors.ts';
import { waited, WAIT_TIMEOUT } from '../wire/prefer-wait.ts';
import {
  answer,
  closed,
  idempotencyHeaders,
  mutable,
  packParams,
  problems,
  replayedHeader,
  ref,
  versionParams,
  waitedHeader,
  waitHeaders,
  writeProblems,
  writtenHeaders,
} from '../wire/schema-kit.ts';
import { publishedSummary, versionSummary } from './present.ts';
import * as wire from './schemas.ts';

const versionRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { registry } = app;

  app.get('/v1/packs/:pack/versions', {
    config: { scope: 'prompts:read' },
    schema: {
      operationId: 'listVersions',
      tags: ['Packs'],
      summary: "List a pack's versions",
      description: 'The highest SemVer first, page by page.',
      params: packParams,
      querystring: wire.versionsQuery,
      response: {
        200: answer(wire.VersionPage, 'A page of versions.', {
          pack: 'coach',
          versions: [wire.versionSummaryExample],
          nextCursor: null,
        }),
        ...problems('pack-not-found', 'uri-too-long'),
      },
    },
    handler: async (request) => {
      const { limit = PAGE.usual, cursor, status } = request.query;
      const state = packIn(request.snapshot, request.params.pack);
      const after = cursor === undefined ? undefined : decodeCursor(cursor, (text) => semver.valid(text) === text);
      const found: VersionRecord[] = [];
      for (const record of after === undefined ? state.versions : state.versions.below(after)) {
        if (status === undefined || (status === 'revoked') === (record.revocation !== undefined)) found.push(record);
        if (found.length > limit) break;
      }
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
      operationId: 'getVersion',
      tags: ['Packs'],
      summary: 'Read a version',
      description:
        'A registered version with its texts, active or not. The texts of a revoked one are for auditors only (`audit:read`).',
      params: versionParams,
      querystring: closed({}),
      response: {
        200: answer(wire.VersionDetail, 'The version.', wire.versionDetailExample),
        ...problems(
          'pack-not-found',
          'version-not-found',
          'content-revoked',
          'uri-too-long',
          'store-unavailable',
          'overloaded',
        ),
      },
    },
    handler: async (request) => {
      const { pack, version } = request.params;
      const { record, content } = await registry.version(
        pack,
        version,
        { mayAudit: callerMay(request, 'audit:read') },
        request.snapshot,
      );
      return {
        ...versionSummary(packIn(request.snapshot, pack), record),
        system: content.system,
        styles: [...content.styles],
      };
    },
  });

  app.post('/v1/packs/:pack/versions', {
    config: { scope: 'packs:publish' },
    schema: {
      operationId: 'publishVersion',
      tags: ['Packs'],
      summary: 'Register a version',
      description:
        'Registers an immutable version; it is not active until it is activated. A pack that is not there yet is made. The same again is a success without effect; anything else under the same version is refused.',
      params: packParams,
      querystring: closed({}),
      headers: idempotencyHeaders,
      body: ref(wire.PackDocumentBody),
      response: {
        200: answer(
          wire.VersionSummary,
          'The same is registered already; nothing was changed.',
          wire.versionSummaryExample,
          writtenHeaders,
        ),
        201: answer(
          wire.VersionSummary,
          'Registered.',
          { ...wire.versionSummaryExample, activeIn: [] },
          writtenHeaders,
        ),
        ...writeProblems('version-exists', 'policy-violated', 'idempotency-mismatch', 'uri-too-long'),
      },
    },
    handler: async (request, reply) => {
      const { pack } = request.params;
      const { record, snapshot, created, replayed } = await registry.publish({
        pack,
        document: request.body,
        ...attributionOf(request),
      });
      markReplayed(reply, replayed);
      void reply
        .header('registry-revision', snapshot.revision)
        .header('location', linkTo(request, `/v1/packs/${pack}/versions/${record.version}`));
      // The answer to a first coming, so that it is the same when it is told again.
      return reply
        .code(created ? 201 : 200)
        .send(created ? publishedSummary(record) : versionSummary(packIn(snapshot, pack), record));
    },
  });

  app.get('/v1/packs/:pack/versions/:version/diff', {
    config: { scope: 'prompts:read' },
    schema: {
      operationId: 'diffVersions',
      tags: ['Packs'],
      summary: 'Compare two versions',
      description:
        'Unified hunks per prompt, changes of metadata, styles gained and lost, from the version `against` to this one. Where either is revoked, for auditors only (`audit:read`).',
      params: versionParams,
      querystring: wire.diffQuery,
      response: {
        200: answer(wire.Diff, 'How they differ.', wire.diffExample),
        ...problems(
          'pack-not-found',
          'version-not-found',
          'content-revoked',
          'channel-not-found',
          'uri-too-long',
          'store-unavailable',
          'overloaded',
        ),
      },
    },
    handler: async (request) => {
      const { pack, version } = request.params;
      const reader = { mayAudit: callerMay(request, 'audit:read') };
      const to = await registry.version(pack, version, reader, request.snapshot);
      const from = await registry.version(
        pack,
        request.query.against ?? viewIn(request.snapshot, pack, registry.defaultChannel).activePack.version,
        reader,
        request.snapshot,
      );
      const { assets, metadata, stylesAdded, stylesRemoved } = await differences(from, to);
      return {
        pack,
        from: from.record.version,
        to: version,
        ...mutable({ assets, metadata, stylesAdded, stylesRemoved }),
      };
    },
  });

  app.post('/v1/packs/:pack/versions/:version/revoke', {
    config: { scope: 'packs:revoke', share: 'moves' },
    handlerTimeout: WAIT_TIMEOUT,
    schema: {
      operationId: 'revokeVersion',
      tags: ['Activation'],
      summary: 'Revoke a version',
      description:
        'Kills a version for good: from the answer on it is neither read nor activated nor served to sessions. Channels that point at it move in the same event, to `replacement` or down their stack; sessions pinned on it go on with what stands in for it.',
      params: versionParams,
      querystring: closed({}),
      headers: waitHeaders,
      body: ref(wire.RevokeBody),
      response: {
        200: answer(wire.Revocation, 'Revoked; or with `dryRun`, what would happen.', wire.revocationExample, {
          ...replayedHeader,
          ...waitedHeader,
        }),
        202: answer(
          wire.Revocation,
          'Revoked; with `Prefer: wait`, some instances had not applied it in time.',
          wire.pendingExample,
          { ...replayedHeader, ...waitedHeader },
        ),
        ...writeProblems(
          'pack-not-found',
          'version-not-found',
          'version-revoked',
          'replacement-required',
          'unknown-version',
          'policy-violated',
          'idempotency-mismatch',
          'uri-too-long',
        ),
      },
    },
    handler: async (request, reply) => {
      const { dryRun = false, ...body } = request.body;
      const revocation = { ...request.params, ...body, ...attributionOf(request) };
      if (dryRun) {
        const { snapshot, ...preview } = await registry.previewRevoke(revocation);
        restamp(reply, registry, snapshot);
        return mutable(preview);
      }
      const { replayed, ...answered } = await registry.revoke(revocation);
      const wait = await waited(request, reply, registry, answered.revision);
      markReplayed(reply, replayed);
      restamp(reply, registry, registry.current);
      return reply
        .code(wait?.complete === false ? 202 : 200)
        .send({ ...mutable(answered), ...(wait !== undefined && { instances: wait.instances }) });
    },
  });
};

export default versionRoutes;
