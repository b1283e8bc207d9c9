/**
 * Metrics at the door: what is counted, what is told of the instance, that labels stay bounded whatever is asked, and that everything
 * the dashboard, the alerts and the page about them name is there.
 */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { addPack, listen, openApp, type TestApp } from '../support/apps/app.ts';
import { newFolder } from '../support/process/folder.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { scrapeOf, type Scrape } from '../support/observability/prometheus.ts';
import { OPERATIONS } from '../support/http/openapi.ts';
import { groupedBy, labelsGiven, missing, rawCounters, seconds } from '../support/observability/promql.ts';

const REASON = 'Users report that answers are too blunt';
const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Scrapes as Prometheus does: with a key for that alone. */
async function scraperOf({ app }: TestApp): Promise<() => Promise<Scrape>> {
  const { token } = await app.registry.createKey({ label: 'prometheus', scopes: ['metrics:read'] });
  return async () => {
    const { statusCode, headers, body } = await app.inject({
      url: '/metrics',
      headers: { authorization: `Bearer ${token}` },
    });
    if (statusCode !== 200 || !String(headers['content-type']).startsWith('text/plain; version=0.0.4'))
      throw new Error(`The scrape was answered ${statusCode}: ${body}`);
    return scrapeOf(body);
  };
}

/** Scrapes until it says what is waited for. */
async function scrapedWhen(scrape: () => Promise<Scrape>, holds: (scrape: Scrape) => boolean): Promise<Scrape> {
  for (;;) {
    const now = await scrape();
    if (holds(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** One of everything that is counted. */
async function busy({ app }: TestApp): Promise<void> {
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
    payload: { version: '1.0.0', reason: REASON },
  });
  await app.inject(`/v1/coach/sessions/${sessionId}`); // on the version that it started with
  await app.inject({ method: 'POST', url: '/v1/packs/coach/rollback', payload: { reason: REASON } });
  await app.inject({
    method: 'POST',
    url: '/v1/packs/coach/activations',
    payload: { version: '1.1.0', reason: REASON },
  });
  await app.inject({ method: 'POST', url: '/v1/packs/coach/versions/1.1.0/revoke', payload: { reason: REASON } });
}

t.test('what is counted', async (t) => {
  const opened = await openApp(t);
  const { app } = opened;
  await busy(opened);
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
      `${labels['operation']} ${labels['status']}: each is timed`,
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
  t.equal((await scrape()).value('prompt_registry_ready'), 0, 'not ready while the process ends');
});

t.test('what is refused before there is a route is counted', async (t) => {
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

t.test('the first move of a pack is a rise, whenever it came', async (t) => {
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
  t.strictSame(await moves('early'), still, 'registered before the start, and active nowhere');
  t.strictSame(await moves('late'), [], 'control');
  await addPack(app, 'late', '1.0.0');
  t.strictSame(await moves('late'), still, 'registered after the start');
  await app.registry.activate({ pack: 'late', version: '1.0.0', reason: REASON });
  t.strictSame(
    (await moves('late')).filter((move) => !move.endsWith(' 0')),
    ['production activation 1'],
  );
});

t.test('two applications in one process count for themselves', async (t) => {
  const [one, other] = [await openApp(t, { store: 'memory' }), await openApp(t, { store: 'memory' })];
  await one.app.inject('/v1/prompts/system');
  t.equal((await (await scraperOf(one))()).value('prompt_registry_reads_total', { result: 'sent' }), 1);
  t.equal((await (await scraperOf(other))()).value('prompt_registry_reads_total'), undefined);
});

t.test('a stream counts when it is opened, and its life is no latency', async (t) => {
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

  const ended = await fetch(`${address}/v1/events`, { headers: { authorization: `Bearer ${opened.key}` } }); // this one is ended by the service
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

t.test('how far it is behind, and what the store does not do', async (t) => {
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
    'how far the log is, is not known: no sample',
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

t.test('who reaches the store but cannot read it is behind for as long as that lasts, and stale as well', async (t) => {
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
  const scrape = async () => scrapeOf((await app.inject('/metrics')).body); // with the operator's key: it knows no newer one
  await scrapedWhen(scrape, (now) => now.value('prompt_registry_revisions_behind') === 1);
  t.not(app.registry.staleSeconds, undefined);
});

t.test('a write that fails is a rise, however early it comes', async (t) => {
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

t.test('labels are bounded', async (t) => {
  const MOST = 12;
  const opened = await openApp(t, { store: 'memory', mostSeries: MOST });
  const { app } = opened;
  const scrape = await scraperOf(opened);
  const series = (now: Scrape, name: string) =>
    now.find(name).filter(({ labels }) => labels['version'] !== 'other' && labels['pack'] !== 'other');

  t.test('however many versions come and go', async (t) => {
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
      'what is active is there',
    );
    t.strictSame(now.find('prompt_registry_reads_total', { version: '3.1.0' }), [], 'what is active nowhere made room');
  });

  t.test('however many are active', async (t) => {
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
    const told = now.value('prompt_registry_reads_total', { kind: 'system', result: 'sent' }) ?? 0;
    const others =
      now.value('prompt_registry_reads_total', { pack: 'other', version: 'other', kind: 'system', result: 'sent' }) ??
      0;
    t.ok(others > 0 && told >= packs.length, 'the rest is counted together');
    t.equal(now.find('prompt_registry_active_revision')[0]?.labels['pack'], 'coach', 'the default pack comes first');
  });

  t.test('whatever is asked', async (t) => {
    const hostile = async (round: number) => {
      const name = `zz${round}hostile`;
      const urls = [
        `/v1/packs/${name}/active`,
        `/v1/prompts/system?pack=${name}`,
        `/v1/prompts/system?channel=${name}`,
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
    await hostile(0);
    await scrape(); // is a request itself, and counted once it is answered
    const first = await scrape();
    for (let round = 1; round <= 20; round += 1) await hostile(round);
    const last = await scrape();
    const own = ({ samples }: Scrape) => samples.filter(({ name }) => name.startsWith('prompt_registry_')).length;
    t.equal(own(last), own(first), 'no series more');
    t.strictSame(
      last.samples.filter(({ labels }) => JSON.stringify(labels).includes('hostile')),
      [],
    );
    t.ok(
      (last.value('prompt_registry_requests_total', { operation: 'none', status: '404' }) ?? 0) >= 20,
      'control: they were counted',
    );
  });
});

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity?: string };
  readonly annotations: { readonly summary?: string; readonly action?: string; readonly runbook?: string };
}
interface Dashboard {
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly definition?: string;
      readonly allValue?: string;
    }[];
  };
  readonly annotations: {
    readonly list: readonly { readonly expr: string; readonly step: string; readonly titleFormat: string }[];
  };
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly datasource?: { readonly uid: string };
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

const RULES = (parse(file('docs/observability/alerts.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  ({ rules }) => rules,
);
const DASHBOARD = JSON.parse(file('docs/observability/dashboard.json')) as Dashboard;

/** The operations that append an event: they take an Idempotency-Key. */
const WRITES = [...OPERATIONS.values()]
  .filter(({ parameters = [] }) => parameters.some(({ name }) => name === 'idempotency-key'))
  .map(({ operationId }) => operationId)
  .sort();

/** A scrape of an instance on which all that is counted has happened once. */
async function fullScrape(t: Test): Promise<Scrape> {
  const opened = await openApp(t);
  await busy(opened);
  opened.fail(() => 'rejects');
  const refused = await opened.app.inject({
    method: 'POST',
    url: '/v1/packs/coach/activations',
    payload: { version: '1.0.0', reason: REASON },
  });
  t.equal(refused.statusCode, 503);
  opened.fail();
  return (await scraperOf(opened))();
}

t.test('what the dashboard, the alerts and the page about them name is there', async (t) => {
  const scrape = await fullScrape(t);

  t.test('the dashboard', async (t) => {
    const expressions = [
      ...DASHBOARD.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...DASHBOARD.annotations.list.map(({ expr }) => expr),
    ];
    t.ok(expressions.length >= 25, `${expressions.length} queries`);
    t.strictSame(
      expressions.flatMap((expression) => missing(scrape, expression)),
      [],
    );
    const legends = [
      ...DASHBOARD.panels.flatMap(({ targets = [] }) =>
        targets.map(({ expr, legendFormat }) => [expr, legendFormat] as const),
      ),
      ...DASHBOARD.annotations.list.map(({ expr, titleFormat }) => [expr, titleFormat] as const),
    ];
    const named = (legend: string) => [...legend.matchAll(/\{\{(\w+)\}\}/gu)].map(([, label = '']) => label);
    t.strictSame(
      legends.filter(([expr, legend]) => named(legend).some((label) => !labelsGiven(expr).includes(label))),
      [],
      'legends name what there is',
    );
    t.strictSame(
      DASHBOARD.panels.filter(({ type }) => type === 'row').map(({ title }) => title),
      ['Traffic', 'Pointers', 'Freshness', 'Store', 'Process'],
    );
    t.equal(
      new Set(DASHBOARD.panels.map(({ id }) => id)).size,
      DASHBOARD.panels.length,
      'each panel has an id of its own',
    );
    t.ok(
      DASHBOARD.panels.every(({ type, datasource }) => type === 'row' || datasource?.uid === '${datasource}'),
      'the data source is chosen at the import',
    );
    const variables = DASHBOARD.templating.list;
    t.equal(variables[0]?.type, 'datasource');
    for (const { definition } of variables)
      if (definition !== undefined) t.strictSame(missing(scrape, definition), [], definition);
    const used = new Set(
      expressions
        .flatMap((expression) => [...expression.matchAll(/\$(\w+)/gu)].map(([, name = '']) => name))
        .filter((name) => !name.startsWith('__')),
    );
    t.strictSame(
      [...used].filter((name) => !variables.some((variable) => variable.name === name)),
      [],
      'each variable that is used is there',
    );
    t.strictSame(expressions.flatMap(rawCounters), []);
    for (const name of ['job', 'instance'])
      t.equal(
        variables.find((variable) => variable.name === name)?.allValue,
        undefined,
        `all of ${name} are those of registries`,
      );
    t.match(
      DASHBOARD.panels.find(({ title }) => title === 'Ready')?.targets?.[0]?.expr,
      /sum\(prompt_registry_ready.*\/ count\(up\{/u,
      'of all there are, also of those that are away',
    );
  });

  t.test('no move falls between two looks for it', async (t) => {
    const [, interval = ''] = /scrape_interval: (\w+)/u.exec(file('docs/observability/README.md')) ?? [];
    for (const { expr, step } of DASHBOARD.annotations.list) {
      const [, range = ''] = /\[(\w+)\]/u.exec(expr) ?? [];
      t.ok(seconds(range) > seconds(step) + 2 * seconds(interval), `${range} is longer than ${step} and ${interval}`);
    }
  });

  t.test('the alerts', async (t) => {
    const anchors = [...file('docs/operations.md').matchAll(/^#+ (.*)$/gmu)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/gu, '')
        .replaceAll(' ', '-'),
    );
    t.ok(RULES.length >= 8);
    const [gone, others] = [
      RULES.filter(({ expr }) => expr === 'absent(up{job="prompt-registry"})'),
      RULES.filter(({ expr }) => !expr.startsWith('absent(')),
    ];
    t.equal(gone.length, 1, 'one tells that nothing is scraped at all');
    t.strictSame(
      others.flatMap(({ expr }) => missing(scrape, expr)),
      [],
    );
    t.strictSame(
      others.flatMap(({ expr }) => rawCounters(expr)),
      [],
    );
    const writes = RULES.find(({ alert }) => alert === 'PromptRegistryWritesFail')?.expr ?? '';
    t.match(
      writes,
      /increase\(prompt_registry_requests_total\{.*status=~"5\.\."\}\[\w+\]\)\) > 0$/u,
      'one tells that writes fail, however few there are',
    );
    t.strictSame(
      (/operation=~"([^"]*)"/u.exec(writes)?.[1] ?? '').split('|').sort(),
      WRITES,
      'of whatever appends an event',
    );
    for (const { alert, expr } of others)
      if (expr.includes('prompt_registry_requests_total'))
        t.ok(groupedBy(expr).includes('operation'), `${alert}: reads do not drown writes`);
    for (const { alert, expr, annotations } of RULES) {
      const named = [
        ...Object.values(annotations)
          .join(' ')
          .matchAll(/\$labels\.(\w+)/gu),
      ].map(([, label = '']) => label);
      t.strictSame(
        named.filter((label) => !labelsGiven(expr).includes(label)),
        [],
        `${alert}: its text names what it has`,
      );
    }
    for (const { alert, labels, annotations } of RULES) {
      t.match(labels.severity, /^(critical|warning|info)$/u, alert);
      t.ok(
        (annotations.summary ?? '').length > 20 && (annotations.action ?? '').length > 20,
        `${alert} says what is wrong and what to do`,
      );
      const [, anchor = ''] = /^docs\/operations\.md#(.+)$/u.exec(annotations.runbook ?? '') ?? [];
      t.ok(anchors.includes(anchor), `${alert}: ${annotations.runbook} is there`);
    }
  });

  t.test('the page: every metric of ours, with exactly its labels', async (t) => {
    const told = new Map(
      [...file('docs/observability/README.md').matchAll(/^\| `(prompt_registry_\w+)` \|([^|]*)\|/gmu)].map(
        ([, name = '', labels = '']) => [name, [...labels.matchAll(/`(\w+)`/gu)].map(([, label = '']) => label).sort()],
      ),
    );
    const there = new Map(
      [...scrape.types]
        .filter(([name]) => name.startsWith('prompt_registry_'))
        .map(([name, type]) => {
          const labels = scrape
            .find(type === 'histogram' ? `${name}_count` : name)
            .flatMap(({ labels }) => Object.keys(labels));
          return [name, [...new Set(labels)].sort()];
        }),
    );
    t.strictSame(Object.fromEntries([...told].sort()), Object.fromEntries([...there].sort()));
  });

  t.test('control: what is not there is found', async (t) => {
    t.strictSame(missing(scrape, 'rate(prompt_registry_readz_total[5m])'), [
      'prompt_registry_readz_total is not there',
    ]);
    t.strictSame(missing(scrape, 'prompt_registry_ready{pack="coach"}').slice(0, 1), [
      'prompt_registry_ready has no label pack',
    ]);
    t.strictSame(missing(scrape, 'prompt_registry_requests_total{status="299"}'), [
      'prompt_registry_requests_total has nothing with status="299"',
    ]);
    t.equal(missing(scrape, 'sum by (style) (prompt_registry_reads_total)').length, 1);
    t.equal(
      missing(scrape, 'prompt_registry_request_duration_seconds{operation="none"}').length > 0,
      true,
      'a histogram has no sample of its own name',
    );
    t.equal(missing(scrape, 'up == 0').length, 1);
    t.strictSame(rawCounters('max(changes(prompt_registry_reads_total[1m])) + rate(prompt_registry_reads_total[1m])'), [
      'prompt_registry_reads_total',
    ]);
    t.strictSame(
      [labelsGiven('absent(up{job="a"})'), labelsGiven('sum by (job, le) (a)'), labelsGiven('a == 0')],
      [['job'], ['job', 'le'], ['job', 'instance']],
    );
    t.throws(() => scrapeOf('a 1'), /no family/u);
    t.throws(() => scrapeOf('# TYPE a gauge\na{b="c} 1'), /no sample/u);
    t.throws(() => scrapeOf('# TYPE a gauge\na 1\na 2'), /twice/u);
  });
});
