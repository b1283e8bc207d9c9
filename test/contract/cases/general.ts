/** The cases that follow from the document itself: what can go wrong with any operation, with any body, with any name in a path. */
import { OPERATIONS, type Operation, type Request } from '../../support/http/openapi.ts';
import { validRequest, type Case, type Trouble } from './kit.ts';

/** Operations that ask the store; all others answer from the snapshot. */
export const FROM_STORE = [
  'getVersion',
  'diffVersions',
  'listActivations',
  'getCoachSession',
  'listEvents',
  'verifyAudit',
  'publishVersion',
  'activateVersion',
  'rollbackPack',
  'revokeVersion',
  'createKey',
  'revokeKey',
];
/** Operations that need a key. */
export const GUARDED: readonly string[] = [...OPERATIONS]
  .filter(([, { security }]) => security?.length !== 0)
  .map(([id]) => id);
/** Operations that look at nothing that could fail; only a fault before they start makes them fail. */
const FROM_NOTHING = ['live', 'getProblem', 'listInstances'];

/** Beyond what any log here reaches. */
const FAR_AWAY = '999999';
/** Longer than any name in a path may be. */
const OVERLONG = 'x'.repeat(201);
/** One more byte than the default BODY_LIMIT, as JSON. */
const OVERSIZED = JSON.stringify({ reason: 'x'.repeat(1024 * 1024 - 12) });

function troubleOf(id: string): Trouble {
  if (FROM_STORE.includes(id)) return 'throws';
  return FROM_NOTHING.includes(id) ? 'at once' : 'snapshot';
}

function casesOf([operation, { parameters = [], requestBody }]: [string, Operation]): Case[] {
  const valid = (world: Parameters<typeof validRequest>[1]) => validRequest(operation, world);
  const names = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  const cases: Case[] = [
    {
      operation,
      status: 400,
      code: 'validation-failed',
      name: 'an unknown query parameter',
      request: (world) => ({ ...valid(world), query: { surprise: '1' } }),
    },
    {
      operation,
      status: 500,
      code: 'internal',
      name: 'a planted fault',
      request: valid,
      trouble: troubleOf(operation),
    },
  ];
  if (FROM_STORE.includes(operation)) {
    cases.push({
      operation,
      status: 503,
      code: 'store-unavailable',
      name: 'the store is away',
      request: valid,
      trouble: 'rejects',
    });
  }
  if (GUARDED.includes(operation)) {
    cases.push(
      { operation, status: 401, code: 'unauthenticated', name: 'no key', request: (world) => as('', valid(world)) },
      {
        operation,
        status: 403,
        code: 'forbidden',
        name: 'a key without the scope',
        request: (world) => as(`Bearer ${operation === 'getMetrics' ? world.reader : world.meter}`, valid(world)),
      },
      {
        operation,
        status: 412,
        code: 'revision-unknown',
        name: 'a revision beyond the log',
        request: (world) => ahead(valid(world)),
      },
      {
        operation,
        status: 503,
        code: 'revision-not-reached',
        name: 'a later revision while the store is away',
        request: (world) => ahead(valid(world)),
        trouble: 'rejects',
      },
    );
  }
  for (const name of names) {
    cases.push({
      operation,
      status: 414,
      code: 'uri-too-long',
      name: `an overlong ${name}`,
      request: (world) => ({ ...valid(world), path: { ...valid(world).path, [name]: OVERLONG } }),
    });
  }
  if (requestBody !== undefined) {
    cases.push(
      {
        operation,
        status: 413,
        code: 'payload-too-large',
        name: 'an oversized body',
        request: (world) => ({ ...valid(world), body: OVERSIZED }),
      },
      {
        operation,
        status: 415,
        code: 'unsupported-media-type',
        name: 'a body that is not JSON',
        request: (world) => ({ ...valid(world), headers: { 'content-type': 'text/plain' } }),
      },
    );
  }
  return cases;
}

/** The same request from somebody who has seen a revision that is not there. */
function ahead(request: Request): Request {
  return { ...request, headers: { ...request.headers, 'registry-min-revision': FAR_AWAY } };
}

/** The same request from somebody else. */
function as(authorization: string, request: Request): Request {
  return { ...request, headers: { ...request.headers, authorization } };
}

export const GENERAL: readonly Case[] = [...OPERATIONS].flatMap(casesOf);
