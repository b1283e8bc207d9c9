/** A revoked version is never served again: not from memory, disk or bundle, and not to a local session. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRegistryClient, type PackCopy, type SavedState } from '@prompt-registry/client';
import { diskCopy } from '@prompt-registry/client/disk';
import t, { type Test } from 'tap';
import { addPack, listen, openApp, type TestApp } from '../../support/apps/app.ts';
import { newFolder } from '../../support/process/folder.ts';
import { startFront } from '../../support/http/http-front.ts';
import { openSource, readsChannel } from '../../support/clients/prompt-sources.ts';
import { until } from '../../support/process/until.ts';

const reason = 'It told people to stop their medication';

/** A registry with a pack `advice` at 2.0.0, and a proxy in front of it. */
async function setUp(t: Test) {
  const { app, key } = await openApp(t, { store: 'memory' });
  await addPack(app, 'advice', '1.0.0', '2.0.0');
  for (const version of ['1.0.0', '2.0.0']) await app.registry.activate({ pack: 'advice', version, reason });
  const front = await startFront(t, await listen(app));
  return { app, front, registry: app.registry, connection: { url: front.url, key, pack: 'advice' } };
}

/** A source that follows `coach`, which is at 2.0.0, through a proxy. */
async function followCoach(t: Test) {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  const { source, nextEvent } = openSource(t, { url: front.url, key });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  return { app, front, source, nextEvent };
}

/** Whether there is a copy in the folder that lists 2.0.0 as revoked. */
function remembers(folder: string): boolean {
  const path = join(folder, 'prompts.json');
  return existsSync(path) && readFileSync(path, 'utf8').includes('"revoked":["2.0.0"]');
}

t.test('the active version is revoked', async (t) => {
  const { registry, connection } = await setUp(t);
  const folder = newFolder(t);
  const { source, eventually } = openSource(t, { ...connection, copy: diskCopy({ folder }) });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  await registry.revoke({ pack: 'advice', version: '2.0.0', replacement: '1.0.0', reason });
  t.match(await eventually('changed', ({ to }) => to.version === '1.0.0'), { from: { version: '2.0.0' } });
  await source.close();
  t.notMatch(await readFile(join(folder, 'prompts.json'), 'utf8'), '"version":"2.0.0"', 'removed from the disk');
});

t.test('the active version is revoked and its replacement cannot be read', async (t) => {
  const { registry, front, connection } = await setUp(t);
  const folder = newFolder(t);
  const { source, nextEvent } = openSource(t, { ...connection, copy: diskCopy({ folder }) });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  front.plan = ({ url }) => (readsChannel({ url }) ? 'reset' : undefined);
  const failed = nextEvent('error');
  await registry.revoke({ pack: 'advice', version: '2.0.0', replacement: '1.0.0', reason });
  await failed;
  t.throws(() => source.getSystemPrompt(), { code: 'revoked', message: /replacement/u });
  const changed = nextEvent('changed');
  front.plan = () => undefined;
  t.equal((await changed).to.version, '1.0.0');
  await source.close();

  const restarted = openSource(t, { ...connection, url: 'http://127.0.0.1:1', copy: diskCopy({ folder }) });
  t.equal((await restarted.source.ready()).version, '1.0.0');
});

t.test('the bundled version is revoked', async (t) => {
  const { registry, front, connection } = await setUp(t);
  const { data: bundle } = await createRegistryClient(connection).ask((api) =>
    api.GET('/v1/packs/{pack}/active', { params: { path: { pack: 'advice' } } }),
  );
  await registry.activate({ pack: 'advice', version: '1.0.0', reason });

  t.test('while the source follows the stream', async (t) => {
    const folder = newFolder(t);
    const copy = diskCopy({ folder });
    const { source } = openSource(t, { ...connection, copy, bundle });
    await source.ready();
    await until(() => source.status().connection === 'streaming');
    await registry.revoke({ pack: 'advice', version: '2.0.0', reason });
    await until(() => remembers(folder));
    t.equal(source.activePack().version, '1.0.0', 'saved for the next process');
  });

  t.test('before the source started', async (t) => {
    const folder = newFolder(t);
    const { source } = openSource(t, { ...connection, copy: diskCopy({ folder }), bundle });
    await source.ready();
    await until(() => source.status().connection === 'streaming');
    await until(() => remembers(folder));
    t.equal(source.activePack().version, '1.0.0');
  });

  t.test('and the copy lists it: the bundle is not served', async (t) => {
    const { source } = openSource(t, {
      ...connection,
      url: 'http://127.0.0.1:1',
      bundle,
      copy: {
        load: async () => ({
          format: 1,
          channel: null,
          pinned: [],
          revoked: ['2.0.0'],
          place: { epoch: 1, revision: 1 },
          confirmedAt: new Date().toISOString(),
        }),
        save: async () => undefined,
      },
    });
    await t.rejects(source.ready());
    t.throws(() => source.activePack(), { code: 'revoked' });
  });
  front.plan = () => undefined;
});

t.test('an instance that does not know the revocation is rejected', async (t) => {
  const { registry, front, connection } = await setUp(t);
  const folder = newFolder(t);
  let served: { headers: object; body: string } | undefined;
  front.plan = ({ url }) =>
    readsChannel({ url })
      ? { change: (answer) => (served = { headers: { ...answer.headers }, body: answer.body }) }
      : undefined;
  const { source, nextEvent } = openSource(t, { ...connection, copy: diskCopy({ folder }), pollInterval: 20 });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  const before = served;
  // From now on another instance responds, which is behind without saying so.
  const behind = (revision?: string) => ({
    change: (answer: { headers: object; body: string }) => {
      Object.assign(answer.headers, before?.headers, revision !== undefined && { 'registry-revision': revision });
      answer.body = before?.body ?? '';
    },
  });
  front.plan = ({ url }) => (readsChannel({ url }) ? behind() : undefined);
  const refused = nextEvent('error', ({ code }) => code === 'older-than-seen');
  await registry.revoke({ pack: 'advice', version: '2.0.0', replacement: '1.0.0', reason });
  await refused;
  t.throws(() => source.getSystemPrompt(), { code: 'revoked' });
  front.plan = ({ url }) => (readsChannel({ url }) ? behind(String(registry.current.revision)) : undefined);
  t.match(
    await nextEvent('error', ({ code }) => code === 'older-than-seen'),
    { message: /2\.0\.0 is revoked/u },
    'even with a current revision',
  );
  t.throws(() => source.getSystemPrompt(), { code: 'revoked' });
  await until(() => remembers(folder));
  await source.close();

  front.plan = ({ url }) => (readsChannel({ url }) ? behind() : undefined);
  const restarted = openSource(t, { ...connection, copy: diskCopy({ folder }) });
  await t.rejects(restarted.source.ready(), { code: 'older-than-seen' }, 'also by the next process');
  t.throws(() => restarted.source.getSystemPrompt(), { code: 'revoked' });
});

t.test('a copy with a revoked version is not served', async (t) => {
  const { front, connection } = await setUp(t);
  const folder = newFolder(t);
  const { source } = openSource(t, { ...connection, copy: diskCopy({ folder }) });
  await source.ready();
  await source.close();
  const copy = diskCopy({ folder });
  const saved = (await copy.load()) as SavedState;
  front.plan = () => 'reset';
  const { source: offline } = openSource(t, {
    ...connection,
    copy: { ...copy, load: async () => ({ ...saved, revoked: ['2.0.0'] }) },
  });
  await t.rejects(offline.ready());
  t.throws(() => offline.getSystemPrompt(), { code: 'revoked' });
});

t.test('a copy with a revoked version that cannot be replaced is removed, or reported', async (t) => {
  for (const removable of [true, false]) {
    const { registry, connection } = await setUp(t);
    const folder = newFolder(t);
    const disk = diskCopy({ folder });
    let full = false;
    const copy: PackCopy = {
      load: () => disk.load(),
      save: async (state) => (full ? Promise.reject(new Error('ENOSPC: no space left on device')) : disk.save(state)),
      clear: async () => (removable ? disk.clear?.() : Promise.reject(new Error('EROFS: read-only file system'))),
    };
    const { source, eventually } = openSource(t, { ...connection, copy });
    await source.ready();
    await until(() => existsSync(join(folder, 'prompts.json')));
    full = true;
    await until(() => source.status().connection === 'streaming');
    await registry.revoke({ pack: 'advice', version: '2.0.0', replacement: '1.0.0', reason });
    t.match(await eventually('error', ({ message }) => message.includes('remove')), {
      code: 'copy-failed',
      message: removable ? /It was removed/u : /may still contain a revoked version.*EROFS/u,
    });
    t.equal(existsSync(join(folder, 'prompts.json')), !removable);
    full = false;
    await source.close();
    t.ok(remembers(folder), 'written again once the disk works');
  }
});

t.test("the registry's sessions leave a revoked version, even during an outage", async (t) => {
  const { app, front, source, nextEvent } = await followCoach(t);
  const active = await source.startSession({ styleId: 'supportive' });
  t.equal(active.promptPack.version, '2.0.0');
  const moved = nextEvent('changed');
  await app.registry.activate({ version: '1.0.0', reason });
  await moved;
  const superseded = await source.startSession({ styleId: 'supportive' });
  const back = nextEvent('changed');
  await app.registry.activate({ version: '1.1.0', reason });
  await back;
  for (const version of ['1.0.0', '2.0.0'])
    await app.registry.revoke({ pack: 'coach', version, replacement: '1.1.0', reason });
  await until(() => source.status().revision === app.registry.current.revision);
  front.plan = () => 'reset';
  front.cut();
  await until(() => source.status().connection === 'disconnected');
  for (const { sessionId, promptPack } of [active, superseded]) {
    t.match(await source.resolveSession(sessionId), {
      local: true,
      promptPack: { version: '1.1.0' },
      movedFrom: { version: promptPack.version },
    });
  }
});

t.test('a move during the request for revoked versions is not missed', async (t) => {
  const cases: readonly (readonly [
    what: string,
    move: (registry: TestApp['app']['registry']) => Promise<unknown>,
    version: string,
  ])[] = [
    [
      'the channel moves, then a version in use is revoked',
      async (registry) => {
        await registry.activate({ version: '1.1.0', reason });
        await registry.revoke({ pack: 'coach', version: '2.0.0', replacement: '1.1.0', reason });
      },
      '1.1.0',
    ],
    [
      'the current version is revoked',
      (registry) => registry.revoke({ pack: 'coach', version: '1.0.0', replacement: '1.1.0', reason }),
      '1.1.0',
    ],
  ];
  for (const [what, move, version] of cases) {
    const { app, front, source, nextEvent } = await followCoach(t);
    await source.startSession(); // on 2.0.0
    const moved = nextEvent('changed');
    await app.registry.activate({ version: '1.0.0', reason });
    await moved;
    await source.startSession(); // on 1.0.0
    const changed = nextEvent('changed');
    front.plan = ({ url = '', headers }) => {
      if (!url.includes('status=revoked')) return undefined;
      front.plan = () => undefined;
      return (response) => {
        void move(app.registry)
          .then(() => app.inject({ url, headers }))
          .then((answer) => response.writeHead(answer.statusCode, answer.headers).end(answer.body));
      };
    };
    front.cut();
    t.equal((await changed).to.version, version, what);
    t.equal(source.activePack().version, version);
    await source.close();
  }
});

t.test('the request for revoked versions is retried on the same stream', async (t) => {
  const { app, front, source, nextEvent } = await followCoach(t);
  const { sessionId } = await source.startSession();
  const moved = nextEvent('changed');
  await app.registry.activate({ version: '1.0.0', reason });
  await moved;
  front.plan = ({ url }) => (url?.includes('status=revoked') === true ? 'reset' : undefined);
  const failed = nextEvent('error');
  await app.registry.revoke({ pack: 'coach', version: '2.0.0', replacement: '1.0.0', reason });
  await failed;
  front.plan = () => undefined;
  const streams = () => front.requests.filter((each) => each.includes('/v1/events')).length;
  const before = streams();
  await app.registry.activate({ version: '1.1.0', channel: 'staging', reason });
  await until(() => source.status().failure === undefined);
  t.equal(streams(), before, 'without a new stream');
  front.plan = () => 'reset';
  front.cut();
  await until(() => source.status().connection === 'disconnected');
  t.match(await source.resolveSession(sessionId), {
    promptPack: { version: '1.0.0' },
    movedFrom: { version: '2.0.0' },
  });
});

t.test('after an interruption the source checks the versions of its sessions', async (t) => {
  const { app, front, source, nextEvent } = await followCoach(t);
  const { sessionId } = await source.startSession({ styleId: 'supportive' });
  const moved = nextEvent('changed');
  await app.registry.activate({ version: '1.0.0', reason });
  await moved;
  front.plan = ({ url }) =>
    url?.startsWith('/v1/packs/coach/versions') === true ? { status: 403, type: 'text/html', body: 'no' } : 'reset';
  front.cut();
  await until(() => source.status().connection === 'disconnected');
  await app.registry.revoke({ pack: 'coach', version: '2.0.0', replacement: '1.0.0', reason });
  const failed = nextEvent('error', ({ status }) => status === 403);
  front.plan = ({ url }) =>
    url?.startsWith('/v1/packs/coach/versions') === true ? { status: 403, type: 'text/html', body: 'no' } : undefined;
  await failed;
  await until(() => source.status().connection === 'streaming');
  t.pass('a failed check does not stop the source');
  front.plan = () => undefined;
  front.cut();
  const asked = front.requests.length;
  await until(
    () =>
      front.requests.slice(asked).some((each) => each.includes('status=revoked')) &&
      source.status().connection === 'streaming',
  );
  front.plan = () => 'reset';
  front.cut();
  await until(() => source.status().connection === 'disconnected');
  t.match(await source.resolveSession(sessionId), {
    promptPack: { version: '1.0.0' },
    movedFrom: { version: '2.0.0' },
  });
});
