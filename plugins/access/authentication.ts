/**
 * Who is calling: the key that a request proves (API keys, `registry/keys/keys.ts`).
 *
 * Problem: hashing a secret on every request costs as much as half the answer, yet a revoked key must stop working at once.
 * Rule: a token that was proved is remembered (bounded), but only as the name of its key: whether the key is revoked, has
 * expired, or has a scope is looked up in the request's snapshot, every time (`scopes.ts`).
 * Example: `Authorization: Bearer prk_k7Qm2…_4fJ…` makes `request.caller` the record of the key `k7Qm2…`.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
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
import { restamp } from '../revision/request-snapshot.ts';
import { UnknownKeys } from './unknown-keys.ts';

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

export interface AuthenticationOptions {
  /** For how many seconds keys are honoured while the store cannot be asked whether they were revoked. */
  readonly keyMaxStale?: number;
}

function authentication(
  app: FastifyInstance,
  { keyMaxStale = Infinity }: AuthenticationOptions,
  done: () => void,
): void {
  const proved = new LRUCache<string, string>({ max: REMEMBERED });
  const unknown = new UnknownKeys(app.registry, app.log);

  app.decorate('keysAreHonoured', () => keyMaxStale === Infinity || (app.registry.staleSeconds ?? 0) <= keyMaxStale);
  app.decorateRequest('caller', null);
  app.addHook('onRequest', (request, reply, next) => {
    if (request.routeOptions.config.scope === 'open') return next(); // a probe that sends a key depends on the store as little as one that sends none
    const token = bearerOf(request);
    if (token === undefined) return next();
    if (!app.keysAreHonoured()) {
      return next(
        new RegistryError(
          'store-unavailable',
          `Keys were last confirmed ${app.registry.staleSeconds} s ago; KEY_MAX_STALE allows ${keyMaxStale} s.`,
        ),
      );
    }
    request.caller = callerOf(request.snapshot, token, proved);
    if (request.caller !== null || request.is404 || !mayBeKnownLater(request.snapshot, token)) return next();
    void unknown.look().then((looked) => {
      request.snapshot = app.registry.current;
      restamp(reply, app.registry, request.snapshot);
      request.caller = callerOf(request.snapshot, token, proved);
      if (request.caller !== null || looked || !isBehind(request)) next();
      // SPEC R10: by the revision that the caller saw, the key may have been made
      else
        next(
          new RegistryError(
            'revision-not-reached',
            'The log cannot be read at the moment, so whether the key is known at that revision cannot be said.',
            { currentRevision: request.snapshot.revision },
          ),
        );
    });
  });
  done();
}

export default fp(authentication, { name: 'authentication', dependencies: ['registry', 'request-snapshot'] });

/** Who acts, as the log will name them. */
export function actorOf({ caller }: FastifyRequest): Actor {
  if (caller === null) throw new Error('A route that changes something let an unknown caller in.');
  return { keyId: caller.keyId, label: caller.label };
}

/** Whether the caller saw a later place in the history than this instance has applied. */
function isBehind({ headers, snapshot }: FastifyRequest): boolean {
  const { position } = positionSeen(headers);
  return (
    position !== undefined &&
    !reaches(snapshot, { epoch: position.epoch ?? snapshot.epoch, revision: position.revision })
  );
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
