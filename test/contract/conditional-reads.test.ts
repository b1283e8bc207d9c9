/**
 * A conditional read is written in one step, or through Fastify's reply (`routes/wire/conditional-read.ts`). Nobody may see the difference.
 *
 * Every operation with a 304 is asked both ways. A hook of this test sets a header, which sends the request the other way, and counts the
 * responses that go through Fastify's reply.
 */
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { listen, openApp, type TestAppOptions } from '../support/apps/app.ts';
import { withRoutes } from '../support/apps/routes.ts';
import { exchange } from '../support/http/raw-http.ts';
import { OPERATIONS, urlOf } from '../support/http/openapi.ts';
import { openCollector } from '../support/observability/collector.ts';
import { scraperOf } from '../support/observability/scraping.ts';
import { until } from '../support/process/until.ts';

const ORIGIN = 'https://console.example.com';
/** Asks for a header on Fastify's reply, or on Node's response below it. */
const DETOUR = 'x-detour';

const READS = [...OPERATIONS.values()].filter(({ responses }) => '304' in responses);
/** A rollout has no texts, so a read of it is not counted as one of a version. */
const WITHOUT_TEXTS = 'getRollout';
const OF_ONE_VERSION = ['getActivePack', 'getStylePrompt', 'getSystemPrompt', 'listStyles'];

interface Answer {
  readonly status: number | undefined;
  /** `Name: value` as they were sent, in alphabetical order, without `Date` and the header of the detour. */
  readonly headers: readonly string[];
  /** Its hash. */
  readonly body: string;
}

/** The shipped application with a rollout, and the hooks of this test. */
async function openReads(t: Test, options: TestAppOptions = {}) {
  let throughReply = 0;
  const { opened } = await withRoutes(
    () => openApp(t, { store: 'memory', registry: { defaultVersion: '1.1.0' }, ...options }),
    (app) => {
      app.addHook('onRequest', (request, reply, next) => {
        const way = request.headers[DETOUR];
        if (way === 'reply') void reply.header(DETOUR, way);
        if (way === 'response') reply.raw.setHeader(DETOUR, way);
        next();
      });
      app.addHook('onSend', (_request, _reply, payload, next) => {
        throughReply += 1;
        next(null, payload);
      });
    },
  );
  const { rollout } = await opened.app.registry.rollouts.start({
    version: '2.0.0',
    steps: [{ share: 50 }],
    finish: 'wait',
    reason: 'Two arms',
  });
  const pathOf = (read: string) => {
    const [id = '', query] = read.split('?');
    const path = urlOf(id, { path: { channel: 'production', rollout: String(rollout.id), styleId: 'reflective' } });
    return query === undefined ? path : `${path}?${query}`;
  };
  const address = await listen(opened.app);
  const authorization = `Bearer ${opened.key}`;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const ask = (id: string, headers: Readonly<Record<string, string>> = {}, method = 'GET', keepAlive = true) =>
    new Promise<Answer>((resolve, reject) => {
      const sent = { method, agent: keepAlive && agent, headers: { authorization, ...headers } };
      request(`${address}${pathOf(id)}`, sent, (response) => {
        buffer(response).then((body) => {
          const { statusCode: status, rawHeaders } = response;
          resolve({ status, headers: linesOf(rawHeaders), body: hashOf(body) });
        }, reject);
      })
        .on('error', reject)
        .end();
    });
  /** Asks, and says how many responses went through Fastify's reply. */
  const counted = async (...asked: Parameters<typeof ask>): Promise<[answer: Answer, throughReply: number]> => {
    const before = throughReply;
    const answer = await ask(...asked);
    return [answer, throughReply - before];
  };
  return { ...opened, address, authorization, pathOf, ask, counted };
}

function linesOf(raw: readonly string[]): string[] {
  return raw
    .flatMap((name, index) => (index % 2 === 0 ? [`${name.toLowerCase()}: ${raw[index + 1]}`] : []))
    .filter((line) => !line.startsWith('date: ') && !line.startsWith(`${DETOUR}: `))
    .sort();
}

/** Headers that two applications share: their ETags differ, and only one of them has CORS. */
const isShared = (line: string) => !/^(?:vary|access-control-[a-z-]+|etag): /u.test(line);
const hashOf = (body: string | Buffer) => createHash('sha256').update(body).digest('hex');
const valueOf = ({ headers }: Answer, name: string) =>
  headers.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);

t.test('there are conditional reads', async (t) => {
  const ids = READS.map(({ operationId }) => operationId);
  t.strictSame(ids.sort(), [...OF_ONE_VERSION, 'getChannel', WITHOUT_TEXTS].sort());
});

t.test('both ways give the same status, headers and body', async (t) => {
  const { app, ask, counted } = await openReads(t);
  const names = Array.from({ length: 64 }, (_, index) => `user-${index}`);
  const ofArms = (['stable', 'candidate'] as const).flatMap((arm) => {
    const subject = names.find((name) => app.registry.assignment({ subject: name })?.arm === arm) ?? '';
    return OF_ONE_VERSION.map((id) => ({ id: `${id}?subject=${subject}&attribute=country:de`, arm }));
  });
  for (const { id, arm } of [...READS.map(({ operationId: id }) => ({ id, arm: undefined })), ...ofArms]) {
    const [whole, none] = await counted(id);
    t.equal(whole.status, 200, id);
    if (arm !== undefined) t.match(valueOf(whole, 'registry-assignment'), new RegExp(`; arm=${arm}$`, 'u'));
    t.equal(none, 0, 'control: a usual read does not go through Fastify’s reply');
    const etag = valueOf(whole, 'etag') ?? '';
    for (const [condition, status] of [
      [{}, 200],
      [{ 'if-none-match': etag }, 304],
      [{ 'if-none-match': `"other", W/${etag}` }, 304],
      [{ 'if-none-match': '"other"' }, 200],
    ] as const)
      for (const keepAlive of [true, false]) {
        const usual = await ask(id, condition, 'GET', keepAlive);
        t.equal(usual.status, status);
        for (const way of ['reply', 'response']) {
          const [other, one] = await counted(id, { ...condition, [DETOUR]: way }, 'GET', keepAlive);
          t.equal(one, 1, `control: a header on the ${way} leads through Fastify’s reply`);
          t.strictSame(other, usual, `${id} ${JSON.stringify(condition)}`);
        }
      }
  }
});

t.test('HEAD has the headers of GET', async (t) => {
  const { ask, counted } = await openReads(t);
  for (const { operationId: id } of READS) {
    const { status, headers } = await ask(id);
    t.strictSame(await counted(id, {}, 'HEAD'), [{ status, headers, body: hashOf('') }, 1], id);
  }
});

t.test('a client of HTTP/1.0 gets the same bytes on both ways', async (t) => {
  const { address, authorization, pathOf } = await openReads(t);
  const dateless = (text: string) => text.replace(/^(?:Date|x-detour): .*\r\n/gmu, '');
  const sorted = (text: string) => dateless(text).split('\r\n').sort();
  for (const { operationId: id } of READS) {
    const head = `GET ${pathOf(id)} HTTP/1.0\r\nAuthorization: ${authorization}\r\n`;
    const usual = await exchange(address, `${head}\r\n`);
    t.match(usual, /^HTTP\/1\.1 200 OK\r\n/u);
    t.strictSame(sorted(await exchange(address, `${head}${DETOUR}: reply\r\n\r\n`)), sorted(usual), id);
  }
});

t.test('with CORS every read goes through Fastify’s reply and keeps the headers of the plugin', async (t) => {
  const { ask: plain } = await openReads(t);
  const { counted } = await openReads(t, { corsOrigins: [ORIGIN] });
  for (const { operationId: id } of READS)
    for (const condition of [{}, { 'if-none-match': '*' }]) {
      const expected = await plain(id, condition);
      for (const [origin, cors] of [
        [{}, ['vary']],
        [{ origin: ORIGIN }, ['access-control-allow-origin', 'access-control-expose-headers', 'vary']],
      ] as const) {
        const [answer, one] = await counted(id, { ...condition, ...origin });
        t.equal(one, 1);
        t.equal(answer.status, expected.status);
        t.strictSame(answer.headers.filter(isShared), expected.headers.filter(isShared), id);
        for (const name of cors) t.ok(valueOf(answer, name), name);
      }
    }
});

t.test('a move of another channel is in the headers of the next read, and the ETag stays', async (t) => {
  const { app, ask, counted } = await openReads(t);
  for (const { operationId: id } of READS) {
    const before = await ask(id);
    const version = app.registry.activePack({ channel: 'staging' }).version === '1.0.0' ? '1.1.0' : '1.0.0';
    const { revision } = await app.registry.activate({ pack: 'coach', version, channel: 'staging', reason: 'A look' });
    const [after, none] = await counted(id);
    t.equal(none, 0);
    t.equal(valueOf(after, 'registry-revision'), String(revision), id);
    t.equal(valueOf(after, 'etag'), valueOf(before, 'etag'));
  }
});

t.test('a read that waited for a revision has the same headers', async (t) => {
  const { app, ask, counted } = await openReads(t);
  const waited = { 'registry-min-revision': String(app.registry.current.revision) };
  for (const { operationId: id } of READS)
    for (const condition of [{}, { 'if-none-match': '*' }])
      t.strictSame(await counted(id, { ...condition, ...waited }), [await ask(id, condition), 1], id);
});

t.test('metrics count both ways alike', async (t) => {
  const opened = await openReads(t);
  const scrape = await scraperOf(opened);
  const counts = async (id: string, headers: Readonly<Record<string, string>>) => {
    const of = async () =>
      (await scrape()).samples
        .filter(
          ({ name, labels }) =>
            /^prompt_registry_(?:reads|requests)_total$/u.test(name) && labels['operation'] !== 'getMetrics',
        )
        .map(({ name, labels, value }) => [`${name} ${JSON.stringify(labels)}`, value] as const);
    const before = new Map(await of());
    await opened.app.inject({ url: opened.pathOf(id), headers });
    return (await of())
      .map(([series, value]) => [series, value - (before.get(series) ?? 0)] as const)
      .filter(([, more]) => more !== 0);
  };
  for (const { operationId: id } of READS)
    for (const condition of [{}, { 'if-none-match': '*' }] as const) {
      const usual = await counts(id, condition);
      t.equal(usual.length, id === WITHOUT_TEXTS ? 1 : 2, `${id}: a request and a read`);
      t.strictSame(await counts(id, { ...condition, [DETOUR]: 'reply' }), usual, id);
    }
});

t.test('each read has its span', async (t) => {
  const collector = await openCollector(t);
  const tracing = { endpoint: collector.endpoint, serviceName: 'reads', pause: 20, lastWait: 300 };
  const { ask: plain } = await openReads(t);
  const { counted } = await openReads(t, { tracing });
  for (const { operationId: id } of READS)
    for (const condition of [{}, { 'if-none-match': '*' }]) {
      const [{ status, headers }, one] = await counted(id, condition);
      const expected = await plain(id, condition);
      t.equal(one, 1, id);
      t.equal(status, expected.status);
      t.strictSame(headers.filter(isShared), expected.headers.filter(isShared), `${id}: the headers are the same`);
    }
  await until(() => collector.spans.length >= 2 * READS.length);
  const spans = collector.spans.map(({ attributes }) => [
    attributes['prompt_registry.operation'],
    attributes['http.response.status_code'],
    attributes['feature_flag.result.variant'],
  ]);
  t.strictSame(
    spans.sort(),
    READS.flatMap(({ operationId: id }) =>
      [200, 304].map((status) => [id, status, id === WITHOUT_TEXTS ? undefined : '1.1.0']),
    ).sort(),
  );
});
