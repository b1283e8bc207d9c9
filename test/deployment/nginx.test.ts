/**
 * Behind a real nginx with the shipped configuration: TLS, below a path, streams, the headers that it forwards, and two instances of which one
 * fails.
 */
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DEFAULTS } from '../../config.ts';
import { listen, openApp } from '../support/apps/app.ts';
import { startInstances } from '../support/apps/instances.ts';
import { ROOT } from '../support/apps/server-process.ts';
import { freePort } from '../support/http/free-port.ts';
import { noNginx, SHIPPED, startNginx, type Front } from '../support/http/nginx.ts';
import { stubServer } from '../support/http/stub-server.ts';

/** Requests that are enough to meet both instances several times. */
const MANY = 20;
/** Clients that read while instances restart. */
const READERS = 4;
/** Seconds between two heartbeats of a stream: the default in registry/streams/watchers.ts. */
const HEARTBEAT = 15;

t.test('docs/deployment.md shows what is shipped', async (t) => {
  const [, block = ''] = /```nginx\n(.*?)```/su.exec(readFileSync(join(ROOT, 'docs', 'deployment.md'), 'utf8')) ?? [];
  const lines = block.split('\n').map((line) => line.trim().replace('127.0.0.1:3000', 'prompt_registry'));
  t.ok(lines.length > 5);
  for (const line of lines) t.ok(SHIPPED.includes(line), line);
});

t.test('in front of the service', { skip: noNginx }, async (t) => {
  const { app, key } = await openApp(t, { store: 'memory', trustProxy: 'loopback' });
  const { host } = new URL(await listen(app));
  const nginx = await startNginx(t, [host, host]);
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  await t.test('the page for people is whole', (t) => pageIsWhole(t, nginx));
  await t.test('links lead back through nginx', (t) => linksLeadBack(t, nginx, headers));

  await t.test('an answer keeps its strong ETag', async (t) => {
    const zipped = { ...headers, 'accept-encoding': 'gzip' };
    const { headers: first } = await nginx.ask('/registry/v1/prompts/styles', { headers: zipped });
    t.match(first.etag, /^"/u);
    const again = await nginx.ask('/registry/v1/prompts/styles', {
      headers: { ...zipped, 'if-none-match': first.etag ?? '' },
    });
    t.equal(again.status, 304);
  });

  await t.test('a body may be as large as the service allows by default', async (t) => {
    const [, size = ''] = /client_max_body_size (\d+m);/u.exec(SHIPPED) ?? [];
    t.equal(`${size}b`, DEFAULTS.BODY_LIMIT);
    const body = JSON.stringify({ reason: 'x'.repeat(900_000) });
    const refused = await nginx.ask('/registry/v1/packs/coach/rollback', { method: 'POST', headers, body });
    t.match(
      refused,
      { status: 400, headers: { 'content-type': /^application\/problem\+json/u } },
      'the service answers',
    );
  });

  await t.test('a stream is passed on message by message', async (t) => {
    const stream = await nginx.open('/registry/v1/events', { headers });
    const messages = stream.setEncoding('utf8')[Symbol.asyncIterator]();
    t.match((await messages.next()).value, /event: revision/u);
    await app.registry.activate({ version: '1.0.0', reason: 'For the stream' });
    t.match((await messages.next()).value, /event: version-activated/u);
    stream.destroy();
  });

  t.test('a quiet stream stays open for several heartbeats', async (t) => {
    const [, seconds] = /proxy_read_timeout (\d+)s;/u.exec(SHIPPED) ?? [];
    t.ok(Number(seconds) > 2 * HEARTBEAT);
  });
});

async function pageIsWhole(t: Test, { origin, ask }: Front): Promise<void> {
  const { body: html } = await ask('/registry/docs');
  const references = [...html.matchAll(/(?:src|href)="([^"]+)"/gu)].map(
    ([, reference = '']) => new URL(reference, `${origin}/registry/docs`).pathname,
  );
  t.ok(references.length >= 5);
  for (const reference of references) t.equal((await ask(reference)).status, 200, reference);
}

async function linksLeadBack(t: Test, { ask }: Front, headers: Readonly<Record<string, string>>): Promise<void> {
  const forged = { ...headers, 'x-forwarded-prefix': '/evil' };
  const started = await ask('/registry/v1/coach/sessions', { method: 'POST', headers: forged, body: '{}' });
  const location = started.headers.location ?? '';
  t.match(location, /^\/registry\/v1\//u, 'the prefix that a client sends does not come through');
  t.equal((await ask(location, { headers })).status, 200);
  const { type } = JSON.parse((await ask('/registry/v1/packs/choach', { headers })).body) as { type: string };
  t.equal((await ask(type)).status, 200, type);
}

t.test('what the service gets', { skip: noNginx }, async (t) => {
  const echo = new URL(
    await stubServer(t, ({ url, headers }, response) => response.end(JSON.stringify({ url, headers }))),
  ).host;
  const { ask, origin } = await startNginx(t, [echo, echo]);
  const headers = {
    ...{ 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'evil.example' },
    'idempotency-key': 'abc',
  };
  t.strictSame(JSON.parse((await ask('/registry/v1/packs?a=%20b', { headers })).body), {
    url: '/v1/packs?a=%20b',
    headers: {
      host: new URL(origin).hostname,
      'x-forwarded-for': '192.0.2.1, 127.0.0.1',
      'x-forwarded-host': new URL(origin).hostname,
      'x-forwarded-proto': 'https',
      'x-forwarded-prefix': '/registry',
      'idempotency-key': 'abc',
    },
  });
});

t.test('two instances, one of which fails', { skip: noNginx }, async (t) => {
  const answering: RequestListener = (_, response) => response.end('answered');
  const breaking: RequestListener = (_, response) => void response.destroy();
  const path = '/registry/v1/packs';
  const move = { method: 'POST', body: '{}' };

  await t.test('it refuses connections: the other gets reads and moves', async (t) => {
    const working = await startInstance(t, answering);
    const { ask } = await startNginx(t, [`127.0.0.1:${await freePort()}`, working.host]);
    for (let i = 0; i < MANY; i += 1) {
      t.match(await ask(path), { status: 200, body: 'answered' });
      t.match(await ask(path, move), { status: 200, body: 'answered' });
    }
    t.equal(working.methods.length, 2 * MANY);
  });

  await t.test('it breaks off without an answer: the other gets the reads', async (t) => {
    const [working, broken] = [await startInstance(t, answering), await startInstance(t, breaking)];
    const { ask } = await startNginx(t, [broken.host, working.host]);
    for (let i = 0; i < MANY; i += 1) t.match(await ask(path), { status: 200, body: 'answered' });
    t.not(broken.methods.length, 0, 'it was asked');
    t.equal(working.methods.length, MANY);
  });

  await t.test('it breaks off without an answer: a move is not repeated', async (t) => {
    const [working, broken] = [await startInstance(t, answering), await startInstance(t, breaking)];
    const { ask } = await startNginx(t, [broken.host, working.host]);
    const statuses: number[] = [];
    for (let i = 0; i < MANY; i += 1) statuses.push((await ask(path, move)).status);
    t.not(broken.methods.length, 0, 'it was asked');
    t.equal(working.methods.length + broken.methods.length, MANY, 'each move was sent once');
    t.equal(
      statuses.filter((status) => status === 502).length,
      broken.methods.length,
      'the client learns of each failure',
    );
  });

  await t.test('it answers 503: the client hears when to try again', async (t) => {
    const busy = await startInstance(t, (_, response) => response.writeHead(503, { 'retry-after': '7' }).end());
    const { ask } = await startNginx(t, [busy.host, busy.host]);
    t.match(await ask(path), { status: 503, headers: { 'retry-after': '7' } });
    t.equal(busy.methods.length, 1);
  });
});

/** An instance that keeps the methods of the requests that it gets. */
async function startInstance(t: Test, answer: RequestListener): Promise<{ host: string; methods: readonly string[] }> {
  const methods: string[] = [];
  const origin = await stubServer(t, (request, response) => {
    methods.push(request.method ?? '');
    answer(request, response);
  });
  return { host: new URL(origin).host, methods };
}

t.test(
  'two instances of the service, restarted in turn and then killed: no read fails',
  { skip: noNginx },
  async (t) => {
    const ports = [await freePort(), await freePort()] as const;
    const env = (index: number) => ({ PORT: String(ports[index]), LOG_LEVEL: 'error' });
    const { instances, key } = await startInstances(t, { count: 2, env });
    const { ask } = await startNginx(t, [`127.0.0.1:${ports[0]}`, `127.0.0.1:${ports[1]}`]);
    const statuses = new Map<number, number>();
    let over = false;
    const read = async () => {
      while (!over) {
        const { status } = await ask('/registry/v1/prompts/styles', { headers: { authorization: `Bearer ${key}` } });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const reading = Promise.all(Array.from({ length: READERS }, read));
    for (const instance of instances) await instance.restart();
    await instances[0]?.server.kill();
    over = true;
    await reading;
    t.comment(`reads by status: ${[...statuses].map(([status, count]) => `${status}: ${count}`).join(', ')}`);
    t.strictSame([...statuses.keys()], [200]);
  },
);
