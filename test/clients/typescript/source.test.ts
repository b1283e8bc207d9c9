/** A source of prompts beside a healthy registry: whole packs from memory, one request a pack, followed as they move. */
import { getEventListeners } from 'node:events';
import { RegistryFailure } from '@prompt-registry/client';
import t from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { startFront } from '../../support/http/http-front.ts';
import { openSource } from '../../support/clients/prompt-sources.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';

t.test('a source beside a registry', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  const connection = { url: front.url, key };
  const { registry } = app;

  t.test('what it answers is what the registry answers, of one whole pack', async (t) => {
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
      'the age is told, also as JSON',
    );
    t.equal(source.getSystemPrompt(), source.getSystemPrompt(), 'a read is a look-up');
    t.throws(
      () => Object.assign(source.activePack().styles[0] as object, { text: 'x' }),
      TypeError,
      'nobody can change what others read',
    );
  });

  t.test('a style that there is not is refused, with those there are', async (t) => {
    const { source } = openSource(t, connection);
    await source.ready();
    t.throws(() => source.getStylePrompt('nope'), {
      name: 'RegistryFailure',
      code: 'style-not-found',
      message: /nope.*supportive/u,
    });
  });

  t.test('before anything is there a read says so', async (t) => {
    const { source } = openSource(t, connection);
    t.throws(() => source.getSystemPrompt(), { code: 'no-pack', message: /ready\(\)/u });
  });

  t.test('each move is followed, a pack is one request', async (t) => {
    const { source, heard } = openSource(t, connection);
    const { version: first } = await source.ready();
    await until(() => source.status().connection === 'streaming');
    const before = front.requests.length;
    for (const version of ['1.0.0', '1.1.0', first]) {
      await registry.activate({ version, reason });
      const { to } = await heard(
        'changed',
        ({ to }) => to.version === version && to.revision === registry.activePack().revision,
      );
      t.equal(source.getSystemPrompt().version, version);
      t.equal(to.digest, registry.activePack().digest);
    }
    await registry.rollback({ reason });
    await heard('changed', ({ to }) => to.revision === registry.activePack().revision);
    t.strictSame(
      front.requests.slice(before),
      Array<string>(4).fill('GET /v1/packs/coach/active'),
      'one request a move, and none besides',
    );
    await registry.activate({ version: first, reason });
  });

  t.test('an event that moves nothing here costs no request', async (t) => {
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

  t.test('a channel of its own', async (t) => {
    const { source } = openSource(t, { ...connection, channel: 'staging' });
    t.match(await source.ready(), { channel: 'staging', version: registry.activePack({ channel: 'staging' }).version });
  });

  t.test('under flips no answer ever mixes two packs, and none goes back', async (t) => {
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

  t.test('polling alone keeps up as well, with an answer of no body while nothing moves', async (t) => {
    const { source, heard } = openSource(t, { ...connection, stream: false, pollInterval: 5 });
    await source.ready();
    const before = front.requests.length;
    await until(() => front.requests.length > before + 3);
    t.equal(source.status().connection, 'polling');
    t.type(front.headers.at(-1)?.['if-none-match'], 'string');
    const { version } = source.activePack();
    await registry.rollback({ reason });
    t.not((await heard('changed', ({ from }) => from?.version === version)).to.version, version);
    t.notOk(front.requests.slice(before).some((each) => each.includes('/v1/events')));
  });

  t.test('however often it asks, nothing is left behind on what lives as long as it does', async (t) => {
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
    t.ok(signals.length > 50, 'each request has a signal of its own');
    t.ok(Math.max(...listeners) <= 3, `at most ${Math.max(...listeners)} listeners`);
  });

  t.test("a listener that throws is told of, and stands in nobody's way", async (t) => {
    const { source, heard } = openSource(t, connection);
    source.on('changed', () => {
      throw new Error('Mine');
    });
    source.on('changed', async () => Promise.reject(new Error('Mine, later')));
    let told = 0;
    source.on('changed', () => (told += 1));
    await source.ready();
    const failure = await heard('error', ({ code }) => code === 'listener-failed');
    t.ok(failure instanceof RegistryFailure);
    t.match((failure.cause as Error).message, 'Mine');
    await heard('error', ({ cause }) => (cause as Error).message === 'Mine, later');
    t.equal(told, 1);
  });

  t.test('closed, it asks no more, and answers on', async (t) => {
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

  t.test('closed, it still says how old it is', async (t) => {
    const { source } = openSource(t, { ...connection, staleAfter: 1000 });
    await source.ready();
    await source.close();
    t.equal(source.getSystemPrompt().stale, source.getSystemPrompt().age >= 1000);
    await until(() => source.getSystemPrompt().age >= 1000);
    t.equal(source.getSystemPrompt().stale, true);
  });

  t.test('a URL that is none is refused at once', async (t) => {
    for (const url of ['', 'localhost:3000', 'ftp://host', 'nope'])
      t.throws(() => openSource(t, { url, key }), { code: 'not-understood', message: /https:\/\// });
  });
});
