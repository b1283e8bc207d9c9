/**
 * Scopes: what a caller must be allowed to do to use a route (SPEC R12, closed by default).
 *
 * Rule: each route declares its scope in `config.scope`; a route that says nothing stops the start.
 */
import type { FastifyInstance, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';

/** What a key can allow. */
export const SCOPES = ['prompts:read', 'packs:publish', 'packs:activate', 'sessions:start', 'audit:read'] as const;
export type Scope = (typeof SCOPES)[number];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope a caller needs; `open` where anybody may ask. */
    scope?: Scope | 'open';
  }
}

function scopes(app: FastifyInstance, _options: object, done: () => void): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  app.addHook('onReady', (next) => {
    const unguarded = routes.filter(({ config }) => config?.scope === undefined).map(({ method, url }) => `${String(method)} ${url}`);
    // SPEC R12: closed by default
    next(unguarded.length === 0 ? undefined : new Error(`These routes declare no scope: ${unguarded.join(', ')}. Add config.scope ("open" where anybody may ask).`));
  });
  done();
}

export default fp(scopes, { name: 'scopes' });
