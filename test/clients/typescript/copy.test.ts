/** The local copy and the bundle: when they are served, how old they may be, and what happens if they are broken. */
import { chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { createRegistryClient, type ActivePackDocument, type PackCopy, type SavedState } from '@prompt-registry/client';
import { diskCopy } from '@prompt-registry/client/disk';
import t, { type Test } from 'tap';
import { CopyWriter } from '../../../clients/typescript/src/copy-writer.ts';
import { listen, openApp } from '../../support/apps/app.ts';
import { newFolder } from '../../support/process/folder.ts';
import { startFront } from '../../support/http/http-front.ts';
import { openSource, readsChannel } from '../../support/clients/prompt-sources.ts';
import { until } from '../../support/process/until.ts';

const reason = 'For the client';
/** A URL with no server. */
const NO_SERVER = 'http://127.0.0.1:1';

/** The saved state in the file. */
async function savedIn(folder: string): Promise<SavedState> {
  return JSON.parse(
    (await readFile(join(folder, 'prompts.json'), 'utf8')).split('\n').slice(1).join('\n'),
  ) as SavedState;
}

/** Writes a file as the client would. */
async function plant(folder: string, saved: object): Promise<void> {
  const body = JSON.stringify(saved);
  await writeFile(join(folder, 'prompts.json'), `${createHash('sha256').update(body).digest('hex')}\n${body}`);
}

t.test('the local copy', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const front = await startFront(t, await listen(app));
  const url = front.url;
  const { registry } = app;

  /** A folder with a copy of the active pack. */
  const copied = async (t: Test): Promise<string> => {
    const folder = join(newFolder(t), 'made', 'if missing');
    const { source } = openSource(t, { url, key, copy: diskCopy({ folder }) });
    await source.ready();
    await source.close();
    return folder;
  };

  t.test('is served by a process that starts during an outage', async (t) => {
    const folder = await copied(t);
    t.strictSame(
      [(await stat(folder)).mode & 0o777, (await stat(join(folder, 'prompts.json'))).mode & 0o777],
      [0o700, 0o600],
      'only its owner can read it',
    );
    t.strictSame(await readdir(folder), ['prompts.json']);
    const { source, events, eventually } = openSource(t, { url: NO_SERVER, key, copy: diskCopy({ folder }) });
    const active = await source.ready();
    t.match(active, {
      version: registry.activePack().version,
      digest: registry.activePack().digest,
      revision: registry.activePack().revision,
      origin: 'copy',
    });
    t.equal(source.getSystemPrompt().text, registry.activePack().system);
    t.match(await eventually('error'), { code: 'unreachable' });
    t.strictSame(
      events.filter(([event]) => event === 'fresh'),
      [],
      'no registry confirmed it',
    );
    const other = openSource(t, { url, key, copy: diskCopy({ folder }) });
    t.strictSame(
      await other.eventually('fresh'),
      { revision: registry.current.revision },
      'with a registry, it is confirmed',
    );
  });

  t.test('costs no body if it is still current', async (t) => {
    const folder = await copied(t);
    const statuses: number[] = [];
    const note = ({ url = '' }: { url?: string }, response: ServerResponse) =>
      void (readsChannel(url) && response.once('finish', () => statuses.push(response.statusCode)));
    app.server.on('request', note);
    const { source } = openSource(t, { url, key, copy: diskCopy({ folder }) });
    t.equal((await source.ready()).origin, 'registry', 'confirmed by the registry');
    app.server.off('request', note);
    t.strictSame(statuses, [304, 304], 'which channel is the default, and what it serves');
  });

  t.test('contains the latest move', async (t) => {
    const folder = newFolder(t);
    const { source } = openSource(t, { url, key, copy: diskCopy({ folder }) });
    await source.ready();
    await registry.rollback({ reason }).catch(() => registry.activate({ version: '1.0.0', reason }));
    await until(() => source.activePack().revision === registry.activePack().revision);
    await source.close();
    t.match((await savedIn(folder)).current, {
      version: registry.activePack().version,
      revision: registry.activePack().revision,
    });
  });

  t.test('is reported and ignored if it is broken', async (t) => {
    const folder = await copied(t);
    const path = join(folder, 'prompts.json');
    const whole = await readFile(path, 'utf8');
    const saved = await savedIn(folder);
    const broken: readonly (readonly [string, () => Promise<void>])[] = [
      ['empty', () => writeFile(path, '')],
      ['truncated', () => writeFile(path, whole.slice(0, -10))],
      ['changed outside the digest', () => writeFile(path, whole.replace('"place":{"epoch":1', '"place":{"epoch":7'))],
      ['no JSON', () => writeFile(path, 'x\ny')],
      ['another format', () => plant(folder, { ...saved, format: 2 })],
      ['a text changed', () => plant(folder, { ...saved, current: { ...saved.current, system: 'You are rude.' } })],
      ['fields missing', () => plant(folder, { format: 1, current: saved.current })],
      ['null', () => plant(folder, null as unknown as object)],
    ];
    for (const [what, breakIt] of broken) {
      await breakIt();
      const { source, eventually } = openSource(t, { url: NO_SERVER, key, copy: diskCopy({ folder }) });
      t.match(await eventually('error', ({ code }) => code === 'copy-failed'), { message: /local copy/u }, what);
      await t.rejects(source.ready(), { code: 'unreachable' }, `${what}: nothing is served`);
      t.throws(() => source.getSystemPrompt(), { code: 'no-pack' });
      await source.close();
    }
    await plant(folder, saved);
    const other = openSource(t, { url: NO_SERVER, key, pack: 'onboarding', copy: diskCopy({ folder }) });
    t.match(await other.eventually('error', ({ code }) => code === 'copy-failed'), { message: /another pack/u });
  });

  t.test('is reported once if it cannot be written, and written once the folder works again', async (t) => {
    const folder = join(newFolder(t), 'copy');
    await writeFile(folder, 'a file where the folder should be');
    const { source, events, eventually } = openSource(t, { url, key, copy: diskCopy({ folder }) });
    await source.ready();
    t.match(await eventually('error'), { code: 'copy-failed', message: /Cannot read|cannot be written/u });
    for (const version of ['1.0.0', '1.1.0', '2.0.0']) {
      await registry.activate({ version, reason });
      await until(() => source.activePack().version === version);
    }
    t.equal(
      events.filter(([event, payload]) => event === 'error' && (payload as Error).message.includes('written')).length,
      1,
    );
    await rm(folder);
    await registry.activate({ version: '1.0.0', reason });
    await until(() => source.activePack().version === '1.0.0');
    await source.close();
    t.match((await savedIn(folder)).current, { version: '1.0.0' });
  });

  t.test('a change during a failed write is in the next copy', async (t) => {
    const failing = Promise.withResolvers<void>();
    const saves: SavedState[] = [];
    const copy: PackCopy = {
      load: async () => undefined,
      save: async (state) => (saves.push(state) === 1 ? failing.promise : undefined),
    };
    const { source, eventually } = openSource(t, { url, key, copy, stream: false, pollInterval: 3_600_000 });
    await source.ready();
    front.plan = () => 'reset';
    await source.startSession();
    front.plan = () => undefined;
    failing.reject(new Error('EIO: i/o error, write'));
    await eventually('error', ({ code }) => code === 'copy-failed');
    await until(() => saves.length === 2);
    t.match(saves[1]?.pinned, [{ version: registry.activePack().version }]);
  });

  t.test('a change right after a write is in the next copy', async (t) => {
    for (let moment = 0; moment < 8; moment += 1) {
      let saves = 0;
      const writer = new CopyWriter({
        copy: { load: async () => undefined, save: async () => void (saves += 1) },
        pack: 'coach',
        state: () => ({}) as SavedState,
        onFailure: () => undefined,
      });
      writer.changed();
      for (let ticks = 0; ticks < moment; ticks += 1) await Promise.resolve();
      writer.changed();
      await setImmediate();
      t.equal(saves, 2, `${moment} ticks later`);
    }
  });

  t.test(
    'a folder that cannot be created is reported with its error',
    { skip: process.platform === 'linux' ? false : 'requires /proc' },
    async (t) => {
      const program = `
      const { diskCopy } = await import(${JSON.stringify(import.meta.resolve('@prompt-registry/client/disk'))});
      await diskCopy({ folder: process.argv[1] }).save({}).catch((error) => console.log(error.code + ' ' + error.path));
    `;
      for (const [folder, expected] of [
        ['/proc/x/y', 'ENOENT /proc/x'],
        ['/dev/null/x', 'EEXIST /dev/null'],
      ] as const) {
        const child = spawn(process.execPath, ['--input-type=module', '-e', program, folder], {
          stdio: ['ignore', 'pipe', 'inherit'],
          timeout: 10_000,
          killSignal: 'SIGKILL',
        });
        t.equal((await text(child.stdout)).trim(), expected);
      }
    },
  );

  t.test('a read-only folder and a full disk do not affect reads', async (t) => {
    const readOnly = join(newFolder(t), 'read-only');
    await mkdir(readOnly);
    await chmod(readOnly, 0o500);
    const full: PackCopy = {
      load: async () => undefined,
      save: async () =>
        Promise.reject(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })),
    };
    for (const copy of [full, ...(process.getuid?.() === 0 ? [] : [diskCopy({ folder: readOnly })])]) {
      const { source, eventually } = openSource(t, { url, key, copy });
      await source.ready();
      t.match(await eventually('error'), { code: 'copy-failed', message: /cannot be written/u });
      t.doesNotThrow(() => source.getSystemPrompt());
    }
  });

  t.test('may throw while loading', async (t) => {
    const load = () => {
      throw new Error('There is no such store');
    };
    const { source, eventually } = openSource(t, { url, key, copy: { load, save: async () => undefined } });
    t.match(await source.ready(), { origin: 'registry' });
    t.match(await eventually('error'), {
      code: 'copy-failed',
      message: /Cannot read the local copy of coach: There is no such store/u,
    });
  });

  t.test('may hang: the registry is read without it', async (t) => {
    const { source } = openSource(t, {
      url,
      key,
      copy: { load: () => new Promise(() => undefined), save: async () => undefined },
    });
    t.match(await source.ready(), { origin: 'registry' });
  });

  t.test('may hang: the bundle is served, and the delay is reported', async (t) => {
    const { data: bundle } = await createRegistryClient({ url, key }).ask((api) =>
      api.GET('/v1/packs/{pack}/active', { params: { path: { pack: 'coach' } } }),
    );
    const { source, eventually } = openSource(t, {
      url: NO_SERVER,
      key,
      bundle,
      copy: { load: () => new Promise(() => undefined), save: async () => undefined },
    });
    t.match(await source.ready(), { origin: 'bundle' });
    t.match(await eventually('error'), { code: 'copy-failed', message: /not read after 1 s/u });
  });

  t.test('counts even if it loads late, with its position and its revoked versions', async (t) => {
    const saved = await savedIn(await copied(t));
    const { data: bundle } = await createRegistryClient({ url, key }).ask((api) =>
      api.GET('/v1/packs/{pack}/active', { params: { path: { pack: 'coach' } } }),
    );
    for (const revoked of [[], [bundle.version]]) {
      const { promise, resolve } = Promise.withResolvers<SavedState>();
      const { source, eventually } = openSource(t, {
        url: NO_SERVER,
        key,
        bundle,
        copy: { load: () => promise, save: async () => undefined },
      });
      await eventually('changed', ({ to }) => to.origin === 'bundle');
      resolve({ ...saved, revoked });
      await until(() => source.status().revision === saved.place.revision);
      if (revoked.length === 0) t.equal(source.activePack().origin, 'copy');
      else t.throws(() => source.activePack(), { code: 'revoked' });
    }
  });

  t.test('of another channel is not served, and its revision is ignored', async (t) => {
    const folder = newFolder(t);
    await registry.activate({ channel: 'staging', version: '1.1.0', reason });
    const staging = openSource(t, { url, key, channel: 'staging', copy: diskCopy({ folder }) });
    await staging.source.ready();
    await staging.source.close();
    const offline = openSource(t, { url: NO_SERVER, key, copy: diskCopy({ folder }) });
    await t.rejects(offline.source.ready());
    await offline.source.close();
    const { source, events } = openSource(t, { url, key, copy: diskCopy({ folder }) });
    t.match(await source.ready(), { channel: 'production', version: registry.activePack().version });
    t.strictSame(
      events.filter(([event]) => event === 'error'),
      [],
    );
  });

  t.test('keeps versions of sessions of any channel', async (t) => {
    const folder = await copied(t);
    const saved = await savedIn(folder);
    await plant(folder, { ...saved, pinned: [{ ...saved.current, channel: 'staging' }] });
    const { source } = openSource(t, { url: NO_SERVER, key, copy: diskCopy({ folder }) });
    t.match(await source.ready(), { origin: 'copy', channel: 'production' });
  });

  t.test('temporary files of killed processes are removed, those in use are not', async (t) => {
    const folder = await copied(t);
    for (const name of ['old', 'new']) await writeFile(join(folder, `prompts.json.${name}.tmp`), 'half a co');
    await utimes(join(folder, 'prompts.json.old.tmp'), new Date(0), new Date(0));
    const { source } = openSource(t, { url: NO_SERVER, key, copy: diskCopy({ folder }) });
    await source.ready();
    t.strictSame((await readdir(folder)).sort(), ['prompts.json', 'prompts.json.new.tmp']);
  });

  t.test('prevents going back to an older revision after a restart', async (t) => {
    const folder = await copied(t);
    const saved = await savedIn(folder);
    await plant(folder, { ...saved, place: { epoch: 1, revision: saved.place.revision + 1000 } });
    const { source, eventually } = openSource(t, { url, key, copy: diskCopy({ folder }) });
    t.match(await eventually('error'), { code: 'revision-unknown' }, 'the registry is older than the copy');
    t.match(await source.ready(), { origin: 'copy' });
  });

  t.test('is not served beyond maxStale', async (t) => {
    const folder = await copied(t);
    const saved = await savedIn(folder);
    const aged = (hours: number) =>
      plant(folder, { ...saved, confirmedAt: new Date(Date.now() - hours * 3_600_000).toISOString() });

    await aged(2);
    const old = openSource(t, { url: NO_SERVER, key, copy: diskCopy({ folder }) });
    const active = await old.source.ready();
    t.ok(active.age >= 7_200_000 && active.stale, 'without maxStale the copy is served with its age');
    t.match(await old.eventually('stale'), { refused: false }, 'and reported as stale');

    const strict = openSource(t, { url: NO_SERVER, key, copy: diskCopy({ folder }), maxStale: 3_600_000 });
    t.match(await strict.eventually('stale', ({ refused }) => refused), { refused: true });
    t.throws(() => strict.source.getSystemPrompt(), {
      code: 'too-stale',
      message: /7\d\d\d s ago; maxStale allows 3600 s/u,
    });
    await t.rejects(strict.source.ready(), { code: 'unreachable' });

    await aged(-2);
    const future = openSource(t, { url: NO_SERVER, key, copy: diskCopy({ folder }), maxStale: 3_600_000 });
    t.ok((await future.source.ready()).age < 3_600_000, 'a clock that was set back does not make it too old');
    await future.eventually('error', ({ code }) => code === 'unreachable');
    t.notOk(
      future.events.some(([event]) => event === 'fresh'),
      'a recent copy is not fresh until a registry confirms it',
    );
    const reached = openSource(t, { url, key, copy: diskCopy({ folder }) });
    await reached.eventually('fresh');

    const soon = openSource(t, { url, key, maxStale: 80, staleAfter: 40 });
    await soon.source.ready();
    front.plan = () => 'reset';
    front.cut();
    await soon.nextEvent('stale', ({ refused }) => refused);
    t.throws(() => soon.source.activePack(), { code: 'too-stale' });
    front.plan = () => undefined;
    await soon.nextEvent('fresh');
    t.doesNotThrow(() => soon.source.activePack(), 'served again once the registry responds');
  });

  t.test('a bundle is served if there is neither a registry nor a copy', async (t) => {
    const { data: bundle } = await createRegistryClient({ url, key }).ask((api) =>
      api.GET('/v1/packs/{pack}/active', { params: { path: { pack: 'coach' } } }),
    );
    const { source } = openSource(t, { url: NO_SERVER, key, bundle });
    t.match(await source.ready(), { version: bundle.version, digest: bundle.digest, origin: 'bundle' });

    const { source: online } = openSource(t, { url, key, bundle: { ...bundle, revision: 1_000_000 } });
    t.match(
      await online.ready(),
      { origin: 'registry', revision: registry.activePack().revision },
      'its revision is ignored',
    );

    for (const wrong of [
      { ...bundle, system: 'You are rude.' },
      { ...bundle, styles: [] },
      { ...bundle, activatedAt: 'lately' },
      { hello: 'world' } as unknown as ActivePackDocument,
    ]) {
      const { source, eventually } = openSource(t, { url: NO_SERVER, key, bundle: wrong });
      t.match(await eventually('error', ({ code }) => code !== 'unreachable'), {
        code: /digest-mismatch|not-understood/u,
        message: /^The bundle of coach is ignored: /u,
      });
      await t.rejects(source.ready());
    }
  });
});
