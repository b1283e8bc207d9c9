/** API keys: made, listed (never the secret), revoked. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Static } from '@sinclair/typebox';
import { linkTo } from '../../plugins/path-prefix.ts';
import type { KeyRecord } from '../../registry/index.ts';
import { attributionOf, markReplayed } from '../wire/idempotency-key.ts';
import {
  answer,
  closed,
  idempotencyHeaders,
  mutable,
  problems,
  ref,
  replayedHeader,
  writeProblems,
  writtenHeaders,
} from '../wire/schema-kit.ts';
import * as wire from './schemas.ts';

const keyRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { registry } = app;

  app.get('/v1/keys', {
    config: { scope: 'keys:admin' },
    schema: {
      operationId: 'listKeys',
      tags: ['Keys'],
      summary: 'List the keys',
      description: 'Every key that was ever made, revoked ones included, in order of creation; never a secret.',
      querystring: closed({}),
      response: { 200: answer(wire.KeyList, 'The keys.', { keys: [wire.keyExample] }), ...problems() },
    },
    handler: async (request) => ({ keys: [...request.snapshot.keys.values()].map(keyAnswer) }),
  });

  app.post('/v1/keys', {
    config: { scope: 'keys:admin' },
    schema: {
      operationId: 'createKey',
      tags: ['Keys'],
      summary: 'Make a key',
      description:
        'The whole token is in `secret` of this answer and nowhere else. A key can grant only scopes that its maker holds.',
      querystring: closed({}),
      headers: idempotencyHeaders,
      body: ref(wire.CreateKeyBody),
      response: {
        201: answer(wire.NewKey, 'Made.', wire.newKeyExample, writtenHeaders),
        ...writeProblems('forbidden', 'idempotency-mismatch'),
      },
    },
    handler: async (request, reply) => {
      const heldScopes = request.caller?.scopes ?? [];
      const { record, token, replayed } = await registry.createKey({
        ...request.body,
        heldScopes,
        ...attributionOf(request),
      });
      markReplayed(reply, replayed);
      void reply.header('registry-revision', registry.current.revision).header('location', linkTo(request, '/v1/keys'));
      const { keyId, label, scopes, createdAt, expiresAt } = record;
      return reply.code(201).send(
        mutable({
          keyId,
          label,
          scopes,
          createdAt,
          ...(expiresAt !== undefined && { expiresAt }),
          ...(token !== undefined && { secret: token }),
        }),
      );
    },
  });

  app.post('/v1/keys/:keyId/revoke', {
    config: { scope: 'keys:admin' },
    schema: {
      operationId: 'revokeKey',
      tags: ['Keys'],
      summary: 'Revoke a key',
      description:
        'It stops working with the next request. A key that can do more than yours cannot be revoked with it.',
      params: wire.keyParams,
      querystring: closed({}),
      headers: idempotencyHeaders,
      body: ref(wire.RevokeKeyBody),
      response: {
        200: answer(wire.Key, 'Revoked.', { ...wire.keyExample, revokedAt: wire.keyExample.createdAt }, replayedHeader),
        ...writeProblems('key-not-found', 'forbidden', 'idempotency-mismatch', 'uri-too-long'),
      },
    },
    handler: async (request, reply) => {
      const heldScopes = request.caller?.scopes ?? [];
      const { record, replayed } = await registry.revokeKey({
        ...request.params,
        ...request.body,
        heldScopes,
        ...attributionOf(request),
      });
      markReplayed(reply, replayed);
      void reply.header('registry-revision', registry.current.revision);
      return keyAnswer(record);
    },
  });
};

export default keyRoutes;

function keyAnswer({
  keyId,
  label,
  scopes,
  createdAt,
  createdBy,
  expiresAt,
  revokedAt,
}: KeyRecord): Static<typeof wire.Key> {
  return mutable({
    keyId,
    label,
    scopes,
    createdAt,
    createdBy,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(revokedAt !== undefined && { revokedAt }),
  });
}
