/**
 * Moves what the operations of an OpenAPI document share into its `components`.
 *
 * Problem: the generator writes every operation out in full, so the document repeats the same headers and problem responses hundreds of times.
 * Rule: a response, header, parameter or example that occurs more than once becomes a component, and each occurrence a `$ref` to it.
 * Its name comes from its content, never from its position, so that a new operation renames nothing.
 * Example: 26 operations answer 401 in the same way; each of them has `"401": {$ref: "#/components/responses/Unauthenticated"}`.
 */
import { STATUS_CODES } from 'node:http';
import { withNamedWords } from './named-words.ts';

interface Response {
  readonly headers?: Record<string, unknown>;
  readonly content?: Readonly<Record<string, Content>>;
}
interface Content {
  readonly schema: { readonly $ref?: string };
  readonly examples?: Record<string, unknown>;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
}
interface Operation {
  readonly parameters?: unknown[];
  readonly responses: Record<string, unknown>;
}
interface Document {
  readonly components?: Readonly<Record<string, object>>;
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

type Section = 'responses' | 'headers' | 'parameters' | 'examples';

/** One occurrence of a part: its holder, the key in the holder, and the name it gets as a component. */
interface Occurrence {
  readonly holder: object;
  readonly key: string;
  readonly name: string;
}

/** Problems that usually occur together, under a name for all of them. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Unavailable: ['store-unavailable', 'revision-not-reached', 'not-ready', 'overloaded'],
};

/**
 * A copy of the document with its shared parts as components.
 * @throws Error if two different shared parts would have the same name
 */
export function withSharedComponents<T extends object>(document: T): T {
  // Not structuredClone: it would keep objects that the operations share, and each part must be replaced where it stands.
  const copy = JSON.parse(JSON.stringify(document)) as T & Document;
  const operations = Object.values(copy.paths ?? {}).flatMap((methods) => Object.values(methods));

  for (const { parameters = [] } of operations)
    for (const parameter of parameters as Parameter[])
      if (parameter.required === false) Reflect.deleteProperty(parameter, 'required'); // it is the default
  const parameters = share('parameters', operations.flatMap(parametersOf));
  const responses = share('responses', operations.flatMap(responsesOf));
  const all = [...operations.flatMap((operation) => Object.values(operation.responses)), ...Object.values(responses)];
  const headers = share('headers', (all as Response[]).flatMap(headersOf));
  const examples = share('examples', (all as Response[]).flatMap(examplesOf));
  const { schemas = {}, ...others } = copy.components ?? {};
  return {
    ...copy,
    components: { ...others, schemas: withNamedWords(schemas), headers, parameters, examples, responses },
  };
}

/** Replaces each part that occurs more than once by a reference. @returns the parts by name, in alphabetical order */
function share(section: Section, occurrences: readonly Occurrence[]): Record<string, unknown> {
  const shared = new Map<string, unknown>();
  const same = Map.groupBy(occurrences, ({ holder, key }) => JSON.stringify(Reflect.get(holder, key)));
  for (const [text, places] of same) {
    const [{ name } = { name: '' }, ...others] = places;
    if (others.length === 0) continue;
    if (shared.has(name)) throw new Error(`The OpenAPI document has two different shared ${section} named ${name}.`);
    shared.set(name, JSON.parse(text));
    for (const { holder, key } of places) Reflect.set(holder, key, { $ref: `#/components/${section}/${name}` });
  }
  return Object.fromEntries([...shared].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Named by place as well: `pack` is a path parameter and a query parameter. */
function parametersOf({ parameters = [] }: Operation): Occurrence[] {
  return (parameters as Parameter[]).map((parameter, index) => ({
    holder: parameters,
    key: String(index),
    name: pascalCase(`${parameter.name}-${parameter.in}`),
  }));
}

function responsesOf({ responses }: Operation): Occurrence[] {
  return Object.entries(responses).map(([status, response]) => ({
    holder: responses,
    key: status,
    name: nameOfResponse(status, response as Response),
  }));
}

/** The problem codes that it can have, `PackNotFoundOrChannelNotFound`; without any, what the status is called, and its schema. */
function nameOfResponse(status: string, { content = {}, headers = {} }: Response): string {
  const codes = Object.keys(content['application/problem+json']?.examples ?? {});
  if (codes.length === 0) {
    const suffix = 'Registry-Assignment' in headers ? 'OfArm' : nameOfSchema(content['application/json']);
    return `${pascalCase(STATUS_CODES[status]?.toLowerCase() ?? status)}${suffix}`;
  }
  const groups = Object.entries(GROUPS).filter(([, members]) => members.every((code) => codes.includes(code)));
  const others = codes.filter((code) => !groups.some(([, members]) => members.includes(code)));
  return [...groups.map(([name]) => name), ...others.map(pascalCase)].join('Or');
}

function headersOf({ headers = {} }: Response): Occurrence[] {
  return Object.keys(headers).map((name) => ({ holder: headers, key: name, name }));
}

function examplesOf({ content = {} }: Response): Occurrence[] {
  return Object.values(content).flatMap((each) =>
    Object.keys(each.examples ?? {}).map((key) => ({
      holder: each.examples ?? {},
      key,
      name: key === 'typical' ? nameOfExample(each) : pascalCase(key),
    })),
  );
}

/** A problem's example is named by its code; the example of a success by its schema. A 202 names instances that are behind. */
function nameOfExample(content: Content): string {
  const { value } = content.examples?.['typical'] as { readonly value: unknown };
  return `${nameOfSchema(content)}${Object.hasOwn(Object(value) as object, 'instances') ? 'Pending' : ''}`;
}

function nameOfSchema(content: Content | undefined): string {
  return content?.schema.$ref?.split('/').at(-1) ?? '';
}

/** `pack-not-found` as `PackNotFound`. */
function pascalCase(name: string): string {
  return name.replaceAll(/(?:^|[^a-zA-Z0-9]+)([a-zA-Z0-9])/gu, (_, first: string) => first.toUpperCase());
}
