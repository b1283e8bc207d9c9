/**
 * What comes on the stream, or in place of it: what is no message keeps no stream alive, what is no registry's is not believed, and one
 * whose instance has lost its store is left for another.
 */
import type { ServerResponse } from 'node:http';
import { createRegistryClient, streamEvents, type RegistryFailure } from '@prompt-registry/client';
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { startFront, streamOf, type Fate } from '../../support/http/http-front.ts';
import { openSource } from '../../support/clients/prompt-sources.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';
const key = 'prk_x_y';

/** A registry, and a front that does something else with its stream. */
async function setUp(t: Test, fate: () => Fate) {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  front.plan = ({ url }) => (url?.startsWith('/v1/events') === true ? fate() : undefined);
  return { registry: app.registry, front, connection: { url: front.url, key } };
}

/** How a stream fails that is read from a front which does this with it. */
async function failureOf(t: Test, fate: Fate, silence = 10_000): Promise<RegistryFailure> {
  const front = await startFront(t, 'http://127.0.0.1:9');
  front.plan = () => fate;
  const messages = streamEvents(createRegistryClient({ url: front.url, key, timeout: 300 }), { silence });
  try {
    for (;;) await messages.next();
  } catch (error) {
    await until(() => front.open === 0);
    return error as RegistryFailure;
  }
}

t.test('what ends a stream also closes its connection', async (t) => {
  const repeated = (write: (response: ServerResponse) => void): Fate =>
    streamOf((_, response) => {
      const timer = setInterval(() => write(response), 20);
      response.once('close', () => clearInterval(timer));
    });
  t.match(
    await failureOf(
      t,
      repeated((response) => response.write(': a proxy that keeps the connection warm\n\n')),
      200,
    ),
    { code: 'timed-out' },
    'comments are no messages',
  );
  t.match(
    await failureOf(t, (response) =>
      response.writeHead(503, { 'content-type': 'application/problem+json' }).write('{'),
    ),
    { code: 'not-a-registry', status: 503 },
    'a refusal that does not end',
  );
  for (const [what, data] of [
    ['null', null],
    ['no revision', { epoch: 1 }],
    ['an age that is none', { epoch: 1, revision: 9, staleSeconds: '7' }],
    ['moves that are none', { epoch: 1, revision: 9, moves: 'all' }],
    ['a move that is none', { epoch: 1, revision: 9, moves: [null] }],
  ] as const) {
    t.match(
      await failureOf(
        t,
        streamOf((send) => send('heartbeat', data)),
      ),
      { code: 'not-understood', message: /edition/u },
      what,
    );
  }
  t.match(
    await failureOf(
      t,
      streamOf((_, response) => response.write('event: heartbeat\ndata: {"epoch":\n\n')),
    ),
    { code: 'not-a-registry' },
    'no JSON',
  );
});

t.test('a registry of before there were epochs is in its first', async (t) => {
  const front = await startFront(t, 'http://127.0.0.1:9');
  front.plan = () => streamOf((send) => send('heartbeat', { revision: 9 }));
  const { value } = await streamEvents(createRegistryClient({ url: front.url, key })).next();
  t.match(value, { data: { epoch: 1, revision: 9 } });
});

t.test('an instance that has lost its store is left, and another is asked', async (t) => {
  const { registry, connection } = await setUp(t, () => {
    const { epoch, revision } = registry.current;
    return streamOf((send, response) => {
      send('revision', { epoch, revision });
      const timer = setInterval(() => send('heartbeat', { epoch, revision, staleSeconds: 100 }), 20);
      response.once('close', () => clearInterval(timer));
    });
  });
  const { source, hears } = openSource(t, { ...connection, staleAfter: 300, pollInterval: 3_600_000 });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  const left = hears('error', ({ code }) => code === 'store-unavailable');
  const changed = hears('changed');
  await registry.activate({ version: '1.0.0', reason }); // which that instance cannot know
  t.match(await left, { message: /not known for 100 s/u });
  t.equal((await changed).to.version, '1.0.0', 'it is read from where it is known');
});

t.test('how old an instance says that it is, is how old its answers are', async (t) => {
  const { front, connection } = await setUp(t, () => 'hang');
  front.plan = () => ({ change: (answer) => (answer.headers['registry-stale'] = '100') });
  const { source, heard } = openSource(t, { ...connection, stream: false });
  await source.ready();
  t.match(await heard('stale'), { refused: false });
  t.ok(source.activePack().age >= 100_000 && source.activePack().stale);
  const strict = openSource(t, { ...connection, stream: false, maxStale: 90_000 });
  await t.rejects(strict.source.ready(), { code: 'too-stale' });

  front.plan = () => ({ change: (answer) => (answer.headers['registry-stale'] = '0, 0') });
  const garbled = openSource(t, { ...connection, stream: false });
  await t.rejects(
    garbled.source.ready(),
    { code: 'not-understood', message: /changes its headers/u },
    'an age that is no number is none',
  );
});

t.test('resync is a reason to read', async (t) => {
  const { registry, front, connection } = await setUp(t, () =>
    streamOf((send) => {
      const { epoch, revision } = registry.current;
      send('resync', { epoch, revision });
    }),
  );
  const { source } = openSource(t, { ...connection, pollInterval: 3_600_000 });
  await source.ready();
  await until(() => front.requests.filter((each) => each.endsWith('/active')).length >= 2);
  t.equal(front.headers.at(-1)?.['registry-min-revision'], String(registry.current.revision), 'from there on');
});

t.test('an answer without a body from an older revision confirms nothing', async (t) => {
  const { front, connection } = await setUp(t, () => 'hang');
  const { source, hears } = openSource(t, { ...connection, stream: false, pollInterval: 20 });
  await source.ready();
  const failed = hears('error');
  front.plan = () => ({ change: (answer) => (answer.headers['registry-revision'] = '1') });
  t.match(await failed, { code: 'older-than-seen' });
});

t.test('a stream that is not to be asked for is polled for meanwhile', async (t) => {
  const { registry, connection } = await setUp(t, () => ({
    status: 503,
    headers: { 'retry-after': '3600' },
    body: JSON.stringify({
      type: '/problems/overloaded',
      title: 'Overloaded',
      status: 503,
      detail: 'Planted',
      code: 'overloaded',
    }),
  }));
  const { source, heard, hears, said } = openSource(t, { ...connection, pollInterval: 20 });
  await source.ready();
  t.match(await heard('error'), { code: 'overloaded', retryAfter: 3_600_000 });
  for (const version of ['1.0.0', '1.1.0', '1.0.0']) {
    const changed = hears('changed');
    await registry.activate({ version, reason });
    t.equal((await changed).to.version, version);
  }
  t.equal(said.filter(([event]) => event === 'error').length, 1, 'it was not asked for again');
  t.equal(source.status().connection, 'polling');
});

t.test('a stream that something between holds back is polled for', async (t) => {
  const { registry, connection } = await setUp(t, () => streamOf(() => undefined));
  const { source, hears } = openSource(t, { ...connection, timeout: 300 });
  await source.ready();
  const held = hears('error', ({ code }) => code === 'timed-out');
  const changed = hears('changed');
  await registry.activate({ version: '1.0.0', reason });
  await held;
  t.equal((await changed).to.version, '1.0.0');
});

t.test('each wait may be longer than the one before', async (t) => {
  const shares = { random: () => 0.1 };
  const from = performance.now();
  const { source, said } = openSource(t, { url: 'http://127.0.0.1:1', key, ...shares, pollInterval: 3_600_000 });
  await until(() => said.length === 5);
  t.ok(performance.now() - from >= 1500, 'where the registry is away'); // 0.1, 0.2, 0.4 and 0.8 s
  await source.close();

  const { connection } = await setUp(t, () =>
    streamOf((send, response) => (send('revision', { epoch: 1, revision: 1 }), response.end())),
  );
  const since = performance.now();
  const cut = openSource(t, { ...connection, ...shares, pollInterval: 3_600_000 });
  await until(() => cut.said.filter(([event]) => event === 'error').length === 5);
  t.ok(performance.now() - since >= 1500, 'where the stream is cut as soon as it begins');
});
