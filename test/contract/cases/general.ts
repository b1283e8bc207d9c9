/** The cases that follow from the document itself: what can go wrong with any operation, with any body, with any name in a path. */
import { OPERATIONS, type Operation, type Request } from '../../support/http/openapi.ts';
import { refuses, validRequest, type Case, type Trouble } from './kit.ts';
import { words } from '../../support/process/words.ts';

/** Operations that ask the store; all others answer from the snapshot. */
export const FROM_STORE = words`
  getVersion diffVersions listActivations getCoachSession listEvents verifyAudit publishVersion activateVersion
  rollbackPack revokeVersion createKey revokeKey confirmActivation startRollout listRollouts advanceRollout pauseRollout
  resumeRollout promoteRollout abortRollout scheduleActivation cancelScheduledActivation
`;
/** Operations that need a key. */
export const GUARDED: readonly string[] = [...OPERATIONS]
  .filter(([, { security }]) => security?.length !== 0)
  .map(([id]) => id);
/** Operations that look at nothing of a request's snapshot that could fail; only a fault before they start makes them fail. */
const FROM_NOTHING = ['live', 'ready', 'getProblem', 'listInstances', 'startCoachSession'];

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
    refuses(operation, 400, 'validation-failed', 'an unknown query parameter', (world) => ({
      ...valid(world),
      query: { surprise: '1' },
    })),
    refuses(operation, 500, 'internal', 'a planted fault', valid, troubleOf(operation)),
  ];
  if (FROM_STORE.includes(operation)) {
    cases.push(refuses(operation, 503, 'store-unavailable', 'the store is away', valid, 'rejects'));
  }
  if (GUARDED.includes(operation)) {
    cases.push(
      refuses(operation, 401, 'unauthenticated', 'no key', (world) => as('', valid(world))),
      refuses(operation, 403, 'forbidden', 'a key without the scope', (world) =>
        as(`Bearer ${operation === 'getMetrics' ? world.reader : world.meter}`, valid(world)),
      ),
      refuses(operation, 412, 'revision-unknown', 'a revision beyond the log', (world) => ahead(valid(world))),
      refuses(
        operation,
        503,
        'revision-not-reached',
        'a later revision while the store is away',
        (world) => ahead(valid(world)),
        'rejects',
      ),
    );
  }
  for (const name of names) {
    cases.push(
      refuses(operation, 414, 'uri-too-long', `an overlong ${name}`, (world) => ({
        ...valid(world),
        path: { ...valid(world).path, [name]: OVERLONG },
      })),
    );
  }
  if (requestBody !== undefined) {
    cases.push(
      refuses(operation, 413, 'payload-too-large', 'an oversized body', (world) => ({
        ...valid(world),
        body: OVERSIZED,
      })),
      refuses(operation, 415, 'unsupported-media-type', 'a body that is not JSON', (world) => ({
        ...valid(world),
        headers: { 'content-type': 'text/plain' },
      })),
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
