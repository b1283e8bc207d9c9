/**
 * Proof: is the log the one that was written, from the first event to the last (SPEC R11)?
 *
 * Problem: whoever can write to the database file can change what happened.
 * Rule: each event is hashed again and must name the one before; each content must still have the digest that its event names.
 * That finds any change, removal, reordering or insertion, and any changed content. A cut tail, or a chain rewritten from some
 * point to the end, is a whole chain in itself: it is found only against a head `(revision, hash)` that was kept outside. What is served is
 * compared with the fold of the log as well.
 * Example: one letter of an old reason is edited; its event no longer has its hash, and `firstBroken` names its revision.
 */
import type { StateProof } from './comparison.ts';
import { StoreDamaged } from '../errors.ts';
import { GENESIS_HASH, hashOf, type Event, type Head } from '../log/event.ts';
import type { PackContent } from '../model.ts';
import { digestOf } from '../packs/pack.ts';
import type { EventQuery, Store } from '../log/store.ts';

export interface Verification {
  readonly valid: boolean;
  /** How many events were found whole. */
  readonly events: number;
  /** The last whole event. */
  readonly head: Head;
  readonly firstBroken?: { readonly revision: number; readonly detail: string };
}

/** Events checked between two turns of the event loop: a few milliseconds of work. */
const SLICE = 100;

/**
 * Checks the whole log.
 *
 * @param kept heads that were kept outside, which the log must hold
 * @param progress hears how many events are checked so far
 * @param served what was made from the log and must be what it says
 * @throws RegistryError `store-unavailable` where the store cannot be read at all
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

/** The next events, or the place of the first that cannot be read. */
async function pageAfter(
  store: Store,
  head: Head,
): Promise<readonly Event[] | { readonly damaged: number; readonly detail: string }> {
  try {
    return await store.events(next(head, SLICE));
  } catch (error) {
    if (!(error instanceof StoreDamaged)) throw error;
  }
  // One by one up to the damage: what comes before it is checked first, as it may be broken, too.
  try {
    return await store.events(next(head, 1));
  } catch (error) {
    if (!(error instanceof StoreDamaged)) throw error;
    const { revision } = error.members;
    return { damaged: typeof revision === 'number' ? revision : head.revision + 1, detail: error.message };
  }
}

/** From the lowest revision that is there: one below the first would be listed, too. */
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
  // Whoever rewrites an event can leave out what its type says it has.
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
    return undefined; // what has no canonical form was never hashed
  }
}

function keptFault(kept: readonly Head[], event: Event): string | undefined {
  const other = kept.some(({ revision, hash }) => revision === event.revision && hash !== event.hash);
  return other
    ? `Revision ${event.revision} has another hash than the one that was kept outside: the chain was rewritten.`
    : undefined;
}

/** In which order a reader of the audit is given events. */
export const EVENT_ORDERS = ['oldest', 'newest'] as const;

/** What the log is asked for by readers of the audit. */
export interface AuditQuery extends Omit<EventQuery, 'order' | 'exact'> {
  /** Which events come first; the oldest if missing. Page on with `after` (oldest first) or `before` (newest first). */
  readonly order?: (typeof EVENT_ORDERS)[number];
}

/** Events up to a revision, the oldest first unless asked otherwise. @throws RegistryError `store-unavailable` */
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
