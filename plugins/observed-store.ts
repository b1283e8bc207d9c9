/**
 * A store that runs each database call through a wrapper, which measures it or makes a span.
 *
 * Rule: it implements the port, so neither the stores nor the domain know about it. It does not change any argument or result.
 */
import type { Store } from '../registry/index.ts';

/** A call of the port that asks the database. */
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

/** Makes the call and returns its result. */
export type CallWrapper = <T>(operation: StoreOperation, call: () => Promise<T>) => Promise<T>;

/** The same store, with each call made by `wrap`. */
export function observed(store: Store, wrap: CallWrapper): Store {
  const now = store.now?.bind(store);
  return {
    kind: store.kind,
    head: () => wrap('head', () => store.head()),
    append: (batch, expectedRevision) => wrap('append', () => store.append(batch, expectedRevision)),
    fence: () => wrap('fence', () => store.fence()),
    raiseFence: (at) => wrap('raiseFence', () => store.raiseFence(at)),
    events: (query) => wrap('events', () => store.events(query)),
    repeated: (actorKeyId, idempotencyKey) => wrap('repeated', () => store.repeated(actorKeyId, idempotencyKey)),
    content: (digest) => wrap('content', () => store.content(digest)),
    sessionKeys: () => wrap('sessionKeys', () => store.sessionKeys()),
    ...(now !== undefined && { now: () => wrap('now', now) }),
    renew: (claim) => wrap('renew', () => store.renew(claim)),
    release: (instanceId, counter) => wrap('release', () => store.release(instanceId, counter)),
    watch: (woken) => store.watch(woken),
    close: () => store.close(),
  };
}
