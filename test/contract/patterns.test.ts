/**
 * A value that breaks a pattern is explained in words, with the value and an example of a right one, over HTTP and in pack folders; never
 * with a regular expression.
 *
 * Every pattern of a request in openapi.yaml is broken once: in the path, query, headers and body.
 */
import t from 'tap';
import { brokenPattern, parsePack, type RegistryError, type InputFault } from '../../registry/index.ts';
import { openApp } from '../support/apps/app.ts';
import { faultsOf, OPENAPI, OPERATIONS, send, type Request } from '../support/http/openapi.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { openWorld, validRequest } from './cases/kit.ts';

interface Schema {
  readonly $ref?: string;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}
type Path = readonly (string | number)[];

/** Breaks every pattern of the document. */
const BROKEN = '!';

const resolve = (schema: Schema): Schema =>
  schema.$ref === undefined ? schema : (OPENAPI.components.schemas[schema.$ref.split('/').at(-1) ?? ''] as Schema);

/** Every member of a body with a pattern other than "not blank". */
function patternsIn(schema: Schema, path: Path = []): readonly (readonly [path: Path, pattern: string])[] {
  const { pattern, items, properties = {} } = resolve(schema);
  const own = pattern === undefined || pattern === '\\S' ? [] : [[path, pattern] as const];
  return [
    ...own,
    ...(items === undefined ? [] : patternsIn(items, [...path, 0])),
    ...Object.entries(properties).flatMap(([name, member]) => patternsIn(member, [...path, name])),
  ];
}

/** A copy with a value at a path; missing parents are created. */
function withAt(value: unknown, [first, ...rest]: Path, leaf: unknown): unknown {
  if (first === undefined) return leaf;
  if (typeof first === 'number') return [withAt((value as unknown[] | undefined)?.[0], rest, leaf)];
  return { ...(value as object), [first]: withAt((value as Record<string, unknown> | undefined)?.[first], rest, leaf) };
}

t.test('every pattern of a request', async (t) => {
  const world = await openWorld(t, { store: 'memory' });
  const seen = new Set<string>();
  const broken = async (id: string, name: string, pattern: string, request: Request) => {
    const answer = await send(world.app, id, request);
    const { detail = '', errors = [] } = JSON.parse(answer.body) as { detail?: string; errors?: InputFault[] };
    const told = errors.map((fault) => fault.detail).join(' ');
    const held = {
      'a 400 as declared': answer.statusCode === 400 && faultsOf(id, answer).length === 0,
      'it shows what came': told.includes('"!"'),
      'it says what would be right': told.length > '"" is "!", which is not valid'.length + name.length + 20,
      'no pattern is shown': ![detail, told].some((text) => text.includes(pattern) || /pattern|\[|\\|\{\d/u.test(text)),
    };
    t.strictSame(
      Object.entries(held).filter(([, holds]) => !holds),
      [],
      `${id} ${name}: ${answer.statusCode} ${told}`,
    );
    seen.add(pattern);
  };
  for (const [id, { parameters = [], requestBody }] of OPERATIONS) {
    const valid = validRequest(id, world);
    for (const { name, in: location, schema } of parameters) {
      const { pattern } = schema as Schema;
      if (pattern === undefined) continue;
      const member = { path: 'path', query: 'query', header: 'headers' }[location] as 'path';
      await broken(id, name, pattern, { ...valid, [member]: { ...valid[member], [name]: BROKEN } });
    }
    const body = requestBody?.content['application/json']?.schema;
    for (const [path, pattern] of body === undefined ? [] : patternsIn(body))
      await broken(id, path.join('/'), pattern, { ...valid, body: withAt(valid.body, path, BROKEN) });
  }
  t.ok(seen.size >= 7, `names, versions, key ids, cursors, places in the stream and codes: ${seen.size}`);
});

t.test('a refusal of a typical mistake says what is right', async (t) => {
  const { app } = await openApp(t, { store: 'memory' });
  const activate = async (body: object) =>
    (await send(app, 'activateVersion', { body: { reason: 'Why', ...body } })).body;
  for (const version of ['v1.0.0', '1.10', '1.0.0+build'])
    t.match(JSON.parse(await activate({ version })), {
      errors: [
        {
          pointer: '/version',
          detail: `"/version" is "${version}", which is not valid: it must be a SemVer 2.0.0 version: three numbers separated by dots, without a leading "v" or build metadata, e.g. 1.1.0.`,
        },
      ],
    });
  t.match(JSON.parse((await send(app, 'getPack', { path: { pack: 'My Prompt' } })).body), {
    errors: [
      {
        parameter: 'pack',
        detail:
          '"pack" is "My Prompt", which is not valid: it must be a name of lower-case letters, digits and hyphens, at most 63, starting with a letter or a digit, e.g. coach.',
      },
    ],
  });
  t.match(JSON.parse((await send(app, 'rollbackPack', { body: { reason: 'Why', toVersion: 'v1' } })).body), {
    errors: [{ pointer: '/toVersion', detail: /SemVer.*e\.g\. 1\.1\.0/u }],
  });
  t.match(JSON.parse((await send(app, 'listEvents', { query: { from: 'yesterday' } })).body), {
    errors: [{ parameter: 'from', detail: '"from" must be an RFC 3339 time, e.g. 2026-01-31T09:30:00Z.' }],
  });
  t.match(
    JSON.parse(await activate({ version: 'x'.repeat(64) })),
    { errors: [{ detail: /^"\/version" is "x{60}…"/u }] },
    'a long value is cut',
  );
});

t.test('so does a refusal of a length, a number or a type, in plain words', async (t) => {
  const { app } = await openApp(t, { store: 'memory' });
  const detailOf = async (id: string, request: Request) =>
    (JSON.parse((await send(app, id, request)).body) as { detail: string }).detail;
  const cases: readonly (readonly [id: string, request: Request, detail: string])[] = [
    ['listEvents', { query: { limit: '0' } }, 'The query is not valid: "limit" must be at least 1.'],
    ['listEvents', { query: { limit: 'all' } }, 'The query is not valid: "limit" must be a whole number.'],
    [
      'activateVersion',
      { body: { version: '1.0.0', reason: '' } },
      'The body is not valid: "/reason" must not be empty.',
    ],
    [
      'activateVersion',
      { body: { version: '1.0.0', reason: 'x'.repeat(501) } },
      'The body is not valid: "/reason" must have at most 500 characters.',
    ],
    ['activateVersion', { body: { version: 1, reason: 'Why' } }, 'The body is not valid: "/version" must be a text.'],
    ['createKey', { body: { label: 'CI', scopes: [] } }, 'The body is not valid: "/scopes" must not be empty.'],
  ];
  for (const [id, request, detail] of cases) t.equal(await detailOf(id, request), detail);
});

t.test('so does a refusal of a header', async (t) => {
  const { app } = await openApp(t, { store: 'memory' });
  const errorsOf = async (id: string, request: Request) =>
    (JSON.parse((await send(app, id, request)).body) as { errors: InputFault[] }).errors;
  const body = { version: '1.0.0', reason: 'Why', dryRun: true };
  t.match(await errorsOf('listPacks', { headers: { 'registry-min-revision': 'newest' } }), [
    {
      parameter: 'registry-min-revision',
      detail: 'It must be a whole number: the Registry-Revision of an earlier response, e.g. 42.',
    },
  ]);
  t.match(await errorsOf('activateVersion', { body, headers: { 'idempotency-key': 'a'.repeat(256) } }), [
    {
      parameter: 'idempotency-key',
      detail: 'It has 256 characters. Send 1 to 255 printable ASCII characters, quoted or bare, e.g. a UUID.',
    },
  ]);
  t.match(await errorsOf('activateVersion', { body, headers: { 'idempotency-key': 'sch\u00f6n' } }), [
    { detail: /characters that are not printable ASCII/u },
  ]);
});

t.test('pack folders get the same message', (t) => {
  const faults = (() => {
    try {
      return parsePack('My Prompt', { ...documentOf('coach', '1.0.0'), version: 'v1.0.0' });
    } catch (error) {
      return (error as RegistryError).members['errors'] as InputFault[];
    }
  })();
  t.match(faults, [
    { pointer: '/pack', detail: /^It is "My Prompt", which is not valid: it must be a name of/u },
    { pointer: '/version', detail: /^It is "v1\.0\.0", which is not valid: it must be a SemVer/u },
  ]);
  t.equal(brokenPattern({ pattern: '\\S' } as never, ' '), 'Must not be blank.');
  t.end();
});
