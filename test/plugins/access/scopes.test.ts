// SPEC R12: a route that declares no scope stops the start.
import t, { type Test } from 'tap';
import Fastify, { type FastifyInstance } from 'fastify';
import authentication from '../../../plugins/access/authentication.ts';
import registry from '../../../plugins/registry.ts';
import requestSnapshot from '../../../plugins/revision/request-snapshot.ts';
import scopes from '../../../plugins/access/scopes.ts';
import { optionsOf } from '../../support/apps/registries.ts';

/** An application with all plugins that run before the scope check. */
async function guarded(t: Test): Promise<FastifyInstance> {
  const app = Fastify();
  t.teardown(() => app.close());
  await app.register(registry, optionsOf());
  await app.register(requestSnapshot);
  await app.register(authentication);
  await app.register(scopes);
  return app;
}

t.test('a route without a scope stops the start and is named', async (t) => {
  const app = await guarded(t);
  app.get('/guarded', { config: { scope: 'prompts:read' }, handler: async () => 'ok' });
  app.get('/unguarded', { handler: async () => 'ok' });
  await t.rejects(async () => {
    await app.ready();
  }, /GET \/unguarded/u);
});

t.test('an application starts if all routes declare a scope or are open', async (t) => {
  const app = await guarded(t);
  app.get('/guarded', { config: { scope: 'prompts:read' }, handler: async () => 'ok' });
  app.get('/open', { config: { scope: 'open' }, handler: async () => 'ok' });
  await t.resolves(async () => {
    await app.ready();
  });
});
