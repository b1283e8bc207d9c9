/**
 * Hostile clients (BARS B11): slow headers, slow bodies, readers that never read, idle sockets, floods of headers.
 *
 * While a crowd of them is connected, good requests are answered and the crowd is disconnected in time. Latency is asserted only in the long
 * form, because other tests run at the same time as the short one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { gather, type Crowd } from '../support/chaos/crowd.ts';
import { KeepAlive } from '../support/http/keep-alive.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { answerIn, exchange } from '../support/http/raw-http.ts';
import { startServer } from '../support/apps/server-process.ts';

const length = process.env['TEST_LENGTH'] ?? 'short';
const isShort = length === 'short';
const many = isShort ? 200 : 1000;
/** In milliseconds. */
const CUT_WITHIN = 10_000;
const GOOD_P99 = 100;
/** The size of the responses that nobody reads, in characters: more than the operating system buffers for the server. */
const LARGE = 250_000;
const ASKED = 60;

const DATA_DIR = join(t.testdir(), 'data');
const server = await startServer(t, { DATA_DIR, RATE_LIMIT: '0' });
const token = readFileSync(join(DATA_DIR, 'operator.key'), 'utf8').trim();
const { host } = new URL(server.address);
const headers = { authorization: `Bearer ${token}` };

const good = new KeepAlive(server.address);
t.teardown(() => good.close());
const published = await good.one({
  method: 'POST',
  path: '/v1/packs/large/versions',
  headers,
  body: documentOf('large', '1.0.0', { system: 'x'.repeat(LARGE) }),
});
t.equal(published.status, 201);
const LARGE_REQUEST = `GET /v1/packs/large/versions/1.0.0 HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`;

interface Kind {
  readonly name: string;
  readonly count: number;
  readonly start: (t: Test) => Crowd;
  /** What each gets before it is disconnected, if anything. */
  readonly told?: RegExp;
}

/** Sends its pieces one by one, as slowly as possible without stopping. */
function dribble(t: Test, count: number, head: string, piece = 'a'): Crowd {
  const timers: NodeJS.Timeout[] = [];
  t.teardown(() => timers.forEach((timer) => clearInterval(timer)));
  return gather(server.address, count, (socket) => {
    socket.write(head);
    const timer = setInterval(() => (socket.writable ? socket.write(piece) : clearInterval(timer)), 500);
    timers.push(timer);
  });
}

const KINDS: readonly Kind[] = [
  { name: 'sockets that never say anything', count: many, start: () => gather(server.address, many, () => undefined) },
  {
    name: 'headers that come byte by byte',
    count: many / 2,
    start: (t) => dribble(t, many / 2, `GET /livez HTTP/1.1\r\nHost: ${host}\r\nX-Slow: `),
    told: /^HTTP\/1\.1 408 .*"code":"request-timeout"/su,
  },
  {
    name: 'bodies that come byte by byte',
    count: many / 2,
    start: (t) =>
      dribble(
        t,
        many / 2,
        `POST /v1/packs/coach/rollback HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n`,
      ),
    told: /^HTTP\/1\.1 408 .*"code":"request-timeout"/su,
  },
  {
    name: 'readers that take nothing of what they asked for',
    count: isShort ? 5 : 20,
    start: (t) => {
      const crowd = dribble(t, isShort ? 5 : 20, LARGE_REQUEST.repeat(ASKED), '\r\n'); // a client that does not read notices the end only by writing
      for (const socket of crowd.sockets) socket.pause();
      return crowd;
    },
  },
];

t.test('crowds of every kind at once', async (t) => {
  const latencies: number[] = [];
  let over = false;
  const flow = (async () => {
    while (!over) {
      const from = performance.now();
      const [read, probe] = await good.all([{ path: '/v1/packs/coach/active', headers }, { path: '/readyz' }]);
      latencies.push(performance.now() - from);
      if (read?.status !== 200 || probe?.status !== 200)
        throw new Error(`A good request got ${read?.status}, ${probe?.status}.`);
      await new Promise((resolve) => setTimeout(resolve, 5)); // a pace, not a wait: the good ones are no crowd themselves
    }
  })();
  const crowds = KINDS.map((kind) => ({ ...kind, crowd: kind.start(t) }));
  t.teardown(() => crowds.forEach(({ crowd }) => crowd.leave()));
  await Promise.race([flow, Promise.all(crowds.map(({ crowd }) => crowd.cut))]);
  over = true;
  await flow;
  for (const { name, count, crowd, told } of crowds) {
    const took = await crowd.cut;
    t.ok(took <= CUT_WITHIN, `${name}: ${count} are cut after ${Math.round(took)} ms`);
    if (told !== undefined)
      t.ok(
        crowd.said.every((text) => told.test(text)),
        `${name}: each gets the reason`,
      );
  }
  latencies.sort((a, b) => a - b);
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? Infinity;
  t.ok(isShort || p99 <= GOOD_P99, `${latencies.length} good requests meanwhile, p99 ${p99.toFixed(1)} ms`);
});

t.test('pipelined requests are answered in order', async (t) => {
  const connection = new KeepAlive(server.address);
  t.teardown(() => connection.close());
  const versions = ['1.0.0', '1.1.0', '2.0.0', '1.1.0', '9.9.9', '1.0.0'];
  const asks = Array.from({ length: 20 }, () => versions).flat();
  const answers = await connection.all(
    asks.map((version, index) =>
      index % 7 === 3 ? { path: '/readyz' } : { path: `/v1/packs/coach/versions/${version}`, headers },
    ),
  );
  const got = answers.map(({ text }) => JSON.parse(text) as { version?: string; status: unknown });
  t.strictSame(
    got.map(({ version, status }) => version ?? status),
    asks.map((version, index) => (index % 7 === 3 ? 'ready' : version === '9.9.9' ? 404 : version)),
  );
});

t.test('headers and addresses that are too large are refused', async (t) => {
  const refused = async (head: string) => {
    const answer = answerIn(await exchange(server.address, `${head}\r\n\r\n`));
    return `${answer.statusCode} ${(JSON.parse(answer.body) as { code: string }).code}`;
  };
  t.equal(
    await refused(`GET /livez HTTP/1.1\r\nHost: ${host}\r\nX-Large: ${'a'.repeat(20_000)}`),
    '431 header-too-large',
  );
  t.equal(
    await refused(
      `GET /livez HTTP/1.1\r\nHost: ${host}${Array.from({ length: 3000 }, (_, index) => `\r\nX-${index}: a`).join('')}`,
    ),
    '431 header-too-large',
  );
  t.equal(await refused(`GET /livez?${'a'.repeat(20_000)} HTTP/1.1\r\nHost: ${host}`), '431 header-too-large');
  t.equal(
    await refused(`GET /v1/packs/${'a'.repeat(5000)} HTTP/1.1\r\nHost: ${host}\r\nConnection: close`),
    '414 uri-too-long',
  );
});

t.test('it still works', async (t) => {
  t.equal(
    (await good.one({ method: 'POST', path: '/v1/packs/coach/rollback', headers, body: { reason: 'nobody' } })).status,
    409,
  );
  t.equal(
    (
      await good.one({
        method: 'POST',
        path: '/v1/packs/coach/activations',
        headers,
        body: { version: '1.1.0', reason: 'After the crowd' },
      })
    ).status,
    201,
  );
  const { code, stderr } = await server.stop();
  t.equal(code, 0);
  t.equal(stderr, '');
});
