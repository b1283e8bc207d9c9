/** Calls to a registry, and to what only looks like one: each ends, within its time and within its memory, with an answer or a failure that says why. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createPromptSource, createRegistryClient, type RegistryFailure } from '@prompt-registry/client';
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { startFront, type Fate } from '../../support/http/http-front.ts';
import { until } from '../../support/process/until.ts';

const key = 'prk_x_y';

/** How a call fails where something else answers, and that no connection is left of it. */
async function failureOf(
  t: Test,
  fate: Fate,
  options: { readonly key?: string | (() => string); readonly timeout?: number } = {},
): Promise<RegistryFailure> {
  const front = await startFront(t, 'http://127.0.0.1:9');
  front.plan = () => fate;
  try {
    await createRegistryClient({ url: front.url, key, timeout: 300, ...options }).ask((api) => api.GET('/v1/packs'));
  } catch (error) {
    await until(() => front.open === 0);
    return error as RegistryFailure;
  }
  throw new Error('It was answered.');
}

t.test('an answer that does not end', async (t) => {
  t.match(
    await failureOf(t, (response) => response.writeHead(200, { 'content-type': 'application/json' }).write('{')),
    { code: 'timed-out' },
  );
  const dripping: Fate = (response) => {
    response.writeHead(503, { 'content-type': 'text/html' });
    const timer = setInterval(() => response.write('<br>'), 20);
    response.once('close', () => clearInterval(timer));
  };
  t.match(await failureOf(t, dripping), { code: 'timed-out' });
});

t.test('an answer that is larger than any of a registry', async (t) => {
  const megabyte = ' '.repeat(2 ** 20);
  const pour: Fate = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (!response.destroyed && response.write(megabyte));
    };
    response.on('drain', more);
    more();
  };
  t.match(await failureOf(t, pour, { timeout: 30_000 }), { code: 'unreachable', message: /longer than 64 MB/u });
});

t.test('a problem of another service', async (t) => {
  const foreign = {
    title: 'Bad',
    status: 400,
    code: 'bad',
    detail: { text: 'no' },
    errors: { url: ['bad'] },
    requiredScopes: 'all',
    currentRevision: 'x',
    violations: [null],
    knownPacks: [1],
    more: [1],
  };
  const failure = await failureOf(t, { status: 400, body: JSON.stringify(foreign) });
  t.match(failure, { code: 'bad', message: 'Bad', status: 400 });
  t.strictSame(
    failure.problem,
    { type: 'about:blank', title: 'Bad', status: 400, code: 'bad', detail: 'Bad', more: [1] },
    'has only those members that are what they should be',
  );
  const own = {
    type: '/problems/forbidden',
    title: 'Forbidden',
    status: 403,
    code: 'forbidden',
    detail: 'No.',
    requiredScopes: ['keys:admin'],
    errors: [{ parameter: 'x', detail: 'y' }],
    currentRevision: 7,
  };
  t.strictSame(
    (await failureOf(t, { status: 403, body: JSON.stringify(own) })).problem,
    own,
    'one of the registry has all of them',
  );
});

t.test('a redirect', async (t) => {
  const to = 'https://prompts.example.com/v1/packs';
  t.match(await failureOf(t, { status: 308, headers: { location: to } }), {
    code: 'not-a-registry',
    status: 308,
    message: new RegExp(`redirects to ${to}.*URL of the registry itself`, 'u'),
  });
  const modes: string[] = [];
  const asked = async (request: Request) => {
    modes.push(request.redirect);
    return Object.defineProperty(Response.json({}), 'type', { value: 'opaqueredirect' }); // as browsers answer
  };
  const client = createRegistryClient({ url: 'http://127.0.0.1:1', key, fetch: asked });
  for (const call of [() => client.ask((api) => api.GET('/v1/packs')), () => client.send('/v1/events', {})])
    await t.rejects(async () => call(), { code: 'not-a-registry', message: /redirects\. No/u });
  t.strictSame(modes, ['manual', 'manual'], 'the one mode that every runtime knows, and that follows none');
});

t.test('a date until which to wait is of the clock that it came from', async (t) => {
  const fate: Fate = {
    status: 503,
    type: 'text/plain',
    headers: { 'retry-after': 'Sun, 06 Nov 1994 08:49:47 GMT', date: 'Sun, 06 Nov 1994 08:49:37 GMT' },
  };
  t.match(await failureOf(t, fate), { retryAfter: 10_000 });
});

t.test('a page that came in the clear', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  t.intercept(globalThis, 'crypto', { value: {} });
  const source = createPromptSource({ url: await listen(app), key, pack: 'coach' });
  await t.rejects(source.ready(), { code: 'not-understood', message: /https or localhost/u });
  await source.close();
});

t.test('a key that is none', async (t) => {
  for (const wrong of ['', 'prk_x…', 'prk_x\ny']) {
    const failure = await failureOf(t, undefined, { key: wrong });
    t.match(failure, { code: 'unauthenticated', message: /holds characters that no key has/u });
    t.notOk(wrong !== '' && failure.message.includes(wrong), 'is not told');
  }
  const later = (async () => Promise.reject(new Error('The vault is sealed'))) as unknown as () => string;
  t.match(
    await failureOf(t, undefined, { key: later }),
    { code: 'unauthenticated', message: /is a promise/u },
    "nor is one that comes later, whose failure is nobody else's",
  );
  const cause = new Error('The vault is sealed');
  t.match(
    await failureOf(t, undefined, {
      key: () => {
        throw cause;
      },
    }),
    { code: 'unauthenticated', message: /vault is sealed/u, cause },
  );
});

t.test('a key as it stands in a file or a header', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const url = await listen(app);
  for (const given of [
    `${key}\n`,
    ` ${key}\r\n`,
    `\ufeff${key}\n`,
    `Bearer ${key}`,
    `bearer  ${key}\n`,
    () => `Bearer ${key}\n`,
  ]) {
    const source = createPromptSource({ url, key: given, pack: 'coach', timeout: 1000 });
    t.equal((await source.ready()).version, '2.0.0');
    await source.close();
  }
});

t.test('a URL of the other scheme is told in one sentence', async (t) => {
  const messageOf = async (url: string) => {
    const failure = await createRegistryClient({ url, key, timeout: 2000 })
      .ask((api) => api.GET('/v1/packs'))
      .catch((error: unknown) => error as RegistryFailure);
    return (failure as RegistryFailure).message;
  };
  const plain = await startFront(t, 'http://127.0.0.1:9');
  const secure = plain.url.replace('http:', 'https:');
  t.equal(
    await messageOf(secure),
    `${secure} cannot be reached: it does not speak TLS; use http:// instead of https://, or another port.`,
  );

  const other = createServer({}).listen(0, '127.0.0.1'); // it has no certificate: what speaks no TLS does not get as far as that
  await once(other, 'listening');
  t.teardown(() => other.close());
  const port = (other.address() as AddressInfo).port;
  t.equal(
    await messageOf(`http://127.0.0.1:${port}`),
    `http://127.0.0.1:${port} cannot be reached: it closed the connection without an answer; if it speaks TLS, use https:// instead of http://.`,
  );
  t.match(
    await messageOf(`https://127.0.0.1:${port}`),
    /cannot be reached: TLS failed \([a-z0-9 /]+\)\.$/u,
    'what OpenSSL says is not dumped',
  );
  for (const body of [
    '<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>',
    'Client sent an HTTP request to an HTTPS server.\n',
  ]) {
    plain.plan = () => ({ status: 400, type: 'text/html', body });
    t.equal(await messageOf(plain.url), `${plain.url} speaks TLS; use https:// instead of http://.`, body);
  }
});

t.test('options that are of no use', async (t) => {
  for (const url of ['http://host?x=1', 'http://host#x', 'http://user:secret@host'])
    t.throws(() => createRegistryClient({ url, key }), {
      code: 'not-understood',
      message: /without a user, a query or a fragment/u,
    });
  for (const wrong of [
    { sessionTtl: Infinity },
    { sessionTtl: -1 },
    { pollInterval: 0 },
    { maxStale: NaN },
    { staleAfter: -1 },
    { timeout: 0 },
  ]) {
    t.throws(() => createPromptSource({ url: 'http://127.0.0.1:1', key, pack: 'coach', ...wrong }), {
      code: 'not-understood',
      message: /number of milliseconds above zero/u,
    });
  }
});

t.test('an end that was given before the beginning', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const { ask } = createRegistryClient({ url: await listen(app), key });
  await t.rejects(
    ask((api) => api.GET('/v1/packs', { signal: AbortSignal.abort() })),
    { code: 'closed' },
  );
  const source = createPromptSource({
    url: 'http://127.0.0.1:1',
    key: 'prk_…',
    pack: 'coach',
    signal: AbortSignal.abort(),
  });
  await t.rejects(source.ready(), { code: 'closed' });
  await source.close();
});
