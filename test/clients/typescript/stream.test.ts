/**
 * The event stream: only messages keep it alive, invalid messages are rejected, and an instance that is out of sync is left for another.
 */
import type { ServerResponse } from 'node:http';
import { createRegistryClient, streamEvents, type RegistryFailure } from '@prompt-registry/client';
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { startFront, streamOf, type Fate } from '../../support/http/http-front.ts';
import { openSource, readsChannel } from '../../support/clients/prompt-sources.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';
const key = 'prk_x_y';

/** A registry, and a proxy that changes its stream. */
async function setUp(t: Test, fate: () => Fate) {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  front.plan = ({ url }) => (url?.startsWith('/v1/events') === true ? fate() : undefined);
  return { registry: app.registry, front, connection: { url: front.url, key } };
}

/** The failure of a stream from a server that behaves like this. */
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

t.test('a failed stream closes its connection', async (t) => {
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
    'only comments, no messages',
  );
  t.match(
    await failureOf(t, (response) =>
      response.writeHead(503, { 'content-type': 'application/problem+json' }).write('{'),
    ),
    { code: 'not-a-registry', status: 503 },
    'an endless error response',
  );
  for (const [what, data] of [
    ['null', null],
    ['no revision', { epoch: 1 }],
    ['an invalid age', { epoch: 1, revision: 9, staleSeconds: '7' }],
    ['invalid moves', { epoch: 1, revision: 9, moves: 'all' }],
    ['an invalid move', { epoch: 1, revision: 9, moves: [null] }],
  ] as const) {
    t.match(
      await failureOf(
        t,
        streamOf((send) => send('heartbeat', data)),
      ),
      { code: 'not-understood', message: /incompatible/u },
      what,
    );
  }
  t.match(
    await failureOf(
      t,
      streamOf((_, response) => response.write('event: heartbeat\ndata: {"epoch":\n\n')),
    ),
    { code: 'not-a-registry' },
    'invalid JSON',
  );
});

t.test('an old registry without epochs is in epoch 1', async (t) => {
  const front = await startFront(t, 'http://127.0.0.1:9');
  front.plan = () => streamOf((send) => send('heartbeat', { revision: 9 }));
  const { value } = await streamEvents(createRegistryClient({ url: front.url, key })).next();
  t.match(value, { data: { epoch: 1, revision: 9 } });
});

t.test('a source leaves an instance that is out of sync', async (t) => {
  const { registry, connection } = await setUp(t, () => {
    const { epoch, revision } = registry.current;
    return streamOf((send, response) => {
      send('revision', { epoch, revision });
      const timer = setInterval(() => send('heartbeat', { epoch, revision, staleSeconds: 100 }), 20);
      response.once('close', () => clearInterval(timer));
    });
  });
  const { source, nextEvent } = openSource(t, { ...connection, staleAfter: 300, pollInterval: 3_600_000 });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  const left = nextEvent('error', ({ code }) => code === 'store-unavailable');
  const changed = nextEvent('changed');
  await registry.activate({ version: '1.0.0', reason }); // unknown to that instance
  t.match(await left, { message: /out of sync for 100 s/u });
  t.equal((await changed).to.version, '1.0.0', 'read from another instance');
});

t.test('the staleness of an instance counts as age', async (t) => {
  const { front, connection } = await setUp(t, () => 'hang');
  front.plan = () => ({ change: (answer) => (answer.headers['registry-stale'] = '100') });
  const { source, eventually } = openSource(t, { ...connection, stream: false });
  await source.ready();
  t.match(await eventually('stale'), { refused: false });
  t.ok(source.activePack().age >= 100_000 && source.activePack().stale);
  const strict = openSource(t, { ...connection, stream: false, maxStale: 90_000 });
  await t.rejects(strict.source.ready(), { code: 'too-stale' });

  front.plan = () => ({ change: (answer) => (answer.headers['registry-stale'] = '0, 0') });
  const garbled = openSource(t, { ...connection, stream: false });
  await t.rejects(
    garbled.source.ready(),
    { code: 'not-understood', message: /changes its headers/u },
    'an invalid age',
  );
});

t.test('resync causes a read', async (t) => {
  const { registry, front, connection } = await setUp(t, () =>
    streamOf((send) => {
      const { epoch, revision } = registry.current;
      send('resync', { epoch, revision });
    }),
  );
  const { source } = openSource(t, { ...connection, pollInterval: 3_600_000 });
  await source.ready();
  await until(() => front.requests.filter((each) => readsChannel(each)).length >= 2);
  t.equal(
    front.headers.at(-1)?.['registry-min-revision'],
    String(registry.current.revision),
    'at that position or later',
  );
});

t.test('a 304 from an older revision does not confirm the pack', async (t) => {
  const { front, connection } = await setUp(t, () => 'hang');
  const { source, nextEvent } = openSource(t, { ...connection, stream: false, pollInterval: 20 });
  await source.ready();
  const failed = nextEvent('error');
  front.plan = () => ({ change: (answer) => (answer.headers['registry-revision'] = '1') });
  t.match(await failed, { code: 'older-than-seen' });
});

t.test('a source polls while the stream has a long Retry-After', async (t) => {
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
  const { source, eventually, nextEvent, events } = openSource(t, { ...connection, pollInterval: 20 });
  await source.ready();
  t.match(await eventually('error'), { code: 'overloaded', retryAfter: 3_600_000 });
  for (const version of ['1.0.0', '1.1.0', '1.0.0']) {
    const changed = nextEvent('changed');
    await registry.activate({ version, reason });
    t.equal((await changed).to.version, version);
  }
  t.equal(events.filter(([event]) => event === 'error').length, 1, 'the stream was not requested again');
  t.equal(source.status().connection, 'polling');
});

t.test('a source polls if a proxy buffers the stream', async (t) => {
  const { registry, connection } = await setUp(t, () => streamOf(() => undefined));
  const { source, nextEvent } = openSource(t, { ...connection, timeout: 300 });
  await source.ready();
  const held = nextEvent('error', ({ code }) => code === 'timed-out');
  const changed = nextEvent('changed');
  await registry.activate({ version: '1.0.0', reason });
  await held;
  t.equal((await changed).to.version, '1.0.0');
});

t.test('waits grow', async (t) => {
  const shares = { random: () => 0.1 };
  const from = performance.now();
  const { source, events } = openSource(t, { url: 'http://127.0.0.1:1', key, ...shares, pollInterval: 3_600_000 });
  await until(() => events.length === 5);
  t.ok(performance.now() - from >= 1500, 'during an outage'); // 0.1, 0.2, 0.4 and 0.8 s
  await source.close();

  const { connection } = await setUp(t, () =>
    streamOf((send, response) => (send('revision', { epoch: 1, revision: 1 }), response.end())),
  );
  const since = performance.now();
  const cut = openSource(t, { ...connection, ...shares, pollInterval: 3_600_000 });
  await until(() => cut.events.filter(([event]) => event === 'error').length === 5);
  t.ok(performance.now() - since >= 1500, 'if the stream breaks immediately');
});
