/**
 * The built client in a real browser, as a page of another origin loads it: by its modules as they are, without a bundler, and with nothing
 * of Node. It follows the registry's stream over CORS, and says what a redirect is that it is not shown.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listen, openApp } from '../support/apps/app.ts';
import { launchChromium, noChromium } from '../support/clients/chromium.ts';
import { stubServer } from '../support/http/stub-server.ts';
import { ROOT } from '../support/apps/server-process.ts';

const imports = {
  '@prompt-registry/client': '/clients/typescript/dist/clients/typescript/src/index.js',
  canonicalize: '/node_modules/canonicalize/lib/canonicalize.js',
  'eventsource-parser': '/node_modules/eventsource-parser/dist/index.js',
  'openapi-fetch': '/node_modules/openapi-fetch/dist/index.mjs',
};
const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({ imports })}</script>`;

/** A page that can load the client; below `/redirect` is what redirects to elsewhere. */
function servePage(t: Test): Promise<string> {
  return stubServer(t, ({ url = '/' }, response) => {
    if (url.startsWith('/redirect/')) return void response.writeHead(308, { location: 'http://127.0.0.1:9/' }).end();
    const [type, body] = url === '/' ? ['text/html', PAGE] : ['text/javascript', readFileSync(join(ROOT, url))];
    response.writeHead(200, { 'content-type': type }).end(body);
  });
}

/** Half of them get the candidate; the same half as in the registry. */
const SUBJECTS = Array.from({ length: 200 }, (_, index) => `größe-🎈-${index}`);
const HALF = {
  steps: [{ share: 50 }],
  finish: 'wait' as const,
  audience: { conditions: [{ attribute: 'app', operator: 'semver' as const, values: ['^2.1'] }] },
};

/** Follows until `1.0.0` is active, begins a session, and decides for subjects. */
const follow = (url: string, key: string) => `(async () => {
  const { createPromptSource } = await import('@prompt-registry/client');
  const prompts = createPromptSource({ url: '${url}', key: '${key}', pack: 'coach' });
  const errors = [];
  prompts.on('error', ({ message }) => errors.push(message));
  const moved = new Promise((resolve) => prompts.on('changed', ({ to }) => to.version === '1.0.0' && resolve()));
  const first = (await prompts.ready()).version;
  while (prompts.status().connection !== 'streaming') await new Promise((resolve) => setTimeout(resolve, 5));
  document.title = 'streaming';
  await moved;
  const { local, promptPack } = await prompts.startSession();
  const started = new Promise((resolve) => prompts.on('changed', ({ rollout }) => rollout?.to?.share === 50 && resolve()));
  document.title = 'moved';
  await started;
  await prompts.close();
  const arms = ${JSON.stringify(SUBJECTS)}.map((subject) => prompts.for({ subject, attributes: { app: '2.3.0' } }).assignment.arm);
  return { first, then: prompts.getSystemPrompt().version, session: [local, promptPack.version], errors, arms };
})()`;

const askWhatRedirects = `(async () => {
  const { createRegistryClient } = await import('@prompt-registry/client');
  const { ask } = createRegistryClient({ url: location.origin + '/redirect', key: 'prk_x_y' });
  return ask((api) => api.GET('/v1/packs')).catch(({ code, message }) => [code, message]);
})()`;

t.test('the client in Chromium', { skip: noChromium }, async (t) => {
  const origin = await servePage(t);
  const { app, key } = await openApp(t, { store: 'memory', corsOrigins: [origin] });
  const page = await (await launchChromium(t)).newPage();
  const wrong: string[] = [];
  page.on('console', (message) => wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(String(error)));
  await page.goto(origin);

  const followed = page.evaluate(follow(await listen(app), key));
  await page.waitForFunction(`document.title === 'streaming'`);
  await app.registry.activate({ version: '1.0.0', reason: 'For the browser' });
  await page.waitForFunction(`document.title === 'moved'`);
  await app.registry.rollouts.start({ version: '2.0.0', ...HALF, reason: 'For the browser' });
  const arms = SUBJECTS.map((subject) => app.registry.assignment({ subject, attributes: { app: '2.3.0' } })?.arm);
  t.strictSame(await followed, { first: '2.0.0', then: '1.0.0', session: [false, '1.0.0'], errors: [], arms });
  t.ok(arms.includes('stable') && arms.includes('candidate'));
  t.strictSame(wrong, [], 'nothing is complained of');
  t.match(await page.evaluate(askWhatRedirects), ['not-a-registry', /redirects\. Redirects are not followed/u]);
});
