/**
 * Generated requests to the operations of `openapi.yaml`: valid ones, and valid ones with something spoilt.
 *
 * Rule: what is spoilt in the path, the method or the framing may lead elsewhere than to the operation; such a request says so
 * (`astray`), and is judged as one to no operation in particular.
 * Example: `fc.sample(requests(pools), 10)`.
 */
import fc from 'fast-check';
import { OPERATIONS, operation, type Operation } from './openapi.ts';
import { hugeText, oddText, spoilt, valueOf, type Pools } from './schema-values.ts';
import { words } from '../process/words.ts';

export interface FuzzRequest {
  readonly id: string;
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer | undefined;
  /** Whether it may be no request to the operation any more. */
  readonly astray: boolean;
}

/** How often an operation is asked in comparison with others: what takes versions and keys away does so less often. */
const WEIGHTS: Readonly<Record<string, number>> = {
  publishVersion: 8,
  activateVersion: 8,
  rollbackPack: 6,
  startCoachSession: 5,
  createKey: 5,
  diffVersions: 4,
  revokeVersion: 4,
  startRollout: 5,
  advanceRollout: 4,
  getStylePrompt: 4,
  getRollout: 2,
  listRollouts: 2,
  listSchedule: 2,
  verifyAudit: 1,
};

/** Any request to any operation. */
export function requests(pools: Pools): fc.Arbitrary<FuzzRequest> {
  return fc.oneof(
    ...[...OPERATIONS.keys()].map((id) => ({ weight: WEIGHTS[id] ?? 3, arbitrary: requestTo(operation(id), pools) })),
  );
}

function requestTo(asked: Operation, pools: Pools): fc.Arbitrary<FuzzRequest> {
  const valid = validTo(asked, pools);
  return fc
    .oneof(
      { weight: 4, arbitrary: valid },
      { weight: 6, arbitrary: valid.chain(mutated) },
      { weight: 1, arbitrary: valid.chain(mutated).chain(mutated) },
    )
    .map(encoded);
}

/** A request in parts, before it is put into bytes. */
interface Parts {
  readonly asked: Operation;
  readonly method: string;
  readonly path: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: readonly (readonly [string, string])[];
  /** JSON to be, or bytes as they are. */
  readonly body: unknown;
  /** Turns the path into another. */
  readonly detour: ((target: string) => string) | undefined;
  readonly astray: boolean;
}

function validTo(asked: Operation, pools: Pools): fc.Arbitrary<Parts> {
  const { parameters = [], requestBody } = asked;
  const given = (location: string) => {
    const here = parameters.filter((parameter) => parameter.in === location);
    const values = Object.fromEntries(here.map(({ name, schema }) => [name, valueOf(schema, name, pools).map(String)]));
    return fc
      .record(values, { requiredKeys: here.filter(({ required }) => required === true).map(({ name }) => name) })
      .map((record) => ({ ...record }));
  };
  const schema = requestBody?.content['application/json']?.schema;
  const body =
    schema === undefined
      ? fc.constant(undefined)
      : valueOf(schema, 'body', pools).map(CONSISTENT[asked.operationId] ?? ((value) => value));
  const token = fc.oneof(
    { weight: 30, arbitrary: fc.constant(pools['token']?.[0] ?? '') },
    { weight: 1, arbitrary: fc.constantFrom(...(pools['token'] ?? [''])) },
  );
  return fc
    .tuple(
      fc.oneof({ weight: 3, arbitrary: together(asked, pools) ?? given('path') }, given('path')),
      given('query'),
      given('header'),
      body,
      token,
    )
    .map(([path, query, headers, value, key]) => ({
      asked,
      method: asked.method,
      path,
      query: Object.entries(query),
      body: value,
      detour: undefined,
      astray: false,
      headers: [
        ['authorization', `Bearer ${key}`],
        ...Object.entries(headers).map(([name, text]) => [name, sendable(text)] as const),
        ...(value === undefined ? [] : [['content-type', 'application/json'] as const]),
      ],
    }));
}

/** Paths whose names belong together, e.g. a rollout and its pack; undefined if there are none for the operation. */
function together({ template }: Operation, pools: Pools): fc.Arbitrary<Record<string, string>> | undefined {
  const names = [...template.matchAll(/\{(\w+)\}/gu)].map(([, name = '']) => name);
  const known = pools[names.join()];
  if (known === undefined) return undefined;
  const pathOf = (values: readonly string[]) =>
    Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
  return fc.constantFrom(...known).map((values) => pathOf(values.split(',')));
}

/** Bodies whose parts agree with each other, which their schema cannot say. */
const CONSISTENT: Readonly<Record<string, (value: unknown) => unknown>> = {
  publishVersion: consistentPack,
  startRollout: consistentPlan,
  rollbackPack: consistentRollback,
};

/** The version before, in every other case: few others were ever active. */
function consistentRollback(value: unknown): unknown {
  const { toVersion, fromVersion, ...rollback } = value as Record<string, unknown>;
  return toVersion === undefined || fromVersion === undefined ? value : rollback;
}

interface Plan {
  readonly steps: readonly { readonly share: number }[];
  readonly audience?: { readonly conditions?: readonly object[] };
  readonly sameSubjectsAs?: number;
  readonly force?: boolean;
}

/** Shares that rise, waits that are short, and values that fit their operators. */
function consistentPlan(value: unknown): unknown {
  const { sameSubjectsAs, ...plan } = value as Plan;
  const shares = [...new Set(plan.steps.map(({ share }) => share))].sort((a, b) => a - b);
  const conditions = plan.audience?.conditions?.map((condition) => ({ ...condition, operator: 'in' }));
  return {
    ...plan,
    ...(plan.force === true && { sameSubjectsAs }), // few rollouts are of that channel
    steps: shares.map((share) => ({ share, hold: '1h' })),
    ...(plan.audience !== undefined && { audience: { ...plan.audience, ...(conditions && { conditions }) } }),
  };
}

function consistentPack(value: unknown): unknown {
  const document = value as { styles: { id: string }[]; compatibility: { clients: object[] } };
  const styles = document.styles.map((style, index) => ({ ...style, id: `${style.id.slice(0, 50)}-${index}` }));
  const { compatibility } = document;
  return {
    ...document,
    styles,
    defaultStyle: styles[0]?.id,
    compatibility: {
      ...compatibility,
      clients: compatibility.clients.map((client) => ({ ...client, range: '>=1.0.0' })),
      locales: ['en'],
    },
  };
}

/** Without line breaks, which would be headers of their own; those are planted on purpose. */
function sendable(text: string): string {
  return text.replaceAll(/[\r\n\0]/gu, ' ');
}

type Mutation = (parts: Parts) => fc.Arbitrary<Parts>;

function mutated(parts: Parts): fc.Arbitrary<Parts> {
  const fitting = [
    ...(Object.keys(parts.path).length > 0 ? [otherPath] : []),
    ...(parts.body === undefined ? [bodyWhereNoneIs] : [otherBody, otherBody, otherBody, otherBytes, otherType]),
    otherQuery,
    otherHeader,
    otherKey,
    otherRoute,
    otherFraming,
  ];
  return fc.constantFrom(...fitting).chain((mutate) => mutate(parts));
}

const otherPath: Mutation = (parts) =>
  fc
    .tuple(
      fc.constantFrom(...Object.keys(parts.path)),
      fc.oneof({ weight: 6, arbitrary: oddText }, { weight: 1, arbitrary: hugeText }),
    )
    .map(([name, text]) => ({ ...parts, path: { ...parts.path, [name]: text }, astray: parts.astray || text === '' }));

const otherQuery: Mutation = (parts) => {
  const names = fc.oneof(
    fc.constantFrom(
      ...(parts.asked.parameters ?? []).filter(({ in: location }) => location === 'query').map(({ name }) => name),
      'unknown',
      '__proto__',
      'constructor',
      'limit[]',
      '',
    ),
    oddText,
  );
  return fc.tuple(names, oddText, fc.boolean()).map(([name, text, twice]) => ({
    ...parts,
    query: [...parts.query, [name, text] as const, ...(twice ? [[name, text] as const] : [])],
  }));
};

const JUNK_HEADERS: readonly (readonly [string, string])[] = [
  ...([
    ['accept', 'text/html;q=0, */*;q=junk'],
    ['accept-encoding', 'gzip, br'],
    ['expect', '100-continue'],
    ['expect', 'the unexpected'],
    ['upgrade', 'h2c'],
    ['connection', 'close'],
    ['connection', 'upgrade'],
  ] as const),
  ...([
    ['if-none-match', '*'],
    ['if-none-match', 'W/"1.00000000", "'],
    ['if-match', '"0"'],
    ['if-match', '*'],
    ['if-match', '"unclosed'],
    ['if-match', ''],
    ['range', 'bytes=0-1'],
    ['origin', 'https://elsewhere.example'],
  ] as const),
  ...([
    ['idempotency-key', '"quoted"'],
    ['idempotency-key', '"'],
    ['idempotency-key', 'a'.repeat(256)],
    ['idempotency-key', '\u00e9'],
    ['idempotency-key', ''],
    ['x-forwarded-for', 'junk, 1.2.3.4'],
    ['x-http-method-override', 'DELETE'],
  ] as const),
  ...([
    ['content-encoding', 'gzip'],
    ['registry-min-revision', '-1'],
    ['registry-min-revision', '99999999999999999'],
    ['registry-min-revision', '1, 2'],
    ['registry-epoch', '0x1'],
    ['last-event-id', '1:'],
    ['prefer', 'wait=junk'],
    ['prefer', 'wait="0'],
    ['prefer', ',;wait=0'],
    ['host', 'a'],
    ['cookie', '='.repeat(5000)],
    ['x', 'a'.repeat(20_000)],
    ['__proto__', 'x'],
    ['constructor', 'x'],
    ['te', 'trailers'],
  ] as const),
];

const otherHeader: Mutation = (parts) =>
  fc.constantFrom(...JUNK_HEADERS).map((header) => ({ ...parts, headers: [...parts.headers, header] }));

const otherKey: Mutation = (parts) =>
  fc
    .oneof(
      fc.constantFrom(
        undefined,
        'Bearer',
        'Bearer ',
        'bearer x',
        'Basic b3BlcmF0b3I6',
        `Bearer prk_${'a'.repeat(12)}_${'b'.repeat(43)}`,
        `Bearer prk_${'a'.repeat(9000)}`,
      ),
      oddText.map((text) => `Bearer ${sendable(text)}`),
    )
    .map((value) => ({
      ...parts,
      headers: [
        ...parts.headers.filter(([name]) => name !== 'authorization'),
        ...(value === undefined ? [] : [['authorization', value] as const]),
      ],
    }));

const otherBody: Mutation = (parts) => spoilt(parts.body).map((body) => ({ ...parts, body }));

const otherBytes: Mutation = (parts) => {
  const text = JSON.stringify(parts.body) ?? '';
  const bytes = Buffer.from(text);
  return fc
    .oneof(
      fc.nat(Math.max(0, bytes.length - 1)).map((cut) => bytes.subarray(0, cut)),
      fc
        .tuple(fc.nat(Math.max(0, bytes.length - 1)), fc.nat(255))
        .map(([at, byte]) => Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at + 1)])),
      fc
        .constantFrom(
          '',
          'null',
          '[]',
          '"text"',
          '0',
          '{',
          '{}',
          `\ufeff${text}`,
          `${text}${text}`,
          text.replace('{', '{"__proto__":{"x":1},'),
          text.replace('{', '{"reason":1,"reason":"Twice",'),
          '['.repeat(50_000),
          '{"a":1e999}',
        )
        .map((other) => Buffer.from(other)),
      fc.uint8Array({ maxLength: 60 }).map((other) => Buffer.from(other)),
    )
    .map((body) => ({ ...parts, body }));
};

const TYPES = [
  'application/json; charset=latin1',
  'application/json; charset=utf-8',
  'application/json, text/plain',
  '',
  '\u00e9',
  ...words`
  text/plain application/xml APPLICATION/JSON multipart/form-data application/json; ; application/problem+json
`,
];
const otherType: Mutation = (parts) =>
  fc.constantFrom(undefined, ...TYPES).map((type) => ({
    ...parts,
    headers: [
      ...parts.headers.filter(([name]) => name !== 'content-type'),
      ...(type === undefined ? [] : [['content-type', type] as const]),
    ],
  }));

const bodyWhereNoneIs: Mutation = (parts) =>
  fc.constantFrom('{}', 'x', '{"a":').map((text) => ({
    ...parts,
    body: Buffer.from(text),
    headers: [...parts.headers, ['content-type', 'application/json'] as const],
  }));

const DETOURS: readonly ((target: string) => string)[] = [
  (target) => `/${target}`,
  (target) => `${target}/`,
  (target) => target.replace('/v1/', '/v1//'),
  (target) => target.replace('/v1/', '/v1/./'),
  (target) => target.replace('/v1/', '/x/../v1/'),
  (target) => target.replace('/v1/', '/%76%31/'),
  (target) => target.replace('/v1/', '/v1%2f'),
  (target) => target.replace('/v1/', '/V1/'),
  (target) => `${target}%`,
  (target) => `${target}%c3%28`,
  (target) => `${target};a=b`,
  (target) => `${target}#part`,
  (target) => `http://elsewhere.example${target}`,
  (target) => `${target}?${'a=b&'.repeat(3000)}`,
  (target) => `${target}${'/a'.repeat(500)}`,
  (target) => `/docs/..${target}`,
  () => '/docs/static/../../package.json',
  () => '/docs/static/%2e%2e%2f%2e%2e%2fpackage.json',
  () => '*',
  () => '/',
];
const otherRoute: Mutation = (parts) =>
  fc.oneof(
    fc.constantFrom(...DETOURS).map((detour) => ({ ...parts, detour, astray: true })),
    fc
      .constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND', 'NONSENSE', 'get')
      .map((method) => ({ ...parts, method, astray: true })),
  );

/** Headers that say something else about the message than what is sent; the connection is of no use after them. */
const FRAMING: readonly (readonly [string, string])[] = [
  ['content-length', '-1'],
  ['content-length', '1, 2'],
  ['content-length', '0x1'],
  ['transfer-encoding', 'gzip'],
  ['transfer-encoding', 'chunked, identity'],
  ['host', ''],
  ['bad name', 'x'],
  ['x', 'a\u0000b'],
  ['x', 'a\rb'],
];
const otherFraming: Mutation = (parts) =>
  fc.constantFrom(...FRAMING).map((header) => ({ ...parts, headers: [...parts.headers, header], astray: true }));

function encoded({ asked, method, path, query, headers, body, detour, astray }: Parts): FuzzRequest {
  const filled = asked.template.replaceAll(/\{(\w+)\}/gu, (_, name: string) =>
    encodeURIComponent((path[name] ?? '').toWellFormed()),
  );
  const search = query
    .map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`)
    .join('&');
  const target = search === '' ? filled : `${filled}?${search}`;
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body) ?? '');
  const request = {
    id: asked.operationId,
    method,
    target: detour === undefined ? target : detour(target),
    headers,
    body: bytes,
    astray,
  };
  const shown = () => bytesOf(request, 'host').toString('latin1', 0, 1000); // a report must not be a hundred thousand characters long
  return Object.assign(request, { [fc.toStringMethod]: shown });
}

/** The request as it goes over the wire. @param host what its Host header says */
export function bytesOf({ method, target, headers, body }: FuzzRequest, host: string): Buffer {
  const all = [
    ['host', host] as const,
    ...headers,
    ...(body === undefined ? [] : [['content-length', String(body.length)] as const]),
  ];
  const head = `${method} ${target} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head), body ?? Buffer.alloc(0)]);
}
