/** The problem details of a response, and which problems an operation can answer with. */
import { Type, type TSchema } from '@sinclair/typebox';
import { PROBLEM_TYPE } from '../../plugins/problems/problem-details.ts';
import { PROBLEMS, type ProblemCode } from '../../plugins/problems/problems.ts';
import { ChannelName, PackName, RolloutId, Scope, StyleId, Version, type Violation } from '../../registry/index.ts';
import { revisionHeaders } from './headers.ts';
import { closed, nullable, ref, stringEnum } from './schema-types.ts';

/** The body of every 4xx and 5xx response. Members of a single code are on the same level as the common ones. */
export const Problem = Type.Object(
  {
    type: Type.String({
      format: 'uri-reference',
      description: 'Link to a page that explains the error.',
      examples: ['/problems/pack-not-found'],
    }),
    title: Type.String({ examples: ['No such pack'] }),
    status: Type.Integer({ minimum: 400, maximum: 599, examples: [404] }),
    detail: Type.String({ description: 'What is wrong with this request, where, and how to fix it.' }),
    instance: Type.Optional(
      Type.String({ format: 'uri-reference', description: 'The path of the request.', examples: ['/v1/packs/choach'] }),
    ),
    code: stringEnum(Object.keys(PROBLEMS) as ProblemCode[], 'Stable, for programs.'),
    errors: Type.Optional(
      Type.Array(
        closed(
          { pointer: Type.Optional(Type.String()), parameter: Type.Optional(Type.String()), detail: Type.String() },
          { description: 'One fault: its place, and how to fix it.' },
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
    rollout: Type.Optional({ ...RolloutId, description: 'The rollout that is in the way.' }),
    activeVersion: Type.Optional(nullable(Version)),
    state: Type.Optional(Type.String({ description: 'How the rollout ended: `promoted` or `aborted`.' })),
    endedAt: Type.Optional(Type.String({ description: 'When the rollout ended.' })),
    revertAt: Type.Optional(Type.String({ description: 'When the trial ends.' })),
    instances: Type.Optional(Type.Array(Type.String(), { description: 'Live instances of an older build.' })),
    reason: Type.Optional(Type.String({ description: 'Why the session was ended.' })),
    revision: Type.Optional(Type.Integer({ minimum: 0, description: 'The event that ended the session.' })),
    candidates: Type.Optional(Type.Array(Version, { description: 'Versions that can be the replacement.' })),
  },
  { $id: 'Problem', description: 'RFC 9457 problem details.', additionalProperties: true },
);

const ANY_REQUEST: readonly ProblemCode[] = ['validation-failed', 'request-timeout', 'header-too-large', 'internal'];
const WITH_KEY: readonly ProblemCode[] = [
  'unauthenticated',
  'forbidden',
  'rate-limited',
  'overloaded',
  'revision-not-reached',
  'revision-unknown',
  'store-unavailable',
  'not-ready',
];
const WITH_BODY: readonly ProblemCode[] = ['payload-too-large', 'unsupported-media-type'];
const WRITE: readonly ProblemCode[] = ['store-unavailable', 'store-busy', 'outcome-unknown', 'overloaded'];

interface ProblemResponse {
  description: string;
  headers: Record<string, TSchema>;
  content: Record<string, { schema: TSchema; examples: Record<string, { value: unknown }> }>;
}

/** The error responses of an open operation: those of any request, and these. */
export function openProblems(...codes: readonly ProblemCode[]): Record<number, ProblemResponse> {
  return responses(...codes, ...ANY_REQUEST);
}

/** The error responses of a read that needs a key. */
export function problems(...codes: readonly ProblemCode[]): Record<number, ProblemResponse> {
  return responses(...codes, ...ANY_REQUEST, ...WITH_KEY);
}

/** The error responses of a request with a body that does not write to the store. */
export function bodyProblems(...codes: readonly ProblemCode[]): Record<number, ProblemResponse> {
  return responses(...codes, ...ANY_REQUEST, ...WITH_KEY, ...WITH_BODY);
}

/** The error responses of a write. */
export function writeProblems(...codes: readonly ProblemCode[]): Record<number, ProblemResponse> {
  return responses(...codes, ...ANY_REQUEST, ...WITH_KEY, ...WITH_BODY, ...WRITE);
}

/** One response for each status. Its codes are in the order of `PROBLEMS`, so equal sets of codes give equal responses. */
function responses(...codes: readonly ProblemCode[]): Record<number, ProblemResponse> {
  const ordered = (Object.keys(PROBLEMS) as ProblemCode[]).filter((code) => codes.includes(code));
  const byStatus = Map.groupBy(ordered, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].sort(([a], [b]) => a - b).map(([status, list]) => [status, problemResponse(status, list)]),
  );
}

function problemResponse(status: number, codes: readonly ProblemCode[]): ProblemResponse {
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
    headers: { ...revisionHeaders, ...HEADERS[status] },
    content: {
      [PROBLEM_TYPE]: {
        schema: ref(Problem),
        examples: Object.fromEntries(codes.map((code) => [code, exampleOf(code)])),
      },
    },
  };
}

function exampleOf(code: ProblemCode) {
  const { status, title, meaning } = PROBLEMS[code];
  return { value: { type: `/problems/${code}`, title, status, detail: meaning, code } };
}

const retryAfter = {
  'Retry-After': Type.Integer({ minimum: 0, description: 'Seconds to wait before the next attempt.' }),
};
/** The additional headers of problems with a certain status. */
const HEADERS: Readonly<Record<number, Record<string, TSchema>>> = {
  401: {
    'WWW-Authenticate': Type.String({ description: 'RFC 6750: how to authenticate, and what was wrong with the key.' }),
  },
  429: {
    ...retryAfter,
    RateLimit: Type.String({ description: 'How much of the rate limit is left, and when it resets.' }),
  },
  503: retryAfter,
};
