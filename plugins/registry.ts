/**
 * The registry as a Fastify plugin: it decorates the instance with `app.registry` and adds nothing else, so that it can be
 * registered in anybody's application.
 *
 * @example
 * await app.register(registryPlugin, { store: new MemoryStore(), channels: ['production'], defaultPack: 'coach',
 *   sessionTtl: 86_400_000, shipped: await readPackFolders('./packs') });
 * app.registry.getStylePrompt('supportive').text;
 */
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { Registry, type Event, type RegistryOptions } from '../registry/index.ts';

declare module 'fastify' {
  interface FastifyInstance {
    registry: Registry;
  }
}

/** The registry's options; it logs through the instance's own logger. */
export type RegistryPluginOptions = Omit<RegistryOptions, 'log'>;

async function registryPlugin(app: FastifyInstance, options: RegistryPluginOptions): Promise<void> {
  const registry = await Registry.open({ ...options, log: app.log });
  app.decorate('registry', registry);
  app.addHook('onClose', () => registry.close());
  registry.onChange((events) => {
    for (const event of events) logMove(app, event);
  });
}

export default fp(registryPlugin, { name: 'registry', fastify: '5.x' });

/** Each pointer move is one line: who, from where, to where, why. */
function logMove(app: FastifyInstance, event: Event): void {
  if (event.type !== 'version-activated' && event.type !== 'version-rolled-back') return;
  const { type, revision, pack, channel, version, actor, reason } = event;
  const from = event.data.previousVersion;
  app.log.info(
    { type, revision, pack, channel, from, to: version, actor, reason },
    `${pack} ${channel}: ${from ?? 'nothing'} -> ${version} (${type === 'version-activated' ? 'activation' : 'rollback'})`,
  );
}
