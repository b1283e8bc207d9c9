/**
 * Unknown paths and methods are refused. A request that arrives during shutdown still gets a response.
 */
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { listen, openApp } from '../support/apps/app.ts';
import { KeepAlive } from '../support/http/keep-alive.ts';
import { faultsOf, OPENAPI, schemaFaults } from '../support/http/openapi.ts';
import { answerIn, exchange } from '../support/http/raw-http.ts';
import { words } from '../support/process/words.ts';

const PROBLEM = '/components/schemas/Problem';
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'] as const;

const { app, key } = await openApp(t);

function isProblem(t: Test, headers: Readonly<Record<string, unknown>>): void {
  t.match(headers['content-type'], /^application\/problem\+json/u);
  t.equal(String(headers['registry-revision']), String(app.registry.current.revision));
}

t.test('405: every path lists its methods', async (t) => {
  for (const [template, operations] of Object.entries(OPENAPI.paths)) {
    const takes = Object.keys(operations)
      .flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))
      .sort();
    const url = template.replaceAll(/\{\w+\}/gu, 'anything');
    for (const method of METHODS.filter((each) => !takes.includes(each))) {
      const { statusCode, headers, body } = await app.inject({ method, url: `${url}?x=1` });
      const problem = JSON.parse(body) as object;
      t.match(
        { statusCode, problem },
        { statusCode: 405, problem: { code: 'method-not-allowed', status: 405, instance: url } },
        `${method} ${template}`,
      );
      t.strictSame(headers['allow'], takes.join(', '), 'Allow lists what it takes');
      isProblem(t, headers);
      t.strictSame(schemaFaults(PROBLEM, problem), []);
    }
  }
});

t.test('404 and 405 take precedence over an invalid body', async (t) => {
  const bodies: readonly (readonly [type: string | undefined, payload: string])[] = [
    ...([
      ['application/json', '{'],
      ['application/json', ''],
      ['application/json', '"\\u0000"'],
      ['text/plain', 'x'],
    ] as const),
    ...([
      [undefined, ''],
      ['application/json', JSON.stringify('x'.repeat(2 * 1024 * 1024))],
    ] as const),
  ];
  for (const [url, status] of [
    ['/nowhere', 404],
    ['/v1/packs/coach', 405],
  ] as const) {
    for (const method of ['POST', 'PUT', 'DELETE', 'PROPFIND', 'QUERY'] as const) {
      for (const [type, payload] of bodies) {
        const { statusCode, headers } = await app.inject({
          method: method as 'PUT',
          url,
          payload,
          headers: { ...(type !== undefined && { 'content-type': type }) },
        });
        t.strictSame(
          [statusCode, headers['allow']],
          [status, status === 405 ? 'GET, HEAD' : undefined],
          `${method} ${url} ${type ?? 'no type'}`,
        );
        isProblem(t, headers);
      }
    }
  }
});

t.test('404: an unknown path', async (t) => {
  for (const url of words`
    /v1 /v1/ /v2/packs /V1/packs /v1/packs/ /v1/pack //v1/packs /v1//packs /v1/packs/coach/active/ /livez/ /readyz/x
    /favicon.ico /metrics/ /v1/key /.git/config
  `) {
    const { statusCode, headers, body } = await app.inject({ url });
    const problem = JSON.parse(body) as { code: string };
    // An empty name where a pack's should be is a name that breaks its rule.
    t.equal(statusCode, url === '/v1/packs/' ? 400 : 404, url);
    t.equal(problem.code, url === '/v1/packs/' ? 'validation-failed' : 'not-found', url);
    isProblem(t, headers);
    t.strictSame(schemaFaults(PROBLEM, problem), []);
  }
});

t.test('HEAD is like GET, without the body', async (t) => {
  for (const [template, { get }] of Object.entries(OPENAPI.paths)) {
    if (get === undefined) continue;
    const url = template
      .replace('{pack}', 'coach')
      .replace('{version}', '1.0.0')
      .replace('{styleId}', 'reflective')
      .replace('{code}', 'internal')
      .replace('{sessionId}', 'none')
      .replace('{keyId}', 'none')
      .replace('{channel}', 'production')
      .replace('{rollout}', '1');
    const [whole, head] = [await app.inject({ method: 'GET', url }), await app.inject({ method: 'HEAD', url })];
    const { date: _, 'transfer-encoding': __, ...headers } = whole.headers; // only a response with a body says how it is framed
    if (template === '/metrics') delete headers['content-length']; // the second scrape counts the first
    t.equal(head.statusCode, whole.statusCode, template);
    t.equal(head.body, '', 'no body');
    t.match(head.headers, headers, 'the same headers');
  }
});

t.test('a request without a host gets a problem response; HTTP/1.0 needs no host', async (t) => {
  const origin = await listen(app);
  const ask = async (path: string, version: string) =>
    answerIn(
      await exchange(
        origin,
        `GET ${path} HTTP/${version}\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`,
      ),
    );
  for (const path of ['/v1/packs', '/livez', '/docs', '/nowhere']) {
    const { statusCode, headers, body } = await ask(path, '1.1');
    t.match(
      { statusCode, problem: JSON.parse(body) as object },
      { statusCode: 400, problem: { code: 'validation-failed', errors: [{ parameter: 'host' }] } },
      path,
    );
    isProblem(t, headers);
    t.strictSame(schemaFaults(PROBLEM, JSON.parse(body)), []);
  }
  t.equal((await ask('/v1/packs', '1.0')).statusCode, 200);
});

t.test('a request on an open connection during shutdown gets a declared response', async (t) => {
  const opened = await openApp(t, { store: 'memory' });
  const { app, key } = opened;
  const authorization = `Bearer ${key}`;
  const connection = new KeepAlive(await listen(app));
  t.teardown(() => connection.close());
  const store = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  opened.fail(async ({ method }) => {
    if (method !== 'append') return undefined;
    asked.resolve();
    await store.promise;
    return undefined;
  });
  const write = connection.one({
    method: 'POST',
    path: '/v1/packs/coach/activations',
    headers: { authorization },
    body: { version: '1.0.0', reason: 'The last thing before the restart' },
  });
  await asked.promise;
  const closed = app.close();
  while (app.server.listening) await setImmediate();
  const read = connection.one({ path: '/v1/prompts/system', headers: { authorization } });
  store.resolve();

  t.equal((await write).status, 201, 'the write under way is finished');
  const answer = await read;
  const headers = Object.fromEntries(
    ['content-type', 'registry-revision', 'etag', 'connection'].map((name) => [name, answer.header(name)]),
  );
  t.equal(answer.status, 200);
  t.equal(headers['connection'], 'close', 'and asked to come in elsewhere next time');
  t.strictSame(faultsOf('getSystemPrompt', { statusCode: answer.status, headers, body: answer.text }), []);
  await closed;
});
