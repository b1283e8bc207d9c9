/** A source with a healthy registry: it serves whole packs from memory, reads each with one request and follows every move. */
import { getEventListeners } from 'node:events';
import { RegistryFailure } from '@prompt-registry/client';
import t from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { startFront } from '../../support/http/http-front.ts';
import { openSource } from '../../support/clients/prompt-sources.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';

t.test('a source with a healthy registry', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  const connection = { url: front.url, key };
  const { registry } = app;

  t.test('serves what the registry serves, from one whole pack', async (t) => {
    const { source } = openSource(t, connection);
    const active = await source.ready();
    const theirs = registry.activePack();
    const of = {
      pack: 'coach',
      channel: 'production',
      version: theirs.version,
      digest: theirs.digest,
      revision: theirs.revision,
      origin: 'registry',
      stale: false,
    };
    t.match(active, { ...of, system: theirs.system, defaultStyle: theirs.defaultStyle });
    t.strictSame(active.styles, theirs.styles);
    t.match(source.getSystemPrompt(), { ...of, text: theirs.system });
    for (const { id, title, text } of theirs.styles)
      t.match(source.getStylePrompt(id), { ...of, styleId: id, title, text });
    t.ok(
      source.getSystemPrompt().age >= 0 && Number.isFinite(JSON.parse(JSON.stringify(source.getSystemPrompt())).age),
      'contains the age, also as JSON',
    );
    t.equal(source.getSystemPrompt(), source.getSystemPrompt(), 'a read is a look-up');
    t.throws(
      () => Object.assign(source.activePack().styles[0] as object, { text: 'x' }),
      TypeError,
      'results are frozen',
    );
  });

  t.test('an unknown style fails and lists the available styles', async (t) => {
    const { source } = openSource(t, connection);
    await source.ready();
    t.throws(() => source.getStylePrompt('nope'), {
      name: 'RegistryFailure',
      code: 'style-not-found',
      message: /nope.*supportive/u,
    });
  });

  t.test('a read before the first pack fails', async (t) => {
    const { source } = openSource(t, connection);
    t.throws(() => source.getSystemPrompt(), { code: 'no-pack', message: /ready\(\)/u });
  });

  t.test('follows each move with one request', async (t) => {
    const { source, eventually } = openSource(t, connection);
    const { version: first } = await source.ready();
    await until(() => source.status().connection === 'streaming');
    const before = front.requests.length;
    for (const version of ['1.0.0', '1.1.0', first]) {
      await registry.activate({ version, reason });
      const { to } = await eventually(
        'changed',
        ({ to }) => to.version === version && to.revision === registry.activePack().revision,
      );
      t.equal(source.getSystemPrompt().version, version);
      t.equal(to.digest, registry.activePack().digest);
    }
    await registry.rollback({ reason });
    await eventually('changed', ({ to }) => to.revision === registry.activePack().revision);
    t.strictSame(
      front.requests.slice(before),
      Array<string>(4).fill('GET /v1/packs/coach/channels/production'),
      'one request for each move, and no others',
    );
    await registry.activate({ version: first, reason });
  });

  t.test('events of other channels cost no request', async (t) => {
    const { source } = openSource(t, connection);
    await source.ready();
    await until(() => source.status().connection === 'streaming');
    const before = front.requests.length;
    await registry.activate({ version: '1.0.0', channel: 'staging', reason });
    await registry.activate({ version: '1.1.0', channel: 'staging', reason });
    await until(() => source.status().revision === registry.current.revision);
    t.equal(front.requests.length, before);
    t.equal(source.activePack().channel, 'production');
  });

  t.test('follows a given channel', async (t) => {
    const { source } = openSource(t, { ...connection, channel: 'staging' });
    t.match(await source.ready(), { channel: 'staging', version: registry.activePack({ channel: 'staging' }).version });
  });

  t.test('reads during moves never mix two packs and never go back', async (t) => {
    const { source } = openSource(t, connection);
    await source.ready();
    await until(() => source.status().connection === 'streaming');
    const texts = new Map<string, string>();
    let [reads, wrong, last] = [0, 0, 0];
    const read = () => {
      const { version, revision, system, digest } = source.activePack();
      const prompt = source.getSystemPrompt();
      const style = source.getStylePrompt('supportive');
      reads += 1;
      if (
        prompt.text !== system ||
        prompt.revision !== revision ||
        style.revision !== revision ||
        style.digest !== digest ||
        revision < last
      )
        wrong += 1;
      if ((texts.get(version) ?? system) !== system) wrong += 1;
      texts.set(version, system);
      last = revision;
    };
    const timer = setInterval(read, 1);
    t.teardown(() => clearInterval(timer));
    for (let flip = 0; flip < 40; flip += 1) {
      await registry.activate({ version: flip % 2 === 0 ? '1.0.0' : '2.0.0', reason });
      read();
      if (flip % 4 !== 0) await until(() => source.activePack().revision === registry.activePack().revision); // else the next flip overtakes the read
    }
    clearInterval(timer);
    t.ok(reads > 40 && texts.size === 2, `${reads} reads of ${texts.size} versions`);
    t.equal(wrong, 0);
  });

  t.test('polling follows moves, too, and costs a 304 if nothing moved', async (t) => {
    const { source, eventually } = openSource(t, { ...connection, stream: false, pollInterval: 5 });
    await source.ready();
    const before = front.requests.length;
    await until(() => front.requests.length > before + 3);
    t.equal(source.status().connection, 'polling');
    t.type(front.headers.at(-1)?.['if-none-match'], 'string');
    const { version } = source.activePack();
    await registry.rollback({ reason });
    t.not((await eventually('changed', ({ from }) => from?.version === version)).to.version, version);
    t.notOk(front.requests.slice(before).some((each) => each.includes('/v1/events')));
  });

  t.test('requests leave no listeners on long-lived signals', async (t) => {
    const signals: AbortSignal[] = [];
    const { AbortController: Original } = globalThis;
    t.intercept(globalThis, 'AbortController', {
      value: class extends Original {
        constructor() {
          super();
          signals.push(this.signal);
        }
      },
    });
    const { source } = openSource(t, { ...connection, stream: false, pollInterval: 1 });
    await source.ready();
    const before = front.requests.length;
    await until(() => front.requests.length > before + 50);
    const listeners = signals.map((signal) => getEventListeners(signal, 'abort').length);
    t.ok(signals.length > 50, 'each request has its own signal');
    t.ok(Math.max(...listeners) <= 3, `at most ${Math.max(...listeners)} listeners`);
  });

  t.test('a listener that throws is reported and does not affect the others', async (t) => {
    const { source, eventually } = openSource(t, connection);
    source.on('changed', () => {
      throw new Error('Mine');
    });
    source.on('changed', async () => Promise.reject(new Error('Mine, later')));
    let calls = 0;
    source.on('changed', () => (calls += 1));
    await source.ready();
    const failure = await eventually('error', ({ code }) => code === 'listener-failed');
    t.ok(failure instanceof RegistryFailure);
    t.match((failure.cause as Error).message, 'Mine');
    await eventually('error', ({ cause }) => (cause as Error).message === 'Mine, later');
    t.equal(calls, 1);
  });

  t.test('after close() it sends no requests, but reads still work', async (t) => {
    const giveUp = new AbortController();
    const { source } = openSource(t, { ...connection, signal: giveUp.signal });
    const { version } = await source.ready();
    await until(() => source.status().connection === 'streaming');
    giveUp.abort();
    await source.close();
    t.equal(source.status().connection, 'closed');
    t.equal(source.getSystemPrompt().version, version);
    const before = front.requests.length;
    await registry.rollback({ reason });
    t.equal(front.requests.length, before);
  });

  t.test('after close() the age still grows', async (t) => {
    const { source } = openSource(t, { ...connection, staleAfter: 1000 });
    await source.ready();
    await source.close();
    t.equal(source.getSystemPrompt().stale, source.getSystemPrompt().age >= 1000);
    await until(() => source.getSystemPrompt().age >= 1000);
    t.equal(source.getSystemPrompt().stale, true);
  });

  t.test('an invalid URL is rejected immediately', async (t) => {
    for (const url of ['', 'localhost:3000', 'ftp://host', 'nope'])
      t.throws(() => openSource(t, { url, key }), { code: 'not-understood', message: /https:\/\// });
  });
});
