/**
 * The registry as a Fastify plugin. It decorates the instance with `app.registry` and each request with `request.registry`, and adds
 * nothing else, so that any application can register it.
 *
 * @example
 * await app.register(registryPlugin, { store: new MemoryStore(), channels: ['production'], defaultPack: 'coach',
 *   sessionTtl: 86_400_000, shipped: await readPackFolders('./packs') });
 * app.registry.getStylePrompt('supportive').text;
 */
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { Registry, type RegistryOptions } from '../registry/index.ts';
import { logChange } from './change-log.ts';

declare module 'fastify' {
  interface FastifyInstance {
    registry: Registry;
  }
  interface FastifyRequest {
    /** The registry that answers this request. */
    readonly registry: Registry;
  }
}

/** The options of the registry. It logs to the logger of the Fastify instance. */
export type RegistryPluginOptions = Omit<RegistryOptions, 'log'>;

async function registryPlugin(app: FastifyInstance, options: RegistryPluginOptions): Promise<void> {
  // If the registry does not open, the store must still be closed. `options.store` may not be a store at all; then `open` says so.
  let opened: Pick<Registry, 'close'> = options.store;
  app.addHook('onClose', () => opened?.close?.());
  // Check this before opening: a registry that cannot be attached would keep following its log.
  if (app.hasDecorator('registry') || app.hasRequestDecorator('registry'))
    throw new Error(
      'This application already has a registry. Register the plugin once, or register each one in its own context (Fastify, "Encapsulation").',
    );
  const registry = await Registry.open({ ...options, logger: app.log });
  opened = registry;
  try {
    attach(app, registry);
  } catch (error) {
    await registry.close();
    throw error;
  }
}

function attach(app: FastifyInstance, registry: Registry): void {
  app.decorate('registry', registry);
  app.decorateRequest('registry', { getter: () => registry });
  app.addHook('preClose', async () => registry.instance.stopWaiting());
  registry.onChange((events) => {
    for (const event of events) logChange(app.log, event);
  });
  const sayHead = () => {
    if (registry.current.revision > 0)
      app.log.info(
        { head: headOf(registry) },
        'The head of the log. Keep it elsewhere: it proves that no earlier event was changed.',
      );
  };
  app.addHook('onReady', async () => sayHead());
  const timer = setInterval(sayHead, HEAD_INTERVAL).unref();
  app.addHook('onClose', () => {
    clearInterval(timer);
    sayHead();
  });
}

/** Time between two log lines with the head of the log (SPEC R11), in milliseconds. */
const HEAD_INTERVAL = 600_000;

export default fp(registryPlugin, { name: 'registry', fastify: '5.x' });

function headOf({ current: { revision, hash } }: Registry): string {
  return `${revision}:${hash}`;
}
