/**
 * Nothing is lost from `openapi.yaml`: what its operations have in common is written once, and each operation is still complete.
 *
 * `test/fixtures/openapi-before-components.json` is made from the document as it was while every operation was written out in full. It lists
 * the parts of each operation: parameters, body, statuses, headers, schemas and examples. Each must still be there once references are
 * resolved; parts may be added. `REMOVED` lists the parts that were removed on purpose, each with its reason.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { resolved } from '../../clients/contract/src/resolved.ts';
import { withNamedWords } from '../../plugins/openapi/named-words.ts';
import { withSharedComponents } from '../../plugins/openapi/shared-components.ts';
import { Duration } from '../../registry/index.ts';
import { OPENAPI, OPENAPI_AS_WRITTEN, OPENAPI_TEXT, type OpenApiDocument } from '../support/http/openapi.ts';

/** It had 6,035 lines with 29 operations; each later operation may add 120. */
const MOST_LINES = 7595;

/** By operation, then by `request` or a list of statuses: the parts that the request, or the response of each of these statuses, has. */
type Baseline = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
const BASELINE = JSON.parse(
  readFileSync(new URL('../fixtures/openapi-before-components.json', import.meta.url), 'utf8'),
) as Baseline;

const REMOVED: Readonly<Record<string, string>> = {
  'streamEvents 200: example typical 38dd0b52318a': 'Another example took its place: messages also name the channel.',
};

/** The members of a value and the types of what they hold, without the texts: an example may be reworded. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, shapeOf(member)]);
}

const digestOf = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);

const nameOf = ({ $ref }: { readonly $ref?: string }) => $ref?.split('/').at(-1);

/** All parts of all operations, each in a line. */
function partsOf({ paths }: OpenApiDocument): Set<string> {
  const parts = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ operationId: id, parameters = [], requestBody, responses }) => [
      ...parameters.map(({ in: place, name }) => `${id} request: ${place} ${name}`),
      ...Object.values(requestBody?.content ?? {}).map(({ schema }) => `${id} request: body ${nameOf(schema)}`),
      ...Object.entries(responses).flatMap(([status, { headers = {}, content = {} }]) => [
        `${id} ${status}`,
        ...Object.entries(headers).map(([name, { schema }]) => `${id} ${status}: header ${name} ${schema.type}`),
        ...Object.entries(content).flatMap(([type, { schema, examples = {} }]) => [
          `${id} ${status}: ${type} ${nameOf(schema)}`,
          ...Object.entries(examples).map(
            ([name, { value }]) => `${id} ${status}: example ${name} ${digestOf(shapeOf(value))}`,
          ),
        ]),
      ]),
    ]);
  return new Set(parts);
}

const before = Object.entries(BASELINE).flatMap(([id, groups]) =>
  Object.entries(groups).flatMap(([where, parts]) =>
    where
      .split(' ')
      .flatMap((each) => [
        ...(each === 'request' ? [] : [`${id} ${each}`]),
        ...parts.map((part) => `${id} ${each}: ${part}`),
      ]),
  ),
);

/** The parts that the document had before and has lost. */
function lostFrom(document: OpenApiDocument): string[] {
  const parts = partsOf(document);
  return before.filter((part) => !parts.has(part) && !(part in REMOVED));
}

t.test(`it has at most ${MOST_LINES} lines`, async (t) => {
  const lines = OPENAPI_TEXT.split('\n').length - 1;
  t.ok(lines <= MOST_LINES, `${lines} lines`);
});

t.test('no operation has lost a parameter, a status, a header, a schema or an example', async (t) => {
  t.ok(before.length > 2400, `${before.length} parts`);
  t.strictSame(lostFrom(OPENAPI), []);
});

t.test('each removal is still one', async (t) => {
  const parts = partsOf(OPENAPI);
  for (const [part, reason] of Object.entries(REMOVED))
    t.ok(before.includes(part) && !parts.has(part), `${part}: ${reason}`);
});

t.test(
  'each header, parameter and response is described, and each problem has an example for each of its codes',
  async (t) => {
    const { paths } = OPENAPI;
    for (const { operationId, parameters = [], responses } of Object.values(paths).flatMap((each) =>
      Object.values(each),
    )) {
      const described = [
        ...parameters,
        ...Object.values(responses).flatMap(({ headers = {} }) => Object.values(headers)),
      ];
      t.ok(
        described.every(({ description = '' }) => description.length > 5),
        operationId,
      );
      for (const [status, { description, content = {} }] of Object.entries(responses)) {
        if (Number(status) < 400) continue;
        const codes = [...description.matchAll(/`([a-z-]+)`:/gu)].map(([, code]) => code);
        const { examples = {} } = content['application/problem+json'] ?? {};
        t.strictSame(Object.keys(examples), codes, `${operationId} ${status}`);
      }
    }
  },
);

t.test('shared parts are used more than once, and have names that generators can give to types', async (t) => {
  const { components } = OPENAPI_AS_WRITTEN as { components: Record<string, object> };
  for (const section of ['responses', 'headers', 'parameters', 'examples']) {
    for (const name of Object.keys(components[section] ?? {})) {
      const uses = OPENAPI_TEXT.split(`"#/components/${section}/${name}"`).length - 1;
      t.ok(uses > 1, `${section}/${name} is used ${uses} times`);
      t.match(name, section === 'headers' ? /^[A-Z][A-Za-z-]+$/u : /^([A-Z][a-z]+)+$/u);
    }
  }
  const types = ['schemas', 'responses', 'parameters'].flatMap((section) => Object.keys(components[section] ?? {}));
  t.equal(new Set(types.map((name) => name.toLowerCase())).size, types.length, 'each name once');
});

t.test('control: a lost status, header, parameter, body or example is found', async (t) => {
  type Loose = Record<string, Record<string, Record<string, Record<string, ReturnType<typeof JSON.parse>>>>>;
  const losses: Readonly<Record<string, (document: Loose) => void>> = {
    'listPacks 503': ({ paths }) => delete paths!['/v1/packs']!['get']!['responses']['503'],
    'getPack 401: header WWW-Authenticate string': ({ components }) =>
      delete components!['responses']!['Unauthenticated']!['headers']['WWW-Authenticate'],
    'live 200: header Registry-Revision integer': ({ components }) =>
      (components!['headers']!['Registry-Revision'] = { schema: { type: 'string' } }),
    'getPack request: path pack': ({ components }) => (components!['parameters']!['PackPath']!['name'] = 'name'),
    'startCoachSession request: body StartSessionRequest': ({ paths }) =>
      delete paths!['/v1/coach/sessions']!['post']!['requestBody'],
    'getPack 404: example pack-not-found': ({ components }) =>
      delete components!['responses']!['PackNotFound']!['content']['application/problem+json'].examples,
  };
  for (const [lost, lose] of Object.entries(losses)) {
    const document = structuredClone(OPENAPI_AS_WRITTEN);
    lose(document as Loose);
    t.ok(
      lostFrom(resolved(document) as OpenApiDocument).some((part) => part.startsWith(lost)),
      lost,
    );
  }
});

t.test('a word of the domain is explained once, and each use may say what it means there', async (t) => {
  t.strictSame(
    withNamedWords(OPENAPI.components.schemas),
    OPENAPI.components.schemas,
    'no word is left without its name',
  );
  const word = JSON.parse(JSON.stringify(Duration)) as object;
  const Plan = { properties: { bake: { ...word, description: 'Then it ends.' }, hold: word } };
  const $ref = '#/components/schemas/Duration';
  t.match(withNamedWords({ Plan }), {
    Plan: { properties: { bake: { $ref, description: 'Then it ends.' }, hold: { $ref, description: undefined } } },
    Duration: word,
  });
});

t.test('two different shared parts with one name are an error', async (t) => {
  const operation = (description: string) => ({
    responses: { 304: { description } },
  });
  const paths = (...descriptions: readonly string[]) => ({
    paths: Object.fromEntries(descriptions.map((description, index) => [`/${index}`, { get: operation(description) }])),
  });
  t.match(withSharedComponents(paths('a', 'a', 'b')), {
    components: { responses: { NotModified: { description: 'a' } } },
    paths: {
      '/1': { get: { responses: { 304: { $ref: '#/components/responses/NotModified' } } } },
      '/2': { get: operation('b') },
    },
  });
  t.throws(() => withSharedComponents(paths('a', 'a', 'b', 'b')), { message: /two different .* NotModified/u });
});

t.test('a reference that leads nowhere is an error', async (t) => {
  const document = (reference: string) => ({
    components: { responses: { Again: { $ref: '#/components/responses/Again' } } },
    paths: { '/': { get: { responses: { 200: { $ref: reference } } } } },
  });
  for (const reference of ['#/components/responses/None', '#/components/responses/Again', 'other.yaml#/a'])
    t.throws(() => resolved(document(reference)), { message: new RegExp(`nowhere: ${reference}`, 'u') });
});
