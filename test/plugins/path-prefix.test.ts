/**
 * Below the path prefix of a reverse proxy, Swagger UI and the document just work. Links in responses need `PUBLIC_URL`, or
 * `X-Forwarded-Prefix` from a trusted proxy. test/deployment/nginx.test.ts does the same with a real nginx.
 */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { trustedProxies } from '../../plugins/path-prefix.ts';
import { listen, openApp } from '../support/apps/app.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { startPrefixProxy } from '../support/http/prefix-proxy.ts';
import { runKit } from '../clients/contract/run-kit.ts';
import { words } from '../support/process/words.ts';

const reason = 'Users report that answers are too blunt';

/** Every URL that the page refers to, as a browser resolves it. */
const referencesOf = (html: string, page: string) =>
  [...html.matchAll(/(?:src|href)="([^"]+)"/gu)].map(([, reference = '']) => new URL(reference, page).href);

/** The service below `/registry/` of a proxy. */
async function start(
  t: Test,
  { forwarded, ...settings }: { trustProxy?: boolean | string; publicUrl?: string; forwarded?: string } = {},
) {
  const { app, key } = await openApp(t, { store: 'memory', ...settings });
  const { url } = await startPrefixProxy(t, {
    target: await listen(app),
    prefix: '/registry',
    ...(forwarded !== undefined && { forwarded }),
  });
  const ask = (path: string, body?: object) =>
    fetch(`${url}/registry${path}`, {
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      redirect: 'manual',
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    });
  return { url, key, ask };
}

t.test('Swagger UI and everything it loads stay below the prefix, without a header', async (t) => {
  const { url, ask } = await start(t);
  const entry = await fetch(`${url}/registry/`, { headers: { accept: 'text/html' } });
  t.strictSame(
    [entry.url, entry.status],
    [`${url}/registry/docs`, 200],
    'a browser that asks for the prefix comes to the page',
  );
  for (const page of ['/docs', '/docs/']) {
    const references = referencesOf(await (await ask(page)).text(), `${url}/registry${page}`);
    t.ok(references.length >= 5, page);
    for (const reference of references) t.equal((await fetch(reference)).status, 200, reference);
  }
});

t.test('the document names the server it comes from', async (t) => {
  const { url, ask } = await start(t);
  for (const path of ['/openapi.json', '/docs/json']) {
    const { servers } = (await (await ask(path)).json()) as { servers: { url: string }[] };
    t.strictSame(
      servers.map((server) => new URL(server.url, `${url}/registry${path}`).href),
      [`${url}/registry/`],
      path,
    );
  }
});

t.test('the contract kit checks that links of a server below a prefix lead below it', async (t) => {
  const through = async (forwarded: string, ...operations: readonly string[]) => {
    const { url, key } = await start(t, { trustProxy: 'loopback', forwarded });
    return runKit(t, [
      '--url',
      `${url}/registry`,
      '--key',
      key,
      ...operations.flatMap((operation) => ['--only', operation]),
    ]);
  };
  t.match(await through('/registry', 'publishVersion', 'startCoachSession'), { code: 0, stderr: /passed, 0 failed/u });
  t.match(await through('/elsewhere', 'getPack'), { code: 1, stderr: /problem: "type" is \/elsewhere\/problems\//u });
});

t.test('Location and the type of a problem lead below the forwarded prefix', async (t) => {
  await linksLeadBelowPrefix(t, { trustProxy: 'loopback', forwarded: '/registry' });
});

t.test('they lead below the path of the public URL, whatever is forwarded', async (t) => {
  const publicUrl = 'https://prompts.example.org/registry';
  await linksLeadBelowPrefix(t, { publicUrl });
  await linksLeadBelowPrefix(t, { publicUrl, trustProxy: 'loopback', forwarded: '/elsewhere' });
});

async function linksLeadBelowPrefix(t: Test, settings: Parameters<typeof start>[1]): Promise<void> {
  const { url, ask } = await start(t, settings);
  const made: readonly (readonly [path: string, body: object])[] = [
    ['/v1/packs/coach/versions', documentOf('coach', '9.0.0')],
    ['/v1/packs/coach/activations', { version: '9.0.0', reason }],
    ['/v1/packs/coach/rollback', { reason }],
    ['/v1/coach/sessions', {}],
    ['/v1/keys', { label: 'coach-web', scopes: ['prompts:read'] }],
  ];
  for (const [path, body] of made) {
    const { status, headers } = await ask(path, body);
    const location = headers.get('location') ?? '';
    t.equal(status, 201, path);
    t.match(location, /^\/registry\/v1\//u, path);
    t.equal((await ask(location.slice('/registry'.length))).status, 200, `${location} can be read`);
  }
  const redirected = await ask('/docs/static/index.html');
  t.strictSame([redirected.status, redirected.headers.get('location')], [302, '/registry/docs/']);

  for (const [path, code] of [
    ['/v1/packs/choach', 'pack-not-found'],
    ['/nowhere', 'not-found'],
    ['/v1/packs?x=1', 'validation-failed'],
    ['/v1/packs/%zz', 'validation-failed'],
  ] as const) {
    const problem = (await (await ask(path)).json()) as { type: string; instance: string; code: string };
    t.match(problem, { code, type: `/registry/problems/${code}` }, path);
    t.match(problem.instance, /^\/registry\/(?:v1\/packs|nowhere)/u, path);
    t.match(await (await fetch(new URL(problem.type, url))).json(), { code }, `${problem.type} can be read`);
  }
}

t.test('a public URL without a path means no prefix, and no Host header changes that', async (t) => {
  const publicUrl = 'https://prompts.example.org';
  const { app } = await openApp(t, { store: 'memory', trustProxy: true, publicUrl });
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-prefix': '/elsewhere' };
  const made = await app.inject({ method: 'POST', url: '/v1/coach/sessions', payload: {}, headers });
  t.match(made.headers['location'], /^\/v1\/coach\/sessions\//u);
  t.match((await app.inject({ url: '/nowhere', headers })).json(), {
    type: '/problems/not-found',
    instance: '/nowhere',
  });
});

t.test('the document names the public URL; Swagger UI calls the server that it was loaded from', async (t) => {
  const publicUrl = 'https://prompts.example.org/registry';
  const { app } = await openApp(t, { store: 'memory', publicUrl });
  const serversOf = async (path: string) => (await app.inject(path)).json<{ servers: { url: string }[] }>().servers;
  t.match(await serversOf('/openapi.json'), [{ url: publicUrl }]);
  t.match((await app.inject('/openapi.yaml')).body, `- url: ${publicUrl}\n`);
  t.match(await serversOf('/docs/json'), [{ url: '..' }]);
});

t.test('a request that cannot be parsed gets a problem below the path of the public URL', async (t) => {
  const { app } = await openApp(t, { store: 'memory', publicUrl: 'https://prompts.example.org/registry' });
  const { port } = new URL(await listen(app));
  const socket = connect(Number(port), '127.0.0.1');
  socket.end('what?\r\n\r\n');
  t.match(await text(socket), '"type":"/registry/problems/');
});

t.test('a prefix counts only if a trusted proxy sends it, and only if it is a plain path', async (t) => {
  const prefixed = async (trustProxy: boolean | string, prefix: string | string[], remoteAddress = '127.0.0.1') => {
    const { app } = await openApp(t, { store: 'memory', trustProxy });
    const { headers } = await app.inject({
      method: 'POST',
      url: '/v1/coach/sessions',
      payload: {},
      headers: { 'x-forwarded-prefix': prefix },
      remoteAddress,
    });
    return String(headers['location']).split('/v1/')[0];
  };
  for (const [prefix, expected] of [
    ['/registry', '/registry'],
    ['/registry/', '/registry'],
    ['/a/b-c/d_e.f~', '/a/b-c/d_e.f~'],
    ['/', ''],
  ] as const)
    t.equal(await prefixed(true, prefix), expected, prefix);
  const hostile = [
    '/a b',
    '/é',
    `/${'a'.repeat(200)}`,
    '',
    '/a\t',
    ...words`
    registry //evil.example /\evil.example https://evil.example /a//evil.example /.. /a/../b /%2e%2e /. /a?b /a#b
    /a,/b /<script>
  `,
  ];
  for (const prefix of hostile) t.equal(await prefixed(true, prefix), '', JSON.stringify(prefix));
  t.equal(await prefixed(true, ['/a', '/b']), '', 'sent twice');

  t.equal(await prefixed(false, '/registry'), '', 'nobody is trusted');
  t.equal(await prefixed('10.0.0.0/8', '/registry'), '', 'others are trusted');
  t.equal(await prefixed('10.0.0.0/8', '/registry', '10.1.2.3'), '/registry');
});

t.test('which addresses are trusted', async (t) => {
  const trusts = trustedProxies('loopback, 10.0.0.0/8, fd00::/8 ,192.0.2.7, linklocal');
  for (const address of words`
    127.0.0.1 127.9.9.9 ::1 ::ffff:127.0.0.1 10.255.0.1 ::ffff:10.0.0.1 fd12::1 192.0.2.7 169.254.1.1 fe80::1
    fe80::1%eth0
  `)
    t.ok(trusts(address), address);
  for (const address of ['11.0.0.1', '192.0.2.8', '::2', 'fc00::1', '::ffff:11.0.0.1', 'localhost', '', undefined])
    t.notOk(trusts(address), String(address));
});
