/** The service itself: `listInstances`, `live`, `ready`, `getProblem`, `getMetrics`, and the document that it serves. */
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import type { InstanceList, ProblemKind, Readiness } from '../answers.ts';
import { operationsOf, type OpenApi } from '../document.ts';
import { checksOf, type Kit } from '../kit.ts';
import { jsonOf } from '../raw-answer.ts';
import { resolved } from '../resolved.ts';

/** What stands for the served document in `--only` and in results: it is no operation of itself. */
export const DOCUMENT = 'openapi';

/** A line of the Prometheus text format: a sample. */
const SAMPLE = /^[a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[^}]*\})? (?:[-+]?(?:\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|Inf)|NaN)(?: \d+)?$/u;

/** What a client relies on of each operation: where it is, what it takes, what it may answer. */
interface Surface {
  readonly route: string;
  readonly takes: readonly string[];
  readonly body: string | undefined;
  readonly statuses: readonly string[];
  readonly guarded: boolean;
}

function surfaceOf(document: OpenApi): Record<string, Surface> {
  return Object.fromEntries(
    [...operationsOf(document)].map(([id, { method, template, parameters = [], responses, guarded, requestBody }]) => {
      const takes = parameters
        .map(({ in: where, name, required = false }) => `${where} ${name}${required ? '' : '?'}`)
        .sort();
      return [
        id,
        {
          route: `${method} ${template}`,
          takes,
          body: requestBody?.content['application/json']?.schema.$ref,
          statuses: Object.keys(responses).sort(),
          guarded,
        },
      ];
    }),
  );
}

/** In what the surface of a document is another: each operation, with what is not the same of it. */
function differences(theirs: Record<string, Surface>, ours: Record<string, Surface>): string[] {
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].flatMap((id) => {
    const [has, should] = [theirs[id], ours[id]];
    if (has === undefined) return [`${id} is not in it`];
    if (should === undefined) return [`${id} is not in this suite's document`];
    const odd = (Object.keys(should) as (keyof Surface)[]).filter(
      (name) => !isDeepStrictEqual(has[name], should[name]),
    );
    return odd.map((name) => `${id}: ${name} ${JSON.stringify(has[name])} instead of ${JSON.stringify(should[name])}`);
  });
}

async function served(kit: Kit, path: string, read: (text: string) => unknown): Promise<void> {
  const { document } = kit.judge;
  const { status, text } = await kit.connection.get(path);
  kit.same(status, 200, `${path} is served`);
  const theirs = read(text) as OpenApi | undefined;
  const versions = `${String(theirs?.info?.version)} there, ${document.info.version} here`;
  kit.same(
    differences(theirs?.paths === undefined ? {} : surfaceOf(resolved(theirs)), surfaceOf(document)),
    [],
    `${path}: its operations are those of this suite's document (version ${versions})`,
  );
}

export const serviceChecks = [
  ...checksOf('listInstances', {
    'the instance that answers has applied what was written': async (kit) => {
      for (const version of ['1.0.0', '1.2.0']) {
        await kit.world.at(version);
        const { body, revision } = await kit.ask<InstanceList>('listInstances', {}, 200);
        const ids = body.instances.map(({ id }) => id);
        kit.same(ids.length, new Set(ids).size, 'each instance once');
        // Whichever answers, and whatever it pins: it lists itself, and measures the others against itself.
        kit.ok(
          body.instances.some(({ appliedRevision, behind }) => behind === 0 && appliedRevision >= revision),
          `the one that answers has applied its own Registry-Revision, ${revision}`,
          body.instances,
        );
        kit.ok(
          body.instances.every(({ appliedRevision, behind }) => appliedRevision + behind >= revision),
          'behind says how far each is behind',
          body.instances,
        );
        const started = body.instances.map(({ startedAt }) => Date.parse(startedAt));
        kit.ok(
          started.every((time, index) => index === 0 || time >= (started[index - 1] ?? 0)),
          'the longest running comes first',
          started,
        );
      }
    },
  }),
  ...checksOf('live', {
    'the process answers, whoever asks': async (kit) => {
      kit.same((await kit.ask('live', { key: null }, 200)).body, { status: 'live' }, 'the status');
    },
  }),
  ...checksOf('ready', {
    'there is a snapshot to answer from, whoever asks': async (kit) => {
      await kit.world.active();
      const { body, revision } = await kit.ask<Readiness>('ready', { key: null }, 200);
      kit.same(body.revision, revision, 'its revision is the one of the answer');
      await kit.world.goOn();
      const then = await kit.ask<Readiness>('ready', { key: null }, 200);
      kit.same(then.body.revision, then.revision, 'so it is once the log has gone on');
      kit.same(body.stale, body.staleSeconds !== undefined, 'staleSeconds where it is stale');
    },
  }),
  ...checksOf('getProblem', {
    'every code that the document names has its page': async (kit) => {
      const codes = kit.judge.document.components.schemas['Problem']?.properties?.['code']?.enum ?? [];
      kit.ok(codes.length > 0, 'the document names codes');
      for (const code of codes) {
        const { body } = await kit.ask<ProblemKind>('getProblem', { path: { code }, key: null }, 200);
        kit.ok(body.code === code && body.status >= 400 && body.status <= 599, `code and status of ${code}`, body);
      }
    },
    'its status is the one that the code is answered with': async (kit) => {
      const responses = [...kit.judge.operations.values()]
        .flatMap((operation) => Object.entries(operation.responses))
        .filter(([status]) => Number(status) >= 400);
      const codes = new Map(
        responses.flatMap(([status, { description }]) =>
          [...description.matchAll(/`([a-z-]+)`/gu)].map(([, code = '']): [string, number] => [code, Number(status)]),
        ),
      );
      kit.ok(codes.size > 0, 'the document says which');
      for (const [code, status] of codes)
        kit.same((await kit.ask<ProblemKind>('getProblem', { path: { code } }, 200)).body.status, status, code);
    },
    'a code that is none is 404': (kit) =>
      kit.refused('getProblem', { path: { code: 'no-such-code' } }, 404, 'not-found').then(() => undefined),
  }),
  ...checksOf('getMetrics', {
    'it is Prometheus text': async (kit) => {
      const { text, headers } = await kit.ask<string>('getMetrics', {}, 200);
      kit.ok(/^text\/plain\b/u.test(headers.get('content-type') ?? ''), 'the media type', headers.get('content-type'));
      const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      kit.ok(lines.length > 0, 'there are samples');
      kit.same(
        lines.filter((line) => !SAMPLE.test(line)),
        [],
        'every line is a sample or a comment',
      );
      const typed = [...text.matchAll(/^# TYPE (\S+) /gmu)].map(([, name = '']) => name);
      kit.same(typed.length, new Set(typed).size, 'each metric has one TYPE');
      kit.ok(text.endsWith('\n'), 'the last line has its end');
    },
    'a key with metrics:read alone may read it': async (kit) => {
      await kit.ask('getMetrics', { key: await kit.world.meter() }, 200);
    },
  }),
  ...checksOf(DOCUMENT, {
    'the document is served as JSON': (kit) => served(kit, '/openapi.json', jsonOf),
    'the document is served as YAML': (kit) => served(kit, '/openapi.yaml', (text) => parse(text) as unknown),
    'a path that is not there is 404 with a problem': async (kit) => {
      const { status, text, headers } = await kit.connection.get(`/v1/no-such-path-${kit.world.run}`);
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
