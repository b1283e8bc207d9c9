/** Schemas of API keys. */
import { Type } from '@sinclair/typebox';
import { ChannelName, KeyId, KeyLabel, PackName, Reason, ScheduleId, Scope, Timestamp } from '../../registry/index.ts';
import { example } from '../wire/examples.ts';
import { createdHeaders, idempotencyHeaders, replayedHeader } from '../wire/headers.ts';
import { noQuery } from '../wire/parameters.ts';
import { problems, writeProblems } from '../wire/problems.ts';
import { jsonResponse } from '../wire/responses.ts';
import { closed, ref } from '../wire/schema-types.ts';
import { Actor } from '../wire/shared-schemas.ts';

const expiry = Type.Optional(
  Type.String({
    format: 'date-time',
    description: 'When the key stops working. Default: never.',
    examples: ['2027-01-31T00:00:00Z'],
  }),
);
const members = { keyId: KeyId, label: KeyLabel, scopes: Type.Array(Scope), createdAt: Timestamp, expiresAt: expiry };

export const Key = closed(
  {
    ...members,
    createdBy: ref(Actor),
    revokedAt: Type.Optional(Timestamp),
    cancelled: Type.Optional(
      Type.Array(closed({ pack: PackName, channel: ChannelName, id: ScheduleId }), {
        description: 'In the response to `revokeKey`: what the key had scheduled, which was cancelled with it.',
      }),
    ),
  },
  { $id: 'Key', description: 'A key, without its secret.' },
);
export const keyExample = {
  keyId: 'k7Qm2Xw9Lp3a',
  label: 'coach-web production',
  scopes: ['prompts:read', 'sessions:start'],
  createdAt: example.at,
  createdBy: example.actor,
};

export const NewKey = closed(
  {
    ...members,
    secret: Type.Optional(
      Type.String({
        description: 'The whole bearer token. It is shown only here; a replayed response does not have it.',
        examples: [`prk_k7Qm2Xw9Lp3a_${'0'.repeat(43)}`],
      }),
    ),
  },
  { $id: 'NewKey', description: 'A key that was just created.' },
);
export const newKeyExample = {
  keyId: keyExample.keyId,
  label: keyExample.label,
  scopes: keyExample.scopes,
  createdAt: example.at,
  secret: `prk_k7Qm2Xw9Lp3a_${'0'.repeat(43)}`,
};

export const KeyList = closed({ keys: Type.Array(ref(Key)) }, { $id: 'KeyList' });

export const CreateKeyBody = closed(
  { label: KeyLabel, scopes: Type.Array(Scope, { minItems: 1, maxItems: 20 }), expiresAt: expiry },
  // The time has passed, so the example creates no key when it is sent unchanged from Swagger UI.
  {
    $id: 'CreateKeyRequest',
    description: 'Set `expiresAt` to a future time, or omit it.',
    examples: [
      { label: 'coach-web production', scopes: ['prompts:read', 'sessions:start'], expiresAt: '2020-01-31T00:00:00Z' },
    ],
  },
);

export const RevokeKeyBody = closed(
  { reason: { ...Reason, description: 'Why the key is revoked. The log keeps it permanently.' } },
  { $id: 'RevokeKeyRequest', examples: [{ reason: 'Left the team' }] },
);

export const keyParams = closed({ keyId: KeyId });

export const keySchemas = [Key, NewKey, KeyList, CreateKeyBody, RevokeKeyBody];

// ── Operations ──

export const listKeys = {
  operationId: 'listKeys',
  tags: ['Keys'],
  summary: 'List the keys',
  description:
    'Every key that was ever created, including revoked ones, in order of creation. Secrets are never shown.',
  querystring: noQuery,
  response: { 200: jsonResponse(KeyList, 'The keys.', { keys: [keyExample] }), ...problems() },
};

export const createKey = {
  operationId: 'createKey',
  tags: ['Keys'],
  summary: 'Create a key',
  description:
    'The whole token is in `secret` of this response and nowhere else. A key can grant only scopes that it has.',
  querystring: noQuery,
  headers: idempotencyHeaders,
  body: ref(CreateKeyBody),
  response: {
    201: jsonResponse(NewKey, 'Created.', newKeyExample, createdHeaders),
    ...writeProblems('forbidden', 'idempotency-mismatch'),
  },
};

export const revokeKey = {
  operationId: 'revokeKey',
  tags: ['Keys'],
  summary: 'Revoke a key',
  description:
    'The key stops working with the next request, and what it has scheduled is cancelled. You cannot revoke a key that can do more than yours.',
  params: keyParams,
  querystring: noQuery,
  headers: idempotencyHeaders,
  body: ref(RevokeKeyBody),
  response: {
    200: jsonResponse(Key, 'Revoked.', { ...keyExample, revokedAt: keyExample.createdAt }, replayedHeader),
    ...writeProblems('key-not-found', 'forbidden', 'idempotency-mismatch', 'uri-too-long'),
  },
};
