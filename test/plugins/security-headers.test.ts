/** Security headers: the docs work over plain http on a LAN address, and a browser never treats an API response as a page. */
import { networkInterfaces } from 'node:os';
import t from 'tap';
import { openApp } from '../support/apps/app.ts';

const { app, key } = await openApp(t, { store: 'memory' });
const own = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;
const host = own ?? '127.0.0.2'; // without a network: a loopback address that is not the usual one
const origin = await app.listen({ host, port: 0 });

t.test(
  `the docs at ${own === undefined ? 'another loopback' : 'a LAN'} address load all they need over plain http`,
  async (t) => {
    const page = await fetch(`${origin}/docs/`);
    t.equal(page.status, 200);
    const policy = page.headers.get('content-security-policy') ?? '';
    t.notMatch(policy, /upgrade-insecure-requests/u, 'a browser would ask for https, which is not there');
    t.equal(page.headers.get('strict-transport-security'), null, 'a browser would never come back over http');
    t.match(policy, /default-src 'self'/u);
    t.match(policy, /script-src 'self'/u);
    t.notMatch(policy, /script-src[^;]*unsafe/u);
    t.match(policy, /frame-ancestors 'self'/u);
    t.equal(page.headers.get('x-content-type-options'), 'nosniff');
    const html = await page.text();
    const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/gu)].map(
      ([, part = '']) => new URL(part, `${origin}/docs/`),
    );
    t.ok(parts.length >= 4);
    for (const part of parts) {
      t.equal(part.origin, origin, `${part.pathname} is of this server`);
      t.equal((await fetch(part)).status, 200, part.pathname);
    }
    t.notMatch(
      html,
      /<script(?![^>]*\bsrc=)[^>]*>\s*\S/u,
      'no script in the page itself, which the policy would refuse',
    );
  },
);

t.test('API responses forbid type sniffing and shared caching', async (t) => {
  const authorization = `Bearer ${key}`;
  const answers = [
    await fetch(`${origin}/v1/packs/coach/active`, { headers: { authorization } }),
    await fetch(`${origin}/v1/packs`),
    await fetch(`${origin}/nowhere`),
    await fetch(`${origin}/livez`),
    await fetch(`${origin}/v1/packs/coach/rollback`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{',
    }),
  ];
  t.strictSame(
    answers.map(({ status }) => status),
    [200, 401, 404, 200, 400],
  );
  for (const { headers, url } of answers) {
    t.equal(headers.get('x-content-type-options'), 'nosniff', url);
    t.equal(headers.get('cache-control'), 'private, no-cache', url);
    t.equal(headers.get('strict-transport-security'), null, url);
    t.equal(headers.get('x-powered-by'), null, url);
    t.equal(headers.get('server'), null, url);
  }
});
