/**
 * Traces: spans say which version was served, but contain no client data and no prompt text. A collector that is down or hangs does no harm.
 * Without a collector, tracing is not loaded at all.
 */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { textOf } from '../support/docs/pages.ts';
import { openCollector, type Collector, type ReceivedSpan } from '../support/observability/collector.ts';
import { newFolder } from '../support/process/folder.ts';
import { until } from '../support/process/until.ts';
import { spawnServer } from '../support/apps/server-process.ts';

const loaded: string[] = [];
registerHooks({
  resolve: (specifier, context, next) => {
    if (/@opentelemetry\/(?!api$)|@fastify\/otel|plugins\/tracing|\.\/tracing\//u.test(specifier))
      loaded.push(specifier);
    return next(specifier, context);
  },
});
const { listen, openApp } = await import('../support/apps/app.ts');

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

const tracingTo = (collector: Pick<Collector, 'endpoint'>) => ({
  endpoint: collector.endpoint,
  serviceName: 'coach registry',
  pause: 20,
  lastWait: 300,
});

function spanOf(t: Test, { spans }: Collector, name: string): ReceivedSpan {
  const found = spans.filter((span) => span.name === name);
  t.equal(found.length, 1, `one span is called "${name}"`);
  return (
    found[0] ?? {
      name,
      traceId: '',
      spanId: '',
      parentSpanId: undefined,
      attributes: {},
      events: [],
      status: {},
      service: undefined,
    }
  );
}

/** A body that is sent in parts, each in a separate turn of the event loop. */
function inParts(...parts: readonly string[]): ReadableStream {
  return ReadableStream.from(
    (async function* () {
      for (const part of parts) {
        await setImmediate();
        yield Buffer.from(part);
      }
    })(),
  );
}

t.test('without a collector, tracing is not loaded', async (t) => {
  const { app } = await openApp(t, { store: 'memory' });
  t.equal((await app.inject('/v1/prompts/system')).statusCode, 200);
  t.strictSame(loaded, []);
});

t.test('spans say which version was served, and contain no text, key or session', async (t) => {
  const collector = await openCollector(t);
  const { app, key } = await openApp(t, { tracing: tracingTo(collector) });
  t.ok(loaded.length > 0, 'control: the look at what is loaded sees it');
  const { digest } = app.registry.activePack();
  const { system, styles } = app.registry.activePack();

  await app.inject({
    url: '/v1/prompts/system',
    headers: { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'theirs=hunter2' },
  });
  const { etag } = (await app.inject('/v1/prompts/styles/reflective')).headers;
  await app.inject({ url: '/v1/packs/coach/active', headers: { 'if-none-match': String(etag) } });
  const session = (await app.inject({ method: 'POST', url: '/v1/coach/sessions', payload: {} })).json<{
    sessionId: string;
  }>().sessionId;
  await app.inject(`/v1/coach/sessions/${session}`);
  await app.inject(`/v1/coach/sesions/${session}?note=hunter2`);
  const address = await listen(app); // over a connection, where a body comes later than its request
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const moved = await fetch(`${address}/v1/packs/coach/activations`, {
    method: 'POST',
    headers,
    body: inParts('{"version":"1.0.0",', '"reason":"Since hunter2 said so"}'),
    duplex: 'half',
  });
  t.equal(moved.status, 201);
  await app.inject({ method: 'POST', url: '/v1/packs/coach/activations', payload: { hunter2: system } });
  await app.inject({ url: '/v1/packs', headers: { authorization: 'Bearer prk_hunter2_hunter2' } });
  await app.inject('/v1/events');
  await app.inject('/readyz');
  await app.close();

  t.ok(collector.spans.length >= 10, `${collector.spans.length} spans came`);
  t.same(new Set(collector.paths), new Set(['/v1/traces']));
  const coach = {
    'feature_flag.provider.name': 'prompt-registry',
    'feature_flag.key': 'coach',
    'feature_flag.set.id': 'production',
    'feature_flag.result.variant': '2.0.0',
    'gen_ai.prompt.name': 'coach',
    'prompt_registry.digest': digest,
  };
  const system1 = spanOf(t, collector, 'GET /v1/prompts/system');
  t.match(system1, { traceId: TRACE, parentSpanId: PARENT, service: 'coach registry' }, 'the caller’s trace goes on');
  t.strictSame(system1.attributes, {
    ...coach,
    'feature_flag.version': String(app.registry.activePack({ channel: 'staging' }).revision - 1),
    'http.request.method': 'GET',
    'http.route': '/v1/prompts/system',
    'http.response.status_code': 200,
    'prompt_registry.operation': 'getSystemPrompt',
  });
  for (const [name, status] of [
    ['GET /v1/prompts/styles/:styleId', 200],
    ['GET /v1/packs/:pack/active', 200],
    ['POST /v1/coach/sessions', 201],
    ['GET /v1/coach/sessions/:sessionId', 200],
  ] as const) {
    t.match(spanOf(t, collector, name).attributes, { ...coach, 'http.response.status_code': status }, name);
  }
  const move = collector.spans.find(
    ({ name, attributes }) =>
      name === 'POST /v1/packs/:pack/activations' && attributes['http.response.status_code'] === 201,
  );
  t.match(move?.attributes, {
    'feature_flag.key': 'coach',
    'feature_flag.result.variant': '1.0.0',
    'feature_flag.version': String(((await moved.json()) as { revision: number }).revision),
  });
  t.match(
    spanOf(t, collector, 'store append'),
    { traceId: move?.traceId, parentSpanId: move?.spanId, attributes: { 'db.operation.name': 'append' } },
    'what a write waits for is below it',
  );
  t.notOk(
    collector.spans.some(({ name }) => /v1\/events|readyz|renew/u.test(name)),
    'streams, probes and the background work of an instance have none',
  );

  const all = collector.bodies.join('\n');
  for (const [what, secret] of Object.entries({
    system: system.slice(0, 40),
    style: styles[0]?.text.slice(0, 40) ?? '',
    key,
    secret: key.split('_')[2] ?? '',
    session,
    'what a client sent': 'hunter2',
  })) {
    t.ok(secret.length > 5);
    t.notOk(all.includes(JSON.stringify(secret).slice(1, -1)), `no ${what} in it`);
  }
  t.ok(all.includes(digest), 'control: what is there is found so');
  t.strictSame(
    collector.spans.flatMap(({ events, status }) => [
      ...events,
      ...(status.message === undefined ? [] : [status.message]),
    ]),
    [],
  );
});

t.test('while a rollout runs, spans say which arm was served and why, and contain no subject', async (t) => {
  const collector = await openCollector(t);
  const { app } = await openApp(t, {
    store: 'memory',
    tracing: tracingTo(collector),
    registry: { defaultVersion: '1.0.0' },
  });
  const { rollout } = await app.registry.rollouts.start({
    version: '2.0.0',
    steps: [{ share: 50 }],
    finish: 'wait',
    audience: { subjects: ['hunter2-tester'] },
    reason: 'A test',
  });
  const read = (query: string) => app.inject(`/v1/prompts/system${query}`);
  await read('');
  await read('?subject=hunter2-tester&attribute=country:hunter2-land');
  await app.inject({ url: '/v1/prompts/styles', headers: { 'registry-subject': 'hunter2-tester' } });
  await app.inject({ method: 'POST', url: '/v1/coach/sessions', payload: { subject: 'hunter2-tester' } });
  await app.inject('/v1/packs/coach/channels/production');
  await until(() => collector.spans.length >= 5); // closing waits for the collector only for a while
  await app.close();

  const told = collector.spans.map(({ attributes }) => [
    attributes['prompt_registry.operation'],
    attributes['feature_flag.result.variant'],
    attributes['feature_flag.version'],
    attributes['feature_flag.result.reason'],
    attributes['prompt_registry.arm'],
    attributes['prompt_registry.rollout'],
  ]);
  const { id } = rollout;
  const pointer = String(app.registry.activePack().revision);
  const candidate = ['2.0.0', String(id), 'split', 'candidate', id];
  t.strictSame(told, [
    ['getSystemPrompt', '1.0.0', pointer, 'default', 'stable', id],
    ['getSystemPrompt', ...candidate],
    ['listStyles', ...candidate],
    ['startCoachSession', ...candidate],
    ['getChannel', '1.0.0', pointer, undefined, undefined, undefined],
  ]);
  t.notOk(collector.bodies.join('\n').includes('hunter2'), 'nothing of the subject or its attributes');
});

t.test('the page lists every attribute that leaves the process', async (t) => {
  const { EXPORTED } = await import('../../plugins/tracing/attributes.ts');
  const [, traces = ''] = textOf('docs/observability/README.md').split('## Traces');
  const listed = [...traces.matchAll(/^\| (`[^|]*`) \|/gmu)].flatMap(([, names = '']) =>
    [...names.matchAll(/`([\w.]+)`/gu)].map(([, name = '']) => name),
  );
  t.strictSame(listed.sort(), [...EXPORTED].sort());
});

t.test('requests to the collector carry the headers of the setting', async (t) => {
  const collector = await openCollector(t);
  const { app } = await openApp(t, { tracing: { ...tracingTo(collector), headers: { authorization: 'Bearer abc' } } });
  await app.inject('/v1/prompts/system');
  await until(() => collector.spans.length > 0);
  await app.close();
  t.strictSame([...new Set(collector.authorizations)], ['Bearer abc']);
});

t.test(
  'the service name comes from the setting, else from OTEL_RESOURCE_ATTRIBUTES, else it is the default',
  async (t) => {
    t.teardown(() => delete process.env['OTEL_RESOURCE_ATTRIBUTES']);
    const called = async (attributes: string, serviceName?: string) => {
      process.env['OTEL_RESOURCE_ATTRIBUTES'] = attributes;
      const collector = await openCollector(t);
      const { app } = await openApp(t, { store: 'memory', tracing: { ...tracingTo(collector), serviceName } });
      await app.inject('/v1/packs');
      await until(() => collector.spans.length > 0);
      await app.close();
      return collector.spans[0]?.service;
    };
    t.strictSame(
      [await called('service.name=theirs', 'set'), await called('service.name=theirs'), await called('')],
      ['set', 'theirs', 'prompt-registry'],
    );
  },
);

t.test('each request is one span, and an error of the client is not an error of the server', async (t) => {
  const collector = await openCollector(t);
  const opened = await openApp(t, { store: 'memory', tracing: tracingTo(collector) });
  const { app } = opened;
  const reason = 'Since it is asked for';
  const statuses = [
    await app.inject({ method: 'POST', url: '/v1/packs/coach/rollback', payload: { reason } }), // there is nothing to go back to
    await app.inject({ url: '/v1/packs', headers: { authorization: '' } }),
    await app.inject('/nowhere'),
  ].map(({ statusCode }) => statusCode);
  t.strictSame(statuses, [409, 401, 404]);
  opened.fail(() => 'rejects');
  t.equal(
    (await app.inject({ method: 'POST', url: '/v1/packs/coach/activations', payload: { version: '1.0.0', reason } }))
      .statusCode,
    503,
  );
  let lost = 0;
  opened.fail(({ method }) => (method === 'append' && (lost += 1) === 1 ? 'lost-answer' : undefined));
  t.equal(
    (await app.inject({ method: 'POST', url: '/v1/packs/coach/activations', payload: { version: '1.0.0', reason } }))
      .statusCode,
    201,
  );
  opened.fail();
  await app.close();

  const [UNSET, ERROR] = [0, 2]; // https://github.com/open-telemetry/opentelemetry-proto, trace.proto, StatusCode
  const requests = collector.spans.filter(({ name }) => !name.startsWith('store '));
  t.strictSame(
    requests.map(({ name, attributes, status }) => [
      name,
      attributes['http.response.status_code'],
      status.code ?? UNSET,
    ]),
    [
      ['POST /v1/packs/:pack/rollback', 409, UNSET],
      ['GET /v1/packs', 401, UNSET],
      ['GET', 404, UNSET],
      ['POST /v1/packs/:pack/activations', 503, ERROR],
      ['POST /v1/packs/:pack/activations', 201, UNSET],
    ],
  );
  const appends = collector.spans
    .filter(({ name }) => name === 'store append')
    .map(({ status }) => status.code ?? UNSET);
  t.strictSame(
    appends,
    [ERROR, ERROR, UNSET],
    'what the store did not do, or gave no answer to, is one below it; the try after it is none',
  );
});

t.test(
  'a collector that hangs: requests still work, spans beyond the bound are dropped, closing does not wait',
  async (t) => {
    const collector = await openCollector(t);
    collector.hang();
    const { app } = await openApp(t, { store: 'memory', tracing: tracingTo(collector) });
    await app.inject('/v1/prompts/styles');
    await until(() => collector.bodies.length > 0);
    let sent = 1;
    // More than can wait (2048) and has been given up (512 a batch).
    for (; sent < 2048 + 512 * (collector.bodies.length + 1); sent += 100) {
      const answers = await Promise.all(Array.from({ length: 100 }, () => app.inject('/v1/prompts/styles')));
      if (answers.some(({ statusCode }) => statusCode !== 200)) t.fail('a read was not answered');
    }
    t.equal(collector.mostAtOnce, 1, 'one batch at a time');
    collector.answer();
    collector.hang();
    await app.close();
    t.ok(collector.spans.length < sent, `${collector.spans.length} of ${sent} spans were sent: the rest was not kept`);
  },
);

t.test(
  'a collector whose response never ends: one batch waits for it, the others are dropped, and the log says so',
  async (t) => {
    const collector = await openCollector(t);
    collector.trickle();
    const lines: string[] = [];
    const { app } = await openApp(t, {
      store: 'memory',
      tracing: tracingTo(collector),
      logger: { level: 'warn', stream: { write: (line: string) => void lines.push(line) } },
    });
    await app.inject('/v1/prompts/styles');
    await until(() => collector.bodies.length > 0);
    await app.inject('/v1/prompts/styles');
    await until(() => collector.bodies.length > 1 || lines.some((line) => line.includes('does not accept spans')));
    t.equal(collector.bodies.length, 1);
    await app.close();
  },
);

t.test('a collector that is down is logged once, and does no harm', async (t) => {
  const { endpoint } = await openCollector(t);
  const gone = new URL(endpoint);
  gone.port = '1';
  const lines: string[] = [];
  const { app } = await openApp(t, {
    store: 'memory',
    tracing: { ...tracingTo({ endpoint: gone.origin }) },
    logger: { level: 'warn', stream: { write: (line: string) => void lines.push(line) } },
  });
  const address = await listen(app);
  t.equal((await fetch(`${address}/livez`)).status, 200);
  for (let read = 0; read < 20; read += 1) t.equal((await app.inject('/v1/prompts/system')).statusCode, 200);
  const told = () => lines.filter((line) => line.includes('does not accept spans')).length;
  await until(() => told() > 0); // it is tried again for two seconds
  await app.inject('/v1/prompts/system');
  await app.close();
  t.equal(told(), 1);
});

t.test('OTEL_EXPORTER_OTLP_ENDPOINT: the process sends the remaining spans when it ends', async (t) => {
  const collector = await openCollector(t);
  const server = spawnServer(t, {
    DATA_DIR: join(newFolder(t), 'data'),
    STORE_URL: 'memory:',
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.endpoint}/`,
    OTEL_SERVICE_NAME: 'coach registry',
  });
  const line = await server.said((said) => said.includes('Listening at'));
  const address = /http:\/\/[\w.:]+/u.exec(line)?.[0] ?? '';
  t.equal((await fetch(`${address}/problems/internal`)).status, 200);
  server.signal('SIGINT');
  t.equal((await server.ended()).code, 0);
  t.match(spanOf(t, collector, 'GET /problems/:code'), {
    service: 'coach registry',
    attributes: { 'http.response.status_code': 200 },
  });
});
