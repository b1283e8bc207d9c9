/** A version that is revoked is served by nobody again: not from memory, not from disk, not from the bundle, not to a local session. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRegistryClient, type PackCopy, type SavedState } from '@prompt-registry/client';
import { diskCopy } from '@prompt-registry/client/disk';
import t, { type Test } from 'tap';
import { addPack, listen, openApp, type TestApp } from '../../support/apps/app.ts';
import { newFolder } from '../../support/process/folder.ts';
import { startFront } from '../../support/http/http-front.ts';
import { openSource } from '../../support/clients/prompt-sources.ts';
import { until } from '../../support/process/until.ts';

const reason = 'It told people to stop their medication';

/** A registry with a pack of its own that is at 2.0.0, and a front. */
async function setUp(t: Test) {
  const { app, key } = await openApp(t, { store: 'memory' });
  await addPack(app, 'advice', '1.0.0', '2.0.0');
  for (const version of ['1.0.0', '2.0.0']) await app.registry.activate({ pack: 'advice', version, reason });
  const front = await startFront(t, await listen(app));
  return { app, front, registry: app.registry, connection: { url: front.url, key, pack: 'advice' } };
}

/** A source that follows `coach`, which is at 2.0.0, through a front. */
async function followCoach(t: Test) {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  const { source, hears } = openSource(t, { url: front.url, key });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  return { app, front, source, hears };
}

/** Whether the copy in a folder, if there is one yet, says that 2.0.0 must not be served. */
function remembers(folder: string): boolean {
  const path = join(folder, 'prompts.json');
  return existsSync(path) && readFileSync(path, 'utf8').includes('"revoked":["2.0.0"]');
}

t.test('the active version is revoked', async (t) => {
  const { registry, connection } = await setUp(t);
  const folder = newFolder(t);
  const { source, heard } = openSource(t, { ...connection, copy: diskCopy({ folder }) });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  await registry.revoke({ pack: 'advice', version: '2.0.0', replacement: '1.0.0', reason });
  t.match(await heard('changed', ({ to }) => to.version === '1.0.0'), { from: { version: '2.0.0' } });
  await source.close();
  t.notMatch(
    await readFile(join(folder, 'prompts.json'), 'utf8'),
    '"version":"2.0.0"',
    'the disk does not have it any more',
  );
});

t.test('the replacement cannot be read: the revoked version is not served on', async (t) => {
  const { registry, front, connection } = await setUp(t);
  const folder = newFolder(t);
  const { source, hears } = openSource(t, { ...connection, copy: diskCopy({ folder }) });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  front.plan = ({ url }) => (url?.includes('/active') === true ? 'reset' : undefined);
  const failed = hears('error');
  await registry.revoke({ pack: 'advice', version: '2.0.0', replacement: '1.0.0', reason });
  await failed;
  t.throws(() => source.getSystemPrompt(), { code: 'revoked', message: /replacement/u });
  const changed = hears('changed');
  front.plan = () => undefined;
  t.equal((await changed).to.version, '1.0.0');
  await source.close();

  const restarted = openSource(t, { ...connection, url: 'http://127.0.0.1:1', copy: diskCopy({ folder }) });
  t.equal((await restarted.source.ready()).version, '1.0.0');
});

t.test('the bundled version is revoked, and nothing else is left', async (t) => {
  const { registry, front, connection } = await setUp(t);
  const { data: bundle } = await createRegistryClient(connection).ask((api) =>
    api.GET('/v1/packs/{pack}/active', { params: { path: { pack: 'advice' } } }),
  );
  await registry.activate({ pack: 'advice', version: '1.0.0', reason });

  t.test('while the source listens', async (t) => {
    const folder = newFolder(t);
    const copy = diskCopy({ folder });
    const { source } = openSource(t, { ...connection, copy, bundle });
    await source.ready();
    await until(() => source.status().connection === 'streaming');
    await registry.revoke({ pack: 'advice', version: '2.0.0', reason });
    await until(() => remembers(folder));
    t.equal(source.activePack().version, '1.0.0', 'the next process knows, too');
  });

  t.test('before the source began', async (t) => {
    const folder = newFolder(t);
    const { source } = openSource(t, { ...connection, copy: diskCopy({ folder }), bundle });
    await source.ready();
    await until(() => source.status().connection === 'streaming');
    await until(() => remembers(folder));
    t.equal(source.activePack().version, '1.0.0');
  });

  t.test('a copy that knows keeps the bundle from being served', async (t) => {
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

t.test('an instance that has not heard of a revocation is not believed', async (t) => {
  const { registry, front, connection } = await setUp(t);
  const folder = newFolder(t);
  let served: { headers: object; body: string } | undefined;
  front.plan = ({ url }) =>
    url?.includes('/active') === true
      ? { change: (answer) => (served = { headers: { ...answer.headers }, body: answer.body }) }
      : undefined;
  const { source, hears } = openSource(t, { ...connection, copy: diskCopy({ folder }), pollInterval: 20 });
  await source.ready();
  await until(() => source.status().connection === 'streaming');
  const before = served;
  // From now on another instance answers, which is behind and does not say so.
  const behind = (revision?: string) => ({
    change: (answer: { headers: object; body: string }) => {
      Object.assign(answer.headers, before?.headers, revision !== undefined && { 'registry-revision': revision });
      answer.body = before?.body ?? '';
    },
  });
  front.plan = ({ url }) => (url?.includes('/active') === true ? behind() : undefined);
  const refused = hears('error', ({ code }) => code === 'older-than-seen');
  await registry.revoke({ pack: 'advice', version: '2.0.0', replacement: '1.0.0', reason });
  await refused;
  t.throws(() => source.getSystemPrompt(), { code: 'revoked' });
  front.plan = ({ url }) => (url?.includes('/active') === true ? behind(String(registry.current.revision)) : undefined);
  t.match(
    await hears('error', ({ code }) => code === 'older-than-seen'),
    { message: /2\.0\.0 is revoked/u },
    'whatever revision it names',
  );
  t.throws(() => source.getSystemPrompt(), { code: 'revoked' });
  await until(() => remembers(folder));
  await source.close();

  front.plan = ({ url }) => (url?.includes('/active') === true ? behind() : undefined);
  const restarted = openSource(t, { ...connection, copy: diskCopy({ folder }) });
  await t.rejects(restarted.source.ready(), { code: 'older-than-seen' }, 'nor by the next process');
  t.throws(() => restarted.source.getSystemPrompt(), { code: 'revoked' });
});

t.test('a copy whose current version is revoked is not served', async (t) => {
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

t.test('a copy that cannot be replaced is removed, and what cannot be removed is told of', async (t) => {
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
    const { source, heard } = openSource(t, { ...connection, copy });
    await source.ready();
    await until(() => existsSync(join(folder, 'prompts.json')));
    full = true;
    await until(() => source.status().connection === 'streaming');
    await registry.revoke({ pack: 'advice', version: '2.0.0', replacement: '1.0.0', reason });
    t.match(await heard('error', ({ message }) => message.includes('remove')), {
      code: 'copy-failed',
      message: removable ? /It was removed/u : /may still be in it.*EROFS/u,
    });
    t.equal(existsSync(join(folder, 'prompts.json')), !removable);
    full = false;
    await source.close();
    t.ok(remembers(folder), 'it is written again when that is mended');
  }
});

t.test(
  'a session of the registry leaves a version that is revoked, also where the registry is away by then',
  async (t) => {
    const { app, front, source, hears } = await followCoach(t);
    const active = await source.startSession({ styleId: 'supportive' });
    t.equal(active.promptPack.version, '2.0.0');
    const moved = hears('changed');
    await app.registry.activate({ version: '1.0.0', reason });
    await moved;
    const superseded = await source.startSession({ styleId: 'supportive' });
    const back = hears('changed');
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
  },
);

t.test('what moves while it is asked what is revoked is not missed', async (t) => {
  const meanwhile: readonly (readonly [
    what: string,
    move: (registry: TestApp['app']['registry']) => Promise<unknown>,
    version: string,
  ])[] = [
    [
      'the channel moves, then a version that is in use is revoked',
      async (registry) => {
        await registry.activate({ version: '1.1.0', reason });
        await registry.revoke({ pack: 'coach', version: '2.0.0', replacement: '1.1.0', reason });
      },
      '1.1.0',
    ],
    [
      'the version that is served is revoked',
      (registry) => registry.revoke({ pack: 'coach', version: '1.0.0', replacement: '1.1.0', reason }),
      '1.1.0',
    ],
  ];
  for (const [what, move, version] of meanwhile) {
    const { app, front, source, hears } = await followCoach(t);
    await source.startSession(); // on 2.0.0
    const moved = hears('changed');
    await app.registry.activate({ version: '1.0.0', reason });
    await moved;
    await source.startSession(); // on 1.0.0
    const changed = hears('changed');
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

t.test('what is revoked is asked for until it is known, also while the stream lives', async (t) => {
  const { app, front, source, hears } = await followCoach(t);
  const { sessionId } = await source.startSession();
  const moved = hears('changed');
  await app.registry.activate({ version: '1.0.0', reason });
  await moved;
  front.plan = ({ url }) => (url?.includes('status=revoked') === true ? 'reset' : undefined);
  const failed = hears('error');
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

t.test('what is held for sessions is asked about after an interruption', async (t) => {
  const { app, front, source, hears } = await followCoach(t);
  const { sessionId } = await source.startSession({ styleId: 'supportive' });
  const moved = hears('changed');
  await app.registry.activate({ version: '1.0.0', reason });
  await moved;
  front.plan = ({ url }) =>
    url?.startsWith('/v1/packs/coach/versions') === true ? { status: 403, type: 'text/html', body: 'no' } : 'reset';
  front.cut();
  await until(() => source.status().connection === 'disconnected');
  await app.registry.revoke({ pack: 'coach', version: '2.0.0', replacement: '1.0.0', reason });
  const failed = hears('error', ({ status }) => status === 403);
  front.plan = ({ url }) =>
    url?.startsWith('/v1/packs/coach/versions') === true ? { status: 403, type: 'text/html', body: 'no' } : undefined;
  await failed;
  await until(() => source.status().connection === 'streaming');
  t.pass("something that refuses the question stands in nobody's way");
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
