/**
 * Bad input does no harm (BARS B9): generated requests to every operation, valid and invalid, against a server process.
 *
 * No 5xx, no crash, no error in the log; every response matches `openapi.yaml`, and memory stays flat. Afterwards the service still works and its
 * log verifies. To repeat a run: TEST_SEED=… node test/fault/fuzz.test.ts
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { PROBLEMS } from '../../plugins/problems/problems.ts';
import type { Event, Session } from '../../registry/index.ts';
import { newSeed } from '../support/stores/events.ts';
import { bytesOf, requests, type FuzzRequest } from '../support/http/fuzz-requests.ts';
import { faultsOf, OPERATIONS, schemaFaults, type RawAnswer } from '../support/http/openapi.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import type { Pools } from '../support/http/schema-values.ts';
import { entries, startServer } from '../support/apps/server-process.ts';
import { Wire } from '../support/http/wire.ts';

const length = process.env['TEST_LENGTH'] ?? 'short';
const count = { short: 1600, faults: 20_000, soak: 100_000 }[length] ?? 1600;
/** Requests before memory is measured first: caches fill and code is compiled. */
const warmUp = Math.min(count / 4, 2000);
/** How much a server may grow in the whole run, in bytes. */
const MOST_GROWTH = 50 * 1024 * 1024;
/** The same in every run except a soak. */
const seed = length === 'soak' || process.env['TEST_SEED'] !== undefined ? newSeed() : 20_261_123;
/** A small heap, so that garbage is collected and only leaks grow. */
const HEAP = '--max-semi-space-size=4 --max-old-space-size=160';

t.test(`${count} generated requests, TEST_SEED=${seed}`, async (t) => {
  const DATA_DIR = join(t.testdir(), 'data');
  const server = await startServer(t, { DATA_DIR, RATE_LIMIT: '0', BODY_LIMIT: '128kb', NODE_OPTIONS: HEAP });
  const client = clientOf(server.address, readFileSync(join(DATA_DIR, 'operator.key'), 'utf8').trim());
  t.teardown(() => client.close());
  const pools = await poolsOf(client);

  const seen = new Map<string, number>();
  let sent = 0;
  let before = 0;
  await fc.assert(
    fc.asyncProperty(requests(pools), async (request) => {
      sent += 1;
      if (sent === warmUp) before = residentBytes(server.pid);
      const answer = await client.send(request);
      const kind = `${request.id} ${String(answer.statusCode)[0]}xx`;
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      const faults = judge(request, answer);
      if (faults.length > 0)
        throw new Error(
          `${request.id} ${answer.statusCode}: ${faults.join('; ')}\n${bytesOf(request, 'host').toString('latin1').slice(0, 600)}\n-> ${answer.body.slice(0, 600)}`,
        );
    }),
    { seed, numRuns: count, endOnFailure: true, includeErrorInReport: true },
  );
  const growth = residentBytes(server.pid) - before;
  t.ok(growth < MOST_GROWTH, `memory grew by ${Math.round(growth / 1024 / 1024)} MB over ${count - warmUp} requests`);
  t.strictSame(
    [...OPERATIONS.keys()].filter((id) => !seen.has(`${id} 2xx`) || !seen.has(`${id} 4xx`)),
    [],
    'every operation was both answered and refused',
  );

  await t.test('it still works', async (t) => {
    for (const version of ['900000000.0.0', '900000000.1.0'])
      t.equal((await client.post('/v1/packs/fuzz-end/versions', documentOf('fuzz-end', version))).statusCode, 201);
    for (const version of ['900000000.0.0', '900000000.1.0'])
      t.equal(
        (await client.post('/v1/packs/fuzz-end/activations', { version, reason: 'After all that' })).statusCode,
        201,
      );
    t.match(JSON.parse((await client.post('/v1/packs/fuzz-end/rollback', { reason: 'After all that' })).body), {
      version: '900000000.0.0',
    });
    t.match(JSON.parse((await client.get('/v1/packs/fuzz-end/active')).body), { version: '900000000.0.0' });
    t.match(JSON.parse((await client.get('/v1/audit/verification')).body), { valid: true });
  });
  const { code, stderr, lines } = await server.stop();
  t.equal(code, 0, 'it closes as ever');
  t.equal(stderr, '');
  t.strictSame(
    entries(lines).filter(({ level }) => level >= 50),
    [],
    'no line of the log is an error',
  );
});

t.test('control: the judge finds what is wrong', async (t) => {
  const request: FuzzRequest = {
    id: 'getPack',
    method: 'GET',
    target: '/v1/packs/coach',
    headers: [],
    body: undefined,
    astray: false,
  };
  const headers = { 'content-type': 'application/problem+json', 'registry-revision': '1' };
  const problem = (code: keyof typeof PROBLEMS) =>
    JSON.stringify({
      type: `/problems/${code}`,
      title: PROBLEMS[code].title,
      status: PROBLEMS[code].status,
      detail: 'x',
      code,
    });
  t.strictSame(judge(request, { statusCode: 404, headers, body: problem('pack-not-found') }), []);
  t.match(
    judge(request, { statusCode: 500, headers, body: problem('internal') }),
    [/5xx/u],
    'a crash, although it is declared',
  );
  t.match(
    judge(request, { statusCode: 404, headers, body: problem('style-not-found') }),
    [/not named/u],
    'a code of another operation',
  );
  t.match(
    judge({ ...request, astray: true }, { statusCode: 400, headers: {}, body: '' }),
    [/./u],
    'a refusal without a problem',
  );
});

/** What is wrong with a response. */
function judge(request: FuzzRequest, answer: RawAnswer): string[] {
  const { statusCode, body } = answer;
  if (statusCode >= 500) return ['a 5xx'];
  if (request.method === 'HEAD') return [];
  const faults = faultsOf(request.id, answer);
  if (faults.length === 0 || !request.astray) return faults;
  if (statusCode < 400) return request.method === 'OPTIONS' || statusCode === 200 || statusCode === 302 ? [] : faults; // it led to another route
  try {
    const problem = JSON.parse(body) as { code: string; status: number };
    if (problem.status !== statusCode) return [`the body says ${problem.status}`];
    return schemaFaults('/components/schemas/Problem', problem);
  } catch {
    return [`a ${statusCode} that is not a problem document: ${body.slice(0, 100)}`];
  }
}

interface Client {
  send(request: FuzzRequest): Promise<RawAnswer>;
  get(path: string): Promise<RawAnswer>;
  post(path: string, body: object): Promise<RawAnswer>;
  readonly token: string;
  close(): void;
}

function clientOf(address: string, token: string): Client {
  const wire = new Wire(address);
  const { host } = new URL(address);
  const send = (request: FuzzRequest) =>
    wire.ask(bytesOf(request, host), { only: request.astray, headOnly: request.method === 'HEAD' });
  const plain = (method: string, target: string, body?: object) => {
    const headers = [
      ['authorization', `Bearer ${token}`] as const,
      ...(body === undefined ? [] : [['content-type', 'application/json'] as const]),
    ];
    return send({
      id: '',
      method,
      target,
      headers,
      body: body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
      astray: false,
    });
  };
  return {
    send,
    token,
    get: (path) => plain('GET', path),
    post: (path, body) => plain('POST', path, body),
    close: () => wire.close(),
  };
}

/** Creates what valid requests refer to. */
async function poolsOf(client: Client): Promise<Pools> {
  const made = async <T>(path: string, body: object) => JSON.parse((await client.post(path, body)).body) as T;
  const key = (label: string, scopes: readonly string[]) =>
    made<{ keyId: string; secret: string }>('/v1/keys', { label, scopes });
  const keys = [
    await key('A reader', ['prompts:read']),
    await key('A dead key', ['*']),
    await key('To be revoked by chance', ['*']),
  ];
  await client.post(`/v1/keys/${keys[1]?.keyId}/revoke`, { reason: 'For the test' });
  const sessions = [
    await made<Session>('/v1/coach/sessions', {}),
    await made<Session>('/v1/coach/sessions', { channel: 'staging' }),
  ];
  const { rollouts, trials, scheduled } = await plansOf(made);
  const { events } = JSON.parse((await client.get('/v1/audit/events')).body) as { events: Event[] };
  const versions = ['1.0.0', '1.0.0', '1.1.0', '1.1.0', '2.0.0', '3.0.0', '3.1.0-rc.1'];
  return {
    token: [client.token, ...keys.map(({ secret }) => secret)],
    pack: ['coach', 'coach', 'coach', 'onboarding', 'fuzz', 'plans-0', 'plans-1'],
    channel: ['production', 'staging'],
    keyId: keys.map(({ keyId }) => keyId),
    actor: ['system', keys[0]?.keyId ?? ''],
    version: versions,
    toVersion: versions,
    fromVersion: versions,
    against: versions,
    replacement: versions,
    styleId: ['supportive', 'reflective', 'nonsense'],
    defaultStyle: ['supportive'],
    sessionId: sessions.map(({ sessionId }) => sessionId),
    id: [...events.slice(0, 3).map(({ id }) => id), ...scheduled],
    at: [IN_A_WEEK],
    revertAfter: ['1h', '30m'],
    bake: ['1h'],
    sameSubjectsAs: rollouts.map((path) => path.split(',')[1] ?? ''),
    'pack,rollout': rollouts,
    'pack,channel': trials,
    attribute: ['country:de', 'age:30'],
    code: Object.keys(PROBLEMS),
    cursor: ['MS4wLjA', 'Mw'],
    range: ['>=1.0.0'],
    'idempotency-key': Array.from({ length: 100 }, (_, index) => `"key ${index}"`),
    'if-none-match': ['*', '"1"'],
    'if-match': ['*', '*', '*', '"1"'],
    'registry-min-revision': ['0', '1', '2'],
    'registry-epoch': ['1'],
    'last-event-id': ['1', '2', '1:3'],
    prefer: ['wait=0', 'respond-async, wait="0"', 'wait=1'],
  };
}

const IN_A_WEEK = new Date(Date.now() + 7 * 86_400_000).toISOString();

/** Rollouts and trials, each as the names of its path, and ids of scheduled activations. */
async function plansOf(made: <T>(path: string, body: object) => Promise<T>) {
  const [rollouts, trials, scheduled]: [string[], string[], string[]] = [[], [], []];
  const reason = 'For the test';
  for (let count = 0; count < 10; count += 1) {
    const pack = `plans-${count}`;
    const post = <T>(name: string, body: object) => made<T>(`/v1/packs/${pack}/${name}`, { reason, ...body });
    for (const version of ['1.0.0', '1.1.0']) await made(`/v1/packs/${pack}/versions`, documentOf(pack, version));
    for (const channel of ['production', 'staging']) await post('activations', { version: '1.0.0', channel });
    const plan = { version: '1.1.0', channel: 'production', steps: [{ share: 10 }, { share: 20 }], finish: 'wait' };
    rollouts.push(`${pack},${(await post<{ id: number }>('rollouts', plan)).id}`);
    await post('activations', { version: '1.1.0', channel: 'staging', revertAfter: '1d' });
    trials.push(`${pack},staging`);
    const schedule = { reason, version: '1.0.0', at: IN_A_WEEK };
    scheduled.push((await made<{ id: string }>('/v1/packs/coach/schedule', schedule)).id);
  }
  return { rollouts, trials, scheduled };
}

/** The memory of a process (proc(5)). */
function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}
