/** Calls to a registry and to other servers: each ends in time and within its memory limit, with a response or a failure that explains it. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createPromptSource, createRegistryClient, type RegistryFailure } from '@prompt-registry/client';
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { startFront, type Fate } from '../../support/http/http-front.ts';
import { until } from '../../support/process/until.ts';

const key = 'prk_x_y';

/** The failure of a call to a server that responds like this. Also checks that the connection is closed. */
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
  throw new Error('The call succeeded.');
}

t.test('an endless response', async (t) => {
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

t.test('a response that is too large', async (t) => {
  const megabyte = ' '.repeat(2 ** 20);
  const pour: Fate = (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (!response.destroyed && response.write(megabyte));
    };
    response.on('drain', more);
    more();
  };
  t.match(await failureOf(t, pour, { timeout: 30_000 }), { code: 'unreachable', message: /larger than 64 MB/u });
});

t.test('a malformed problem', async (t) => {
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
    'keeps only valid members',
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
    'a valid problem keeps all members',
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
    return Object.defineProperty(Response.json({}), 'type', { value: 'opaqueredirect' }); // as in browsers
  };
  const client = createRegistryClient({ url: 'http://127.0.0.1:1', key, fetch: asked });
  for (const call of [() => client.ask((api) => api.GET('/v1/packs')), () => client.send('/v1/events', {})])
    await t.rejects(async () => call(), { code: 'not-a-registry', message: /redirects\. Redirects are not followed/u });
  t.strictSame(modes, ['manual', 'manual'], 'the only mode that every runtime supports and that follows no redirect');
});

t.test('a Retry-After date is compared with the clock of the server', async (t) => {
  const fate: Fate = {
    status: 503,
    type: 'text/plain',
    headers: { 'retry-after': 'Sun, 06 Nov 1994 08:49:47 GMT', date: 'Sun, 06 Nov 1994 08:49:37 GMT' },
  };
  t.match(await failureOf(t, fate), { retryAfter: 10_000 });
});

t.test('a browser page without https', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  t.intercept(globalThis, 'crypto', { value: {} });
  const source = createPromptSource({ url: await listen(app), key, pack: 'coach' });
  await t.rejects(source.ready(), { code: 'not-understood', message: /https or localhost/u });
  await source.close();
});

t.test('an invalid key', async (t) => {
  for (const wrong of ['', 'prk_x…', 'prk_x\ny']) {
    const failure = await failureOf(t, undefined, { key: wrong });
    t.match(failure, { code: 'unauthenticated', message: /contains invalid characters/u });
    t.notOk(wrong !== '' && failure.message.includes(wrong), 'the message does not contain the key');
  }
  const later = (async () => Promise.reject(new Error('The vault is sealed'))) as unknown as () => string;
  t.match(
    await failureOf(t, undefined, { key: later }),
    { code: 'unauthenticated', message: /returned a promise/u },
    'an asynchronous key function',
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

t.test('a key with whitespace or "Bearer" around it', async (t) => {
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

t.test('http instead of https, and https instead of http', async (t) => {
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

  const other = createServer({}).listen(0, '127.0.0.1'); // it needs no certificate: plain HTTP fails before that
  await once(other, 'listening');
  t.teardown(() => other.close());
  const port = (other.address() as AddressInfo).port;
  t.equal(
    await messageOf(`http://127.0.0.1:${port}`),
    `http://127.0.0.1:${port} cannot be reached: it closed the connection without responding; if it speaks TLS, use https:// instead of http://.`,
  );
  t.match(
    await messageOf(`https://127.0.0.1:${port}`),
    /cannot be reached: TLS failed \([a-z0-9 /]+\)\.$/u,
    'without internal details of OpenSSL',
  );
  for (const body of [
    '<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>',
    'Client sent an HTTP request to an HTTPS server.\n',
  ]) {
    plain.plan = () => ({ status: 400, type: 'text/html', body });
    t.equal(await messageOf(plain.url), `${plain.url} speaks TLS; use https:// instead of http://.`, body);
  }
});

t.test('invalid options', async (t) => {
  for (const url of ['http://host?x=1', 'http://host#x', 'http://user:secret@host'])
    t.throws(() => createRegistryClient({ url, key }), {
      code: 'not-understood',
      message: /without user name, query or fragment/u,
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

t.test('a signal that is already aborted', async (t) => {
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
