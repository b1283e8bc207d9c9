/** A version that is revoked is served by nobody again: not from memory, not from disk, not from the bundle, not to a local session. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRegistryClient } from '@prompt-registry/client';
import { diskCopy } from '@prompt-registry/client/disk';
import t, { type Test } from 'tap';
import { addPack, listen, openApp } from '../../support/app.ts';
import { newFolder } from '../../support/folder.ts';
import { startFront } from '../../support/http-front.ts';
import { openSource } from '../../support/prompt-sources.ts';
import { until } from '../../support/until.ts';

const reason = 'It told people to stop their medication';

/** A registry with a pack of its own that is at 2.0.0, and a front. */
async function setUp(t: Test) {
  const { app, key } = await openApp(t, { store: 'memory' });
  await addPack(app, 'advice', '1.0.0', '2.0.0');
  for (const version of ['1.0.0', '2.0.0']) await app.registry.activate({ pack: 'advice', version, reason });
  const front = await startFront(t, await listen(app));
  return { app, front, registry: app.registry, connection: { url: front.url, key, pack: 'advice' } };
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
  t.notMatch(await readFile(join(folder, 'prompts.json'), 'utf8'), '"version":"2.0.0"', 'the disk does not have it any more');
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
  const { data: bundle } = await createRegistryClient(connection).ask((api) => api.GET('/v1/packs/{pack}/active', { params: { path: { pack: 'advice' } } }));
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
    const { source } = openSource(t, { ...connection, url: 'http://127.0.0.1:1', bundle, copy: { load: async () => ({ format: 1, pinned: [], revoked: ['2.0.0'], place: { epoch: 1, revision: 1 }, confirmedAt: new Date().toISOString() }), save: async () => undefined } });
    await t.rejects(source.ready());
    t.throws(() => source.activePack(), { code: 'revoked' });
  });
  front.plan = () => undefined;
});
