/** Scrapes of an application under test, and requests that raise its counters. */
import type { TestApp } from '../apps/app.ts';
import { scrapeOf, type Scrape } from './prometheus.ts';

const reason = 'Users report that answers are too blunt';

/** Scrapes as Prometheus does, with a key that can do nothing else. */
export async function scraperOf({ app }: TestApp): Promise<() => Promise<Scrape>> {
  const { token } = await app.registry.createKey({ label: 'prometheus', scopes: ['metrics:read'] });
  return async () => {
    const { statusCode, headers, body } = await app.inject({
      url: '/metrics',
      headers: { authorization: `Bearer ${token}` },
    });
    if (statusCode !== 200 || !String(headers['content-type']).startsWith('text/plain; version=0.0.4'))
      throw new Error(`The scrape failed with ${statusCode}: ${body}`);
    return scrapeOf(body);
  };
}

/** Scrapes until the condition holds. */
export async function scrapedWhen(scrape: () => Promise<Scrape>, holds: (scrape: Scrape) => boolean): Promise<Scrape> {
  for (;;) {
    const now = await scrape();
    if (holds(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Starts a rollout that is read, a schedule and a trial, so that each metric about them has samples. Needs the moves of `raiseCounters`. */
export async function raiseRollouts({ app }: TestApp): Promise<void> {
  const post = async (url: string, members: object) => {
    const payload = { ...members, reason };
    const { statusCode, body } = await app.inject({ method: 'POST', url: `/v1/packs/coach/${url}`, payload });
    if (statusCode !== 201) throw new Error(`${url}: ${statusCode} ${body}`);
  };
  await post('rollouts', { version: '1.0.0', steps: [{ share: 50 }], finish: 'wait' });
  for (const query of ['', '?subject=user-1']) await app.inject(`/v1/prompts/system${query}`);
  await app.inject({ method: 'POST', url: '/v1/coach/sessions', payload: {} });
  const at = new Date(app.registry.now() + 3_600_000).toISOString();
  await post('schedule', { version: '1.0.0', channel: 'staging', at });
  await post('activations', { version: '1.0.0', channel: 'staging', revertAfter: '1h' });
}

/** Sends requests, so that each counter is raised at least once. */
export async function raiseCounters({ app }: TestApp): Promise<void> {
  const { etag } = (await app.inject('/v1/prompts/system')).headers;
  await app.inject({ url: '/v1/prompts/system', headers: { 'if-none-match': String(etag) } });
  for (const url of [
    '/v1/packs/coach/active',
    '/v1/prompts/styles',
    '/v1/prompts/styles/reflective',
    '/v1/prompts/styles/nothing',
    '/nowhere',
    '/docs/',
  ])
    await app.inject(url);
  await app.inject({ method: 'HEAD', url: '/v1/packs/coach/active' });
  const { sessionId } = (await app.inject({ method: 'POST', url: '/v1/coach/sessions', payload: {} })).json<{
    sessionId: string;
  }>();
  await app.inject({
    method: 'POST',
    url: '/v1/packs/coach/activations',
    payload: { version: '1.0.0', reason },
  });
  await app.inject(`/v1/coach/sessions/${sessionId}`); // on the version that it started on
  await app.inject({ method: 'POST', url: '/v1/packs/coach/rollback', payload: { reason } });
  await app.inject({
    method: 'POST',
    url: '/v1/packs/coach/activations',
    payload: { version: '1.1.0', reason },
  });
  await app.inject({ method: 'POST', url: '/v1/packs/coach/versions/1.1.0/revoke', payload: { reason } });
}
