/**
 * A source of prompts while everything between it and the registry breaks: it serves on what it has, says why, and comes back by itself.
 *
 * Each fault is planted between the real client and the real service; what is waited for is what the source says.
 */
import t, { type Test } from 'tap';
import { acceptRestore } from '../../../registry/host/accept-restore.ts';
import { listen, openApp, type TestApp } from '../../support/apps/app.ts';
import { backupOf } from '../../support/stores/backups.ts';
import { startFaultProxy } from '../../support/chaos/fault-proxy.ts';
import { newFolder } from '../../support/process/folder.ts';
import { startFront, type Fate, type HttpFront } from '../../support/http/http-front.ts';
import { openSource, type TestSource } from '../../support/clients/prompt-sources.ts';
import { operatorKeyIn, startServer } from '../../support/apps/server-process.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';

interface Setup extends TestApp, TestSource {
  readonly front: HttpFront;
}

/** A registry, a front, and a source that follows through it. */
async function setUp(t: Test): Promise<Setup> {
  const test = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(test.app));
  const opened = openSource(t, { url: front.url, key: test.key, timeout: 1000 });
  await opened.source.ready();
  await until(() => opened.source.status().connection === 'streaming');
  return { ...test, ...opened, front };
}

/** While the fault lasts what is served stays; when it is over, what moved meanwhile is there. */
async function outlives(
  t: Test,
  { app: { registry }, source, front, hears }: Setup,
  fate: () => Fate,
  code: string,
): Promise<void> {
  const before = source.activePack();
  const failed = hears('error', (failure) => failure.code === code);
  front.plan = fate;
  front.cut();
  const failure = await failed;
  const version = before.version === '1.0.0' ? '2.0.0' : '1.0.0';
  await registry.activate({ version, reason });
  await hears('error', (failure) => failure.code === code);
  t.equal(source.activePack(), before, `serves on what it has: ${failure.message}`);
  t.match(source.status(), { connection: 'disconnected', failure: { code } });
  const changed = hears('changed');
  front.plan = () => undefined;
  t.equal((await changed).to.version, version, 'and comes back');
  await until(() => source.status().connection === 'streaming');
  t.equal(source.status().failure, undefined);
}

t.test('faults between the source and the registry', async (t) => {
  const setup = await setUp(t);
  const problem = (status: number, code: string, headers = {}): Fate => ({
    status,
    headers,
    body: JSON.stringify({ type: `/problems/${code}`, title: code, status, detail: 'Planted', code }),
  });

  const faults: readonly (readonly [what: string, fate: () => Fate, code: string])[] = [
    ['connections are reset', () => 'reset', 'unreachable'],
    ['nothing ever comes back', () => 'hang', 'timed-out'],
    ['500', () => problem(500, 'internal'), 'internal'],
    ['503', () => problem(503, 'not-ready'), 'not-ready'],
    [
      '502 of a proxy, as HTML',
      () => ({ status: 502, type: 'text/html', body: '<h1>Bad gateway</h1>' }),
      'not-a-registry',
    ],
    [
      '200 of a captive portal, as HTML',
      () => ({ status: 200, type: 'text/html', body: '<h1>Log in</h1>' }),
      'not-a-registry',
    ],
    ['200 with what is no JSON', () => ({ status: 200, type: 'application/json', body: '{"pack":' }), 'not-a-registry'],
    [
      '200 of another service',
      () => ({ status: 200, type: 'application/json', body: '{"hello":"world"}' }),
      'not-understood',
    ],
    [
      'a redirect to elsewhere',
      () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } }),
      'not-a-registry',
    ],
    ['401 in mid-flight', () => problem(401, 'unauthenticated'), 'unauthenticated'],
    ['403', () => problem(403, 'forbidden'), 'forbidden'],
    ['404, from an older server', () => problem(404, 'not-found'), 'not-found'],
  ];
  for (const [what, fate, code] of faults) t.test(what, (t) => outlives(t, setup, fate, code));

  const { app, source, front, hears } = setup;
  const { registry } = app;
  const flip = async () => {
    await registry.activate({ version: source.activePack().version === '1.0.0' ? '2.0.0' : '1.0.0', reason });
    return registry.activePack();
  };

  /** Answers are spoilt until the source says so; nothing of them is taken, and the right one is taken after. */
  const spoilt = (what: string, code: string, fate: Fate) =>
    t.test(what, async (t) => {
      const before = source.activePack();
      const failed = hears('error', (failure) => failure.code === code);
      front.plan = ({ url }) => (url?.endsWith('/active') === true ? fate : undefined);
      const { version, digest } = await flip();
      await failed;
      t.equal(source.activePack(), before);
      const changed = hears('changed');
      front.plan = () => undefined;
      t.match((await changed).to, { version, digest }, 'the ETag did not advance past what was not taken');
      await until(() => source.status().connection === 'streaming');
    });

  spoilt('a body that is cut in the middle', 'unreachable', 'cut');
  const change = (edit: (pack: Record<string, unknown>) => void): Fate => ({
    change: (answer) => {
      if (answer.body === '') return;
      const pack = JSON.parse(answer.body) as Record<string, unknown>;
      edit(pack);
      answer.body = JSON.stringify(pack);
    },
  });
  spoilt(
    'a text that is not what the digest says',
    'digest-mismatch',
    change((pack) => (pack['system'] = `${String(pack['system'])} And be rude.`)),
  );
  spoilt(
    'a style that is left out',
    'digest-mismatch',
    change((pack) => (pack['styles'] = (pack['styles'] as unknown[]).slice(0, -1))),
  );
  spoilt(
    'another pack than the one that was asked for',
    'digest-mismatch',
    change((pack) => (pack['pack'] = 'other')),
  );
  spoilt(
    'a text that has no digest',
    'not-understood',
    change((pack) => (pack['system'] = '\ud800')),
  );
  spoilt(
    'members of other types',
    'not-understood',
    change((pack) => (pack['styles'] = { supportive: 'x' })),
  );
  spoilt('an older revision than was seen', 'older-than-seen', {
    change: (answer) => (answer.headers['registry-revision'] = '3'),
  });
  spoilt(
    'an older revision of the channel',
    'older-than-seen',
    change((pack) => (pack['revision'] = 3)),
  );
  spoilt('no revision at all', 'not-understood', { change: (answer) => delete answer.headers['registry-revision'] });

  t.test('members that a newer server adds are left alone', async (t) => {
    front.plan = ({ url }) =>
      url?.endsWith('/active') === true ? change((pack) => (pack['experiment'] = { share: 5 })) : undefined;
    const changed = hears('changed');
    const { digest } = await flip();
    t.equal((await changed).to.digest, digest);
    front.plan = () => undefined;
  });

  t.test('Retry-After is waited for', async (t) => {
    const failed = hears('error');
    let asked = 0;
    front.plan = () => {
      asked += 1;
      return problem(503, 'not-ready', { 'retry-after': '1' });
    };
    const from = performance.now();
    front.cut();
    await failed;
    await hears('error', ({ retryAfter }) => retryAfter === 1000);
    await hears('error', ({ retryAfter }) => retryAfter === 1000);
    t.ok(performance.now() - from >= 1000, 'the source waits as long as it is asked to');
    t.ok(asked <= 4, `${asked} requests in that time`);
    front.plan = () => undefined;
    await until(() => source.status().connection === 'streaming');
  });

  t.test('those that are sent away together do not come back together', async (t) => {
    front.plan = () => problem(503, 'not-ready', { 'retry-after': '1' });
    const { said } = openSource(t, { url: front.url, key: setup.key, random: () => 0.9, pollInterval: 10_000 });
    await until(() => said.length === 1);
    const from = performance.now();
    await until(() => said.length === 2);
    t.ok(performance.now() - from >= 1800, 'each waits some time of its own more'); // 1 s, and 0.9 of the first wait
    front.plan = () => undefined;
    await until(() => source.status().connection === 'streaming');
  });

  t.test('a stream that something between does not let through is polled for', async (t) => {
    front.plan = ({ url }) =>
      url?.startsWith('/v1/events') === true ? { status: 200, type: 'text/html', body: 'no' } : undefined;
    front.cut();
    await hears('error', ({ code }) => code === 'not-a-registry');
    const changed = hears('changed');
    const { version } = await flip();
    t.equal((await changed).to.version, version);
    t.equal(source.status().connection, 'polling');
    front.plan = () => undefined;
    await until(() => source.status().connection === 'streaming');
  });
});

t.test('bytes are lost below HTTP', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const url = new URL(await listen(app));
  const proxy = await startFaultProxy(t, { host: url.hostname, port: Number(url.port) });
  const { source, hears } = openSource(t, {
    url: `http://${proxy.host}:${proxy.port}`,
    key,
    timeout: 1000,
    staleAfter: 300,
  });
  await source.ready();
  await until(() => source.status().connection === 'streaming');

  for (const mode of ['reset', 'refuse'] as const) {
    const failed = hears('error');
    proxy.set(mode);
    await failed;
    t.doesNotThrow(() => source.getSystemPrompt(), `${mode}: it answers`);
    proxy.set('pass');
    await until(() => source.status().connection === 'streaming');
  }
  proxy.set('black-hole');
  t.match(await hears('stale'), { refused: false }, 'what is not heard of any more is stale, and said to be');
  t.equal(source.getSystemPrompt().stale, true);
});

t.test('the registry is killed: no answer changes, and its return is noticed', async (t) => {
  const settings = { DATA_DIR: newFolder(t) };
  const server = await startServer(t, settings);
  const key = operatorKeyIn(settings.DATA_DIR);
  const { source, hears } = openSource(t, { url: server.address, key });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  const answers = () =>
    JSON.stringify([
      source.getSystemPrompt().text,
      source.activePack().styles,
      source.activePack().revision,
      source.activePack().digest,
    ]);
  const before = answers();
  const failed = hears('error', ({ code }) => code === 'unreachable');
  await server.kill();
  await failed;
  await until(() => source.status().connection === 'disconnected');
  t.equal(answers(), before);
  t.match(source.status().failure?.message, /cannot be reached/u);
  t.match(await source.startSession({ styleId: 'supportive' }), {
    local: true,
    promptPack: { version: source.activePack().version },
  });

  await startServer(t, { ...settings, PORT: new URL(server.address).port });
  await until(() => source.status().connection === 'streaming');
  t.equal(answers(), before, 'it is where it was');
  t.equal(source.status().failure, undefined);
});

t.test('a registry that was restored to an older state', async (t) => {
  const first = await openApp(t, { store: 'memory' });
  const { registry } = first.app;
  const front = await startFront(t, await listen(first.app));
  const { source, hears } = openSource(t, { url: front.url, key: first.key });
  await source.ready();
  const early = registry.current.revision;
  await registry.activate({ version: '1.0.0', reason });
  await hears('changed');
  const seen = source.activePack();
  const backup = await backupOf(first.store, early);

  const older = await openApp(t, { after: { ...first, store: backup } });
  const failed = hears('error', ({ code }) => code === 'revision-unknown' || code === 'older-than-seen');
  front.retarget(await listen(older.app));
  t.match((await failed).message, /revision/u, 'is said to be older');
  t.equal(source.activePack(), seen, 'what was seen last is served on');

  await older.app.close();
  const accepted = await acceptRestore(backup, newFolder(t), 'The disk was lost');
  const next = await openApp(t, { after: { ...first, store: backup } });
  const changed = hears('changed');
  front.retarget(await listen(next.app));
  const { to } = await changed;
  t.ok(to.revision < seen.revision, 'once an operator accepted it, its lower revision is a later one');
  t.match(source.status(), { epoch: accepted.epoch, revision: next.app.registry.current.revision });
  const moved = hears('changed');
  await until(() => source.status().connection === 'streaming');
  await next.app.registry.activate({ version: '1.1.0', reason });
  t.equal((await moved).to.version, '1.1.0', 'and is followed');
});
