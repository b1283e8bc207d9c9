/**
 * A real store behind a connection that can fail at any call, in each way in which a database can.
 *
 * It changes no data: an append either reaches the real store unchanged or does not. Closing it closes nothing, so that several registries
 * can share one store; the test that opened the real store closes it.
 * Example: `new FailingStore(store, ({ number }) => (number === 3 ? 'lost-answer' : undefined))`.
 */
import { RegistryError } from '../../../registry/errors.ts';
import type { Event, Head } from '../../../registry/log/event.ts';
import type { PackContent } from '../../../registry/model.ts';
import type {
  AppendOutcome,
  Batch,
  EventQuery,
  FenceOutcome,
  LeaseClaim,
  Renewal,
  SessionKey,
  Store,
} from '../../../registry/log/store.ts';

/**
 * - `rejects`: `store-unavailable`; nothing was sent
 * - `lost-answer`: the append is made, and `unknown` is answered
 * - `unknown`: the append is not made, and `unknown` is answered
 * - `conflict`: the append is not made, and `conflict` is answered
 *
 * A call that only reads knows but one way: whatever is asked for, it rejects.
 */
export const FAULTS = ['rejects', 'lost-answer', 'unknown', 'conflict'] as const;
/** `held`: `unknown` is answered, and the append is on its way; it arrives once the test lets it go (`held`). */
export type Fault = (typeof FAULTS)[number] | 'held';

/** A call as it comes in, before anything is done. */
export interface Call {
  readonly method: 'head' | 'append' | 'fence' | 'raiseFence' | 'events' | 'repeated' | 'content' | 'sessionKeys';
  /** The how-manieth call it is, of all methods together, from 1. */
  readonly number: number;
  /** The number of this call among the calls of its method, from 1. */
  readonly turn: number;
  readonly batch?: Batch;
  readonly query?: EventQuery;
}

/** What becomes of a call: a fault, or nothing out of the ordinary. It may wait, to let something happen before. */
export type Plan = (call: Call) => Fault | undefined | Promise<Fault | undefined>;

export class FailingStore implements Store {
  readonly kind: string;
  /** Every call there was. */
  readonly calls: Call[] = [];
  /** The real store. A test may put another in its place, as a restored backup or a wrong address would. */
  inner: Store;
  /** Appends that are on their way. Each call has one of them arrive. */
  readonly held: (() => Promise<AppendOutcome>)[] = [];
  /** Nothing gets through, whatever the plan says. */
  away = false;
  /** Hints are lost. */
  deaf = false;
  readonly now?: () => Promise<number>;
  readonly #plan: Plan;
  /** How many calls of each method there were: a writer that is led on makes thousands. */
  readonly #turns = new Map<Call['method'], number>();

  constructor(inner: Store, plan: Plan = () => undefined) {
    this.kind = inner.kind;
    this.inner = inner;
    this.#plan = plan;
    const now = inner.now?.bind(inner);
    if (now !== undefined) this.now = () => (this.away ? Promise.reject(unavailable()) : now());
  }

  /** The batches that were to be appended, in order. */
  get batches(): Batch[] {
    return this.calls.flatMap(({ batch }) => batch ?? []);
  }

  head(): Promise<Head | undefined> {
    return this.#read('head', () => this.inner.head());
  }

  async append(batch: Batch, expectedRevision: number): Promise<AppendOutcome> {
    switch (await this.#fault('append', { batch })) {
      case undefined:
        return this.inner.append(batch, expectedRevision);
      case 'rejects':
        throw unavailable();
      case 'lost-answer':
        await this.inner.append(batch, expectedRevision);
        return 'unknown';
      case 'held':
        this.held.push(() => this.inner.append(batch, expectedRevision));
        return 'unknown';
      case 'unknown':
        return 'unknown';
      case 'conflict':
        return 'conflict';
    }
  }

  fence(): Promise<number> {
    return this.#read('fence', () => this.inner.fence());
  }

  /** A fence that is `held` is one that is lost. */
  async raiseFence(at: Head): Promise<FenceOutcome> {
    switch (await this.#fault('raiseFence', {})) {
      case undefined:
        return this.inner.raiseFence(at);
      case 'rejects':
        throw unavailable();
      case 'lost-answer':
        await this.inner.raiseFence(at);
        return 'unknown';
      case 'held':
      case 'unknown':
        return 'unknown';
      case 'conflict':
        return 'conflict';
    }
  }

  events(query: EventQuery): Promise<readonly Event[]> {
    return this.#read('events', () => this.inner.events(query), { query });
  }

  repeated(actorKeyId: string, idempotencyKey: string): Promise<Event | undefined> {
    return this.#read('repeated', () => this.inner.repeated(actorKeyId, idempotencyKey));
  }

  content(digest: string): Promise<PackContent | undefined> {
    return this.#read('content', () => this.inner.content(digest));
  }

  sessionKeys(): Promise<readonly SessionKey[]> {
    return this.#read('sessionKeys', () => this.inner.sessionKeys());
  }

  /** Renewals run on a timer, so a plan does not count them; while `away` they reject. */
  async renew(claim: LeaseClaim): Promise<Renewal> {
    if (this.away) throw unavailable();
    return this.inner.renew(claim);
  }

  release(instanceId: string, counter?: number): Promise<void> {
    return this.inner.release(instanceId, counter);
  }

  watch(woken: (revision?: number) => void): () => void {
    return this.inner.watch((revision) => {
      if (!this.away && !this.deaf) woken(revision);
    });
  }

  /** Closes nothing: the real store belongs to the test. */
  async close(): Promise<void> {
    return Promise.resolve();
  }

  async #read<T>(method: Call['method'], read: () => Promise<T>, asked: Pick<Call, 'query'> = {}): Promise<T> {
    if ((await this.#fault(method, asked)) !== undefined) throw unavailable();
    return read();
  }

  async #fault(method: Call['method'], asked: Pick<Call, 'batch' | 'query'>): Promise<Fault | undefined> {
    const turn = (this.#turns.get(method) ?? 0) + 1;
    this.#turns.set(method, turn);
    const call: Call = { method, number: this.calls.length + 1, turn, ...asked };
    this.calls.push(call);
    return this.away ? 'rejects' : this.#plan(call);
  }
}

function unavailable(): RegistryError {
  return new RegistryError('store-unavailable', 'The database cannot be reached (planned by the test).');
}
