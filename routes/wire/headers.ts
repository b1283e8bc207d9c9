/** Request and response headers that several operations share. */
import { Type } from '@sinclair/typebox';

// ── Requests ──

export const conditionalHeaders = Type.Object({
  'if-none-match': Type.Optional(Type.String({ description: 'ETags that the caller has; a match gives 304.' })),
});

const idempotencyKey = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 300,
    description:
      'At most 255 characters, quoted or bare. The same request again with the same key has one effect and the same answer.',
  }),
);
const prefer = Type.Optional(
  Type.String({
    maxLength: 1000,
    description:
      '`wait=<seconds>` (RFC 7240), 30 at most: answer when every live instance has applied the move; 202 where some have not in time.',
  }),
);
const ifMatch = Type.Optional(
  Type.String({
    description: 'The ETag of `getActivePack`, or `"<revision>"` of the channel: move only if it still is there.',
  }),
);
/** For writes that move no channel. */
export const idempotencyHeaders = Type.Object({ 'idempotency-key': idempotencyKey });
/** For revocations, which have no precondition. */
export const waitHeaders = Type.Object({ 'idempotency-key': idempotencyKey, prefer });
/** For activations and rollbacks. There are no examples: Swagger UI would send them, and the move would be refused or replayed. */
export const moveHeaders = Type.Object({ 'idempotency-key': idempotencyKey, prefer, 'if-match': ifMatch });

// ── Responses ──

/** On every response. */
export const revisionHeaders = {
  'Registry-Revision': Type.Integer({
    minimum: 0,
    description: 'Log revision of the snapshot that the answer was computed from.',
  }),
  'Registry-Epoch': Type.Integer({
    minimum: 2,
    description: 'Which history the revision is of; sent once a restore of the database was accepted, 1 before.',
  }),
  'Registry-Stale': Type.Integer({
    minimum: 0,
    description: 'Seconds since this instance last knew that it is current; sent only where it does not know.',
  }),
  'Registry-Pinned': Type.String({
    description:
      'The version that this instance serves of its pack whatever the log says (`PIN_VERSION`); sent only where it does.',
  }),
};
export const etagHeader = { ETag: Type.String({ description: 'Strong; changes when the channel moves.' }) };
export const locationHeader = { Location: Type.String({ description: 'Where what was made can be read.' }) };
export const replayedHeader = {
  'Idempotency-Replayed': Type.String({
    description: '`true` where this is the answer to an earlier request with the same Idempotency-Key.',
  }),
};
/** On the response to a write that creates something. */
export const createdHeaders = { ...locationHeader, ...replayedHeader };
export const waitedHeader = {
  'Preference-Applied': Type.String({ description: '`wait` where the answer waited for the other instances.' }),
};
