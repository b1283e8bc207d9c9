/**
 * A source during faults between client and registry: it keeps serving, reports the reason and recovers.
 *
 * The faults are injected between the real client and the real service.
 */
import t, { type Test } from 'tap';
import { acceptRestore } from '../../../registry/host/accept-restore.ts';
import { listen, openApp, type TestApp } from '../../support/apps/app.ts';
import { backupOf } from '../../support/stores/backups.ts';
import { startFaultProxy } from '../../support/chaos/fault-proxy.ts';
import { newFolder } from '../../support/process/folder.ts';
import { startFront, type Fate, type HttpFront } from '../../support/http/http-front.ts';
import { openSource, readsChannel, type TestSource } from '../../support/clients/prompt-sources.ts';
import { operatorKeyIn, startServer } from '../../support/apps/server-process.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';

interface Setup extends TestApp, TestSource {
  readonly front: HttpFront;
}

/** A registry, a proxy in front of it, and a source that follows through the proxy. */
async function setUp(t: Test): Promise<Setup> {
  const test = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(test.app));
  const opened = openSource(t, { url: front.url, key: test.key, timeout: 1000 });
  await opened.source.ready();
  await until(() => opened.source.status().connection === 'streaming');
  return { ...test, ...opened, front };
}

/** The pack stays the same during the fault; afterwards the source catches up. */
async function survives(
  t: Test,
  { app: { registry }, source, front, nextEvent }: Setup,
  fate: () => Fate,
  code: string,
): Promise<void> {
  const before = source.activePack();
  const failed = nextEvent('error', (failure) => failure.code === code);
  front.plan = fate;
  front.cut();
  const failure = await failed;
  const version = before.version === '1.0.0' ? '2.0.0' : '1.0.0';
  await registry.activate({ version, reason });
  await nextEvent('error', (failure) => failure.code === code);
  t.equal(source.activePack(), before, `keeps its pack: ${failure.message}`);
  t.match(source.status(), { connection: 'disconnected', failure: { code } });
  const changed = nextEvent('changed');
  front.plan = () => undefined;
  t.equal((await changed).to.version, version, 'recovers');
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
    ['no response', () => 'hang', 'timed-out'],
    ['500', () => problem(500, 'internal'), 'internal'],
    ['503', () => problem(503, 'not-ready'), 'not-ready'],
    [
      'an HTML 502 of a proxy',
      () => ({ status: 502, type: 'text/html', body: '<h1>Bad gateway</h1>' }),
      'not-a-registry',
    ],
    [
      'an HTML page of a captive portal',
      () => ({ status: 200, type: 'text/html', body: '<h1>Log in</h1>' }),
      'not-a-registry',
    ],
    ['200 with invalid JSON', () => ({ status: 200, type: 'application/json', body: '{"pack":' }), 'not-a-registry'],
    [
      'JSON of another service',
      () => ({ status: 200, type: 'application/json', body: '{"hello":"world"}' }),
      'not-understood',
    ],
    ['a redirect', () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } }), 'not-a-registry'],
    ['401 while following', () => problem(401, 'unauthenticated'), 'unauthenticated'],
    ['403', () => problem(403, 'forbidden'), 'forbidden'],
    ['404, from an older server', () => problem(404, 'not-found'), 'not-found'],
  ];
  for (const [what, fate, code] of faults) t.test(what, (t) => survives(t, setup, fate, code));

  const { app, source, front, nextEvent } = setup;
  const { registry } = app;
  const flip = async () => {
    await registry.activate({ version: source.activePack().version === '1.0.0' ? '2.0.0' : '1.0.0', reason });
    return registry.activePack();
  };

  /** Responses are corrupted until the source reports it. It must reject them and accept the correct one afterwards. */
  const rejects = (what: string, code: string, fate: Fate) =>
    t.test(what, async (t) => {
      const before = source.activePack();
      const failed = nextEvent('error', (failure) => failure.code === code);
      front.plan = ({ url }) => (readsChannel({ url }) ? fate : undefined);
      const { version, digest } = await flip();
      await failed;
      t.equal(source.activePack(), before);
      const changed = nextEvent('changed');
      front.plan = () => undefined;
      t.match((await changed).to, { version, digest }, 'the ETag of the rejected response was not kept');
      await until(() => source.status().connection === 'streaming');
    });

  rejects('a truncated body', 'unreachable', 'cut');
  const change = (edit: (pack: Record<string, unknown>) => void): Fate => ({
    change: (answer) => {
      if (answer.body === '') return;
      const document = JSON.parse(answer.body) as Record<string, unknown>;
      edit((document['stable'] ?? document) as Record<string, unknown>);
      answer.body = JSON.stringify(document);
    },
  });
  rejects(
    'a text that does not match the digest',
    'digest-mismatch',
    change((pack) => (pack['system'] = `${String(pack['system'])} And be rude.`)),
  );
  rejects(
    'a missing style',
    'digest-mismatch',
    change((pack) => (pack['styles'] = (pack['styles'] as unknown[]).slice(0, -1))),
  );
  rejects(
    'another pack',
    'digest-mismatch',
    change((pack) => (pack['pack'] = 'other')),
  );
  rejects(
    'a text without a valid digest',
    'not-understood',
    change((pack) => (pack['system'] = '\ud800')),
  );
  rejects(
    'fields of wrong types',
    'not-understood',
    change((pack) => (pack['styles'] = { supportive: 'x' })),
  );
  rejects('an older revision of the log', 'older-than-seen', {
    change: (answer) => (answer.headers['registry-revision'] = '3'),
  });
  rejects(
    'an older revision of the channel',
    'older-than-seen',
    change((pack) => (pack['revision'] = 3)),
  );
  rejects('no revision', 'not-understood', { change: (answer) => delete answer.headers['registry-revision'] });

  t.test('unknown fields of a newer server are ignored', async (t) => {
    front.plan = ({ url }) =>
      readsChannel({ url }) ? change((pack) => (pack['experiment'] = { share: 5 })) : undefined;
    const changed = nextEvent('changed');
    const { digest } = await flip();
    t.equal((await changed).to.digest, digest);
    front.plan = () => undefined;
  });

  t.test('Retry-After is respected', async (t) => {
    const failed = nextEvent('error');
    let asked = 0;
    front.plan = () => {
      asked += 1;
      return problem(503, 'not-ready', { 'retry-after': '1' });
    };
    const from = performance.now();
    front.cut();
    await failed;
    await nextEvent('error', ({ retryAfter }) => retryAfter === 1000);
    await nextEvent('error', ({ retryAfter }) => retryAfter === 1000);
    t.ok(performance.now() - from >= 1000, 'waits as long as requested');
    t.ok(asked <= 4, `${asked} requests in that time`);
    front.plan = () => undefined;
    await until(() => source.status().connection === 'streaming');
  });

  t.test('Retry-After gets jitter, so that clients do not return at once', async (t) => {
    front.plan = () => problem(503, 'not-ready', { 'retry-after': '1' });
    const { events } = openSource(t, { url: front.url, key: setup.key, random: () => 0.9, pollInterval: 10_000 });
    await until(() => events.length === 1);
    const from = performance.now();
    await until(() => events.length === 2);
    t.ok(performance.now() - from >= 1800, 'waits longer than requested'); // 1 s, and 0.9 of the first wait
    front.plan = () => undefined;
    await until(() => source.status().connection === 'streaming');
  });

  t.test('a source polls if a proxy blocks the stream', async (t) => {
    front.plan = ({ url }) =>
      url?.startsWith('/v1/events') === true ? { status: 200, type: 'text/html', body: 'no' } : undefined;
    front.cut();
    await nextEvent('error', ({ code }) => code === 'not-a-registry');
    const changed = nextEvent('changed');
    const { version } = await flip();
    t.equal((await changed).to.version, version);
    t.equal(source.status().connection, 'polling');
    front.plan = () => undefined;
    await until(() => source.status().connection === 'streaming');
  });
});

t.test('TCP connections fail', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const url = new URL(await listen(app));
  const proxy = await startFaultProxy(t, { host: url.hostname, port: Number(url.port) });
  const { source, nextEvent } = openSource(t, {
    url: `http://${proxy.host}:${proxy.port}`,
    key,
    timeout: 1000,
    staleAfter: 300,
  });
  await source.ready();
  await until(() => source.status().connection === 'streaming');

  for (const mode of ['reset', 'refuse'] as const) {
    const failed = nextEvent('error');
    proxy.set(mode);
    await failed;
    t.doesNotThrow(() => source.getSystemPrompt(), `${mode}: still serves`);
    proxy.set('pass');
    await until(() => source.status().connection === 'streaming');
  }
  proxy.set('black-hole');
  t.match(await nextEvent('stale'), { refused: false }, 'silence makes the pack stale');
  t.equal(source.getSystemPrompt().stale, true);
});

t.test('the registry is killed and restarted', async (t) => {
  const settings = { DATA_DIR: newFolder(t) };
  const server = await startServer(t, settings);
  const key = operatorKeyIn(settings.DATA_DIR);
  const { source, nextEvent } = openSource(t, { url: server.address, key });
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
  const failed = nextEvent('error', ({ code }) => code === 'unreachable');
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
  t.equal(answers(), before, 'unchanged');
  t.equal(source.status().failure, undefined);
});

t.test('the registry is restored to an older state', async (t) => {
  const first = await openApp(t, { store: 'memory' });
  const { registry } = first.app;
  const front = await startFront(t, await listen(first.app));
  const { source, nextEvent } = openSource(t, { url: front.url, key: first.key });
  await source.ready();
  const early = registry.current.revision;
  await registry.activate({ version: '1.0.0', reason });
  await nextEvent('changed');
  const seen = source.activePack();
  const backup = await backupOf(first.store, early);

  const older = await openApp(t, { after: { ...first, store: backup } });
  const failed = nextEvent('error', ({ code }) => code === 'revision-unknown' || code === 'older-than-seen');
  front.retarget(await listen(older.app));
  t.match((await failed).message, /revision/u, 'reported as older');
  t.equal(source.activePack(), seen, 'keeps the newer pack');

  await older.app.close();
  const accepted = await acceptRestore(backup, newFolder(t), 'The disk was lost');
  const next = await openApp(t, { after: { ...first, store: backup } });
  const changed = nextEvent('changed');
  front.retarget(await listen(next.app));
  const { to } = await changed;
  t.ok(to.revision < seen.revision, 'after an operator accepted the restore, its lower revision counts as later');
  t.match(source.status(), { epoch: accepted.epoch, revision: next.app.registry.current.revision });
  const moved = nextEvent('changed');
  await until(() => source.status().connection === 'streaming');
  await next.app.registry.activate({ version: '1.1.0', reason });
  t.equal((await moved).to.version, '1.1.0', 'follows the restored registry');
});
