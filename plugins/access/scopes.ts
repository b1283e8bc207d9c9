/**
 * Who may do what (SPEC R12, closed by default): each route declares the scope it needs, and only a live key that has it comes in.
 *
 * Rule: a route that says nothing stops the start. The check stands behind the rate limit, so that guesses are counted too, and
 * before the body is read.
 * Example: a key without `packs:activate` gets a 403 that names it; no key, or a dead one, a 401 with `WWW-Authenticate`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { allows, whyInvalid, RegistryError, type Scope, type Snapshot } from '../../registry/index.ts';
import { trust } from '../connections/connections.ts';
import { HttpProblem } from '../problems/problem-details.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The scope a caller needs; `open` where anybody may ask. */
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
            `These routes declare no scope: ${unguarded.join(', ')}. Add config.scope ("open" where anybody may ask).`,
          ),
    );
  });
  done();
}

export default fp(scopes, { name: 'scopes', dependencies: ['authentication'] });

/** Whether the caller of a request holds a scope, beyond the one that the route asks for. */
export function callerMay({ caller }: FastifyRequest, scope: Scope): boolean {
  return caller !== null && allows(caller.scopes, scope);
}

/** As `refusal`, for a request that has waited: its key is looked up in that snapshot, as it may have been revoked or have expired meanwhile (SPEC R2). */
export function refusalBy(
  snapshot: Snapshot,
  request: FastifyRequest,
  reply: FastifyReply,
  scope: Scope,
): Error | undefined {
  request.caller = snapshot.keys.get(request.caller?.keyId ?? '') ?? null;
  return refusal(request, reply, scope);
}

/** Why the request may not go on, or undefined where it may. */
function refusal({ caller, headers, server }: FastifyRequest, reply: FastifyReply, scope: Scope): Error | undefined {
  if (caller === null) {
    void reply.header(
      'www-authenticate',
      headers.authorization === undefined ? REALM : `${REALM}, error="invalid_token"`,
    );
    return new HttpProblem('unauthenticated', unusableBecause(headers.authorization) ?? 'The key is not known here.');
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

/** Why a header cannot be a key at all; undefined if it can. Only the name of a scheme is repeated: anything else may be secret. */
function unusableBecause(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return `Send a key: ${EXPECTED}.`;
  const [, scheme = '', rest = ''] = /^ *([^ ]*) *(.*)$/su.exec(authorization) ?? [];
  if (/^prk_/iu.test(scheme))
    return `The Authorization header names no scheme. Write "Bearer" and a space before the key: ${EXPECTED}.`;
  if (scheme.toLowerCase() !== 'bearer') {
    const named =
      /^[A-Za-z][A-Za-z0-9-]{0,30}$/u.test(scheme) && rest !== ''
        ? `the scheme "${scheme}", which is not supported`
        : 'no scheme that is known';
    return `The Authorization header uses ${named}. Send the key as ${EXPECTED}.`;
  }
  return rest.startsWith('prk_')
    ? undefined
    : `What follows "Bearer" is not a key: keys begin with prk_. Send ${EXPECTED}.`;
}

const EXPECTED = '"Authorization: Bearer prk_…"';
