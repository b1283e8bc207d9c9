/**
 * Checks responses against `openapi.yaml`: status, media type, headers and body.
 *
 * Rule: the package contains the document (`dist/openapi.yaml`); in a checkout the repository's own is read. An undeclared member is a
 * deviation if the schema says `additionalProperties: false`.
 * Example: `judge.faultsOf('getPack', answer)` returns `["body: /versionCount must be integer"]`, or an empty list.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';
import { excerpt, jsonOf, mediaType, type RawAnswer } from './raw-answer.ts';
import { resolved } from './resolved.ts';

interface ResponseObject {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly schema: { readonly type: string } }>>;
  readonly content?: Readonly<Record<string, unknown>>;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
}

interface OperationObject {
  readonly operationId: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  /** Empty if the operation needs no key. */
  readonly security?: readonly object[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: { readonly $ref?: string } }>>;
  };
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

/** The parts of an OpenAPI 3.1 document that the suite reads. */
export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly components: {
    readonly schemas: Readonly<
      Record<
        string,
        {
          readonly required?: readonly string[];
          readonly properties?: Readonly<Record<string, { readonly enum?: readonly string[] }>>;
        }
      >
    >;
  };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
}

/** An operation, with its method and path. */
export interface Operation extends OperationObject {
  /** Upper case. */
  readonly method: string;
  /** The path, with `{names}`. */
  readonly template: string;
  /** Whether it needs a key. */
  readonly guarded: boolean;
  /** The scope that its key needs, from its description. */
  readonly scope: string | undefined;
}

/** Declared headers that a response may lack. */
const OCCASIONAL: ReadonlySet<string> = new Set([
  'Idempotency-Replayed',
  'Registry-Epoch',
  'Registry-Stale',
  'Registry-Pinned',
  'Registry-Assignment',
  'Preference-Applied',
]);
const STREAM = 'text/event-stream';

/** The operations of a document by their id. */
export function operationsOf(document: OpenApi): Map<string, Operation> {
  const entries = Object.entries(document.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => {
      const scope = /Scope: `([a-z:*]+)`/u.exec(operation.description ?? '')?.[1];
      return [
        operation.operationId,
        { ...operation, template, method: method.toUpperCase(), guarded: operation.security?.length !== 0, scope },
      ];
    }),
  );
  return new Map(entries);
}

/** Reads the document in the package, with its references resolved. */
export function readDocument(): OpenApi {
  const candidates = ['./openapi.yaml', '../../../openapi.yaml'].map(
    (candidate) => new URL(candidate, import.meta.url),
  );
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined) throw new Error('openapi.yaml is missing in the package. Install it again.');
  return resolved(parse(readFileSync(found, 'utf8')) as OpenApi);
}

/** One step of an RFC 6901 pointer, as part of a URI. */
const step = (name: string) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));

export class Judge {
  readonly document: OpenApi;
  readonly prefix: string;
  readonly operations: ReadonlyMap<string, Operation>;
  readonly #ajv = new Ajv2020({ strict: true, strictTypes: false, allowUnionTypes: true, allErrors: true });
  /** By the text of the schema: hundreds of responses declare the same headers. */
  readonly #compiled = new Map<string, ValidateFunction>();

  /** @param prefix of every path of the server, also in its links; empty for none */
  constructor(document: OpenApi, prefix = '') {
    this.document = document;
    this.prefix = prefix;
    this.operations = operationsOf(document);
    (formats as unknown as (ajv: Ajv2020) => void)(this.#ajv);
    this.#ajv.addVocabulary(Object.keys(document)); // members of the document that are not JSON Schema keywords
    this.#ajv.addSchema(document, 'openapi.yaml', false, false);
  }

  /** @throws Error if the document has no such operation */
  operation(id: string): Operation {
    const found = this.operations.get(id);
    if (found === undefined) throw new Error(`openapi.yaml has no operation ${id}.`);
    return found;
  }

  /** How a value breaks a named schema; empty if it does not. */
  schemaFaults(name: string, value: unknown): string[] {
    return this.#faults(['components', 'schemas', name], value);
  }

  /** How a response differs from what its operation declares; empty if it does not. */
  faultsOf(id: string, { status, headers, text }: RawAnswer): string[] {
    const { template, method, responses } = this.operation(id);
    const declared = responses[status];
    if (declared === undefined)
      return [`status ${status} is not declared (declared: ${Object.keys(responses).join(', ')}): ${excerpt(text)}`];
    const at = ['paths', template, method.toLowerCase(), 'responses', String(status)];
    const faults = [...this.#headerFaults(at, declared, headers), ...cacheFaults(headers)];
    if (declared.content === undefined)
      return text === '' ? faults : [...faults, `${status} must have no body, but has: ${excerpt(text)}`];

    const type = mediaType(headers);
    if (declared.content[type] === undefined)
      return [
        ...faults,
        `content type "${type}" is not declared (declared: ${Object.keys(declared.content).join(', ')})`,
      ];
    const schema = [...at, 'content', type, 'schema'];
    if (type === STREAM) return [...faults, ...this.streamFaults(id, text)];
    if (!type.endsWith('json')) return [...faults, ...this.#faults(schema, text).map((fault) => `body: ${fault}`)];
    const value = jsonOf(text);
    if (value === undefined) return [...faults, `the body is not JSON: ${excerpt(text)}`];
    faults.push(...this.#faults(schema, value).map((fault) => `body: ${fault}`));
    return status < 400
      ? faults
      : [...faults, ...problemFaults(value as Problem, status, declared.description, this.prefix)];
  }

  /** How messages of a stream differ from what is declared. @param text whole messages */
  streamFaults(id: string, text: string): string[] {
    const { template, method } = this.operation(id);
    const schema = ['paths', template, method.toLowerCase(), 'responses', '200', 'content', STREAM, 'schema'];
    const messages = text.split('\n\n').filter((message) => message !== '');
    return messages.flatMap((message) => {
      const data = /^data: (.*)$/mu.exec(message)?.[1];
      const value = data === undefined ? undefined : jsonOf(data);
      return value === undefined
        ? [`a message without JSON in "data": ${excerpt(message)}`]
        : this.#faults(schema, value).map((fault) => `data of a message: ${fault}: ${excerpt(message)}`);
    });
  }

  #headerFaults(at: readonly string[], { headers: declared = {} }: ResponseObject, headers: Headers): string[] {
    return Object.entries(declared).flatMap(([name, { schema }]) => {
      const value = headers.get(name);
      if (value === null) return OCCASIONAL.has(name) ? [] : [`header ${name} is missing`];
      return this.#faults([...at, 'headers', name, 'schema'], schema.type === 'integer' ? Number(value) : value).map(
        (fault) => `header ${name}: ${fault}`,
      );
    });
  }

  #validator(path: readonly string[]): ValidateFunction {
    const text = JSON.stringify(at(this.document, path));
    const validate = this.#compiled.get(text) ?? this.#ajv.getSchema(`openapi.yaml#/${path.map(step).join('/')}`);
    if (validate === undefined) throw new Error(`openapi.yaml holds no schema at /${path.join('/')}.`);
    this.#compiled.set(text, validate);
    return validate;
  }

  #faults(path: readonly string[], value: unknown): string[] {
    const validate = this.#validator(path);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      const { additionalProperty } = params as { additionalProperty?: string };
      return `${instancePath || 'the value'} ${message}${additionalProperty === undefined ? '' : `: "${additionalProperty}"`}`;
    });
  }
}

/** The value at a path in the document. */
function at(document: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (value as Readonly<Record<string, unknown>> | undefined)?.[name],
    document,
  );
}

interface Problem {
  readonly type?: unknown;
  readonly status?: unknown;
  readonly code?: unknown;
}

/** What the schema of a problem cannot express: its members agree, and the operation declares its code. */
function problemFaults(
  { type, status, code }: Problem,
  answered: number,
  description: string,
  prefix: string,
): string[] {
  return [
    ...(status === answered ? [] : [`problem: "status" is ${String(status)}, but the response is a ${answered}`]),
    ...(type === `${prefix}/problems/${String(code)}`
      ? []
      : [`problem: "type" is ${String(type)}, not that of ${String(code)}`]),
    ...(description.includes(`\`${String(code)}\``)
      ? []
      : [`problem: code ${String(code)} is not declared for ${answered} (declared: ${description})`]),
  ];
}

/** No response may be shared or reused without asking: `Cache-Control: private, no-cache`. */
function cacheFaults(headers: Headers): string[] {
  const directives = (headers.get('cache-control') ?? '').split(',').map((directive) => directive.trim());
  return directives.includes('private') && directives.includes('no-cache')
    ? []
    : [`header Cache-Control is "${headers.get('cache-control') ?? ''}", not "private, no-cache"`];
}
