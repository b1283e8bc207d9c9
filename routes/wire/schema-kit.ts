/**
 * What route schemas are built from beside the domain's words: named references, closed sets, and the problems a route can give.
 */
import { Type, type Static, type TObject, type TProperties, type TSchema, type TUnsafe } from '@sinclair/typebox';
import { PROBLEM_TYPE } from '../../plugins/problems/problem-details.ts';
import { PROBLEMS, type ProblemCode } from '../../plugins/problems/problems.ts';
import { ChannelName, PackName, PAGE, Scope, StyleId, Version, type Violation } from '../../registry/index.ts';

/** An object that takes no members but these. */
export const closed = <T extends TProperties>(
  properties: T,
  options: { $id?: string; description?: string; examples?: unknown[] } = {},
): TObject<T> => Type.Object(properties, { ...options, additionalProperties: false });

/** A reference to a schema that has an `$id`; typed as the schema itself, which `Type.Ref` is not. */
export const ref = <T extends TSchema>(schema: T): TUnsafe<Static<T>> =>
  Type.Unsafe<Static<T>>(Type.Ref(schema.$id ?? ''));

/** One of these strings: an `enum`, where a union would become `anyOf` of constants. */
export const stringEnum = <const T extends readonly string[]>(values: T, description: string): TUnsafe<T[number]> =>
  Type.Unsafe<T[number]>({ type: 'string', enum: values, description, examples: [values[0]] });

/** The same value for a type that does not say `readonly`: what is answered is serialised, never changed. */
export const mutable = <T>(value: T): Mutable<T> => value as Mutable<T>;
type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

/** The schema's values, or null; written as OpenAPI 3.1 has it. */
export const nullable = <T extends TSchema>(schema: T): TUnsafe<Static<T> | null> =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [(schema as unknown as { type: string }).type, 'null'] });

/** The body of every 4xx and 5xx. Members of a code's own stand beside the common ones. */
export const Problem = Type.Object(
  {
    type: Type.String({
      format: 'uri-reference',
      description: 'What the error means, for people.',
      examples: ['/problems/pack-not-found'],
    }),
    title: Type.String({ examples: ['No such pack'] }),
    status: Type.Integer({ minimum: 400, maximum: 599, examples: [404] }),
    detail: Type.String({ description: 'What was wrong this time, where, and what would be right.' }),
    instance: Type.Optional(
      Type.String({ format: 'uri-reference', description: 'The path that was asked.', examples: ['/v1/packs/choach'] }),
    ),
    code: stringEnum(Object.keys(PROBLEMS) as ProblemCode[], 'Stable; made for programs.'),
    errors: Type.Optional(
      Type.Array(
        closed(
          { pointer: Type.Optional(Type.String()), parameter: Type.Optional(Type.String()), detail: Type.String() },
          { description: 'One fault: where, and what would be right.' },
        ),
      ),
    ),
    knownPacks: Type.Optional(Type.Array(PackName)),
    knownVersions: Type.Optional(Type.Array(Version)),
    knownChannels: Type.Optional(Type.Array(ChannelName)),
    supportedStyles: Type.Optional(Type.Array(StyleId)),
    everActive: Type.Optional(Type.Array(Version)),
    currentRevision: Type.Optional(Type.Integer({ minimum: 0 })),
    eventId: Type.Optional(Type.String()),
    requestId: Type.Optional(Type.String()),
    requiredScopes: Type.Optional(Type.Array(Scope)),
    violations: Type.Optional(Type.Array(Type.Unsafe<Violation>(Type.Ref('Violation')))),
    candidates: Type.Optional(Type.Array(Version, { description: 'Versions that would do as a replacement.' })),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details.', additionalProperties: true },
);

/** What any request can run into. */
const COMMON: readonly ProblemCode[] = ['validation-failed', 'request-timeout', 'header-too-large', 'internal'];
/** What any request that needs a key can run into besides. */
const GUARDED: readonly ProblemCode[] = [
  'unauthenticated',
  'forbidden',
  'rate-limited',
  'overloaded',
  'revision-not-reached',
  'revision-unknown',
  'store-unavailable',
  'not-ready',
];
/** What any request with a body can run into. */
const WITH_BODY: readonly ProblemCode[] = ['payload-too-large', 'unsupported-media-type'];
/** What any write can run into. */
const ON_WRITE: readonly ProblemCode[] = ['store-unavailable', 'store-busy', 'outcome-unknown', 'overloaded'];

interface ProblemResponse {
  description: string;
  headers?: Record<string, TSchema>;
  content: Record<string, { schema: TSchema; examples?: Record<string, { summary: string; value: unknown }> }>;
}

/** The error answers of a read: the common ones and these. */
export function problems(...codes: readonly ProblemCode[]): Record<number, ProblemResponse> {
  return responses(...codes, ...COMMON, ...GUARDED);
}

/** The error answers of what anybody may ask. */
export function openProblems(...codes: readonly ProblemCode[]): Record<number, ProblemResponse> {
  return responses(...codes, ...COMMON);
}

/** The error answers of a request with a body that changes nothing in the store. */
export function bodyProblems(...codes: readonly ProblemCode[]): Record<number, ProblemResponse> {
  return responses(...codes, ...COMMON, ...GUARDED, ...WITH_BODY);
}

/** The error answers of a write. */
export function writeProblems(...codes: readonly ProblemCode[]): Record<number, ProblemResponse> {
  return responses(...codes, ...COMMON, ...GUARDED, ...WITH_BODY, ...ON_WRITE);
}

/** One response a status. Its codes are in the order of `PROBLEMS`, so that equal sets of codes give equal responses. */
function responses(...codes: readonly ProblemCode[]): Record<number, ProblemResponse> {
  const known = (Object.keys(PROBLEMS) as ProblemCode[]).filter((code) => codes.includes(code));
  const byStatus = Map.groupBy(known, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].sort(([a], [b]) => a - b).map(([status, list]) => [status, problemResponse(status, list)]),
  );
}

function problemResponse(status: number, codes: readonly ProblemCode[]): ProblemResponse {
  const examples = codes.map((code) => {
    const { title, meaning } = PROBLEMS[code];
    return [
      code,
      { summary: title, value: { type: `/problems/${code}`, title, status, detail: meaning, code } },
    ] as const;
  });
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
    headers: { ...revisionHeader, ...PROBLEM_HEADERS[status] },
    content: { [PROBLEM_TYPE]: { schema: ref(Problem), examples: Object.fromEntries(examples) } },
  };
}

export const revisionHeader = {
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

const retryAfter = { 'Retry-After': Type.Integer({ minimum: 0, description: 'Seconds to wait before the next try.' }) };
/** What problems of a status carry besides. */
const PROBLEM_HEADERS: Readonly<Record<number, Record<string, TSchema>>> = {
  401: {
    'WWW-Authenticate': Type.String({ description: 'RFC 6750: how to authenticate, and what was wrong with the key.' }),
  },
  429: {
    ...retryAfter,
    RateLimit: Type.String({ description: 'What is left of the share, and when it is whole again.' }),
  },
  503: retryAfter,
};

/** A JSON answer with an example. */
export function answer<T extends TSchema>(
  schema: T,
  description: string,
  example: unknown,
  headers: Record<string, TSchema> = {},
) {
  return {
    description,
    headers: { ...revisionHeader, ...headers },
    content: { 'application/json': { schema: ref(schema), examples: { typical: { value: example } } } },
  } as const;
}

export const etagHeader = { ETag: Type.String({ description: 'Strong; changes when the channel moves.' }) };
export const locationHeader = { Location: Type.String({ description: 'Where what was made can be read.' }) };

/** 304 to a conditional read. */
export const notModified = {
  type: 'null',
  description: 'The channel has not moved since; there is no body.',
  headers: { ...revisionHeader, ...etagHeader },
} as const;

export const channelQuery = { channel: Type.Optional(ChannelName) };
export const packParams = closed({ pack: PackName });
export const versionParams = closed({ pack: PackName, version: Version });

export const limitQuery = Type.Optional(
  Type.Integer({ minimum: 1, maximum: PAGE.most, default: PAGE.usual, description: 'The most entries to give.' }),
);
export const cursorQuery = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 200,
    pattern: '^[A-Za-z0-9_-]+$',
    description: '`nextCursor` of the page before; leave it out to start from the beginning.',
  }),
);
export const NextCursor = nullable(
  Type.String({ description: 'Ask with it for the next page; null on the last one.', examples: ['MS4wLjA'] }),
);

/** Sent on a conditional read. */
export const conditionalHeaders = Type.Object({
  'if-none-match': Type.Optional(Type.String({ description: 'ETags that the caller has; a match gives 304.' })),
});
export const replayedHeader = {
  'Idempotency-Replayed': Type.String({
    description: '`true` where this is the answer to an earlier request with the same Idempotency-Key.',
  }),
};
export const writtenHeaders = { ...locationHeader, ...replayedHeader };

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
/** Sent on a write. */
export const idempotencyHeaders = Type.Object({ 'idempotency-key': idempotencyKey });
/** Sent on a move that is not guarded. */
export const waitHeaders = Type.Object({ 'idempotency-key': idempotencyKey, prefer });
export const waitedHeader = {
  'Preference-Applied': Type.String({ description: '`wait` where the answer waited for the other instances.' }),
};
/** Sent on a guarded move. No examples: Swagger UI would send them along, and an operator's move would be refused or replayed for it. */
export const moveHeaders = Type.Object({
  'idempotency-key': idempotencyKey,
  prefer,
  'if-match': Type.Optional(
    Type.String({
      description: 'The ETag of `getActivePack`, or `"<revision>"` of the channel: move only if it still is there.',
    }),
  ),
});
