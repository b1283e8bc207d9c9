/**
 * The house rules for the whole document: names, closed shapes, descriptions, examples, errors, headers.
 *
 * Each rule is a function from a document to its violations; the last test plants a violation of each and expects to find it.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { parse } from 'yaml';
import {
  OPENAPI,
  OPENAPI_TEXT,
  schemaFaults,
  step,
  type OpenApiDocument,
  type Operation,
} from '../support/http/openapi.ts';
import { words } from '../support/process/words.ts';

/** The names that generated clients depend on. */
const OPERATION_IDS = words`
  listPacks getPack listVersions getVersion publishVersion getActivePack activateVersion rollbackPack listActivations
  getSystemPrompt listStyles getStylePrompt startCoachSession getCoachSession getPolicy diffVersions revokeVersion
  listEvents getAuditHead verifyAudit listKeys createKey revokeKey streamEvents listInstances live ready getMetrics
  getProblem getChannel confirmActivation startRollout listRollouts getRollout advanceRollout pauseRollout resumeRollout
  promoteRollout abortRollout scheduleActivation listSchedule cancelScheduledActivation
`;

/** Where each of them is. */
const PLACES: Readonly<Record<string, string>> = {
  listPacks: 'GET /v1/packs',
  getPack: 'GET /v1/packs/{pack}',
  listVersions: 'GET /v1/packs/{pack}/versions',
  getVersion: 'GET /v1/packs/{pack}/versions/{version}',
  publishVersion: 'POST /v1/packs/{pack}/versions',
  getActivePack: 'GET /v1/packs/{pack}/active',
  activateVersion: 'POST /v1/packs/{pack}/activations',
  rollbackPack: 'POST /v1/packs/{pack}/rollback',
  listActivations: 'GET /v1/packs/{pack}/activations',
  getSystemPrompt: 'GET /v1/prompts/system',
  listStyles: 'GET /v1/prompts/styles',
  getStylePrompt: 'GET /v1/prompts/styles/{styleId}',
  startCoachSession: 'POST /v1/coach/sessions',
  getCoachSession: 'GET /v1/coach/sessions/{sessionId}',
  getPolicy: 'GET /v1/packs/{pack}/policy',
  diffVersions: 'GET /v1/packs/{pack}/versions/{version}/diff',
  revokeVersion: 'POST /v1/packs/{pack}/versions/{version}/revoke',
  listEvents: 'GET /v1/audit/events',
  getAuditHead: 'GET /v1/audit/head',
  verifyAudit: 'GET /v1/audit/verification',
  listKeys: 'GET /v1/keys',
  createKey: 'POST /v1/keys',
  revokeKey: 'POST /v1/keys/{keyId}/revoke',
  streamEvents: 'GET /v1/events',
  listInstances: 'GET /v1/instances',
  live: 'GET /livez',
  ready: 'GET /readyz',
  getMetrics: 'GET /metrics',
  getProblem: 'GET /problems/{code}',
  getChannel: 'GET /v1/packs/{pack}/channels/{channel}',
  confirmActivation: 'POST /v1/packs/{pack}/channels/{channel}/confirm',
  startRollout: 'POST /v1/packs/{pack}/rollouts',
  listRollouts: 'GET /v1/packs/{pack}/rollouts',
  getRollout: 'GET /v1/packs/{pack}/rollouts/{rollout}',
  advanceRollout: 'POST /v1/packs/{pack}/rollouts/{rollout}/advance',
  pauseRollout: 'POST /v1/packs/{pack}/rollouts/{rollout}/pause',
  resumeRollout: 'POST /v1/packs/{pack}/rollouts/{rollout}/resume',
  promoteRollout: 'POST /v1/packs/{pack}/rollouts/{rollout}/promote',
  abortRollout: 'POST /v1/packs/{pack}/rollouts/{rollout}/abort',
  scheduleActivation: 'POST /v1/packs/{pack}/schedule',
  listSchedule: 'GET /v1/packs/{pack}/schedule',
  cancelScheduledActivation: 'POST /v1/packs/{pack}/schedule/{id}/cancel',
};

type Rule = (document: OpenApiDocument) => string[];
type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every JSON Schema in the document, by pointer. Examples are values, not schemas, and are not gone into. */
function schemasIn(value: unknown, pointer = '', inSchema = false): [string, Json][] {
  if (Array.isArray(value)) return value.flatMap((member, index) => schemasIn(member, `${pointer}/${index}`, inSchema));
  if (!isObject(value)) return [];
  const own: [string, Json][] = inSchema ? [[pointer, value]] : [];
  return own.concat(
    Object.entries(value).flatMap(([name, member]) => {
      const here = `${pointer}/${step(name)}`;
      if (['examples', 'example', 'enum', 'default', 'const'].includes(name)) return [];
      if (inSchema && ['properties', 'patternProperties', '$defs'].includes(name) && isObject(member)) {
        return Object.entries(member).flatMap(([property, schema]) =>
          schemasIn(schema, `${here}/${step(property)}`, true),
        );
      }
      if (pointer === '/components' && name === 'schemas')
        return Object.entries(member as Json).flatMap(([id, schema]) => schemasIn(schema, `${here}/${step(id)}`, true));
      return schemasIn(member, here, inSchema || name === 'schema');
    }),
  );
}

/** Each operation with its pointer. */
function operationsIn({ paths }: OpenApiDocument): [string, Operation][] {
  return Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `/paths/${step(template)}/${method}`,
      { ...operation, template, method: method.toUpperCase() as Operation['method'] },
    ]),
  );
}

const responsesIn = (document: OpenApiDocument) =>
  operationsIn(document).flatMap(([pointer, { responses }]) =>
    Object.entries(responses).map(([status, response]) => ({
      pointer: `${pointer}/responses/${status}`,
      status: Number(status),
      response,
    })),
  );

const names: Rule = (document) => {
  const ids = operationsIn(document).map(([, { operationId }]) => operationId);
  return [
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is there twice`),
    ...ids.filter((id) => !/^[a-z][a-zA-Z0-9]*$/u.test(id)).map((id) => `${id} is not camelCase`),
    ...ids.filter((id) => !OPERATION_IDS.includes(id)).map((id) => `${id} is not in the list of operations`),
    ...OPERATION_IDS.filter((id) => !ids.includes(id)).map((id) => `${id} is missing`),
  ];
};

const routeOrder: Rule = (document) =>
  operationsIn(document).flatMap(([, { operationId, method, template }]) =>
    PLACES[operationId] === `${method} ${template}` ? [] : [`${operationId} is at ${method} ${template}`],
  );

const described: Rule = (document) => {
  const tags = document.tags.map(({ name }) => name);
  return operationsIn(document).flatMap(([pointer, { tags: own = [], summary = '', description = '' }]) => [
    ...(own.length === 1 && tags.includes(own[0] ?? '') ? [] : [`${pointer}: it needs one tag of the document's`]),
    ...(summary.length > 5 ? [] : [`${pointer}: no summary`]),
    ...(description.length > 15 ? [] : [`${pointer}: no description`]),
  ]);
};

const parametersDescribed: Rule = (document) =>
  operationsIn(document).flatMap(([pointer, { parameters = [] }]) =>
    parameters
      .filter(({ description = '' }) => description.length < 5)
      .map(({ name }) => `${pointer}: the parameter ${name} has no description`),
  );

/** What may hold more than it names: a problem, whose members go by its code, and what an event holds, which goes by its type. */
const OPEN = ['/components/schemas/Problem', '/components/schemas/Event/properties/data'];

const closed: Rule = (document) =>
  schemasIn(document)
    .filter(
      ([pointer, { type, properties }]) =>
        ![...OPEN, ATTRIBUTES].includes(pointer) && (type === 'object' || properties !== undefined),
    )
    .filter(([, { additionalProperties }]) => additionalProperties !== false)
    .map(([pointer]) => `${pointer} is open`);

/** Facts about a subject, whose names only the caller knows. */
const ATTRIBUTES = '/components/schemas/StartSessionRequest/properties/attributes';

/** Keys that are data cannot be told in a document, and generated clients lose them: lists are sent instead. */
const noKeysAsData: Rule = (document) =>
  schemasIn(document)
    .filter(([pointer]) => pointer !== ATTRIBUTES)
    .filter(
      ([pointer, schema]) =>
        'patternProperties' in schema ||
        'propertyNames' in schema ||
        isObject(schema['additionalProperties']) ||
        (!OPEN.includes(pointer) && schema['additionalProperties'] === true),
    )
    .map(([pointer]) => `${pointer} has keys that are data`);

const problemsOnly: Rule = (document) =>
  responsesIn(document)
    .filter(({ status }) => status >= 400)
    .filter(
      ({ response }) =>
        JSON.stringify(Object.entries(response.content ?? {}).map(([type, { schema }]) => [type, schema])) !==
        '[["application/problem+json",{"$ref":"#/components/schemas/Problem"}]]',
    )
    .map(({ pointer }) => `${pointer} is no problem`);

const namedAnswers: Rule = (document) =>
  responsesIn(document)
    .filter(({ status }) => status < 300)
    .filter(
      ({ response }) =>
        Object.values(response.content ?? {}).length !== 1 ||
        Object.values(response.content ?? {}).some(({ schema }) => Object.keys(schema).join() !== '$ref'),
    )
    .map(({ pointer }) => `${pointer} has no named schema`);

const bodiesNamed: Rule = (document) =>
  operationsIn(document).flatMap(([pointer, { method, requestBody }]) => {
    if (method === 'GET') return requestBody === undefined ? [] : [`${pointer}: a GET with a body`];
    const [media, ...others] = Object.entries(requestBody?.content ?? {});
    return media?.[0] === 'application/json' && others.length === 0 && media[1].schema.$ref !== undefined
      ? []
      : [`${pointer}: its body has no named schema`];
  });

const answersHaveExamples: Rule = (document) =>
  responsesIn(document)
    .filter(({ status }) => status < 300)
    .filter(({ response }) =>
      Object.values(response.content ?? {}).some(({ examples = {} }) => Object.keys(examples).length === 0),
    )
    .map(({ pointer }) => `${pointer} has no example`);

const bodiesHaveExamples: Rule = (document) =>
  operationsIn(document).flatMap(([pointer, { requestBody }]) => {
    const name = requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1);
    if (name === undefined) return [];
    const { examples } = (document.components.schemas[name] ?? {}) as { examples?: unknown[] };
    return examples !== undefined && examples.length > 0 ? [] : [`${pointer}: its body (${name}) has no example`];
  });

const revisionEverywhere: Rule = (document) =>
  responsesIn(document)
    .filter(({ response }) => response.headers?.['Registry-Revision']?.schema.type !== 'integer')
    .map(({ pointer }) => `${pointer} does not declare Registry-Revision`);

/** 201 says where what was made is; a conditional answer carries an ETag; 401 says how to authenticate; 429 and 503 say when to come back. */
const headersByStatus: Rule = (document) =>
  responsesIn(document).flatMap(({ pointer, status, response }) => {
    const needed = { 201: 'Location', 304: 'ETag', 401: 'WWW-Authenticate', 429: 'Retry-After', 503: 'Retry-After' }[
      status
    ];
    return needed === undefined || needed in (response.headers ?? {}) ? [] : [`${pointer} does not declare ${needed}`];
  });

/** Swagger UI fills examples in and sends them. */
const nothingFilledIn: Rule = (document) =>
  operationsIn(document).flatMap(([pointer, { parameters = [] }]) =>
    parameters
      .filter(
        ({ in: location, required, ...parameter }) =>
          location !== 'path' &&
          required !== true &&
          ('example' in parameter || 'examples' in parameter || 'examples' in parameter.schema),
      )
      .map(({ name }) => `${pointer}: ${name} is filled in`),
  );

const RULES = {
  'operationIds are those of the list, each once, in camelCase': names,
  'each operation has its verb and path': routeOrder,
  'each operation has one tag, a summary and a description': described,
  'each parameter is described': parametersDescribed,
  'every object is closed, except Problem and what an event holds': closed,
  'no object has keys that are data': noKeysAsData,
  'every answer from 400 on is application/problem+json': problemsOnly,
  'every 2xx is one named schema': namedAnswers,
  'every body is JSON with one named schema': bodiesNamed,
  'every 2xx has an example': answersHaveExamples,
  'every body has an example': bodiesHaveExamples,
  'what may be left out of a request is not filled in': nothingFilledIn,
  'every answer declares Registry-Revision': revisionEverywhere,
  '201, 304, 401, 429 and 503 declare their header': headersByStatus,
} as const satisfies Record<string, Rule>;

for (const [name, rule] of Object.entries<Rule>(RULES)) {
  t.test(name, async (t) => {
    t.strictSame(rule(OPENAPI), []);
  });
}

t.test('it is valid OpenAPI 3.1.0', async (t) => {
  t.equal(OPENAPI.openapi, '3.1.0');
  const { valid, errors } = await new Validator().validate(parse(OPENAPI_TEXT) as Record<string, unknown>);
  t.ok(valid, JSON.stringify(errors ?? [], undefined, 1));
});

t.test('examples match their schemas', async (t) => {
  let examples = 0;
  for (const [pointer, { examples: values }] of schemasIn(OPENAPI)) {
    for (const value of (values as unknown[] | undefined) ?? []) {
      examples += 1;
      t.strictSame(schemaFaults(pointer, value), [], `${pointer}: ${JSON.stringify(value).slice(0, 60)}`);
    }
  }
  for (const { pointer, response } of responsesIn(OPENAPI)) {
    for (const [type, { examples: values = {} }] of Object.entries(response.content ?? {})) {
      for (const [name, { value }] of Object.entries(values)) {
        examples += 1;
        t.strictSame(schemaFaults(`${pointer}/content/${step(type)}/schema`, value), [], `${pointer}: ${name}`);
      }
    }
  }
  for (const [pointer, { parameters = [] }] of operationsIn(OPENAPI)) {
    for (const [index, { name, example }] of parameters.entries()) {
      if (example === undefined) continue;
      examples += 1;
      t.strictSame(schemaFaults(`${pointer}/parameters/${index}/schema`, example), [], `${pointer}: ${name}`);
    }
  }
  t.ok(examples > 150, `${examples} examples`);
});

t.test('the committed document matches the routes, byte for byte', async (t) => {
  const { NODE_OPTIONS: _, ...env } = process.env; // tap's own hooks write files of their own
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [fileURLToPath(new URL('../../scripts/openapi.ts', import.meta.url)), '--check'],
    { encoding: 'utf8', env },
  );
  t.equal(status, 0, `${stdout}${stderr}`);
});

t.test('control: a planted violation of each rule is found', async (t) => {
  const planted: Record<keyof typeof RULES, (document: Mutable) => void> = {
    'operationIds are those of the list, each once, in camelCase': (document) =>
      (document.paths['/livez'].get.operationId = 'Is_live'),
    'each operation has its verb and path': (document) =>
      ([document.paths['/live'], document.paths['/livez']] = [document.paths['/livez'], {}]),
    'each operation has one tag, a summary and a description': (document) =>
      (document.paths['/livez'].get.tags = ['Elsewhere']),
    'each parameter is described': (document) =>
      delete document.paths['/v1/packs/{pack}'].get.parameters[0].description,
    'every object is closed, except Problem and what an event holds': (document) =>
      delete document.components.schemas['Session'].properties.prompt.additionalProperties,
    'no object has keys that are data': (document) =>
      (document.components.schemas['Pack'].additionalProperties = { type: 'string' }),
    'every answer from 400 on is application/problem+json': (document) =>
      (document.paths['/livez'].get.responses['500'].content = { 'application/json': {} }),
    'every 2xx is one named schema': (document) =>
      (document.paths['/livez'].get.responses['200'].content['application/json'].schema = { type: 'string' }),
    'every body is JSON with one named schema': (document) =>
      delete document.paths['/v1/coach/sessions'].post.requestBody.content['application/json'].schema.$ref,
    'every 2xx has an example': (document) =>
      delete document.paths['/livez'].get.responses['200'].content['application/json'].examples,
    'every body has an example': (document) => delete document.components.schemas['StartSessionRequest'].examples,
    'what may be left out of a request is not filled in': (document) =>
      (document.paths['/v1/audit/events'].get.parameters[2].example = 'coach'),
    'every answer declares Registry-Revision': (document) =>
      delete document.paths['/livez'].get.responses['431'].headers['Registry-Revision'],
    '201, 304, 401, 429 and 503 declare their header': (document) =>
      delete document.paths['/v1/coach/sessions'].post.responses['201'].headers.Location,
  };
  for (const [name, plant] of Object.entries(planted)) {
    const document = structuredClone(OPENAPI) as unknown as Mutable;
    plant(document);
    t.not(RULES[name as keyof typeof RULES](document as unknown as OpenApiDocument).length, 0, name);
  }
});

/** The document as a saboteur sees it. */
type Mutable = Record<'paths' | 'components', ReturnType<typeof JSON.parse>>;
