/**
 * Checks responses against `openapi.yaml`: status, media type, headers and body.
 *
 * The document is loaded once, from the committed file: what clients are generated from.
 * Example: `const ask = askOf(app); const { body } = await ask(t, 'getPack', { path: { pack: 'coach' } })`.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import type { Test } from 'tap';
import { parse } from 'yaml';
import { resolved } from '../../../clients/contract/src/resolved.ts';

interface Header {
  readonly description?: string;
  readonly schema: { readonly type: string };
}
interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<
    Record<
      string,
      {
        readonly schema: { readonly $ref?: string };
        readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
      }
    >
  >;
}
export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: object;
  readonly example?: unknown;
}
interface OperationObject {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  /** Empty if the operation needs no key. */
  readonly security?: readonly object[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: { readonly $ref?: string } }>>;
  };
  readonly responses: Readonly<Record<string, Response>>;
}
export interface OpenApiDocument {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string }[];
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
}

/** An operation, with its method and path. */
export interface Operation extends OperationObject {
  /** Upper case. */
  readonly method: 'GET' | 'POST';
  /** With `{names}`. */
  readonly template: string;
}

export const OPENAPI_TEXT = readFileSync(new URL('../../../openapi.yaml', import.meta.url), 'utf8');
/** As it is written, with references to shared headers, parameters, examples and responses. */
export const OPENAPI_AS_WRITTEN = parse(OPENAPI_TEXT) as object;
/** With these references resolved: each operation is complete. Only references to schemas remain. */
export const OPENAPI = resolved(OPENAPI_AS_WRITTEN) as OpenApiDocument;

/** All operations by their id. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  Object.entries(OPENAPI.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => [
      operation.operationId,
      { ...operation, template, method: method.toUpperCase() as Operation['method'] },
    ]),
  ),
);

/** The operation of that id, which must be there. */
export function operation(id: string): Operation {
  const found = OPERATIONS.get(id);
  if (found === undefined) throw new Error(`openapi.yaml has no operation ${id}.`);
  return found;
}

const ajv = new Ajv2020({ strict: true, strictTypes: false, allowUnionTypes: true, allErrors: true });
(formats as unknown as (ajv: Ajv2020) => void)(ajv);
ajv.addVocabulary(Object.keys(OPENAPI)); // members of the document that are not schemas
ajv.addSchema(OPENAPI, 'openapi.yaml', false, false);

/** How a value breaks the schema at an RFC 6901 pointer into the document; empty if it conforms. */
export function schemaFaults(pointer: string, value: unknown): string[] {
  const validate = ajv.getSchema(`openapi.yaml#${pointer.split('/').map(encodeURIComponent).join('/')}`);
  if (validate === undefined) throw new Error(`openapi.yaml holds nothing at ${pointer}.`);
  return validate(value) === true
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || 'the value'} ${message}`);
}

/** One step of a pointer. */
export const step = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** An answer as it came, from `inject` or from a socket. */
export interface RawAnswer {
  readonly statusCode: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly body: string;
}

/** Declared headers that a response may lack. */
const OCCASIONAL: ReadonlySet<string> = new Set([
  'Idempotency-Replayed',
  'Registry-Epoch',
  'Registry-Stale',
  'Registry-Pinned',
  'Registry-Assignment',
  'Preference-Applied',
  'Registry-Assignment',
]);

/**
 * How a response differs from what its operation declares.
 * @param without declared headers that this answer cannot have
 */
export function faultsOf(
  id: string,
  { statusCode, headers, body }: RawAnswer,
  without: readonly string[] = [],
): string[] {
  const { template, method, responses } = operation(id);
  const declared = responses[statusCode];
  if (declared === undefined) return [`status ${statusCode} is not declared: ${body.slice(0, 200)}`];
  const at = `/paths/${step(template)}/${method.toLowerCase()}/responses/${statusCode}`;
  const faults: string[] = [];
  for (const [name, { schema }] of Object.entries(declared.headers ?? {})) {
    const value = headers[name.toLowerCase()];
    if (without.includes(name) || (OCCASIONAL.has(name) && value === undefined)) continue;
    if (value === undefined) faults.push(`header ${name} is missing`);
    else
      faults.push(
        ...schemaFaults(`${at}/headers/${name}/schema`, schema.type === 'integer' ? Number(value) : value).map(
          (fault) => `header ${name}: ${fault}`,
        ),
      );
  }
  if (declared.content === undefined)
    return body === '' ? faults : [...faults, `there is a body where none is declared: ${body.slice(0, 200)}`];

  const type = String(headers['content-type']).split(';')[0]?.trim() ?? '';
  if (declared.content[type] === undefined) return [...faults, `content type ${type} is not declared`];
  if (type === STREAM) return [...faults, ...streamFaults(`${at}/content/${step(type)}/schema`, body)];
  if (type === TEXT) return [...faults, ...schemaFaults(`${at}/content/${step(type)}/schema`, body)];
  try {
    const value: unknown = JSON.parse(body);
    faults.push(...schemaFaults(`${at}/content/${step(type)}/schema`, value));
    if (statusCode >= 400) faults.push(...problemFaults(value as Problem, statusCode, declared.description));
  } catch (error) {
    faults.push(`the body is no JSON: ${String(error)}`);
  }
  return faults;
}

const STREAM = 'text/event-stream';
const TEXT = 'text/plain';

/** What is wrong with the beginning of a stream: it has at least one complete message, and the data of each matches the document. */
function streamFaults(schema: string, body: string): string[] {
  const messages = body.split('\n\n').slice(0, -1);
  if (messages.length === 0) return ['the stream has no message'];
  return messages.flatMap((message) => schemaFaults(schema, JSON.parse(/^data: (.*)$/mu.exec(message)?.[1] ?? 'null')));
}

interface Problem {
  readonly type: string;
  readonly status: number;
  readonly code: string;
}

/** What the schema of a problem cannot express: its members agree, and the operation declares its code. */
function problemFaults({ type, status, code }: Problem, statusCode: number, description: string): string[] {
  return [
    ...(status === statusCode ? [] : [`the body says ${status}, the answer is a ${statusCode}`]),
    ...(type === `/problems/${code}` ? [] : [`the type of ${code} is ${type}`]),
    ...(description.includes(`\`${code}\``)
      ? []
      : [`${code} is not named among the codes of ${statusCode}: ${description}`]),
  ];
}

/** A request to an operation. Default of `path.pack`: `coach`. */
export interface Request {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Strings and bytes are sent unchanged, anything else as JSON. */
  readonly body?: unknown;
}

/** The path and query of a request to an operation. */
export function urlOf(id: string, { path = {}, query = {} }: Request): string {
  const filled = operation(id).template.replaceAll(/\{(\w+)\}/gu, (_, name: string) =>
    encodeURIComponent({ pack: 'coach', ...path }[name] ?? ''),
  );
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return search === '' ? filled : `${filled}?${search}`;
}

/** Sends a request and returns the unchecked response. Bodies are JSON unless a header says otherwise. */
export async function send(app: FastifyInstance, id: string, request: Request = {}): Promise<RawAnswer> {
  const { method } = operation(id);
  const { body, headers = {} } = request;
  const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const {
    statusCode,
    headers: answered,
    body: text,
  } = await app.inject({
    method,
    url: urlOf(id, request),
    headers: { ...type, ...headers },
    ...(payload !== undefined && { payload }),
  });
  return { statusCode, headers: answered, body: text };
}

/** A response that matches the document; `body` is parsed, undefined if missing. */
export type Answer = Omit<RawAnswer, 'body'> & {
  readonly body: ReturnType<typeof JSON.parse>;
  readonly revision: number;
  readonly etag: string;
};

/** Calls operations of an app by name; the test fails if a response does not match the document. */
export function askOf(app: FastifyInstance): (t: Test, id: string, request?: Request) => Promise<Answer> {
  return async (t, id, request = {}) => {
    const raw = await send(app, id, request);
    t.strictSame(faultsOf(id, raw), [], `${id} ${raw.statusCode}: as declared`);
    return {
      ...raw,
      body:
        raw.body === '' || String(raw.headers['content-type']).startsWith('text/') ? undefined : JSON.parse(raw.body),
      revision: Number(raw.headers['registry-revision']),
      etag: String(raw.headers['etag']),
    };
  };
}
