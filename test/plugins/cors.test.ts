/** CORS: off unless origins are set, and then only for these. */
import t from 'tap';
import { openApp } from '../support/apps/app.ts';

const LISTED = 'https://console.example.com';
const OTHERS = [
  'https://console.example.com.evil.example',
  'http://console.example.com',
  'https://evil.example',
  'null',
  'https://CONSOLE.example.com:8443',
];
const preflight = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization, content-type, if-match, idempotency-key',
};
const corsOf = (headers: Readonly<Record<string, unknown>>) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

t.test('off: no page of another origin may read responses', async (t) => {
  const { app } = await openApp(t, { store: 'memory' });
  const read = await app.inject({ url: '/v1/packs', headers: { origin: LISTED } });
  t.equal(read.statusCode, 200);
  t.strictSame(corsOf(read.headers), []);
  const asked = await app.inject({
    method: 'OPTIONS',
    url: '/v1/packs',
    headers: { origin: LISTED, ...preflight, authorization: '' },
  });
  t.ok(asked.statusCode >= 400);
  t.strictSame(corsOf(asked.headers), []);
});

t.test('on: a listed origin may read responses and their headers', async (t) => {
  const { app } = await openApp(t, { store: 'memory', corsOrigins: [LISTED, 'http://localhost:5173'] });
  for (const origin of [LISTED, 'http://localhost:5173']) {
    const { statusCode, headers } = await app.inject({ url: '/v1/packs/coach/active', headers: { origin } });
    t.equal(statusCode, 200);
    t.equal(headers['access-control-allow-origin'], origin);
    t.match(headers['vary'], /Origin/iu, 'caches keep the origins apart');
    const exposed = String(headers['access-control-expose-headers']).toLowerCase();
    for (const name of [
      'etag',
      'location',
      'registry-revision',
      'registry-assignment',
      'retry-after',
      'idempotency-replayed',
    ])
      t.ok(exposed.includes(name), `${name} can be read`);
    t.equal(headers['access-control-allow-credentials'], undefined, 'no cookies: keys are sent by the page itself');
  }
});

t.test('on: errors can be read too', async (t) => {
  const { app } = await openApp(t, { store: 'memory', corsOrigins: [LISTED] });
  const { statusCode, headers } = await app.inject({
    url: '/v1/packs',
    headers: { origin: LISTED, authorization: '' },
  });
  t.equal(statusCode, 401);
  t.equal(headers['access-control-allow-origin'], LISTED);
});

t.test('on: no other origin', async (t) => {
  const { app } = await openApp(t, { store: 'memory', corsOrigins: [LISTED] });
  for (const origin of OTHERS) {
    const { headers } = await app.inject({ url: '/v1/packs', headers: { origin } });
    t.equal(headers['access-control-allow-origin'], undefined, origin);
    const asked = await app.inject({
      method: 'OPTIONS',
      url: '/v1/packs/coach/rollback',
      headers: { origin, ...preflight, authorization: '' },
    });
    t.equal(asked.headers['access-control-allow-origin'], undefined, `${origin}, preflight`);
  }
});

t.test('on: a preflight needs no key, and allows the methods and headers of the API', async (t) => {
  const { app } = await openApp(t, { store: 'memory', corsOrigins: [LISTED] });
  const { statusCode, headers } = await app.inject({
    method: 'OPTIONS',
    url: '/v1/packs/coach/rollback',
    headers: { origin: LISTED, ...preflight, authorization: '' },
  });
  t.equal(statusCode, 204);
  t.equal(headers['access-control-allow-origin'], LISTED);
  t.equal(headers['access-control-allow-methods'], 'GET, HEAD, POST');
  for (const name of preflight['access-control-request-headers'].split(', '))
    t.ok(String(headers['access-control-allow-headers']).toLowerCase().includes(name), name);
});

t.test(
  'on: an OPTIONS request that is not a preflight, and an unknown path, get the same response as without CORS',
  async (t) => {
    const [on, off] = await Promise.all([
      openApp(t, { store: 'memory', corsOrigins: [LISTED] }),
      openApp(t, { store: 'memory' }),
    ]);
    const asked = [
      ...[{}, { origin: LISTED }, { 'access-control-request-method': 'POST' }].map((headers) => ({
        method: 'OPTIONS' as const,
        url: '/v1/packs',
        headers,
      })),
      ...(['OPTIONS', 'GET', 'POST'] as const).map((method) => ({ method, url: '/nowhere' })),
    ];
    for (const request of asked) {
      const [answer, expected] = await Promise.all([on.app.inject(request), off.app.inject(request)]);
      const name = JSON.stringify(request);
      t.match(
        expected,
        {
          statusCode: request.url === '/nowhere' ? 404 : 405,
          headers: { 'content-type': /^application\/problem\+json/u },
        },
        name,
      );
      t.strictSame(
        [answer.statusCode, answer.headers['content-type'], answer.headers['allow'], answer.body],
        [expected.statusCode, expected.headers['content-type'], expected.headers['allow'], expected.body],
        name,
      );
    }
  },
);
