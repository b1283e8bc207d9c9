/**
 * Finds out who is calling: the API key that a request proves (`registry/keys/keys.ts`).
 *
 * Problem: hashing the secret on every request costs as much as half the response, but a revoked key must stop working at once.
 * Rule: a bounded number of verified tokens is cached, each with only the id of its key. Whether the key is revoked, has expired or has a
 * scope is read from the request's snapshot every time (`scopes.ts`).
 * Example: `Authorization: Bearer prk_k7Qm2…_4fJ…` makes `request.caller` the record of the key `k7Qm2…`.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { LRUCache } from 'lru-cache';
import {
  keyOfToken,
  mayBeKnownLater,
  reaches,
  RegistryError,
  type Actor,
  type KeyRecord,
  type Snapshot,
} from '../../registry/index.ts';
import { positionSeen } from '../revision/position-seen.ts';
import { changeSnapshot } from '../revision/request-snapshot.ts';
import { UnknownKeys } from './unknown-keys.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The key that the request proved; null if none. */
    caller: KeyRecord | null;
  }
  interface FastifyInstance {
    /** Whether keys are accepted: not while the store has been unreachable for longer than `keyMaxStale`. */
    keysAreHonoured(): boolean;
  }
}

/** How many verified tokens are cached. */
const CACHED_TOKENS = 10_000;

export interface AuthenticationOptions {
  /** For how many seconds keys are accepted while the store cannot be asked whether they were revoked; default: no limit. */
  readonly keyMaxStale?: number;
}

function authentication(
  app: FastifyInstance,
  { keyMaxStale = Infinity }: AuthenticationOptions,
  done: () => void,
): void {
  const proved = new LRUCache<string, string>({ max: CACHED_TOKENS });
  const unknown = new UnknownKeys(app.registry, app.log);

  app.decorate('keysAreHonoured', () => keyMaxStale === Infinity || (app.registry.staleSeconds ?? 0) <= keyMaxStale);
  app.decorateRequest('caller', null);
  const authenticate = (request: FastifyRequest, reply: FastifyReply, next: (error?: Error) => void) => {
    const token = bearerOf(request);
    if (token === undefined) return next();
    if (!app.keysAreHonoured()) {
      return next(
        new RegistryError(
          'store-unavailable',
          `Keys were last checked ${app.registry.staleSeconds} s ago; KEY_MAX_STALE allows ${keyMaxStale} s.`,
        ),
      );
    }
    request.caller = callerOf(request.snapshot, token, proved);
    if (request.caller !== null || !mayBeKnownLater(request.snapshot, token)) return next();
    void unknown.look().then((looked) => {
      changeSnapshot(request, reply, app.registry.current);
      request.caller = callerOf(request.snapshot, token, proved);
      if (request.caller !== null || looked || !isBehind(request)) next();
      // SPEC R10: the key may have been created at the revision that the caller has seen
      else
        next(
          new RegistryError(
            'revision-not-reached',
            'The log cannot be read at the moment, so it is unknown whether the key exists at that revision.',
            { currentRevision: request.snapshot.revision },
          ),
        );
    });
  };
  app.addHook('onRoute', (route) => {
    const { scope } = route.config ?? {};
    if (scope === undefined || scope === 'open') return; // a probe must not depend on the store, even if it sends a key
    route.onRequest = [...[route.onRequest ?? []].flat(), authenticate];
  });
  done();
}

export default fp(authentication, { name: 'authentication', dependencies: ['registry', 'request-snapshot'] });

/** The actor that the log will name. */
export function actorOf({ caller }: FastifyRequest): Actor {
  if (caller === null) throw new Error('A route that writes has no scope, so its caller is unknown.');
  return { keyId: caller.keyId, label: caller.label };
}

/** Whether the caller has seen a later position than this instance has applied. */
function isBehind({ headers, snapshot }: FastifyRequest): boolean {
  const { position } = positionSeen(headers);
  return position !== undefined && !reaches(snapshot, { ...position, epoch: position.epoch ?? snapshot.epoch });
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
