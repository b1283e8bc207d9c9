/**
 * Timeouts and aborts work after a garbage collection, too. Node's fetch holds the signal of a request weakly, so an abort may reach
 * nobody (https://github.com/nodejs/undici/issues/3644).
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRegistryClient, streamEvents, type RegistryFailure } from '@prompt-registry/client';
import t from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { collectGarbage } from '../../support/process/garbage.ts';
import { startFront } from '../../support/http/http-front.ts';
import { openSource } from '../../support/clients/prompt-sources.ts';
import { until } from '../../support/process/until.ts';

const key = 'prk_x_y';

t.test('after a garbage collection', async (t) => {
  // Starts some responses and ends none.
  const server = createServer(({ url }, response) => {
    if (url === '/v1/events')
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .write('id: 1\nevent: revision\ndata: {"epoch":1,"revision":1}\n\n');
    if (url === '/v1/packs') response.writeHead(200, { 'content-type': 'application/json' }).write('{"packs":');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const collecting = setInterval(collectGarbage, 50);
  t.teardown(() => {
    clearInterval(collecting);
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createRegistryClient({ url, key, timeout: 300 });
  const codeOf = async (waiting: Promise<unknown>) =>
    waiting.then(
      () => 'an answer',
      ({ code }: RegistryFailure) => code,
    );

  t.test('a response that does not start times out', async (t) => {
    t.equal(await codeOf(client.ask((api) => api.GET('/v1/keys'))), 'timed-out');
    t.equal(await codeOf(client.send('/v1/keys', {})), 'timed-out');
  });

  t.test('a response that does not end times out', async (t) => {
    t.equal(await codeOf(client.ask((api) => api.GET('/v1/packs'))), 'timed-out');
  });

  t.test('a silent stream times out', async (t) => {
    const messages = streamEvents(client, { silence: 300 });
    t.match((await messages.next()).value, { event: 'revision' });
    t.equal(await codeOf(messages.next()), 'timed-out');
  });

  t.test('a stream ends when its signal is aborted', async (t) => {
    const end = new AbortController();
    const messages = streamEvents(client, { signal: end.signal });
    await messages.next();
    const next = codeOf(messages.next());
    setTimeout(() => end.abort(), 200);
    t.equal(await next, 'closed');
  });

  t.test('close() ends the stream of a source', async (t) => {
    const { app, key } = await openApp(t, { store: 'memory' });
    const front = await startFront(t, await listen(app));
    const { source } = openSource(t, { url: front.url, key });
    await source.ready();
    await until(() => source.status().connection === 'streaming');
    collectGarbage();
    await source.close();
    t.equal(source.status().connection, 'closed');
    await until(() => front.open === 0); // idle keep-alive connections do not count
  });
});
