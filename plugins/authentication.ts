/**
 * Who is calling: the key that a request proves (API keys, `registry/keys.ts`).
 *
 * Problem: hashing a secret on every request costs as much as half the answer, yet a revoked key must stop working at once.
 * Rule: a token that was proved is remembered (bounded), but only as the name of its key: whether the key is revoked, has
 * expired, or has a scope is looked up in the request's snapshot, every time (`scopes.ts`).
 * Example: `Authorization: Bearer prk_k7Qm2…_4fJ…` makes `request.caller` the record of the key `k7Qm2…`.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import { keyOfToken, RegistryError, type Actor, type KeyRecord, type Snapshot } from '../registry/index.ts';
import { restamp } from './request-snapshot.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The key that the request proved; null where it proved none. */
    caller: KeyRecord | null;
  }
  interface FastifyInstance {
    /** Whether keys are honoured at all: not where the store could not be asked about them for longer than is allowed. */
    keysAreHonoured(): boolean;
  }
}

/** Tokens remembered as proved. */
const REMEMBERED = 10_000;
/** Between two looks at the log for keys that this instance has not heard of, in milliseconds. */
const UNKNOWN_KEY_PAUSE = 1000;

export interface AuthenticationOptions {
  /** For how many seconds keys are honoured while the store cannot be asked whether they were revoked. */
  readonly keyMaxStale?: number;
}

function authentication(app: FastifyInstance, { keyMaxStale = Infinity }: AuthenticationOptions, done: () => void): void {
  const proved = new LRUCache<string, string>({ max: REMEMBERED });
  let lookedAt = -Infinity;

  app.decorate('keysAreHonoured', () => keyMaxStale === Infinity || (app.registry.staleSeconds ?? 0) <= keyMaxStale);
  app.decorateRequest('caller', null);
  app.addHook('onRequest', (request, reply, next) => {
    if (request.routeOptions.config.scope === 'open') return next(); // a probe that sends a key depends on the store as little as one that sends none
    const token = bearerOf(request);
    if (token === undefined) return next();
    if (!app.keysAreHonoured()) {
      return next(new RegistryError('store-unavailable', `Keys were last confirmed ${app.registry.staleSeconds} s ago; KEY_MAX_STALE allows ${keyMaxStale} s.`));
    }
    request.caller = callerOf(request.snapshot, token, proved);
    if (request.caller !== null || performance.now() - lookedAt < UNKNOWN_KEY_PAUSE) return next();
    // A key made elsewhere (on the host, by another instance) is in the log, but perhaps not here yet.
    lookedAt = performance.now();
    app.registry.catchUp().then(
      () => {
        request.snapshot = app.registry.current;
        restamp(reply, app.registry, request.snapshot);
        request.caller = callerOf(request.snapshot, token, proved);
        next();
      },
      (error: unknown) => {
        request.log.warn({ err: error }, 'The log could not be read for a key that is not known here.');
        next();
      },
    );
  });
  done();
}

export default fp(authentication, { name: 'authentication', dependencies: ['registry', 'request-snapshot'] });

/** Who acts, as the log will name them. */
export function actorOf({ caller }: FastifyRequest): Actor {
  if (caller === null) throw new Error('A route that changes something let an unknown caller in.');
  return { keyId: caller.keyId, label: caller.label };
}

function callerOf(snapshot: Snapshot, token: string, proved: LRUCache<string, string>): KeyRecord | null {
  const keyId = proved.get(token);
  if (keyId !== undefined) return snapshot.keys.get(keyId) ?? null;
  const record = keyOfToken(snapshot, token);
  if (record !== undefined) proved.set(token, record.keyId);
  return record ?? null;
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  const header = headers.authorization;
  if (header === undefined) return undefined;
  return header.startsWith('Bearer prk_') ? header.slice(7) : /^bearer +(.*)$/iu.exec(header)?.[1];
}
