/**
 * Refusals of the registry plugin: a wrong option is refused at the start, by name, and no registry stays open.
 */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import registryPlugin, { type RegistryPluginOptions } from '../../plugins/registry.ts';
import { StartRefused } from '../../registry/index.ts';
import { MemoryStore } from '../../registry/stores/memory/index.ts';
import { newFolder } from '../support/process/folder.ts';
import { openRegistry, optionsOf } from '../support/apps/registries.ts';

function newApp(t: Test) {
  const app = Fastify();
  t.teardown(() => app.close());
  return app;
}

/** Whether the store of a registry is closed. */
const isClosed = (store: MemoryStore) =>
  store.head().then(
    () => false,
    () => true,
  );

t.test('a second registry in the same context is refused, and the first one keeps working', async (t) => {
  const app = newApp(t);
  const [first, second] = [new MemoryStore(), new MemoryStore()];
  await app.register(registryPlugin, optionsOf({ store: first }));
  await t.rejects(
    async () => {
      await app.register(registryPlugin, optionsOf({ store: second }));
    },
    { message: /already has a registry/u },
  );
  t.equal(await second.head(), undefined, 'nothing was opened on its store');
  t.equal(await isClosed(first), false);
  t.equal(app.registry.getSystemPrompt().version, '2.0.0');
  await app.close();
  t.ok(await isClosed(first));
  t.ok(await isClosed(second), 'nobody else may have it');
});

t.test('request.registry is the registry of the context that the route is in', async (t) => {
  const app = newApp(t);
  for (const version of ['1.0.0', '2.0.0'])
    await app.register(async (context) => {
      await context.register(registryPlugin, { ...optionsOf({ store: new MemoryStore() }), defaultVersion: version });
      context.get(`/${version}`, async ({ registry }) => registry.getSystemPrompt().version);
    });
  for (const version of ['1.0.0', '2.0.0']) t.equal((await app.inject(`/${version}`)).body, version);

  const taken = newApp(t);
  taken.decorateRequest('registry', { getter: () => app.registry });
  await t.rejects(async () => void (await taken.register(registryPlugin, optionsOf({ store: new MemoryStore() }))), {
    message: /already has a registry/u,
  });
});

t.test('a registry that cannot be attached to the application is closed', async (t) => {
  const app = newApp(t);
  const theirs = await openRegistry(t);
  const store = new MemoryStore();
  const options = {
    ...optionsOf({ store }),
    get defaultVersion(): undefined {
      app.decorate('registry', theirs); // somebody else was first, while it was opened
      return undefined;
    },
  };
  await t.rejects(
    async () => {
      await app.register(registryPlugin, options);
    },
    { code: 'FST_ERR_DEC_ALREADY_PRESENT' },
  );
  t.ok(await isClosed(store));
});

t.test('options that would fail later are refused at the start', async (t) => {
  const cases: readonly (readonly [name: keyof RegistryPluginOptions, wrong: unknown, shown: string])[] = [
    ['sessionTtl', undefined, 'undefined'],
    ['sessionTtl', -1, '-1'],
    ['sessionTtl', 0, '0'],
    ['sessionTtl', Number.NaN, 'NaN'],
    ['sessionTtl', Infinity, 'Infinity'],
    ['sessionTtl', '1h', "'1h'"],
    ['channels', [], '[]'],
    ['channels', undefined, 'undefined'],
    ['channels', ['production', 'production'], "[ 'production', 'production' ]"],
    ['channels', ['Production!'], "[ 'Production!' ]"],
    ['defaultPack', undefined, 'undefined'],
    ['shipped', Promise.resolve([]), 'Promise'],
    ['shipped', './packs', "'./packs'"],
    ['shipped', [{}], '[ {} ]'],
    ['policies', './packs', "'./packs'"],
    ['policies', Promise.resolve([]), 'Promise'],
    ['dataDir', 5, '5'],
    ['dataDir', '', "''"],
    ['pinVersion', 'coach@1.0.0', "'coach@1.0.0'"],
  ];
  for (const [name, wrong, shown] of cases) {
    const store = new MemoryStore();
    const refusal = await refusalOf(t, { ...optionsOf({ store }), [name]: wrong });
    t.ok(
      refusal.message.includes(`${name}: ${shown}`) && refusal.message.includes(' is wrong: it must be '),
      refusal.message,
    );
    t.equal(await store.head(), undefined, 'nothing was written');
  }
  const both = await refusalOf(t, { ...optionsOf(), sessionTtl: -1, channels: [] });
  t.match(both.message, /2 faults:\n {2}channels: .*\n {2}sessionTtl: /u, 'all at once');
  const none = await refusalOf(t, { ...optionsOf(), store: 'postgres://me:hunter2@db/registry' as never });
  t.match(none.message, /store is wrong: it must be an open store/u);
  t.notMatch(none.message, /hunter2/u);
});

t.test('a missing dataDir is created for its owner only; if that fails, the start is refused', async (t) => {
  const folder = newFolder(t);
  const dataDir = join(folder, 'of', 'ours');
  await newApp(t).register(registryPlugin, optionsOf({ dataDir }));
  t.ok(existsSync(dataDir));
  t.equal(statSync(dataDir).mode & 0o777, 0o700);

  writeFileSync(join(folder, 'file'), '');
  for (const wrong of [join(folder, 'file'), join(folder, 'file', 'below'), '/proc/file']) {
    t.match(
      (await refusalOf(t, optionsOf({ dataDir: wrong }))).message,
      /dataDir ".*file.*" cannot be created: .* Name a folder/u,
    );
  }
});

async function refusalOf(t: Test, options: RegistryPluginOptions): Promise<StartRefused> {
  const app = newApp(t);
  try {
    await app.register(registryPlugin, options);
  } catch (error) {
    if (error instanceof StartRefused && error.exitCode === 78) return error;
    throw error;
  }
  throw new Error('The start was not refused.');
}
