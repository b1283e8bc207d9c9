/**
 * The registry plugin in another Fastify application: it adds only `app.registry`, reads are synchronous, it closes with the application,
 * and two of them in one process are independent.
 */
import { join } from 'node:path';
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import t, { type Test } from 'tap';
import registryPlugin, { type RegistryPluginOptions } from '../../plugins/registry.ts';
import { RegistryError, type Store } from '../../registry/index.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { newFolder } from '../support/process/folder.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { DAY } from '../support/apps/registries.ts';

interface Foreign {
  readonly app: FastifyInstance;
  /** Every registered route. */
  readonly routes: string[];
}

/** An application with its own hooks, error handler, routes and text bodies. */
function foreign(options: FastifyServerOptions = {}): Foreign {
  const app = Fastify(options);
  const routes: string[] = [];
  app.addHook('onRoute', ({ method, url }) => void routes.push(`${String(method)} ${url}`));
  app.addHook('onRequest', async (_request, reply) => void reply.header('x-theirs', 'yes'));
  app.setErrorHandler(async (error, _request, reply) =>
    reply.code(418).send({ theirs: error instanceof RegistryError ? error.code : String(error) }),
  );
  app.setNotFoundHandler(async (_request, reply) => reply.code(404).send({ theirs: 'nothing here' }));
  app.get(
    '/hello',
    { schema: { querystring: { type: 'object', properties: { n: { type: 'integer' } } } } },
    async (request) => ({ query: request.query }),
  );
  app.post('/text', async (request) => ({ body: request.body }));
  app.get('/fail', async () => {
    throw new Error('theirs');
  });
  return { app, routes };
}

async function sqliteStore(t: Test, dir: string, name = 'registry.db'): Promise<Store> {
  const store = await openSqliteStore({ file: join(dir, name) });
  t.teardown(() => store.close());
  return store;
}

function optionsOf(store: Store, members: Partial<RegistryPluginOptions> = {}): RegistryPluginOptions {
  return {
    store,
    shipped: shippedOf('coach@1.0.0', 'coach@2.0.0'),
    channels: ['production'],
    defaultPack: 'coach',
    sessionTtl: DAY,
    ...members,
  };
}

/** The names of an object's own and inherited members. */
function membersOf(value: object): string[] {
  const inherited = Object.getPrototypeOf(value) as object | null;
  const names = new Set([...Reflect.ownKeys(value).map(String), ...(inherited === null ? [] : membersOf(inherited))]);
  return [...names];
}

/** The members of an instance, its requests and its replies, and the responses of its routes. */
async function portrait({ app, routes }: Foreign) {
  const members: Record<string, readonly string[]> = {};
  app.get('/portrait', async (request, reply) => {
    for (const [name, value] of Object.entries({ request, reply })) {
      members[name] = membersOf(value).sort();
    }
    return {};
  });
  await app.ready();
  const answers = await Promise.all([
    app.inject('/portrait'),
    app.inject('/hello?n=5'),
    app.inject('/hello?n=x'),
    app.inject('/fail'),
    app.inject('/v1/packs'),
    app.inject({ method: 'POST', url: '/text', headers: { 'content-type': 'text/plain' }, payload: 'plain' }),
    app.inject({
      method: 'POST',
      url: '/text',
      headers: { 'content-type': 'application/json' },
      payload: '{"a":"\\u0000"}',
    }),
  ]);
  return {
    members,
    routes: [...routes].sort(),
    instance: Reflect.ownKeys(app).map(String).sort(),
    answers: answers.map(({ statusCode, headers: { date: _, ...headers }, body }) => ({ statusCode, headers, body })),
  };
}

t.test('it decorates the instance and its requests, and adds no route, hook, parser, handler or header', async (t) => {
  const dir = newFolder(t);
  const without = foreign();
  t.teardown(() => without.app.close());
  const withIt = foreign();
  t.teardown(() => withIt.app.close());
  const theirs = withIt.app.errorHandler;
  await withIt.app.register(registryPlugin, optionsOf(await sqliteStore(t, dir)));
  t.equal(withIt.app.errorHandler, theirs);

  const [before, after] = [await portrait(without), await portrait(withIt)];
  const added = (now: readonly string[], then: readonly string[]) => now.filter((name) => !then.includes(name));
  t.strictSame(added(after.instance, before.instance), ['registry']);
  t.strictSame(added(after.members['request'] ?? [], before.members['request'] ?? []), ['registry']);
  t.strictSame(after.members['reply'], before.members['reply']);
  t.strictSame(after.routes, before.routes);
  t.strictSame(after.answers, before.answers);
});

t.test('routes read the active version synchronously', async (t) => {
  const dir = newFolder(t);
  const { app } = foreign();
  t.teardown(() => app.close());
  await app.register(registryPlugin, optionsOf(await sqliteStore(t, dir)));
  app.get('/style/:id', (request, reply) => {
    const { id } = request.params as { id: string };
    const { version, text } = app.registry.getStylePrompt(id);
    return reply.send({ version, text, system: app.registry.getSystemPrompt().text });
  });
  app.post('/calm-down', async () => app.registry.rollback({ reason: 'They pressed the button' }));

  const read = async () => (await app.inject('/style/supportive')).json();
  const answer = (version: string) => ({
    version,
    text: `coach ${version}: the supportive style.`,
    system: `coach ${version}: the system prompt.`,
  });
  t.strictSame(await read(), answer('2.0.0'));
  await app.registry.activate({ version: '1.0.0', reason: 'To see it' });
  t.equal(app.registry.getStylePrompt('supportive').version, '1.0.0', 'at once');
  t.strictSame(await read(), answer('1.0.0'));
  t.match((await app.inject({ method: 'POST', url: '/calm-down' })).json(), { kind: 'rollback', version: '2.0.0' });
  t.strictSame(await read(), answer('2.0.0'));

  const refused = await app.inject('/style/loud');
  t.equal(refused.statusCode, 418, 'what the registry throws goes to their error handler');
  t.strictSame(refused.json(), { theirs: 'style-not-found' });
});

t.test('each move is one line in the logger of the application, without prompt texts', async (t) => {
  const dir = newFolder(t);
  const lines: string[] = [];
  const { app } = foreign({ logger: { level: 'trace', stream: { write: (line: string) => void lines.push(line) } } });
  t.teardown(() => app.close());
  await app.register(registryPlugin, optionsOf(await sqliteStore(t, dir)));
  const silent = lines.length;
  await app.registry.publish({ pack: 'coach', document: documentOf('coach', '3.0.0') });
  await app.registry.activate({ version: '3.0.0', reason: 'To hear it', actor: { keyId: 'k1', label: 'Operator' } });
  const moves = lines.slice(silent).map((line) => JSON.parse(line) as object);
  t.equal(moves.length, 1);
  t.match(moves, [
    {
      level: 30,
      pack: 'coach',
      channel: 'production',
      from: '2.0.0',
      to: '3.0.0',
      reason: 'To hear it',
      actor: { keyId: 'k1', label: 'Operator' },
    },
  ]);
  t.notMatch(lines.join(''), /the system prompt|the supportive style/u);
});

t.test('it closes with the application', async (t) => {
  const dir = newFolder(t);
  const { app } = foreign();
  await app.register(registryPlugin, optionsOf(await sqliteStore(t, dir), { dataDir: dir }));
  await app.listen({ port: 0, host: '127.0.0.1' });
  await app.registry.activate({ version: '1.0.0', reason: 'To find it again' });
  const { registry } = app;
  await app.close();
  await t.rejects(registry.activate({ version: '2.0.0', reason: 'Too late' }), { code: 'store-unavailable' });
  t.equal(registry.getSystemPrompt().version, '1.0.0', 'what is in memory can still be read');

  const again = foreign().app;
  t.teardown(() => again.close());
  await again.register(registryPlugin, optionsOf(await sqliteStore(t, dir)));
  t.equal(again.registry.getSystemPrompt().version, '1.0.0', 'the file is free and holds all of it');
});

t.test('two in one process, on two stores', async (t) => {
  const dir = newFolder(t);
  const [first, second] = [foreign().app, foreign().app];
  t.teardown(() => Promise.all([first.close(), second.close()]));
  await first.register(registryPlugin, optionsOf(await sqliteStore(t, dir, 'first.db')));
  await second.register(
    registryPlugin,
    optionsOf(await sqliteStore(t, dir, 'second.db'), {
      shipped: shippedOf('tutor@1.0.0', 'tutor@1.1.0'),
      defaultPack: 'tutor',
      channels: ['live'],
    }),
  );

  await first.registry.activate({ version: '1.0.0', reason: 'Only here' });
  t.equal(first.registry.getSystemPrompt().text, 'coach 1.0.0: the system prompt.');
  t.equal(second.registry.getSystemPrompt().text, 'tutor 1.1.0: the system prompt.');
  t.throws(() => second.registry.activePack({ pack: 'coach' }), { code: 'pack-not-found' });
  t.not(first.registry.current.registryId, second.registry.current.registryId);

  const { sessionId } = first.registry.startSession();
  t.equal((await first.registry.resolveSession(sessionId)).promptPack.version, '1.0.0');
  await t.rejects(
    second.registry.resolveSession(sessionId),
    { code: 'session-not-found' },
    'a session of one is none of the other',
  );

  await first.close();
  t.equal((await second.registry.rollback({ reason: 'Going on', toVersion: '1.1.0' })).changed, false);
  t.equal(
    (await second.registry.activate({ version: '1.0.0', reason: 'Going on' })).changed,
    true,
    'the end of one is not the end of the other',
  );
});

t.test('two in one application, each in its own context', async (t) => {
  const dir = newFolder(t);
  const { app } = foreign();
  t.teardown(() => app.close());
  for (const pack of ['coach', 'tutor']) {
    const store = await sqliteStore(t, dir, `${pack}.db`);
    await app.register(
      async (context) => {
        await context.register(
          registryPlugin,
          optionsOf(store, { shipped: shippedOf(`${pack}@1.0.0`), defaultPack: pack }),
        );
        context.get('/system', async () => context.registry.getSystemPrompt());
      },
      { prefix: `/${pack}` },
    );
  }
  for (const pack of ['coach', 'tutor'])
    t.match((await app.inject(`/${pack}/system`)).json(), { pack, text: `${pack} 1.0.0: the system prompt.` });
  t.notOk(app.hasDecorator('registry'), 'and none of it outside');
});

t.test('a wrong option stops the start, with a message', async (t) => {
  const dir = newFolder(t);
  const { app } = foreign();
  t.teardown(() => app.close());
  const store = await sqliteStore(t, dir);
  await t.rejects(async () => app.register(registryPlugin, optionsOf(store, { defaultVersion: '9.9.9' })), {
    name: 'StartRefused',
    message: /"9\.9\.9"/u,
  });
  t.equal(await store.head(), undefined, 'and nothing was registered');
});
