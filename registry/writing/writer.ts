/**
 * The single writer: how a decision becomes durable, then visible, then announced (SPEC R3, R5).
 *
 * Problem: another instance may take the next revision first, and the connection may break during COMMIT.
 * Rule: one change at a time in this process.
 * Conflict: catch up from the log and decide again, for up to two seconds.
 * Unknown outcome: append the very same events again until the store says done or conflict. Only one event can take a revision, so the log
 * then tells whether they are in it.
 * An answer without an event closes the door behind it (`fence.ts`).
 * Example: two operators activate at once. One gets revision 8; the other is decided again on it and gets revision 9.
 */
import type { Contents } from '../local/contents.ts';
import { PAUSE, tooLate, within, type Deadline } from './deadline.ts';
import { Door, restsOnState } from './fence.ts';
import { RegistryError, LogBroken } from '../errors.ts';
import { seal, type Event } from '../log/event.ts';
import { foldFrom } from '../events.ts';
import type { Fold } from '../state/fold.ts';
import type { PackContent } from '../model.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { Clock } from '../machine/clock.ts';
import type { AppendOutcome, Batch, Store, StoredContent } from '../log/store.ts';
import type { Proposal } from '../log/proposal.ts';

/** The longest that a write may take, its wait in the queue included, in milliseconds: the answer is out within two seconds. */
const PATIENCE = 1600;
/** Events read from the log at once. */
const PAGE = 10_000;

/** Decides on a snapshot. It is called again if another write was faster. @throws RegistryError the refusal */
export type Propose = (snapshot: Snapshot) => Proposal | Promise<Proposal>;

/** What became of a proposal. */
export interface Committed {
  /** The events that were appended, in order; empty if there was nothing to change. */
  readonly events: readonly Event[];
  /** The snapshot that the events led to, or that the answer was decided on. */
  readonly snapshot: Snapshot;
  /** The request repeats an earlier one: the event of the first (SPEC R6). */
  readonly replayOf?: Event | undefined;
}

interface Attempt {
  readonly outcome: 'appended' | 'overtaken' | 'decided';
  readonly events: readonly Event[];
  readonly refusal?: RegistryError;
  readonly replayOf?: Event | undefined;
}

export interface WriterOptions {
  readonly store: Store;
  readonly contents: Contents;
  /** The writer waits for `known` before it dates the first event. */
  readonly clock: Clock & { known?(): Promise<void> | undefined };
  /** The writer decides on `applied`. */
  readonly current: { readonly applied: Snapshot };
  /** Makes a snapshot the applied one, before it returns, and announces it. No events: the whole history was replaced. */
  readonly show: (next: Snapshot, events: readonly Event[]) => void;
  /** Called if the log is not the one that was applied here. */
  readonly diverged?: (reason: string) => void;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #door: Door;
  #queue: Promise<unknown> = Promise.resolve();
  #catchingUp: Promise<void> | undefined;
  #closed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#door = new Door(options.store);
  }

  /**
   * Proposes against the newest snapshot until the proposal is in the log, or there is nothing to append.
   *
   * @param options.large the batch may take long, as that of a first start: only the store's own limits apply to each call
   * @param options.closes somebody acts on the answer: one without an event is given only when no earlier write can take effect any more
   * @throws RegistryError what `propose` refuses with; `store-busy`, `store-unavailable`, `outcome-unknown`
   */
  async commit(propose: Propose, { large = false, closes = false } = {}): Promise<Committed> {
    const askedAt = performance.now();
    const deadline: Deadline = { at: askedAt + PATIENCE, cuts: !large };
    const turn = Promise.withResolvers<undefined>();
    const result = this.#exclusive(async () => {
      turn.resolve(undefined);
      if (deadline.cuts && performance.now() >= deadline.at) throw tooLate();
      return this.#commitInTurn(propose, closes, askedAt, deadline);
    });
    // A write queued behind a hung store also fails by its deadline; it was never started.
    await within(deadline, Promise.race([turn.promise, result.then(() => undefined)]));
    return result;
  }

  /** Takes note of the fence that somebody else has read. */
  seeFence(fence: number): void {
    this.#door.see(fence);
  }

  /** Replaces the whole history that was applied, if `read` finds another. @returns whether it did */
  replace(read: (applied: Snapshot) => Promise<Snapshot | undefined>): Promise<boolean> {
    return this.#exclusive(async () => {
      const next = await read(this.#applied);
      if (next !== undefined) this.#options.show(next, []);
      return next !== undefined;
    });
  }

  /**
   * Applies what the log holds beyond the current snapshot. The log is read after this call; callers that wait together share one read.
   * @throws RegistryError `store-unavailable`; LogBroken
   */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#exclusive(() => {
      this.#catchingUp = undefined; // a later caller may want more than this read finds
      return this.#follow();
    });
    return this.#catchingUp;
  }

  /** Waits for the change under way; later ones are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#queue;
  }

  get #applied(): Snapshot {
    return this.#options.current.applied;
  }

  #exclusive<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed)
      return Promise.reject(new RegistryError('store-unavailable', 'The registry is closing. Nothing was changed.'));
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => undefined); // the caller gets the failure, and the next in the queue still starts
    return result;
  }

  async #commitInTurn(propose: Propose, closes: boolean, askedAt: number, deadline: Deadline): Promise<Committed> {
    for (;;) {
      const base = this.#applied;
      const { outcome, events, refusal, replayOf } = await this.#attempt(base, propose, deadline);
      if (outcome === 'appended') return { events, snapshot: this.#applied };
      const fenced = outcome === 'decided' && closes && replayOf === undefined && restsOnState(refusal);
      const closed = fenced && (await this.#door.close(base, askedAt, deadline));
      if (!closed) await this.#followForWrite(deadline);
      // SPEC R5: a refusal, or "nothing to do", must rest on what the log holds now; another instance may be ahead of this one.
      if (closed || (outcome === 'decided' && !fenced && this.#applied === base)) {
        if (refusal !== undefined) throw refusal;
        return { events: [], snapshot: base, replayOf };
      }
      if (outcome === 'overtaken' && this.#applied === base) await this.#door.look(deadline); // no event won, so a fence did
      if (performance.now() >= deadline.at) {
        throw new RegistryError(
          'store-busy',
          'Other writers kept changing the registry for two seconds. Nothing was changed. Try again.',
        );
      }
    }
  }

  /** One attempt: the proposal is in the log, another write was faster, or there is nothing to append (a refusal, or already as asked). */
  async #attempt(base: Snapshot, propose: Propose, deadline: Deadline): Promise<Attempt> {
    const { fence } = this.#door; // read with the state that is decided on: a fence raised later is a conflict
    let proposal: Proposal;
    try {
      proposal = await within(deadline, propose(base));
    } catch (refusal) {
      if (!(refusal instanceof RegistryError) || refusal.code === 'store-unavailable') throw refusal;
      return { outcome: 'decided', events: [], refusal };
    }
    const { replayOf } = proposal;
    // SPEC R3: the first write's outcome may have been unknown, so its event may not be visible here yet.
    if (replayOf !== undefined && replayOf.revision > base.revision)
      return { outcome: 'overtaken', events: [], replayOf };
    if (proposal.events.length === 0) return { outcome: 'decided', events: [], replayOf };
    const events = await this.#append(base, fence, proposal, deadline);
    return events === undefined ? { outcome: 'overtaken', events: [] } : { outcome: 'appended', events };
  }

  async #followForWrite(deadline: Deadline): Promise<void> {
    try {
      await within(deadline, this.#follow());
    } catch (error) {
      if (!(error instanceof LogBroken)) throw error;
      this.#options.diverged?.(error.message);
      throw new RegistryError(
        'store-unavailable',
        'The log in the store is not the one that this instance has applied. Nothing was changed. See the service log for details.',
        {},
        { cause: error },
      );
    }
  }

  /** The events, once they are durable and visible; undefined on a conflict. */
  async #append(
    base: Snapshot,
    fence: number,
    proposal: Proposal,
    deadline: Deadline,
  ): Promise<readonly Event[] | undefined> {
    const { contents, clock } = this.#options;
    await within(deadline, clock.known?.());
    const events = seal(proposal.events, base, {
      now: () => clock.now(),
      newId: () => clock.newId(),
      notBefore: base.at,
    });
    for (const { digest, content } of proposal.contents) contents.remember(digest, content);
    const fold = foldFrom(base);
    for (const event of events) fold.add(event);
    // SPEC R3: whatever can fail comes before the append, because what is durable must become visible.
    const next = fold.freeze(await within(deadline, this.#activeContents(fold, proposal.contents)));

    const batch: Batch = { events, contents: proposal.contents, sessionKeys: proposal.sessionKeys ?? [], fence };
    const sentAt = performance.now();
    if (!(await this.#send(batch, base.revision, deadline))) return undefined;
    // A read of the log that had timed out may have shown them already.
    if (this.#applied === base) this.#options.show(next, events);
    this.#door.passed(next, sentAt);
    return events;
  }

  /** Sends a batch until its outcome is known. @returns whether it is in the log @throws RegistryError `outcome-unknown`, `store-unavailable` */
  async #send(batch: Batch, expectedRevision: number, deadline: Deadline): Promise<boolean> {
    for (let sent = false; ; sent = true) {
      const outcome = await within<AppendOutcome>(deadline, this.#outcomeOf(batch, expectedRevision, sent), 'unknown');
      if (outcome !== 'unknown') return outcome === 'done';
      // If it did get into the log, the follower finds it there within a second or so.
      if (performance.now() + PAUSE >= deadline.at) {
        throw new RegistryError(
          'outcome-unknown',
          'The connection to the store broke during the write, so the change may or may not have been made. Look up the event by its id, or repeat the request with the same Idempotency-Key.',
          { eventId: batch.events[0]?.id },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** The outcome of one append. Once the batch was sent, only the log itself can say that it is not there. */
  async #outcomeOf(batch: Batch, expectedRevision: number, sent: boolean): Promise<AppendOutcome> {
    try {
      const outcome = await this.#options.store.append(batch, expectedRevision);
      const refused = outcome !== 'done' && outcome !== 'unknown';
      return refused && sent && (await this.#isInLog(batch.events)) ? 'done' : outcome;
    } catch (error) {
      if (sent) return 'unknown'; // an earlier attempt may have succeeded
      throw error;
    }
  }

  async #activeContents(fold: Fold, added: readonly StoredContent[]): Promise<Map<string, PackContent>> {
    const known = new Map(added.map(({ digest, content }) => [digest, content]));
    const missing = [...fold.movedDigests()].filter((digest) => !known.has(digest));
    for (const [digest, content] of await this.#options.contents.all(missing)) known.set(digest, content);
    return known;
  }

  async #isInLog(events: readonly Event[]): Promise<boolean> {
    const last = events.at(-1);
    if (last === undefined) return false;
    const [found] = await this.#options.store.events({ after: last.revision - 1, order: 'ascending', limit: 1 });
    return found?.id === last.id;
  }

  /** Reads from this instance's own last event on, so that it notices a log that is not its own any more and does not follow it (SPEC R10). */
  async #follow(): Promise<void> {
    for (;;) {
      const base = this.#applied;
      const after = Math.max(0, base.revision - 1);
      const page = await this.#options.store.events({ after, order: 'ascending', limit: PAGE });
      const [mine, ...news] = base.revision === 0 ? [undefined, ...page] : page;
      if (base.revision > 0 && mine?.hash !== base.hash) {
        throw new LogBroken(
          `The log does not hold revision ${base.revision} as this instance applied it; it was replaced or cut. It is not followed.`,
        );
      }
      if (news.length === 0) return;
      const fold = foldFrom(base);
      for (const event of news) fold.add(event as Event);
      const next = fold.freeze(await this.#activeContents(fold, []));
      // A read that had timed out must not undo what was shown since.
      if (this.#applied === base) this.#options.show(next, news as Event[]);
    }
  }
}
