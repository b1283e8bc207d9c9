/** The metrics of the service: what it counts, what it says about the instance, and that labels stay bounded. */
import t from 'tap';
import { addPack, listen, openApp } from '../support/apps/app.ts';
import { scrapeOf, type Scrape } from '../support/observability/prometheus.ts';
import { raiseCounters, scrapedWhen, scraperOf } from '../support/observability/scraping.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { newFolder } from '../support/process/folder.ts';

const REASON = 'Users report that answers are too blunt';

t.test('requests, reads, sessions, moves and store calls are counted', async (t) => {
  const opened = await openApp(t);
  const { app } = opened;
  await raiseCounters(opened);
  const scrape = await scraperOf(opened);
  const now = await scrape();

  const requests = (operation: string, status: number) =>
    now.value('prompt_registry_requests_total', { operation, status: String(status) });
  t.strictSame(
    [
      requests('getSystemPrompt', 200),
      requests('getSystemPrompt', 304),
      requests('getActivePack', 200),
      requests('getStylePrompt', 404),
      requests('none', 404),
      requests('activateVersion', 201),
    ],
    [1, 1, 2, 1, 1, 2],
  );
  for (const { labels, value } of now.find('prompt_registry_requests_total'))
    t.equal(
      now.value('prompt_registry_request_duration_seconds_count', labels) ?? 0,
      value,
      `${labels['operation']} ${labels['status']}: each request is timed`,
    );
  t.ok((now.value('prompt_registry_request_duration_seconds_sum', { operation: 'activateVersion' }) ?? 0) > 0);

  const read = { pack: 'coach', version: '2.0.0' };
  const reads = (labels: Record<string, string>) => now.value('prompt_registry_reads_total', { ...read, ...labels });
  t.strictSame(
    [
      reads({ kind: 'system', result: 'sent' }),
      reads({ kind: 'system', result: 'not_modified' }),
      reads({ kind: 'pack' }),
      reads({ kind: 'styles' }),
      reads({ kind: 'style' }),
      reads({ kind: 'session' }),
    ],
    [1, 1, 2, 1, 1, 1],
  );
  t.equal(now.value('prompt_registry_sessions_started_total', read), 1);
  const moves = (kind: string) =>
    now.value('prompt_registry_pointer_moves_total', { pack: 'coach', channel: 'production', kind });
  t.strictSame([moves('activation'), moves('rollback'), moves('revocation')], [2, 1, 1]);
  t.ok(
    (now.value('prompt_registry_store_duration_seconds_count', { operation: 'append' }) ?? 0) >= 5,
    'appends are timed',
  );
  t.equal(now.value('prompt_registry_store_errors_total'), 0);

  const gauges = {
    applied_revision: app.registry.current.revision,
    epoch: 1,
    revisions_behind: 0,
    stale_seconds: 0,
    ready: 1,
    pinned: 0,
    log_diverged: 0,
    watchers: 0,
    packs: 2,
  };
  for (const [name, value] of Object.entries(gauges)) t.equal(now.value(`prompt_registry_${name}`), value, name);
  const { version, revision } = app.registry.activePack();
  t.strictSame(
    now
      .find('prompt_registry_active_revision', { pack: 'coach', channel: 'production' })
      .map(({ labels, value }) => [labels['version'], value]),
    [[version, revision]],
  );

  t.equal((await app.inject({ url: '/metrics', headers: { authorization: '' } })).statusCode, 401);
  const { token } = await app.registry.createKey({ label: 'reader', scopes: ['prompts:read', 'audit:read'] });
  t.equal((await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${token}` } })).statusCode, 403);

  app.draining = true;
  t.equal((await scrape()).value('prompt_registry_ready'), 0, 'not ready during shutdown');
});

t.test('a request that is refused before routing is counted', async (t) => {
  const opened = await openApp(t, { store: 'memory' });
  const scrape = await scraperOf(opened);
  t.equal((await opened.app.inject(`/v1/coach/sessions/${'a'.repeat(300)}`)).statusCode, 414);
  t.equal((await opened.app.inject('/v1/packs/%ff/active')).statusCode, 400);
  const now = await scrape();
  t.strictSame(
    ['414', '400'].map((status) => now.value('prompt_registry_requests_total', { operation: 'none', status })),
    [1, 1],
  );
});

t.test('the first move of a pack is an increase, because its counter starts at 0', async (t) => {
  const opened = await openApp(t, {
    store: 'memory',
    before: async (registry) =>
      void (await registry.publish({ pack: 'early', document: documentOf('early', '1.0.0') })),
  });
  const { app } = opened;
  const scrape = await scraperOf(opened);
  const moves = async (pack: string) =>
    (await scrape())
      .find('prompt_registry_pointer_moves_total', { pack })
      .map(({ labels, value }) => `${labels['channel']} ${labels['kind']} ${value}`)
      .sort();
  const still = ['production', 'staging'].flatMap((channel) =>
    ['activation', 'revocation', 'rollback'].map((kind) => `${channel} ${kind} 0`),
  );
  t.strictSame(await moves('early'), still, 'published before the start, and not active');
  t.strictSame(await moves('late'), [], 'control');
  await addPack(app, 'late', '1.0.0');
  t.strictSame(await moves('late'), still, 'published after the start');
  await app.registry.activate({ pack: 'late', version: '1.0.0', reason: REASON });
  t.strictSame(
    (await moves('late')).filter((move) => !move.endsWith(' 0')),
    ['production activation 1'],
  );
});

t.test('two applications in one process count separately', async (t) => {
  const [one, other] = [await openApp(t, { store: 'memory' }), await openApp(t, { store: 'memory' })];
  await one.app.inject('/v1/prompts/system');
  t.equal((await (await scraperOf(one))()).value('prompt_registry_reads_total', { result: 'sent' }), 1);
  t.equal((await (await scraperOf(other))()).value('prompt_registry_reads_total'), undefined);
});

t.test('a stream is counted when it opens, and its duration is not a latency', async (t) => {
  const opened = await openApp(t, { store: 'memory' });
  const address = await listen(opened.app);
  const scrape = await scraperOf(opened);
  const stream = await fetch(`${address}/v1/events`, { headers: { authorization: `Bearer ${opened.key}` } });
  const reader = stream.body?.getReader();
  await reader?.read();
  const during = await scrape();
  t.equal(during.value('prompt_registry_watchers'), 1);
  t.equal(during.value('prompt_registry_requests_total', { operation: 'streamEvents', status: '200' }), 1);
  await reader?.cancel();
  await scrapedWhen(scrape, (now) => now.value('prompt_registry_watchers') === 0);

  const ended = await fetch(`${address}/v1/events`, { headers: { authorization: `Bearer ${opened.key}` } }); // the service ends this one
  await opened.app.inject({
    method: 'POST',
    url: `/v1/keys/${opened.key.split('_')[1]}/revoke`,
    payload: { reason: REASON },
  });
  await ended.body?.pipeTo(new WritableStream()).catch(() => undefined);
  const after = await scrape();
  t.equal(after.value('prompt_registry_requests_total', { operation: 'streamEvents', status: '200' }), 2);
  t.strictSame(after.find('prompt_registry_request_duration_seconds_count', { operation: 'streamEvents' }), []);
});

t.test('an instance reports how far it is behind, and the errors of its store', async (t) => {
  const opened = await openApp(t, { store: 'memory' });
  const scrape = await scraperOf(opened);
  const another = await openApp(t, { after: opened });
  opened.connection.deaf = true;
  opened.fail(({ method }) => (method === 'events' ? 'rejects' : undefined));
  await another.app.registry.activate({ version: '1.0.0', reason: REASON });
  const behind = await scrapedWhen(scrape, (now) => now.value('prompt_registry_revisions_behind') === 1);
  t.ok((behind.value('prompt_registry_store_errors_total', { operation: 'events', failure: 'unavailable' }) ?? 0) > 0);

  opened.connection.away = true;
  const away = await scrapedWhen(scrape, (now) => now.value('prompt_registry_revisions_behind') === undefined);
  t.ok(
    (away.value('prompt_registry_store_errors_total', { operation: 'renew', failure: 'unavailable' }) ?? 0) > 0,
    'no sample: the head of the log is not known',
  );

  opened.connection.away = false;
  opened.fail();
  await scrapedWhen(scrape, (now) => now.value('prompt_registry_revisions_behind') === 0);
  opened.fail(({ method, turn }) => (method === 'append' && turn > 0 ? 'lost-answer' : undefined));
  const moved = opened.app.registry.activate({ version: '2.0.0', reason: REASON });
  await scrapedWhen(
    scrape,
    (now) => (now.value('prompt_registry_store_errors_total', { operation: 'append', failure: 'unknown' }) ?? 0) > 0,
  );
  opened.fail();
  await moved;
});

t.test('an instance that cannot read the store is behind and stale until it can', async (t) => {
  const opened = await openApp(t, {
    store: 'memory',
    before: () => undefined,
    away: true,
    registry: { failStatic: true, dataDir: newFolder(t) },
  });
  opened.fail(({ method }) => (method === 'events' ? 'rejects' : undefined));
  const another = await openApp(t, { after: opened });
  await another.app.registry.activate({ version: '1.0.0', reason: REASON });
  opened.connection.away = false;
  const { app } = opened;
  const scrape = async () => scrapeOf((await app.inject('/metrics')).body); // with the operator's key: the instance knows no newer key
  await scrapedWhen(scrape, (now) => now.value('prompt_registry_revisions_behind') === 1);
  t.not(app.registry.staleSeconds, undefined);
});

t.test('the first write that fails is an increase, because its counter starts at 0', async (t) => {
  const opened = await openApp(t, { store: 'memory' });
  const scrape = await scraperOf(opened);
  const failed = async (status: number) =>
    (await scrape()).value('prompt_registry_requests_total', { operation: 'activateVersion', status: String(status) });
  t.strictSame([await failed(500), await failed(503)], [0, 0]);
  opened.fail(() => 'rejects');
  t.equal(
    (
      await opened.app.inject({
        method: 'POST',
        url: '/v1/packs/coach/activations',
        payload: { version: '1.0.0', reason: REASON },
      })
    ).statusCode,
    503,
  );
  opened.fail();
  t.strictSame([await failed(500), await failed(503)], [0, 1]);
});

t.test('the number of series is bounded', async (t) => {
  const MOST = 12;
  const opened = await openApp(t, { store: 'memory', mostSeries: MOST });
  const { app } = opened;
  const scrape = await scraperOf(opened);
  const series = (now: Scrape, name: string) =>
    now.find(name).filter(({ labels }) => labels['version'] !== 'other' && labels['pack'] !== 'other');

  t.test('with many versions, one after another', async (t) => {
    for (let minor = 1; minor <= 30; minor += 1) {
      await app.registry.publish({ pack: 'coach', document: documentOf('coach', `3.${minor}.0`) });
      await app.registry.activate({ version: `3.${minor}.0`, reason: REASON });
      for (const url of ['/v1/prompts/system', '/v1/packs/coach/active', '/v1/prompts/styles']) await app.inject(url);
      await app.inject({ method: 'POST', url: '/v1/coach/sessions', payload: {} });
    }
    const now = await scrape();
    t.ok(series(now, 'prompt_registry_reads_total').length <= MOST);
    t.ok(series(now, 'prompt_registry_sessions_started_total').length <= MOST);
    t.equal(
      now.value('prompt_registry_reads_total', { version: '3.30.0', kind: 'system', result: 'sent' }),
      1,
      'the active version has its own series',
    );
    t.strictSame(now.find('prompt_registry_reads_total', { version: '3.1.0' }), [], 'an inactive version has none');
  });

  t.test('with many active packs', async (t) => {
    const packs = Array.from({ length: 20 }, (_, index) => `pack-${index}`);
    for (const pack of packs) {
      await addPack(app, pack, '1.0.0');
      await app.registry.activate({ pack, version: '1.0.0', reason: REASON });
      await app.inject(`/v1/prompts/system?pack=${pack}`);
    }
    const now = await scrape();
    for (const name of ['reads_total', 'pointer_moves_total', 'active_revision'].map(
      (each) => `prompt_registry_${each}`,
    ))
      t.ok(series(now, name).length <= MOST, name);
    const total = now.value('prompt_registry_reads_total', { kind: 'system', result: 'sent' }) ?? 0;
    const others =
      now.value('prompt_registry_reads_total', { pack: 'other', version: 'other', kind: 'system', result: 'sent' }) ??
      0;
    t.ok(others > 0 && total >= packs.length, 'the others are counted together');
    t.equal(now.find('prompt_registry_active_revision')[0]?.labels['pack'], 'coach', 'the default pack comes first');
  });

  t.test('with hostile requests', async (t) => {
    const hostile = async (round: number) => {
      const name = `zz${round}hostile`;
      const urls = [
        `/v1/packs/${name}/active`,
        `/v1/prompts/system?pack=${name}`,
        `/v1/prompts/system?channel=${name}`,
        `/v1/prompts/system?subject=${name}&attribute=country:${name}`,
        `/v1/packs/coach/channels/${name}`,
        `/v1/packs/coach/rollouts?channel=${name}`,
        `/v1/prompts/styles/${name}`,
        `/${name}`,
        `/v1/coach/sessions/${name}`,
        `/v1/events?pack=${name}`,
        `/problems/${name.replaceAll(/\d/gu, '')}`,
        `/v1/packs?${name}=1`,
        `/metrics/${name}`,
      ];
      for (const url of urls) for (const method of ['GET', 'HEAD'] as const) await app.inject({ method, url });
      for (const url of urls)
        await app.inject({
          method: 'OPTIONS',
          url,
          headers: { authorization: name, 'x-request-id': name, traceparent: name },
        });
      await app.inject({ method: 'POST', url: '/v1/coach/sessions', payload: { styleId: name } });
      await app.inject({ method: 'POST', url: '/v1/coach/sessions', payload: { subject: name } });
      await app.inject({
        method: 'POST',
        url: `/v1/packs/${name}/activations`,
        payload: { version: '9.9.9', reason: name },
      });
      await app.inject({
        method: 'POST',
        url: '/v1/packs/coach/activations',
        payload: { version: '9.9.9', channel: name, reason: name },
      });
    };
    await app.registry.rollouts.start({ version: '2.0.0', steps: [{ share: 50 }], finish: 'wait', reason: REASON });
    await hostile(0);
    await scrape(); // a scrape is a request too, and is counted after its response
    const first = await scrape();
    for (let round = 1; round <= 20; round += 1) await hostile(round);
    const last = await scrape();
    const own = ({ samples }: Scrape) => samples.filter(({ name }) => name.startsWith('prompt_registry_')).length;
    t.equal(own(last), own(first), 'no new series');
    t.strictSame(
      last.samples.filter(({ labels }) => JSON.stringify(labels).includes('hostile')),
      [],
    );
    t.ok(
      (last.value('prompt_registry_requests_total', { operation: 'none', status: '404' }) ?? 0) >= 20,
      'control: the requests were counted',
    );
  });
});
