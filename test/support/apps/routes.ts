/**
 * The route table of an application, including hidden routes and those of plugins: what the framework knows, not what a document says.
 *
 * Example: `const { opened: { app }, routes } = await withRoutes(() => openApp(t))`. One application is built at a time.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, RouteOptions } from 'fastify';

export interface Route {
  readonly method: string;
  /** With `:names`. */
  readonly url: string;
  /** Its declared scope; `open` if it needs no key; undefined if it declares nothing. */
  readonly scope: string | undefined;
}

/** Builds an application and lists its routes. @param plant called first, to add something to the application */
export async function withRoutes<T>(
  open: () => Promise<T>,
  plant: (app: FastifyInstance) => void = () => undefined,
): Promise<{ opened: T; routes: Route[] }> {
  const told: RouteOptions[] = [];
  const listen = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', (route) => void told.push(route));
    plant(fastify);
  };
  subscribe('fastify.initialization', listen);
  try {
    const opened = await open();
    return {
      opened,
      routes: told.flatMap(({ method, url, config }) =>
        [method].flat().map((name) => ({ method: name, url, scope: config?.scope })),
      ),
    };
  } finally {
    unsubscribe('fastify.initialization', listen);
  }
}
