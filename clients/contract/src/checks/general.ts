/**
 * What every operation refuses, and how. The checks are derived from the document, so a new operation has them as soon as `requests.ts` has a
 * valid request for it.
 */
import type { Request } from '../connection.ts';
import type { Judge, Operation } from '../document.ts';
import type { Check, Kit } from '../kit.ts';
import { jsonOf } from '../raw-answer.ts';
import { validRequest } from '../requests.ts';
import { strangerAt } from './strangers.ts';

/** A revision that no log reaches, and that is exact in a JS number. */
const FUTURE_REVISION = 900_000_000_000_000;
/** Longer than a name in a path may be. */
const OVERLONG = 'x'.repeat(201);

interface Refusal {
  readonly says: string;
  readonly status: number;
  readonly code: string;
  /** Makes a valid request invalid in one place. */
  readonly spoil: (valid: Request, kit: Kit) => Promise<Request> | Request;
  readonly also?: (kit: Kit, answer: Awaited<ReturnType<Kit['ask']>>) => void;
}

/** What any operation refuses. */
const ALWAYS: readonly Refusal[] = [
  {
    says: 'an unknown query parameter is refused, not ignored',
    status: 400,
    code: 'validation-failed',
    spoil: (valid) => ({ ...valid, query: { ...valid.query, surprise: '1' } }),
  },
];

function challenges(kit: Kit, { headers }: { readonly headers: Headers }): void {
  kit.ok(
    /^Bearer\b/iu.test(headers.get('www-authenticate') ?? ''),
    'WWW-Authenticate has the scheme Bearer',
    headers.get('www-authenticate'),
  );
}

/** What an operation that needs a key refuses. */
function guardedRefusals({ operationId, scope }: Operation): readonly Refusal[] {
  return [
    {
      says: 'a request without a key answers 401 with WWW-Authenticate',
      status: 401,
      code: 'unauthenticated',
      spoil: (valid) => ({ ...valid, key: null }),
      also: challenges,
    },
    {
      says: `a key without the scope ${scope ?? ''} answers 403, and requiredScopes names the scope`,
      status: 403,
      code: 'forbidden',
      spoil: async (valid, { world }) => ({
        ...valid,
        key: operationId === 'getMetrics' ? await world.readerKey() : await world.metricsKey(),
      }),
      also: (kit, { body }) =>
        scope !== undefined &&
        kit.same((body as { requiredScopes?: unknown }).requiredScopes, [scope], 'requiredScopes names the scope'),
    },
    {
      says: 'a Registry-Min-Revision beyond the end of the log is refused',
      status: 412,
      code: 'revision-unknown',
      spoil: (valid) => ({ ...valid, headers: { ...valid.headers, 'registry-min-revision': String(FUTURE_REVISION) } }),
      also: (kit, { body }) =>
        kit.ok(
          Number.isInteger((body as { currentRevision?: unknown }).currentRevision),
          'currentRevision is the end of the log',
          body,
        ),
    },
  ];
}

/** What an operation with a body refuses. */
function bodyRefusals({ requestBody }: Operation, { document }: Judge): readonly Refusal[] {
  const name = requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1) ?? '';
  const { required = [] } = document.components.schemas[name] ?? {};
  const pointing =
    (pointer: string) =>
    (kit: Kit, { body }: { body: unknown }) => {
      const errors = (body as { errors?: readonly { pointer?: string }[] }).errors ?? [];
      kit.ok(
        errors.some((error) => error.pointer === pointer),
        `errors include the pointer ${pointer}`,
        errors,
      );
    };
  return [
    {
      says: 'an unknown member of the body is refused, not ignored',
      status: 400,
      code: 'validation-failed',
      spoil: (valid) => ({ ...valid, body: { ...(valid.body as object), surprise: true } }),
      also: pointing('/surprise'),
    },
    {
      says: 'a truncated body is refused',
      status: 400,
      code: 'validation-failed',
      spoil: (valid) => ({ ...valid, body: '{"reason":' }),
    },
    {
      says: 'a body that is not JSON is refused',
      status: 415,
      code: 'unsupported-media-type',
      spoil: (valid) => ({ ...valid, headers: { ...valid.headers, 'content-type': 'text/plain' } }),
    },
    ...required.map((member): Refusal => ({
      says: `a body without "${member}" is refused`,
      status: 400,
      code: 'validation-failed',
      spoil: (valid) => ({
        ...valid,
        body: Object.fromEntries(Object.entries(valid.body as object).filter(([key]) => key !== member)),
      }),
      also: pointing(`/${member}`),
    })),
    ...required.map((member): Refusal => ({
      says: `a body whose "${member}" has the wrong type is refused, not converted`,
      status: 400,
      code: 'validation-failed',
      spoil: (valid) => ({ ...valid, body: { ...(valid.body as object), [member]: 5 } }),
    })),
  ];
}

/** Names in the path that are too long. */
function pathRefusals({ parameters = [] }: Operation): readonly Refusal[] {
  const names = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  return names.map((name) => ({
    says: `a ${name} that is too long is refused`,
    status: 414,
    code: 'uri-too-long',
    spoil: (valid) => ({ ...valid, path: { ...valid.path, [name]: OVERLONG } }),
  }));
}

function checkOf(operation: string, { says, status, code, spoil, also }: Refusal): Check {
  const run = async (kit: Kit) => {
    const answer = await kit.ask(operation, await spoil(await validRequest(operation, kit.world), kit), status);
    kit.same((answer.body as { code?: unknown }).code, code, `the code is ${code}`);
    also?.(kit, answer);
  };
  return { operation, says, run };
}

function strangerCheck(operation: string): Check {
  const run = async (kit: Kit) => {
    const answer = await kit.answered(operation, strangerAt(kit, operation));
    kit.same((answer.body as { code?: unknown }).code, 'unauthenticated', 'the code is unauthenticated');
    challenges(kit, answer);
  };
  return { operation, says: 'an unknown key answers 401 with WWW-Authenticate', run };
}

/** 405 belongs to the path, not to an operation, so the document does not declare it. */
function methodCheck({ operationId: operation, template, method }: Operation): Check {
  const run = async (kit: Kit) => {
    const raw = await kit.connection.send(operation, {
      ...(await validRequest(operation, kit.world)),
      method: 'PATCH',
    });
    const problem = jsonOf(raw.text) as { code?: unknown } | undefined;
    kit.same(
      [raw.status, problem?.code],
      [405, 'method-not-allowed'],
      `PATCH ${template} answers 405 method-not-allowed`,
    );
    kit.same(kit.judge.schemaFaults('Problem', problem), [], 'the body is a Problem');
    const allowed = (raw.headers.get('allow') ?? '').split(',').map((name) => name.trim());
    kit.ok(allowed.includes(method) && !allowed.includes('PATCH'), `Allow lists ${method}`, allowed);
    kit.ok(
      /^\d+$/u.test(raw.headers.get('registry-revision') ?? ''),
      'Registry-Revision is a number',
      raw.headers.get('registry-revision'),
    );
  };
  return { operation, says: 'a method that the path does not support answers 405 with Allow', run };
}

/** The general checks of an operation. */
export function generalChecks(operation: Operation, judge: Judge): Check[] {
  const refusals = [
    ...ALWAYS,
    ...(operation.guarded ? guardedRefusals(operation) : []),
    ...pathRefusals(operation),
    ...(operation.requestBody === undefined ? [] : bodyRefusals(operation, judge)),
  ];
  return [
    ...(operation.guarded ? [strangerCheck(operation.operationId)] : []),
    ...refusals.map((refusal) => checkOf(operation.operationId, refusal)),
    methodCheck(operation),
  ];
}
