/**
 * A store that lives as long as its process, for tests and for `STORE_URL=memory:`.
 *
 * Problem: code that works with this store must work with a database.
 * Rule: it keeps every promise of the port except durability. Values are copied in and returned frozen. No method awaits anything, so calls
 * never interleave.
 * Example: of two appends that expect revision 4, the first call is `done`, the second a `conflict`.
 */
import { RegistryError } from '../../errors.ts';
import type { Event, Head } from '../../log/event.ts';
import type { PackContent } from '../../model.ts';
import type {
  AppendOutcome,
  Batch,
  EventQuery,
  FenceOutcome,
  LeaseClaim,
  Renewal,
  SessionKey,
  Store,
} from '../../log/store.ts';
import { conflictWith, follows, isAt, missedAfter, requireChained } from '../batch.ts';
import { frozenCopy } from '../frozen-json.ts';
import { Leases } from '../leases.ts';

export class MemoryStore implements Store {
  readonly kind = 'memory';
  /** Revision r is at index r - 1: the log holds no gap. */
  readonly #events: Event[] = [];
  readonly #ids = new Set<string>();
  readonly #contents = new Map<string, PackContent>();
  readonly #sessionKeys = new Map<string, SessionKey>();
  readonly #leases = new Leases();
  readonly #watchers = new Set<(revision?: number) => void>();
  #fence = 0;
  #closed = false;

  async head(): Promise<Head | undefined> {
    this.#requireOpen();
    return this.#head();
  }

  /**
   * See the port.
   * @throws RegistryError `store-unavailable` if an event's id is in the log already; TypeError if the batch is not chained
   */
  async append(batch: Batch, expectedRevision: number): Promise<AppendOutcome> {
    this.#requireOpen();
    requireChained(batch, expectedRevision);
    if (!follows(batch, this.#head()) || (batch.fence ?? 0) !== this.#fence)
      return conflictWith(await this.events(missedAfter(expectedRevision)));

    // Everything that can fail comes before the first change.
    const events = frozenCopy(batch.events);
    const contents = frozenCopy(batch.contents);
    const sessionKeys = frozenCopy(batch.sessionKeys);
    const ids = new Set<string>();
    for (const { id, revision } of events) {
      if (this.#ids.has(id) || ids.has(id)) {
        throw new RegistryError('store-unavailable', `The id of event ${revision} is in the log already.`);
      }
      ids.add(id);
    }
    for (const event of events) {
      const key = event.data.idempotency?.key;
      if (key !== undefined && this.#repeated(event.actor.keyId, key) !== undefined) {
        throw new RegistryError(
          'store-unavailable',
          `The Idempotency-Key of event ${event.revision} is in the log already.`,
        );
      }
    }

    for (const event of events) this.#events.push(event);
    for (const id of ids) this.#ids.add(id);
    for (const { digest, content } of contents) if (!this.#contents.has(digest)) this.#contents.set(digest, content);
    for (const key of sessionKeys) if (!this.#sessionKeys.has(key.keyId)) this.#sessionKeys.set(key.keyId, key);
    const revision = events.at(-1)?.revision;
    for (const onChange of this.#watchers) queueMicrotask(() => onChange(revision));
    return 'done';
  }

  async fence(): Promise<number> {
    this.#requireOpen();
    return this.#fence;
  }

  async raiseFence(at: Head): Promise<FenceOutcome> {
    this.#requireOpen();
    return isAt(at, this.#head()) ? (this.#fence += 1) : 'conflict';
  }

  async events(query: EventQuery): Promise<readonly Event[]> {
    this.#requireOpen();
    const found: Event[] = [];
    const lowest = Math.max(1, (query.after ?? 0) + 1);
    const highest = Math.min(this.#events.length, (query.before ?? Infinity) - 1);
    const step = query.order === 'ascending' ? 1 : -1;
    let revision = step === 1 ? lowest : highest;
    for (; revision >= lowest && revision <= highest && found.length < query.limit; revision += step) {
      const event = this.#events[revision - 1];
      if (event !== undefined && matches(event, query)) found.push(event);
    }
    return found;
  }

  async repeated(actorKeyId: string, idempotencyKey: string): Promise<Event | undefined> {
    this.#requireOpen();
    return this.#repeated(actorKeyId, idempotencyKey);
  }

  async content(digest: string): Promise<PackContent | undefined> {
    this.#requireOpen();
    return this.#contents.get(digest);
  }

  async sessionKeys(): Promise<readonly SessionKey[]> {
    this.#requireOpen();
    return [...this.#sessionKeys.values()].sort((a, b) =>
      a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0,
    );
  }

  async renew(claim: LeaseClaim): Promise<Renewal> {
    this.#requireOpen();
    return { head: this.#head(), fence: this.#fence, leases: this.#leases.renew(claim) };
  }

  async release(instanceId: string, counter?: number): Promise<void> {
    this.#requireOpen();
    this.#leases.release(instanceId, counter);
  }

  watch(onChange: (revision?: number) => void): () => void {
    const watcher = (revision?: number) => onChange(revision);
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** There is nothing to release; later calls are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watchers.clear();
  }

  #head(): Head | undefined {
    const last = this.#events.at(-1);
    return last && { revision: last.revision, hash: last.hash };
  }

  #repeated(actorKeyId: string, idempotencyKey: string): Event | undefined {
    return this.#events.find(
      ({ actor, data }) => actor.keyId === actorKeyId && data.idempotency?.key === idempotencyKey,
    );
  }

  #requireOpen(): void {
    if (this.#closed) throw new RegistryError('store-unavailable', 'The store is closed.');
  }
}

function matches(event: Event, { types, pack, channel, actor, id, from, to }: EventQuery): boolean {
  return (
    (types === undefined || types.includes(event.type)) &&
    (pack === undefined || event.pack === pack) &&
    (channel === undefined || event.channel === channel || moved(event, channel)) &&
    (actor === undefined || event.actor.keyId === actor) &&
    (id === undefined || event.id === id) &&
    (from === undefined || event.at >= from) &&
    (to === undefined || event.at <= to)
  );
}

function moved(event: Event, channel: string): boolean {
  return event.type === 'version-revoked' && event.data.moves.some((move) => move.channel === channel);
}
