/**
 * What the document says of every operation alike: what it refuses, and with which answer. The checks follow from the document itself, so
 * that a new operation has them as soon as there is a valid request of it.
 */
import type { Request } from '../connection.ts';
import type { Judge, Operation } from '../document.ts';
import type { Check, Kit } from '../kit.ts';
import { jsonOf } from '../raw-answer.ts';
import { validRequest } from '../requests.ts';

/** Beyond what any log reaches, and exact in a JS number. */
const FAR_AWAY = 900_000_000_000_000;
/** Longer than any name in a path may be. */
const OVERLONG = 'x'.repeat(201);

interface Refusal {
  readonly says: string;
  readonly status: number;
  readonly code: string;
  /** Spoils a valid request. */
  readonly spoil: (valid: Request, kit: Kit) => Promise<Request> | Request;
  readonly also?: (kit: Kit, answer: Awaited<ReturnType<Kit['ask']>>) => void;
}

/** What any operation refuses. */
const ALWAYS: readonly Refusal[] = [
  {
    says: 'an unknown query parameter is refused, not dropped',
    status: 400,
    code: 'validation-failed',
    spoil: (valid) => ({ ...valid, query: { ...valid.query, surprise: '1' } }),
  },
];

/** What an operation that needs a key refuses. */
function guardedRefusals({ operationId, scope }: Operation): readonly Refusal[] {
  const challenge = (kit: Kit, { headers }: { headers: Headers }) =>
    kit.ok(
      /^Bearer\b/iu.test(headers.get('www-authenticate') ?? ''),
      'WWW-Authenticate names the Bearer scheme',
      headers.get('www-authenticate'),
    );
  return [
    {
      says: 'without a key it is 401 with WWW-Authenticate',
      status: 401,
      code: 'unauthenticated',
      spoil: (valid) => ({ ...valid, key: null }),
      also: challenge,
    },
    {
      says: 'with a key that nobody made it is 401 with WWW-Authenticate',
      status: 401,
      code: 'unauthenticated',
      spoil: (valid) => ({ ...valid, key: `prk_nobody00000_${'0'.repeat(43)}` }),
      also: challenge,
    },
    {
      says: `a key without the scope ${scope ?? ''} is refused, and the answer names the scope`,
      status: 403,
      code: 'forbidden',
      spoil: async (valid, { world }) => ({
        ...valid,
        key: operationId === 'getMetrics' ? await world.reader() : await world.meter(),
      }),
      also: (kit, { body }) =>
        scope !== undefined &&
        kit.same((body as { requiredScopes?: unknown }).requiredScopes, [scope], 'requiredScopes'),
    },
    {
      says: 'a Registry-Min-Revision beyond the log is refused',
      status: 412,
      code: 'revision-unknown',
      spoil: (valid) => ({ ...valid, headers: { ...valid.headers, 'registry-min-revision': String(FAR_AWAY) } }),
      also: (kit, { body }) =>
        kit.ok(
          Number.isInteger((body as { currentRevision?: unknown }).currentRevision),
          'currentRevision says where the log ends',
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
        `errors point at ${pointer}`,
        errors,
      );
    };
  return [
    {
      says: 'an unknown member of the body is refused, not dropped',
      status: 400,
      code: 'validation-failed',
      spoil: (valid) => ({ ...valid, body: { ...(valid.body as object), surprise: true } }),
      also: pointing('/surprise'),
    },
    {
      says: 'a body that is cut in the middle is refused',
      status: 400,
      code: 'validation-failed',
      spoil: (valid) => ({ ...valid, body: '{"reason":' }),
    },
    {
      says: 'a body that is no JSON is refused',
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
      says: `a body whose "${member}" is of a wrong type is refused, never made to fit`,
      status: 400,
      code: 'validation-failed',
      spoil: (valid) => ({ ...valid, body: { ...(valid.body as object), [member]: 5 } }),
    })),
  ];
}

/** Too long a name in a path. */
function pathRefusals({ parameters = [] }: Operation): readonly Refusal[] {
  const names = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  return names.map((name) => ({
    says: `an overlong ${name} in the path is refused`,
    status: 414,
    code: 'uri-too-long',
    spoil: (valid) => ({ ...valid, path: { ...valid.path, [name]: OVERLONG } }),
  }));
}

function checkOf(operation: string, { says, status, code, spoil, also }: Refusal): Check {
  const run = async (kit: Kit) => {
    const answer = await kit.ask(operation, await spoil(await validRequest(operation, kit.world), kit), status);
    kit.same((answer.body as { code?: unknown }).code, code, 'the code');
    also?.(kit, answer);
  };
  return { operation, says, run };
}

/** 405 is no answer of an operation, but of its path. */
function methodCheck({ operationId: operation, template, method }: Operation): Check {
  const run = async (kit: Kit) => {
    const raw = await kit.connection.send(operation, {
      ...(await validRequest(operation, kit.world)),
      method: 'PATCH',
    });
    const problem = jsonOf(raw.text) as { code?: unknown } | undefined;
    kit.same([raw.status, problem?.code], [405, 'method-not-allowed'], `PATCH ${template} is 405`);
    kit.same(kit.judge.schemaFaults('Problem', problem), [], 'the body is a Problem');
    const allowed = (raw.headers.get('allow') ?? '').split(',').map((name) => name.trim());
    kit.ok(allowed.includes(method) && !allowed.includes('PATCH'), `Allow lists ${method}`, allowed);
    kit.ok(
      /^\d+$/u.test(raw.headers.get('registry-revision') ?? ''),
      'Registry-Revision is on this answer, too',
      raw.headers.get('registry-revision'),
    );
  };
  return { operation, says: 'a method that the path does not take is 405 with Allow', run };
}

/** The general checks of an operation. */
export function generalChecks(operation: Operation, judge: Judge): Check[] {
  const refusals = [
    ...ALWAYS,
    ...(operation.guarded ? guardedRefusals(operation) : []),
    ...pathRefusals(operation),
    ...(operation.requestBody === undefined ? [] : bodyRefusals(operation, judge)),
  ];
  return [...refusals.map((refusal) => checkOf(operation.operationId, refusal)), methodCheck(operation)];
}
