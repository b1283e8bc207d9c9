/**
 * Rules for the document that client generators need. Two generators are run, and their clients used, in test/packages.
 *
 * docs/clients.md promises these rules. Each is a function from a document to its violations; the last test plants a violation of each.
 */
import t from 'tap';
import { OPENAPI, type OpenApiDocument } from '../support/http/openapi.ts';

type Json = Readonly<Record<string, unknown>>;
type Rule = (document: OpenApiDocument) => string[];

const operations = ({ paths }: OpenApiDocument) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method })),
  );

/** Each schema in a document with where it stands; examples are data, not schemas. */
function* schemas(node: unknown, path = ''): Generator<readonly [path: string, schema: Json]> {
  if (typeof node !== 'object' || node === null) return;
  yield [path, node as Json];
  for (const [name, member] of Object.entries(node))
    if (!['examples', 'example', 'enum'].includes(name)) yield* schemas(member, `${path}/${name}`);
}

/** Names that are the same after `fold`. */
function clashes(names: readonly string[], fold: (name: string) => string): string[] {
  return names.filter((name, index) => names.findIndex((other) => fold(other) === fold(name)) !== index);
}

const RULES: Readonly<Record<string, Rule>> = {
  'operation ids are camel case and unique in every spelling': (document) => {
    const ids = operations(document).map(({ operationId }) => operationId);
    const wrong = ids.filter((id) => !/^[a-z]+([A-Z][a-z]+)*$/u.test(id ?? ''));
    return [
      ...wrong,
      ...clashes(ids, (id) => id.toLowerCase()),
      ...clashes(ids, (id) => id.replaceAll(/[A-Z]/gu, '_$&').toLowerCase()),
    ];
  },
  'each answer and each body has a schema with a name': (document) =>
    operations(document).flatMap(({ operationId, responses, requestBody }) => {
      const bodies = [...Object.values(responses).map(({ content }) => content), requestBody?.content];
      const found = bodies
        .flatMap((content) => Object.values(content ?? {}))
        .filter(({ schema }) => !('$ref' in schema));
      return found.map(() => operationId);
    }),
  'schemas have names in Pascal case that differ by more than their case': ({ components }) => {
    const names = Object.keys(components.schemas);
    return [
      ...names.filter((name) => !/^([A-Z][a-z]+)+$/u.test(name)),
      ...clashes(names, (name) => name.toLowerCase()),
    ];
  },
  'each named schema is used, and each name that is used is there': (document) => {
    const used = new Set(
      [...schemas(document)].flatMap(([, { $ref }]) => (typeof $ref === 'string' ? [$ref.split('/').at(-1)] : [])),
    );
    const known = Object.keys(document.components.schemas);
    return [...known.filter((name) => !used.has(name)), ...[...used].filter((name) => !known.includes(name ?? ''))].map(
      String,
    );
  },
  'an object that stands in several places has one name, and so one type': (document) => {
    const shapes = [...schemas(document)].flatMap(([path, { properties }]) =>
      properties === undefined || path.endsWith('/properties') ? [] : [{ path, shape: JSON.stringify(properties) }],
    );
    return shapes
      .filter(({ path, shape }) => shapes.some((other) => other.path !== path && other.shape === shape))
      .map(({ path }) => path);
  },
  'a nullable member is a union of a type and "null"': (document) =>
    [...schemas(document)]
      .filter(([, { type, nullable, anyOf }]) => {
        const wrong = Array.isArray(type) && (type.length !== 2 || type[1] !== 'null' || type[0] === 'object');
        return wrong || nullable !== undefined || JSON.stringify(anyOf ?? []).includes('"type":"null"');
      })
      .map(([path]) => path),
  'a union has a name': (document) =>
    [...schemas(document)]
      .filter(
        ([path, schema]) =>
          'allOf' in schema ||
          'oneOf' in schema ||
          'const' in schema ||
          ('anyOf' in schema && !/^\/components\/schemas\/\w+$/u.test(path)),
      )
      .map(([path]) => path),
  'enumerations are strings, each once': (document) =>
    [...schemas(document)]
      .filter(
        ([, { enum: values, type }]) =>
          Array.isArray(values) &&
          (type !== 'string' ||
            new Set(values).size !== values.length ||
            values.some((each) => typeof each !== 'string')),
      )
      .map(([path]) => path),
  'members are camel case': (document) =>
    [...schemas(document.components)].flatMap(([path, { properties }]) =>
      Object.keys((properties ?? {}) as Json)
        .filter((name) => !/^[a-z][a-zA-Z0-9]*$/u.test(name))
        .map((name) => `${path}/${name}`),
    ),
  'parameters have names that no other one of the operation has': (document) =>
    operations(document).flatMap(({ operationId, parameters = [] }) =>
      clashes(
        parameters.map(({ name }) => name),
        (name) => name.replaceAll(/[-_]/gu, '').toLowerCase(),
      ).map((name) => `${operationId} ${name}`),
    ),
};

for (const [rule, broken] of Object.entries(RULES)) t.test(rule, async (t) => t.strictSame(broken(OPENAPI), []));

t.test('control: a planted violation of each rule is found', async (t) => {
  type Loose = Record<string, Record<string, Record<string, Record<string, unknown>>>>;
  const planted: Readonly<Record<string, (document: Loose) => void>> = {
    'operation ids are camel case and unique in every spelling': ({ paths }) =>
      (paths!['/v1/packs']!['get']!['operationId'] = 'getpack'),
    'each answer and each body has a schema with a name': ({ paths }) =>
      (paths!['/livez']!['get']!['responses'] = {
        200: { description: '', content: { 'application/json': { schema: { type: 'object' } } } },
      }),
    'schemas have names in Pascal case that differ by more than their case': ({ components }) =>
      (components!['schemas']!['packlist'] = { type: 'object' }),
    'each named schema is used, and each name that is used is there': ({ components }) =>
      (components!['schemas']!['Unused'] = { type: 'object' }),
    'an object that stands in several places has one name, and so one type': ({ components }) =>
      (components!['schemas']!['Planted'] = { properties: { actor: components!['schemas']!['Actor'] } }),
    'a nullable member is a union of a type and "null"': ({ components }) =>
      (components!['schemas']!['Pack'] = { properties: { latest: { nullable: true } } }),
    'a union has a name': ({ components }) =>
      (components!['schemas']!['Pack'] = {
        properties: { latest: { anyOf: [{ type: 'string' }, { type: 'integer' }] } },
      }),
    'enumerations are strings, each once': ({ components }) =>
      (components!['schemas']!['Pack'] = { type: 'integer', enum: [1, 2] }),
    'members are camel case': ({ components }) =>
      (components!['schemas']!['Pack'] = { properties: { version_count: {} } }),
    'parameters have names that no other one of the operation has': ({ paths }) =>
      (paths!['/v1/packs']!['get']!['parameters'] = [{ name: 'if-match' }, { name: 'ifMatch' }]),
  };
  t.strictSame(Object.keys(planted), Object.keys(RULES));
  for (const [rule, plant] of Object.entries(planted)) {
    const document = structuredClone(OPENAPI);
    plant(document as unknown as Loose);
    t.not(RULES[rule]?.(document).length, 0, rule);
  }
});
