/**
 * The pages for people: Swagger UI, the document in both notations, and the explanation of each error. This server serves all of them;
 * they load nothing from another host.
 */
import t from 'tap';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { PROBLEMS } from '../../plugins/problems/problems.ts';
import { openApp } from '../support/apps/app.ts';
import { askOf, OPENAPI_TEXT } from '../support/http/openapi.ts';

const { app } = await openApp(t);
const ask = askOf(app);

/** A page and everything that it loads, directly or not, by path. */
async function pagesFrom(start: string): Promise<Map<string, { type: string; body: string }>> {
  const pages = new Map<string, { type: string; body: string }>();
  const open = [start];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (pages.has(path)) continue;
    const { statusCode, headers, body } = await app.inject({ url: path });
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode}`);
    const type = String(headers['content-type']);
    pages.set(path, { type, body });
    if (!type.includes('html')) continue;
    for (const [, reference = ''] of body.matchAll(/(?:src|href)="([^"]+)"/gu)) {
      const url = new URL(reference, `http://here${path}`);
      if (url.host === 'here') open.push(url.pathname);
    }
  }
  return pages;
}

t.test('/openapi.yaml is the committed document, byte for byte', async (t) => {
  const { statusCode, headers, body } = await app.inject({ url: '/openapi.yaml' });
  t.equal(statusCode, 200);
  t.match(headers['content-type'], /^application\/yaml/u);
  t.ok(body === OPENAPI_TEXT, 'the same bytes');
});

t.test('/openapi.json has the same content', async (t) => {
  const { statusCode, headers, body } = await app.inject({ url: '/openapi.json' });
  t.equal(statusCode, 200);
  t.match(headers['content-type'], /^application\/json/u);
  t.strictSame(JSON.parse(body), parse(OPENAPI_TEXT));
});

t.test('/docs is Swagger UI with all its files', async (t) => {
  const pages = await pagesFrom('/docs');
  t.match(pages.get('/docs')?.body, /swagger-ui/u);
  t.ok(
    [...pages.keys()].some((path) => path.endsWith('swagger-ui-bundle.js')),
    'with its script',
  );
  t.ok(
    [...pages.keys()].some((path) => path.endsWith('.css')),
    'with its looks',
  );
  t.equal((await app.inject({ url: '/docs/json' })).statusCode, 200, 'with the document that it shows');
});

t.test('a page is always sent whole: ranges and conditions are ignored', async (t) => {
  const url = '/docs/static/swagger-ui.css';
  const whole = await app.inject({ url });
  for (const headers of [
    { range: 'bytes=0-9' },
    { range: 'bytes=999999999-' },
    { range: 'bytes=5-1' },
    { 'if-match': '"x"' },
    { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' },
    { range: 'bytes=0-9', 'if-range': '"x"' },
  ]) {
    const { statusCode, body } = await app.inject({ url, headers });
    t.strictSame([statusCode, body === whole.body], [200, true], JSON.stringify(headers));
  }
  t.equal(
    (await app.inject({ url, headers: { 'if-none-match': String(whole.headers['etag']) } })).statusCode,
    304,
    'a browser need not fetch a cached file again',
  );
});

t.test('the page loads nothing from another host', async (t) => {
  for (const [path, { type, body }] of await pagesFrom('/docs')) {
    if (type.includes('html'))
      t.strictSame([...body.matchAll(/(?:src|href|action)="(?:https?:)?\/\/[^"]*"/gu)].map(String), [], path);
    if (type.includes('css'))
      t.strictSame([...body.matchAll(/(?:url\(["']?|@import ["']?)(?:https?:)?\/\/[^)]*/gu)].map(String), [], path);
    if (path.endsWith('swagger-initializer.js'))
      t.notMatch(body.replaceAll(/^\s*\/\/.*$/gmu, ''), /https?:\/\//u, `${path}, without its comments`);
  }
});

t.test('the pages have a content security policy that works over plain HTTP', async (t) => {
  for (const url of ['/docs', '/docs/static/swagger-ui-bundle.js', '/openapi.json', '/openapi.yaml']) {
    const { headers } = await app.inject({ url });
    const policy = new Map(
      String(headers['content-security-policy'])
        .split(';')
        .map((part) => {
          const [name = '', ...values] = part.trim().split(/\s+/u);
          return [name, values.join(' ')] as const;
        }),
    );
    t.equal(policy.get('default-src'), "'self'", url);
    t.equal(policy.get('script-src'), "'self'", 'no inline script, no eval');
    t.equal(policy.get('frame-ancestors'), "'self'");
    t.equal(policy.get('object-src'), "'none'");
    t.notOk(policy.has('upgrade-insecure-requests'), 'nothing to upgrade to');
    t.equal(headers['strict-transport-security'], undefined);
    t.equal(headers['x-content-type-options'], 'nosniff');
    for (const [name, values] of policy) t.notMatch(values, /https?:\/\/|\*/u, `${name} names no host`);
  }
});

t.test('/ redirects browsers to the documentation, and gives programs links', async (t) => {
  const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';
  for (const accept of [browser, 'text/html', 'application/json;q=0.5, text/html']) {
    const { statusCode, headers } = await app.inject({ url: '/', headers: { accept, authorization: '' } });
    t.strictSame([statusCode, headers['location'], headers['vary']], [302, './docs', 'Accept'], accept);
  }
  for (const accept of [
    undefined,
    '*/*',
    'application/json',
    'text/html;q=0.1, application/json',
    'text/html;q=0',
    'text/html;q=x',
    'application/json, text/html',
    ';;,,',
  ]) {
    const { statusCode, headers, body } = await app.inject({
      url: '/',
      headers: { authorization: '', ...(accept !== undefined && { accept }) },
    });
    t.strictSame([statusCode, headers['vary']], [200, 'Accept'], accept ?? 'no Accept');
    t.match(headers['content-type'], /^application\/json/u);
    const { name, version, links } = JSON.parse(body) as {
      name: string;
      version: string;
      links: Record<string, string>;
    };
    t.strictSame([name, version], [packageJson.name, packageJson.version]);
    for (const link of Object.values(links))
      t.equal((await app.inject({ url: new URL(link, 'http://here/').pathname })).statusCode, 200, link);
  }
  t.equal((await app.inject({ method: 'HEAD', url: '/' })).statusCode, 200);
  t.match(await app.inject({ method: 'POST', url: '/', payload: {} }), {
    statusCode: 405,
    headers: { allow: 'GET, HEAD' },
  });
});

t.test('each error code has a page that explains it', async (t) => {
  for (const [code, { status, title, meaning }] of Object.entries(PROBLEMS)) {
    const { statusCode, body } = await ask(t, 'getProblem', { path: { code } });
    t.equal(statusCode, 200);
    t.strictSame(body, { code, status, title, meaning });
    t.ok(meaning.length > 20, 'in a sentence');
  }
});
