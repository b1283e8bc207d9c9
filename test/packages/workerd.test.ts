/**
 * The client in workerd, the runtime of Cloudflare Workers, as an edge runtime: installed from its packed file, loaded by its modules as they
 * are. It follows the registry's stream there and begins a session.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { listen, openApp } from '../support/apps/app.ts';
import { newFolder } from '../support/process/folder.ts';
import { startFront } from '../support/http/http-front.ts';
import { ENV, install, NODE, pack, run } from '../support/apps/packed.ts';
import { until } from '../support/process/until.ts';

/** Follows until `1.0.0` is active and a rollout is under way, then begins a session for a subject. */
const WORKER = `
  import { createPromptSource, createRegistryClient } from './clients/typescript/src/index.js';
  export default {
    async fetch(_, { URL: url, KEY: key }) {
      const prompts = createPromptSource({ url, key, pack: 'coach' });
      const errors = [];
      prompts.on('error', ({ message }) => errors.push(message));
      const moved = new Promise((resolve) => prompts.on('changed', ({ to }) => to.version === '1.0.0' && resolve()));
      const first = (await prompts.ready()).version;
      await moved;
      while (prompts.status().rollout === undefined) await new Promise((resolve) => prompts.on('changed', resolve));
      const mine = prompts.for({ subject: 'größe-🎈' });
      const { arm } = mine.assignment;
      const { local, promptPack } = await mine.startSession();
      await prompts.close();
      const wrongKey = await createRegistryClient({ url, key: 'prk_x_y' }).ask((api) => api.GET('/v1/packs')).catch(({ code }) => code);
      return Response.json({ first, then: prompts.getSystemPrompt().version, session: [local, promptPack.version], arm, errors, wrongKey });
    },
  };
`;

/** Runs the worker once. Modules have the names that others import them by; workerd looks for a package next to the module that imports it. */
const PROGRAM = `
  import { globSync, readFileSync } from 'node:fs';
  import { relative } from 'node:path';
  import { fileURLToPath } from 'node:url';
  import { Miniflare } from 'miniflare';
  const [, , URL, KEY] = process.argv;
  const module = (path, file) => ({ type: 'ESModule', path, contents: readFileSync(file, 'utf8') });
  const dist = 'node_modules/@prompt-registry/client/dist';
  const client = globSync(dist + '/**/*.js').filter((file) => !file.endsWith('/disk.js'));
  const modules = [
    module('worker.js', 'worker.js'),
    ...client.map((file) => module(relative(dist, file), file)),
    ...['canonicalize', 'eventsource-parser', 'openapi-fetch'].map((name) => module('clients/typescript/src/' + name, fileURLToPath(import.meta.resolve(name)))),
  ];
  const miniflare = new Miniflare({ modules, modulesRoot: '.', compatibilityDate: '2025-09-01', bindings: { URL, KEY } });
  try {
    console.log(await (await miniflare.dispatchFetch('http://worker/')).text());
  } finally {
    await miniflare.dispose();
  }
`;

t.test(
  'the client in workerd',
  { skip: ['linux', 'darwin', 'win32'].includes(process.platform) ? false : 'there is no workerd for this system' },
  async (t) => {
    const { tarball } = await pack('clients/typescript', newFolder(t));
    const folder = await install(t, [tarball], 'miniflare@4.20260426.0');
    writeFileSync(join(folder, 'worker.js'), WORKER);
    writeFileSync(join(folder, 'program.js'), PROGRAM);

    const { app, key } = await openApp(t, { store: 'memory' });
    const front = await startFront(t, await listen(app));
    const answered = run(NODE, ['program.js', front.url, key], { cwd: folder, env: ENV });
    await Promise.race([answered, until(() => front.requests.some((request) => request.includes('/v1/events')))]); // it may fail before
    await app.registry.activate({ version: '1.0.0', reason: 'For the edge' });
    await app.registry.rollouts.start({
      version: '2.0.0',
      steps: [{ share: 50 }],
      finish: 'wait',
      reason: 'For the edge',
    });
    t.strictSame(JSON.parse((await answered).stdout), {
      first: '2.0.0',
      then: '1.0.0',
      session: [false, app.registry.activePack({ subject: 'größe-🎈' }).version],
      arm: app.registry.assignment({ subject: 'größe-🎈' })?.arm,
      errors: [],
      wrongKey: 'unauthenticated',
    });
  },
);
