/** The service itself: `listInstances`, `live`, `ready`, `getProblem`, `getMetrics`, and the OpenAPI document that it serves. */
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import type { InstanceList, ProblemKind, Readiness } from '../answers.ts';
import { operationsOf, type OpenApi } from '../document.ts';
import { checksOf, type Kit } from '../kit.ts';
import { jsonOf } from '../raw-answer.ts';
import { resolved } from '../resolved.ts';

/** The name of the served document in `--only` and in results. It is not an operation. */
export const DOCUMENT = 'openapi';

/** A line of the Prometheus text format: a sample. */
const SAMPLE = /^[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[^}]*\})? (?:[-+]?(?:\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|Inf)|NaN)(?: \d+)?$/u;

/** What a client relies on in each operation: its place, parameters, body and statuses. */
interface Surface {
  readonly route: string;
  readonly parameters: readonly string[];
  readonly body: string | undefined;
  readonly statuses: readonly string[];
  readonly guarded: boolean;
}

function surfaceOf(document: OpenApi): Record<string, Surface> {
  return Object.fromEntries(
    [...operationsOf(document)].map(([id, { method, template, parameters = [], responses, guarded, requestBody }]) => {
      const names = parameters
        .map(({ in: where, name, required = false }) => `${where} ${name}${required ? '' : '?'}`)
        .sort();
      return [
        id,
        {
          route: `${method} ${template}`,
          parameters: names,
          body: requestBody?.content['application/json']?.schema.$ref,
          statuses: Object.keys(responses).sort(),
          guarded,
        },
      ];
    }),
  );
}

/** How two documents differ, operation by operation. */
function differences(theirs: Record<string, Surface>, ours: Record<string, Surface>): string[] {
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].flatMap((id) => {
    const [has, should] = [theirs[id], ours[id]];
    if (has === undefined) return [`${id} is missing`];
    if (should === undefined) return [`${id} is not in the document of this suite`];
    const odd = (Object.keys(should) as (keyof Surface)[]).filter(
      (name) => !isDeepStrictEqual(has[name], should[name]),
    );
    return odd.map((name) => `${id}: ${name} ${JSON.stringify(has[name])} instead of ${JSON.stringify(should[name])}`);
  });
}

async function served(kit: Kit, path: string, read: (text: string) => unknown): Promise<void> {
  const { document } = kit.judge;
  const { status, text } = await kit.connection.get(path);
  kit.same(status, 200, `${path} answers 200`);
  const theirs = read(text) as OpenApi | undefined;
  const versions = `${String(theirs?.info?.version)} there, ${document.info.version} here`;
  kit.same(
    differences(theirs?.paths === undefined ? {} : surfaceOf(resolved(theirs)), surfaceOf(document)),
    [],
    `${path} has the operations of the document of this suite (version ${versions})`,
  );
}

export const serviceChecks = [
  ...checksOf('listInstances', {
    'the instance that answers has applied the last write': async (kit) => {
      for (const version of ['1.0.0', '1.2.0']) {
        await kit.world.activate(version);
        const { body, revision } = await kit.ask<InstanceList>('listInstances', {}, 200);
        const ids = body.instances.map(({ id }) => id);
        kit.same(ids.length, new Set(ids).size, 'each instance is listed once');
        // Whichever instance answers lists itself, and measures the others against itself.
        kit.ok(
          body.instances.some(({ appliedRevision, behind }) => behind === 0 && appliedRevision >= revision),
          `an instance with behind 0 has applied the Registry-Revision of this response, ${revision}`,
          body.instances,
        );
        kit.ok(
          body.instances.every(({ appliedRevision, behind }) => appliedRevision + behind >= revision),
          'appliedRevision and behind add up to that revision at least',
          body.instances,
        );
        const started = body.instances.map(({ startedAt }) => Date.parse(startedAt));
        kit.ok(
          started.every((time, index) => index === 0 || time >= (started[index - 1] ?? 0)),
          'the instance that started first comes first',
          started,
        );
      }
    },
  }),
  ...checksOf('live', {
    'it answers without a key': async (kit) => {
      kit.same((await kit.ask('live', { key: null }, 200)).body, { status: 'live' }, 'the body is {"status":"live"}');
    },
  }),
  ...checksOf('ready', {
    'it answers without a key, with the current revision': async (kit) => {
      await kit.world.ensureActive();
      const { body, revision } = await kit.ask<Readiness>('ready', { key: null }, 200);
      kit.same(body.revision, revision, 'revision is the Registry-Revision of the response');
      await kit.world.appendEvent();
      const later = await kit.ask<Readiness>('ready', { key: null }, 200);
      kit.same(later.body.revision, later.revision, 'so it is after another event');
      kit.same(body.stale, body.staleSeconds !== undefined, 'it has staleSeconds if it is stale, and only then');
    },
  }),
  ...checksOf('getProblem', {
    'every code of the document has a page': async (kit) => {
      const codes = kit.judge.document.components.schemas['Problem']?.properties?.['code']?.enum ?? [];
      kit.ok(codes.length > 0, 'the document lists codes');
      for (const code of codes) {
        const { body } = await kit.ask<ProblemKind>('getProblem', { path: { code }, key: null }, 200);
        kit.ok(
          body.code === code && body.status >= 400 && body.status <= 599,
          `the page of ${code} has its code and an error status`,
          body,
        );
      }
    },
    'the status on the page is the one of the responses with that code': async (kit) => {
      const responses = [...kit.judge.operations.values()]
        .flatMap((operation) => Object.entries(operation.responses))
        .filter(([status]) => Number(status) >= 400);
      const codes = new Map(
        responses.flatMap(([status, { description }]) =>
          [...description.matchAll(/`([a-z-]+)`/gu)].map(([, code = '']): [string, number] => [code, Number(status)]),
        ),
      );
      kit.ok(codes.size > 0, 'the document lists codes for its responses');
      for (const [code, status] of codes)
        kit.same(
          (await kit.ask<ProblemKind>('getProblem', { path: { code } }, 200)).body.status,
          status,
          `the status of ${code}`,
        );
    },
    'an unknown code answers 404': (kit) =>
      kit.refused('getProblem', { path: { code: 'no-such-code' } }, 404, 'not-found').then(() => undefined),
  }),
  ...checksOf('getMetrics', {
    'it is in the Prometheus text format': async (kit) => {
      const { text, headers } = await kit.ask<string>('getMetrics', {}, 200);
      kit.ok(
        /^text\/plain\b/u.test(headers.get('content-type') ?? ''),
        'the media type is text/plain',
        headers.get('content-type'),
      );
      const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      kit.ok(lines.length > 0, 'there are samples');
      kit.same(
        lines.filter((line) => !SAMPLE.test(line)),
        [],
        'every line is a sample or a comment',
      );
      const typed = [...text.matchAll(/^# TYPE (\S+) /gmu)].map(([, name = '']) => name);
      kit.same(typed.length, new Set(typed).size, 'each metric has one TYPE line');
      kit.ok(text.endsWith('\n'), 'the text ends with a newline');
    },
    'a key with only metrics:read may read it': async (kit) => {
      await kit.ask('getMetrics', { key: await kit.world.metricsKey() }, 200);
    },
  }),
  ...checksOf(DOCUMENT, {
    'the document is served as JSON': (kit) => served(kit, '/openapi.json', jsonOf),
    'the document is served as YAML': (kit) => served(kit, '/openapi.yaml', (text) => parse(text) as unknown),
    'an unknown path answers 404 with a problem': async (kit) => {
      const { status, text, headers } = await kit.connection.get(`/v1/no-such-path-${kit.world.runId}`);
      const problem = jsonOf(text) as { code?: unknown } | undefined;
      kit.same(
        [status, problem?.code, headers.get('content-type')?.split(';')[0]],
        [404, 'not-found', 'application/problem+json'],
        'status, code and media type',
      );
      kit.same(kit.judge.schemaFaults('Problem', problem), [], 'the body is a Problem');
    },
  }),
];
