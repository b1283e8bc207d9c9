/** Request and response headers that several operations share. */
import { Type } from '@sinclair/typebox';

// ── Requests ──

export const conditionalHeaders = Type.Object({
  'if-none-match': Type.Optional(Type.String({ description: 'ETags that you have; a match returns 304.' })),
});

/** For reads that a rollout decides. */
export const readHeaders = Type.Object({
  ...conditionalHeaders.properties,
  'registry-subject': Type.Optional(
    Type.String({ maxLength: 2400, description: 'The subject, percent-encoded, if it should not be in the address.' }),
  ),
});

const idempotencyKey = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 300,
    description:
      'At most 255 characters, quoted or bare. Repeating the request with the same key has no further effect and returns the same response.',
  }),
);
const prefer = Type.Optional(
  Type.String({
    maxLength: 1000,
    description:
      '`wait=<seconds>` (RFC 7240), at most 30: respond once every live instance has applied the move. A 202 means that some have not applied it in time.',
  }),
);
const ifMatch = Type.Optional(
  Type.String({
    description:
      'The ETag of `getActivePack`, or `"<revision>"` of the channel; to change a rollout, those of `getRollout`. Refused if it has changed since.',
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
    description: 'Log revision of the snapshot that the response was computed from.',
  }),
  'Registry-Epoch': Type.Integer({
    minimum: 2,
    description:
      'Which history the revision belongs to. Each accepted restore of the database adds 1; absent while the epoch is 1.',
  }),
  'Registry-Stale': Type.Integer({
    minimum: 0,
    description: 'Seconds since this instance last knew that it was current. Absent while it knows.',
  }),
  'Registry-Pinned': Type.String({
    description:
      'The forced version (`PIN_VERSION`), which this instance serves whatever the log says. Absent if no version is forced.',
  }),
};
/** On the response to a read that a rollout decides. */
export const assignmentHeader = {
  'Registry-Assignment': Type.String({
    description: '`rollout=<id>; arm=<stable|candidate>` while a rollout runs in the channel. Absent otherwise.',
  }),
};
export const etagHeader = { ETag: Type.String({ description: 'Strong. It changes when the channel moves.' }) };
export const locationHeader = { Location: Type.String({ description: 'Where to read what was created.' }) };
export const replayedHeader = {
  'Idempotency-Replayed': Type.String({
    description: '`true` if this repeats the response to an earlier request with the same Idempotency-Key.',
  }),
};
/** On the response to a write that creates something. */
export const createdHeaders = { ...locationHeader, ...replayedHeader };
export const waitedHeader = {
  'Preference-Applied': Type.String({ description: '`wait` if the response waited for the other instances.' }),
};
