/**
 * Authorisation (SPEC R12, closed by default): each route declares the scope it needs, and requires a live key with this scope.
 *
 * Rule: a route without a declaration stops the start. The check runs after the rate limit, so that guesses are counted too, and before
 * the body is read.
 * Example: a key without `packs:activate` gets a 403 that names the scope. No key, or a dead one, gets a 401 with `WWW-Authenticate`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { allows, whyInvalid, RegistryError, type Scope, type Snapshot } from '../../registry/index.ts';
import { trust } from '../connections/connections.ts';
import { HttpProblem } from '../problems/problem-details.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope that a caller needs; `open` if no key is required. */
    scope?: Scope | 'open';
  }
}

const REALM = 'Bearer realm="prompt-registry"';

function scopes(app: FastifyInstance, _options: object, done: () => void): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
    const { scope } = route.config ?? {};
    if (scope === undefined || scope === 'open') return;
    const guard = (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void) => {
      const refused = refusal(request, reply, scope);
      if (refused === undefined) trust(request.raw.socket);
      next(refused);
    };
    route.onRequest = [...[route.onRequest ?? []].flat(), guard];
  });
  app.addHook('onReady', (next) => {
    const unguarded = routes
      .filter(({ config }) => config?.scope === undefined)
      .map(({ method, url }) => `${String(method)} ${url}`);
    // SPEC R12: closed by default
    next(
      unguarded.length === 0
        ? undefined
        : new Error(
            `These routes declare no scope: ${unguarded.join(', ')}. Add config.scope ("open" if they need no key).`,
          ),
    );
  });
  done();
}

export default fp(scopes, { name: 'scopes', dependencies: ['authentication'] });

/** Whether the caller also has another scope than the one the route requires. */
export function callerMay({ caller }: FastifyRequest, scope: Scope): boolean {
  return caller !== null && allows(caller.scopes, scope);
}

/** `refusal` for a request that has waited: its key is looked up again, because it may have been revoked or have expired since (SPEC R2). */
export function refusalBy(
  snapshot: Snapshot,
  request: FastifyRequest,
  reply: FastifyReply,
  scope: Scope,
): Error | undefined {
  request.caller = snapshot.keys.get(request.caller?.keyId ?? '') ?? null;
  return refusal(request, reply, scope);
}

/** Why the request is refused; undefined if it is not. */
function refusal({ caller, headers, server }: FastifyRequest, reply: FastifyReply, scope: Scope): Error | undefined {
  if (caller === null) {
    void reply.header(
      'www-authenticate',
      headers.authorization === undefined ? REALM : `${REALM}, error="invalid_token"`,
    );
    return new HttpProblem('unauthenticated', unusableBecause(headers.authorization) ?? 'This key is unknown.');
  }
  const dead = whyInvalid(caller, server.registry.now());
  if (dead !== undefined) {
    void reply.header('www-authenticate', `${REALM}, error="invalid_token"`);
    return new HttpProblem('unauthenticated', `The key "${caller.label}" ${dead}.`);
  }
  if (allows(caller.scopes, scope)) return undefined;
  void reply.header('www-authenticate', `${REALM}, error="insufficient_scope", scope="${scope}"`);
  return new RegistryError('forbidden', `The key "${caller.label}" lacks the scope "${scope}".`, {
    requiredScopes: [scope],
  });
}

/** Why a header cannot hold a key; undefined if it can. Messages repeat only the name of a scheme: anything else may be secret. */
function unusableBecause(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return `Send a key: ${EXPECTED}.`;
  const [, scheme = '', rest = ''] = /^ *([^ ]*) *(.*)$/su.exec(authorization) ?? [];
  if (/^prk_/iu.test(scheme))
    return `The Authorization header has no scheme. Write "Bearer" and a space before the key: ${EXPECTED}.`;
  if (scheme.toLowerCase() !== 'bearer') {
    const named =
      /^[A-Za-z][A-Za-z0-9-]{0,30}$/u.test(scheme) && rest !== ''
        ? `the scheme "${scheme}", which is not supported`
        : 'an unknown scheme';
    return `The Authorization header uses ${named}. Send the key as ${EXPECTED}.`;
  }
  return rest.startsWith('prk_')
    ? undefined
    : `The text after "Bearer" is not a key: keys begin with prk_. Send ${EXPECTED}.`;
}

const EXPECTED = '"Authorization: Bearer prk_…"';
