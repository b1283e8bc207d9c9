/**
 * Swagger UI in a real browser: an operator opens /docs, presses Execute, and sees the answer, under the security headers that the
 * page has. Nothing moves until the operator changes what the page filled in. Below a path prefix all of it works as well.
 */
import type { FastifyInstance } from 'fastify';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { listen, openApp } from '../support/apps/app.ts';
import { launchChromium, noChromium } from '../support/clients/chromium.ts';
import { startPrefixProxy } from '../support/http/prefix-proxy.ts';

/** The service, and a browser with its own profile. */
async function start(t: Test): Promise<{ app: FastifyInstance; key: string; origin: string; browser: BrowserContext }> {
  const { app, key } = await openApp(t);
  const origin = await listen(app);
  return { app, key, origin, browser: await launchChromium(t) };
}

/** /docs on a page that remembers everything that went wrong on it, and every host that it asked. */
async function openDocs(
  browser: BrowserContext,
  origin: string,
): Promise<{ page: Page; wrong: string[]; hosts: Set<string> }> {
  const page = await browser.newPage();
  const wrong: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('requestfailed', (request) => wrong.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', (event) => console.error('CSP: ' + event.violatedDirective + ' ' + event.blockedURI))`,
  );
  await page.goto(`${origin}/docs`);
  return { page, wrong, hosts };
}

/** Gives the page a key by its Authorize dialog. */
async function authorize(page: Page, key: string): Promise<void> {
  await page.locator('.auth-wrapper .authorize').first().click();
  const dialog = page.locator('.dialog-ux');
  await dialog.locator('input').first().fill(key);
  await dialog.locator('button.authorize').click();
  await dialog.getByText('Authorized').waitFor();
  await dialog.locator('button.btn-done').click();
  await dialog.waitFor({ state: 'hidden' });
}

/** Opens an operation, presses Execute with what the page filled in, or with another body, and gives what it then shows. */
async function execute(page: Page, operation: string, body?: object): Promise<{ status: string; body: string }> {
  const block = await openOperation(page, operation);
  if (body !== undefined) await block.locator('.body-param__text').fill(JSON.stringify(body));
  await block.getByRole('button', { name: 'Execute' }).click();
  const answer = block.locator('.live-responses-table');
  await answer.waitFor();
  return {
    status: (await answer.locator('.response-col_status').last().innerText()).trim(),
    body: await answer.locator('.highlight-code').first().innerText(),
  };
}

async function openOperation(page: Page, operation: string): Promise<Locator> {
  const block = page.locator(`[id$="-${operation}"]`);
  await block.locator('.opblock-summary-control').click();
  return block;
}

t.test('Swagger UI in Chromium', { skip: noChromium }, async (t) => {
  const { app, key, origin, browser } = await start(t);

  t.test('without a key nothing is told', async (t) => {
    const { page } = await openDocs(browser, origin);
    const { status, body } = await execute(page, 'getSystemPrompt');
    t.equal(status, '401');
    t.match(body, /"code": "unauthenticated"/u);
  });

  t.test('an operator enters the key, and reads the system prompt by pressing Execute', async (t) => {
    const { page, wrong, hosts } = await openDocs(browser, origin);
    await authorize(page, key);
    const { status, body } = await execute(page, 'getSystemPrompt');
    t.equal(status, '200');
    t.match(body, /"pack": "coach"/u);
    t.match(body, /"version": "2\.0\.0"/u);
    t.strictSame(wrong, [], 'nothing went wrong on the page, and nothing was blocked');
    t.strictSame([...hosts], [new URL(origin).host], 'it asked this server only');
  });

  t.test('the page says whose it is, and offers no other document', async (t) => {
    const { page } = await openDocs(browser, origin);
    await page.locator('.opblock').first().waitFor();
    t.equal(await page.title(), 'Prompt Registry');
    t.equal(await page.getByText('Explore').count(), 0);
    t.equal(await page.locator('.topbar').count(), 0);
  });

  t.test('a stream, which does not end, cannot be executed; the page says how to read it', async (t) => {
    const { page } = await openDocs(browser, origin);
    const block = await openOperation(page, 'streamEvents');
    await block.getByText('curl -N').waitFor();
    t.equal(await block.getByRole('button', { name: 'Execute' }).count(), 0);
    t.equal(await block.getByRole('button', { name: 'Try it out' }).count(), 0);
  });

  t.test('Execute with what the page filled in changes nothing', async (t) => {
    await app.registry.activate({ version: '2.0.0', reason: 'As after a first start' });
    const { page } = await openDocs(browser, origin); // the key was entered before: the page remembers it
    const before = app.registry.current;
    const { status, body } = await execute(page, 'activateVersion');
    t.strictSame([status, body.includes('"wouldActivate": "1.1.0"')], ['200', true]);
    t.equal((await execute(page, 'createKey')).status, '400'); // what the examples of all others do: test/contract/examples.test.ts
    t.equal(app.registry.current, before, 'the log is as it was');
    const filledIn = await page.locator('[id$="-activateVersion"] .body-param__text').inputValue();
    t.match(JSON.parse(filledIn), { channel: 'production', dryRun: true }, 'and it can be seen why');
  });

  t.test('an operator activates a version by saying so, whatever moved before', async (t) => {
    await app.registry.activate({ version: '1.0.0', reason: 'The revision is not that of a first start' });
    const { page, wrong } = await openDocs(browser, origin); // the key was entered before: the page remembers it
    const { status, body } = await execute(page, 'activateVersion', {
      version: '1.1.0',
      reason: 'Answers were too blunt',
    });
    t.equal(status, '201');
    t.match(body, /"version": "1\.1\.0"/u);
    t.equal(app.registry.activePack().version, '1.1.0', 'it is active');
    t.strictSame(wrong, [], 'nothing went wrong on the page, and nothing was blocked');
  });

  t.test('below the path prefix of a proxy the page is whole, and Execute asks there', async (t) => {
    const { url } = await startPrefixProxy(t, { target: origin, prefix: '/registry' });
    const { page, wrong, hosts } = await openDocs(browser, `${url}/registry`);
    await authorize(page, key);
    const { status, body } = await execute(page, 'getSystemPrompt');
    t.strictSame([status, body.includes('"pack": "coach"')], ['200', true]);
    t.strictSame(wrong, [], 'nothing went wrong on the page');
    t.strictSame([...hosts], [new URL(url).host]);
  });

  t.test('control: what the policy forbids is noticed', async (t) => {
    const { page, wrong } = await openDocs(browser, origin);
    const noticed = page.waitForEvent('console', { predicate: (message) => message.text().startsWith('CSP: img-src') });
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement('img'), { src: 'http://127.0.0.1:9/elsewhere.png' }))`,
    );
    await noticed;
    t.match(wrong.join('\n'), /CSP: img-src http:\/\/127\.0\.0\.1:9/u);
  });
});
