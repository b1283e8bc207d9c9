/**
 * Proves that the log is unchanged, from the first event to the last (SPEC R11).
 *
 * Problem: anyone who can write to the database file can change the history.
 * Rule: each event is hashed again and must name the hash of the one before; each content must still have the digest that its event names.
 * That finds any change, removal, reordering or insertion, and any changed content. A cut tail, or a chain rewritten from some point to
 * the end, is still a valid chain: only a head `(revision, hash)` that was kept outside reveals it. What is served is also compared with
 * the fold of the log.
 * Example: somebody edits one letter of an old reason. Its event no longer matches its hash, and `firstBroken` names its revision.
 */
import type { StateProof } from './comparison.ts';
import { StoreDamaged } from '../errors.ts';
import { GENESIS_HASH, hashOf, type Event, type Head } from '../log/event.ts';
import type { PackContent } from '../model.ts';
import { digestOf } from '../packs/pack.ts';
import type { EventQuery, Store } from '../log/store.ts';

export interface Verification {
  readonly valid: boolean;
  /** How many events are valid. */
  readonly events: number;
  /** The last valid event. */
  readonly head: Head;
  readonly firstBroken?: { readonly revision: number; readonly detail: string };
}

/** Events checked between two turns of the event loop: a few milliseconds of work. */
const SLICE = 100;

/**
 * Checks the whole log.
 *
 * @param kept heads that were kept outside, which the log must hold
 * @param progress is called with the number of events checked so far
 * @param served a state made from the log, which must equal its fold
 * @throws RegistryError `store-unavailable` if the store cannot be read at all
 */
export async function verifyLog(
  store: Store,
  kept: readonly Head[] = [],
  progress: (events: number) => void = () => undefined,
  served?: StateProof,
): Promise<Verification> {
  let head: Head = { revision: 0, hash: GENESIS_HASH };
  const broken = (revision: number, detail: string): Verification => ({
    valid: false,
    events: head.revision,
    head,
    firstBroken: { revision, detail },
  });
  for (;;) {
    const page = await pageAfter(store, head);
    if ('damaged' in page) return broken(page.damaged, page.detail);
    if (page.length === 0) break;
    for (const event of page) {
      const fault = (await faultOf(store, event, head)) ?? keptFault(kept, event);
      if (fault !== undefined) return broken(head.revision + 1, fault);
      head = { revision: event.revision, hash: event.hash };
      const differs = await served?.add(event);
      if (differs !== undefined) return broken(event.revision, differs);
    }
    progress(head.revision);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const missing = kept.find(({ revision }) => revision > head.revision);
  if (missing !== undefined)
    return broken(
      head.revision + 1,
      `The log ends at revision ${head.revision}, but revision ${missing.revision} was there: the tail was cut off.`,
    );
  return { valid: true, events: head.revision, head };
}

/** The next events, or the revision of the first that cannot be read. */
async function pageAfter(
  store: Store,
  head: Head,
): Promise<readonly Event[] | { readonly damaged: number; readonly detail: string }> {
  try {
    return await store.events(next(head, SLICE));
  } catch (error) {
    if (!(error instanceof StoreDamaged)) throw error;
  }
  // One by one up to the damage: the events before it are checked first, because they may be broken, too.
  try {
    return await store.events(next(head, 1));
  } catch (error) {
    if (!(error instanceof StoreDamaged)) throw error;
    const { revision } = error.members;
    return { damaged: typeof revision === 'number' ? revision : head.revision + 1, detail: error.message };
  }
}

/** Starts at the lowest revision there is, so that an event below revision 1 is found, too. */
function next({ revision }: Head, limit: number): EventQuery {
  return { ...(revision > 0 && { after: revision }), order: 'ascending', limit, exact: true };
}

async function faultOf(store: Store, event: Event, before: Head): Promise<string | undefined> {
  if (event.revision !== before.revision + 1)
    return `Revision ${event.revision} stands where ${before.revision + 1} should.`;
  if (event.previousHash !== before.hash)
    return `Revision ${event.revision} does not name the hash of the event before it.`;
  if (orNothing(() => hashOf(event)) !== event.hash)
    return `Revision ${event.revision} does not have its hash: it was changed.`;
  if (event.type !== 'version-published') return undefined;
  // A rewritten event can lack members that its type promises.
  const digest: unknown = (event.data as { readonly digest?: unknown } | null | undefined)?.digest;
  if (typeof digest !== 'string') return `Revision ${event.revision} publishes a version, but names no content.`;
  return contentFault(store, `The content of ${event.pack} ${event.version}`, digest);
}

async function contentFault(store: Store, name: string, digest: string): Promise<string | undefined> {
  let content: PackContent | undefined;
  try {
    content = await store.content(digest);
  } catch (error) {
    if (error instanceof StoreDamaged) return `${name} (${digest}) is damaged.`;
    throw error;
  }
  if (content === undefined) return `${name} (${digest}) is gone.`;
  return orNothing(() => digestOf(content)) === digest
    ? undefined
    : `${name} does not have its digest: it was changed.`;
}

function orNothing(hash: () => string): string | undefined {
  try {
    return hash();
  } catch {
    return undefined; // without a canonical form, it was never hashed
  }
}

function keptFault(kept: readonly Head[], event: Event): string | undefined {
  const other = kept.some(({ revision, hash }) => revision === event.revision && hash !== event.hash);
  return other
    ? `Revision ${event.revision} has another hash than the one that was kept outside: the chain was rewritten.`
    : undefined;
}

/** The orders in which the audit lists events. */
export const EVENT_ORDERS = ['oldest', 'newest'] as const;

/** A query of the audit. */
export interface AuditQuery extends Omit<EventQuery, 'order' | 'exact'> {
  /** Which events come first; the oldest if missing. Page on with `after` (oldest first) or `before` (newest first). */
  readonly order?: (typeof EVENT_ORDERS)[number];
}

/** Events up to a revision, oldest first by default. @throws RegistryError `store-unavailable` */
export function auditEvents(
  store: Store,
  { order = 'oldest', before = Infinity, ...query }: AuditQuery,
  upTo: number,
): Promise<readonly Event[]> {
  return store.events({
    ...query,
    before: Math.min(before, upTo + 1),
    order: order === 'oldest' ? 'ascending' : 'descending',
  });
}
