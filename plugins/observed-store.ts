/**
 * The store with something around each call that asks the database: a clock, a span.
 *
 * Rule: it stands at the port, so that neither the stores nor the domain know of it, and it changes nothing of what comes and goes.
 */
import type { Store } from '../registry/index.ts';

/** A call that asks the database, by its name at the port. */
export type StoreOperation =
  | 'head'
  | 'append'
  | 'fence'
  | 'raiseFence'
  | 'events'
  | 'repeated'
  | 'content'
  | 'sessionKeys'
  | 'now'
  | 'renew'
  | 'release';

/** Makes a call, and gives back what came of it. */
export type Around = <T>(operation: StoreOperation, call: () => Promise<T>) => Promise<T>;

/** The store, each call made by `around`. */
export function observed(store: Store, around: Around): Store {
  const now = store.now?.bind(store);
  return {
    kind: store.kind,
    head: () => around('head', () => store.head()),
    append: (batch, expectedRevision) => around('append', () => store.append(batch, expectedRevision)),
    fence: () => around('fence', () => store.fence()),
    raiseFence: (at) => around('raiseFence', () => store.raiseFence(at)),
    events: (query) => around('events', () => store.events(query)),
    repeated: (actorKeyId, idempotencyKey) => around('repeated', () => store.repeated(actorKeyId, idempotencyKey)),
    content: (digest) => around('content', () => store.content(digest)),
    sessionKeys: () => around('sessionKeys', () => store.sessionKeys()),
    ...(now !== undefined && { now: () => around('now', now) }),
    renew: (claim) => around('renew', () => store.renew(claim)),
    release: (instanceId, counter) => around('release', () => store.release(instanceId, counter)),
    watch: (woken) => store.watch(woken),
    close: () => store.close(),
  };
}
