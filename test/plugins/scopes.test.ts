// SPEC R12: a route that declares no scope stops the start.
import t from 'tap';
import Fastify from 'fastify';
import scopes from '../../plugins/scopes.ts';

t.test('a route without a scope stops the start and is named', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  await app.register(scopes);
  app.get('/guarded', { config: { scope: 'prompts:read' }, handler: async () => 'ok' });
  app.get('/unguarded', { handler: async () => 'ok' });
  await t.rejects(async () => { await app.ready(); }, /GET \/unguarded/u);
});

t.test('routes that declare one start, open ones included', async (t) => {
  const app = Fastify();
  t.teardown(() => app.close());
  await app.register(scopes);
  app.get('/guarded', { config: { scope: 'prompts:read' }, handler: async () => 'ok' });
  app.get('/open', { config: { scope: 'open' }, handler: async () => 'ok' });
  await t.resolves(async () => { await app.ready(); });
});
