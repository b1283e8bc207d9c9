/**
 * `Registry-Stale` (SPEC R9, R10): an instance without its store continues to respond, and every response says how old it may be, until
 * the store is back. Writes fail in time; refusals are decided on the log, not on an old snapshot.
 *
 * An instance knows for five seconds that it is current (registry/following/freshness.ts), so this file waits that long, once.
 */
import type { InjectOptions } from 'fastify';
import t, { type Test } from 'tap';
import { RegistryError } from '../../registry/errors.ts';
import { MemoryStore } from '../../registry/stores/memory/index.ts';
import { listen, openApp, type TestApp } from '../support/apps/app.ts';
import { EventStream } from '../support/http/event-stream.ts';
import { FailingStore } from '../support/stores/failing-store.ts';
import { askOf } from '../support/http/openapi.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { answerIn, exchange } from '../support/http/raw-http.ts';
import { openRegistry } from '../support/apps/registries.ts';
import { until } from '../support/process/until.ts';

const reason = 'Users report that answers are too blunt';
/** How long a write may take if the store does not answer, in milliseconds. */
const WRITE_BOUND = 2000;

/** Each kind of response, with its staleness or undefined. */
async function answersOf(
  { app, key }: TestApp,
  origin: string,
  sessionId: string,
): Promise<Record<string, string | undefined>> {
  const stale = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }) =>
    headers['registry-stale'] as string | undefined;
  const ask = async (status: number, options: InjectOptions) => {
    const answer = await app.inject(options);
    if (answer.statusCode !== status)
      throw new Error(`${JSON.stringify(options)}: ${answer.statusCode} ${answer.body}`);
    return answer;
  };
  const { etag = '' } = (await ask(200, { url: '/v1/packs/coach/active' })).headers;
  return {
    '200': stale(await ask(200, { url: '/v1/prompts/system' })),
    '200 HEAD': stale(await ask(200, { method: 'HEAD', url: '/v1/prompts/system' })),
    '304': stale(await ask(304, { url: '/v1/packs/coach/active', headers: { 'if-none-match': String(etag) } })),
    'a session that is started': stale(await ask(201, { method: 'POST', url: '/v1/coach/sessions', payload: {} })),
    'a session that goes on': stale(await ask(200, { url: `/v1/coach/sessions/${sessionId}` })),
    'a probe': stale(await ask(200, { url: '/livez' })),
    'a probe for readiness': stale(await ask(200, { url: '/readyz' })),
    'the stream': stale(await ask(200, { url: '/v1/events' })),
    '400': stale(await ask(400, { url: '/v1/packs?surprise=1' })),
    '400 of the router': stale(await ask(400, { url: '/v1/packs/%zz' })),
    '401': stale(await ask(401, { url: '/v1/packs', headers: { authorization: '' } })),
    '404': stale(await ask(404, { url: '/v1/packs/choach' })),
    '404 of a route': stale(await ask(404, { url: '/nowhere' })),
    '405': stale(await ask(405, { method: 'PUT', url: '/v1/packs' })),
    '414': stale(await ask(414, { url: `/v1/packs/${'x'.repeat(300)}` })),
    '415': stale(
      await ask(415, {
        method: 'POST',
        url: '/v1/coach/sessions',
        payload: 'x',
        headers: { 'content-type': 'text/plain' },
      }),
    ),
    '431 before there is a request': stale(
      answerIn(await exchange(origin, `GET /v1/packs HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)),
    ),
    'over a connection':
      (await fetch(`${origin}/v1/prompts/system`, { headers: { authorization: `Bearer ${key}` } })).headers.get(
        'registry-stale',
      ) ?? undefined,
  };
}

/** The same for calls in process. */
async function readsOf({ app: { registry } }: TestApp, sessionId: string): Promise<Record<string, number | undefined>> {
  const read = {
    activePack: registry.activePack(),
    systemPrompt: registry.getSystemPrompt(),
    styles: registry.listStyles(),
    style: registry.getStylePrompt('supportive'),
    started: registry.startSession(),
    resolved: await registry.resolveSession(sessionId),
  };
  return Object.fromEntries(
    [...Object.entries(read), ['registry', registry]].map(([name, answer]) => [
      name,
      (answer as { staleSeconds?: number }).staleSeconds,
    ]),
  );
}

t.test('while the store is away, every response says for how long; afterwards none does', async (t) => {
  const world = await openApp(t, { store: 'memory' });
  const strict = await openApp(t, { after: world, keyMaxStale: 5 });
  const { app, key } = world;
  const address = await listen(app);
  const { sessionId } = app.registry.startSession();
  const stream = await EventStream.open({ address, key });
  const quiet = (name: string, stale: unknown) => t.equal(stale, undefined, `${name}: not marked`);
  const ready = async (from: TestApp) => (await askOf(from.app)(t, 'ready')).body;

  for (const [name, stale] of Object.entries(await answersOf(world, address, sessionId))) quiet(name, stale);
  for (const [name, stale] of Object.entries(await readsOf(world, sessionId))) quiet(name, stale);
  t.match(await ready(world), { status: 'ready', stale: false, conditions: [] });

  for (const each of [world, strict]) each.connection.away = true;
  await until(() => app.registry.staleSeconds !== undefined);
  t.ok(app.registry.staleSeconds! >= 5, 'for five seconds it still knew');

  for (const [name, stale] of Object.entries(await answersOf(world, address, sessionId)))
    t.match(stale, /^([5-9]|\d{2,})$/u, name);
  for (const [name, stale] of Object.entries(await readsOf(world, sessionId))) t.ok(stale! >= 5, name);
  const { stale, staleSeconds, conditions } = await ready(world);
  t.match({ stale, conditions }, { stale: true, conditions: [{ name: 'stale', detail: /last knew \d+ s ago/u }] });
  t.ok(staleSeconds >= 5);
  const opened = await EventStream.open({ address, key });
  t.ok((await opened.next()).data.staleSeconds! >= 5, 'so does the first message of a stream');
  t.ok(Number(opened.headers['registry-stale']) >= 5);

  for (const id of ['activateVersion', 'rollbackPack']) {
    const { statusCode, body } = await askOf(app)(t, id, {
      body: { reason, ...(id === 'activateVersion' && { version: '1.0.0' }) },
    });
    t.match([statusCode, body.code], [503, 'store-unavailable'], id);
  }

  await t.test('KEY_MAX_STALE limits how long keys are accepted without confirmation', async (t) => {
    await until(() => strict.app.registry.staleSeconds! > 5);
    const ask = askOf(strict.app);
    for (const [id, request] of [
      ['getActivePack', {}],
      ['startCoachSession', { body: {} }],
      ['listKeys', {}],
    ] as const) {
      const { statusCode, body, headers } = await ask(t, id, request);
      t.match([statusCode, body.code, headers['retry-after']], [503, 'store-unavailable', /^\d+$/u], id);
    }
    t.equal(
      (await ask(t, 'getActivePack', { headers: { authorization: '' } })).statusCode,
      401,
      'a request without a key is refused',
    );
    for (const id of ['live', 'ready']) t.equal((await ask(t, id)).statusCode, 200, `${id} needs none`);
    t.equal((await askOf(app)(t, 'getActivePack')).statusCode, 200, 'without it they are honoured as long as it takes');
  });

  for (const each of [world, strict]) each.connection.away = false;
  await until(() => app.registry.staleSeconds === undefined && strict.app.registry.staleSeconds === undefined);
  for (const [name, after] of Object.entries(await answersOf(world, address, sessionId))) quiet(name, after);
  for (const [name, after] of Object.entries(await readsOf(world, sessionId))) quiet(name, after);
  t.match(await ready(world), { stale: false, conditions: [] });
  t.equal((await askOf(strict.app)(t, 'getActivePack')).statusCode, 200, 'keys are honoured again');
  await app.registry.activate({ version: '1.0.0', reason });
  const { data } = await stream.next(({ event }) => event === 'version-activated');
  t.equal(data.staleSeconds, undefined, 'and so do messages');
});

t.test('a write fails with 503 within two seconds if the store hangs', async (t) => {
  const cases = [
    ['at every call', 'store-unavailable', () => true],
    ['while it commits', 'outcome-unknown', (method: string) => method === 'append'],
  ] as const;
  await Promise.all(
    cases.map(async ([name, code, hangs]) => {
      const opened = await openApp(t, { store: 'memory' });
      const { app } = opened;
      const back = Promise.withResolvers<undefined>();
      t.teardown(() => back.resolve(undefined));
      opened.fail(({ method }) => (hangs(method) ? back.promise : undefined));
      const idempotent = { 'idempotency-key': 'once' }; // the store is asked before anything is decided
      const began = performance.now();
      const { statusCode, body, headers } = await askOf(app)(t, 'activateVersion', {
        body: { version: '1.0.0', reason },
        headers: hangs('repeated') ? idempotent : {},
      });
      const took = performance.now() - began;
      t.match([statusCode, body.code, headers['retry-after']], [503, code, /^\d+$/u], name);
      t.ok(took < WRITE_BOUND, `${name}: after ${Math.round(took)} ms`);
      t.equal((await askOf(app)(t, 'getActivePack')).body.version, '2.0.0', `${name}: reads go on`);
    }),
  );
});

/** Two registries on one store; the late one gets no notifications. */
async function twoOn(t: Test) {
  const store = new MemoryStore();
  t.teardown(() => store.close());
  const quick = await openRegistry(t, { store: new FailingStore(store) });
  const connection = new FailingStore(store);
  connection.deaf = true;
  const late = await openRegistry(t, { store: connection });
  connection.renew = () =>
    Promise.reject(new RegistryError('store-unavailable', 'There is no news, by the plan of the test.'));
  return { quick, late };
}

t.test('refusals and requests without effect are decided on the log, not on an old snapshot', async (t) => {
  const { quick, late } = await twoOn(t);
  await quick.publish({ pack: 'coach', document: documentOf('coach', '3.0.0') });
  t.notOk(late.current.packs.get('coach')?.versions.has('3.0.0'), 'the late instance does not have it');
  t.match(
    await late.activate({ version: '3.0.0', reason }),
    { changed: true, version: '3.0.0' },
    'a version published elsewhere a moment ago',
  );

  await quick.activate({ version: '1.0.0', reason });
  t.equal(late.activePack().version, '3.0.0');
  t.match(
    await late.activate({ version: '3.0.0', reason }),
    { changed: true, previousVersion: '1.0.0' },
    'no-op by the old snapshot, a move by the log',
  );

  await quick.activate({ version: '2.0.0', reason });
  t.match(
    await late.rollback({ fromVersion: '2.0.0', reason }),
    { changed: true, version: '3.0.0' },
    'a guard that holds by the log',
  );
  await quick.activate({ version: '2.0.0', reason });
  await t.rejects(
    late.rollback({ fromVersion: '3.0.0', reason }),
    { code: 'not-active' },
    'and one that no longer does',
  );

  await quick.revoke({ pack: 'coach', version: '1.1.0', reason: 'It is dangerous' });
  t.equal(late.current.packs.get('coach')?.versions.get('1.1.0')?.revocation, undefined);
  await t.rejects(late.activate({ version: '1.1.0', reason }), { code: 'version-revoked' });

  await quick.activate({ version: '1.0.0', reason });
  const { revision } = quick.current;
  t.match(
    await late.activate({ version: '1.0.0', reason }),
    { changed: false, revision },
    'a move by the old snapshot, a no-op by the log',
  );
  t.equal(late.current.revision, revision, 'nothing was added');
  t.match(await quick.verify(), { valid: true, events: revision });
});

t.test('a refusal that cannot be checked against the log becomes a 503', async (t) => {
  const { app, connection } = await openApp(t, { store: 'memory' });
  connection.away = true;
  for (const body of [
    { version: '9.9.9', reason },
    { version: '2.0.0', reason },
  ])
    t.match(
      await askOf(app)(t, 'activateVersion', { body }),
      { statusCode: 503, body: { code: 'store-unavailable' } },
      body.version,
    );
});
