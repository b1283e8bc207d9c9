/**
 * The single writer: how decisions become durable, then visible, then announced (SPEC R3, R5).
 *
 * Problem: another instance may take the next revision first, and the connection may break during COMMIT.
 * Rule: one batch at a time in this process. All writes that wait are decided in order (`batch.ts`) and appended together; none is answered
 * before that batch is durable.
 * Conflict: apply what was missed, and decide the whole batch again, for up to two seconds.
 * Unknown outcome: append the very same batch again until the store says done or conflict. Only one event can take a revision, so the log
 * then tells whether it is in there.
 * A batch without an event closes the door behind its answers (`fence.ts`).
 * Example: two operators activate at once. One gets revision 8; the other is decided again on it and gets revision 9.
 */
import { PAUSE, tooLate, within, type Deadline } from './deadline.ts';
import { activeContents, decideInOrder, type Answer, type Decided, type Means } from './batch.ts';
import { Door, restsOnState, unconfirmed } from './fence.ts';
import { Queue, Turns } from './queue.ts';
import { Write, type Committed, type Prepare, type WriteOptions } from './write.ts';
import { RegistryError, LogBroken } from '../errors.ts';
import type { Event } from '../log/event.ts';
import { foldFrom } from '../events.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { AppendOutcome, Batch, Overtaken, Store } from '../log/store.ts';

/** Events read from the log at once. */
const PAGE = 10_000;

export interface WriterOptions extends Means {
  readonly store: Store;
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
  readonly #queue = new Queue();
  readonly #turns = new Turns();
  /** Whether a turn will take what is in the queue. */
  #called = false;
  #catchingUp: { upTo: number; readonly done: Promise<void> } | undefined;
  #closed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#door = new Door(options.store);
  }

  /**
   * Decides a write on the newest state until it is in the log, or there is nothing to append.
   * @throws RegistryError what it refuses with; `store-busy`, `store-unavailable`, `outcome-unknown`
   */
  async commit(prepare: Prepare, options: WriteOptions = {}): Promise<Committed> {
    this.#requireOpen();
    const write = new Write(prepare, options);
    this.#queue.add(write);
    this.#callTurn();
    return write.answer;
  }

  /** Takes note of the fence that somebody else has read. */
  seeFence(fence: number): void {
    this.#door.see(fence);
  }

  /** Replaces the whole history that was applied, if `read` finds another. @returns whether it did */
  async replace(read: (applied: Snapshot) => Promise<Snapshot | undefined>): Promise<boolean> {
    this.#requireOpen();
    return this.#turns.next(async () => {
      const next = await read(this.#applied);
      if (next !== undefined) this.#options.show(next, []);
      return next !== undefined;
    });
  }

  /**
   * Applies what the log holds beyond the current snapshot. The log is read after this call; callers that wait together share one read.
   *
   * @param upTo the revision that the log is said to have reached: it is not read if that is applied when the turn comes, e.g. because this
   *   instance itself has just appended it
   * @throws RegistryError `store-unavailable`; LogBroken
   */
  async catchUp(upTo = Infinity): Promise<void> {
    this.#requireOpen();
    if (this.#catchingUp !== undefined) this.#catchingUp.upTo = Math.max(this.#catchingUp.upTo, upTo);
    this.#catchingUp ??= {
      upTo,
      done: this.#turns.next(async () => {
        const wanted = this.#catchingUp?.upTo ?? Infinity;
        this.#catchingUp = undefined; // a later caller may want more than this read finds
        if (wanted > this.#applied.revision) await this.#follow();
      }),
    };
    return this.#catchingUp.done;
  }

  /** Waits for the writes under way; later ones are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turns.ended();
  }

  get #applied(): Snapshot {
    return this.#options.current.applied;
  }

  #requireOpen(): void {
    if (this.#closed) throw new RegistryError('store-unavailable', 'The registry is closing. Nothing was changed.');
  }

  #callTurn(): void {
    if (this.#called) return;
    this.#called = true;
    void this.#turns.next(() => this.#turn());
  }

  /** Handles the writes that wait. Those that were not answered, because they must be decided again, get another turn. */
  async #turn(): Promise<void> {
    await new Promise(setImmediate); // what has arrived already is read before, so that it joins
    this.#called = false;
    const writes = this.#queue.take();
    try {
      if (writes.length > 0) await this.#attempt(writes);
    } catch (error) {
      for (const write of writes) write.refuse(error);
    }
    this.#queue.putBack(writes);
    if (!this.#queue.isEmpty) this.#callTurn();
  }

  async #attempt(writes: readonly Write[]): Promise<void> {
    const base = this.#applied;
    const { fence } = this.#door; // read with the state that is decided on: a fence raised later is a conflict
    const decided = await decideInOrder(base, writes, this.#options);
    const { answers, events } = decided;
    if (decided.behind) return this.#decideAgain(base, writes);
    if (answers.length === 0) return;
    if (answers.some(({ write }) => write.isAnswered)) return; // its time was up meanwhile, and the later ones were decided behind it
    if (events.length === 0) return this.#confirm(base, answers);
    return this.#append(base, decided, fence);
  }

  /** Appends a batch, and answers the writes in it once it is durable and visible. */
  async #append(base: Snapshot, decided: Decided, fence: number): Promise<void> {
    const { answers, events, contents, sessionKeys, snapshot } = decided;
    const writes = answers.map(({ write }) => write);
    const sentAt = performance.now();
    for (const answer of answers) answer.write.ifLate = () => unknownOutcome(answer);
    let outcome: AppendOutcome;
    try {
      outcome = await this.#send({ events, contents, sessionKeys, fence }, base.revision, lastDeadline(writes));
    } catch (error) {
      if (writes.length === 1) throw error;
      for (const write of writes) Object.assign(write, { alone: true, ifLate: tooLate }); // what is wrong with one must harm no other
      return;
    }
    if (outcome === 'unknown') {
      // If it did get into the log, the follower finds it there within a second or so.
      for (const write of writes) write.refuse(write.ifLate());
    } else if (outcome === 'done') {
      // A read of the log that had timed out may have shown them already.
      if (this.#applied === base) this.#options.show(snapshot, events);
      this.#door.passed(snapshot, sentAt);
      for (const answer of answers) give(answer);
    } else {
      await this.#decideAgain(base, writes, outcome);
    }
  }

  /** Answers a batch without events. SPEC R5: an answer must rest on what the log holds now; another instance may be ahead of this one. */
  async #confirm(base: Snapshot, answers: readonly Answer[]): Promise<void> {
    const writes = answers.map(({ write }) => write);
    const fenced = answers.filter(({ write, refusal }) => write.closes && restsOnState(refusal));
    const askedAt = Math.max(...fenced.map(({ write }) => write.askedAt));
    for (const write of writes) write.ifLate = unconfirmed;
    const closed = fenced.length > 0 && (await this.#door.close(base, askedAt, lastDeadline(writes)));
    if (!closed) await this.#followForWrite(base, writes);
    if (closed || (fenced.length === 0 && this.#applied === base)) for (const answer of answers) give(answer);
    else for (const write of writes) write.lostRace();
  }

  /** Another write was faster, or a fence: these are decided again on what it did. */
  async #decideAgain(
    base: Snapshot,
    writes: readonly Write[],
    conflict: Overtaken | 'conflict' = 'conflict',
  ): Promise<void> {
    await this.#followForWrite(base, writes, conflict === 'conflict' ? undefined : conflict.missed);
    if (this.#applied === base) await this.#door.look(lastDeadline(writes)); // no event won, so a fence did
    for (const write of writes) write.lostRace();
  }

  /** @param missed the events after `base`; default: they are read from the log */
  async #followForWrite(base: Snapshot, writes: readonly Write[], missed?: readonly Event[]): Promise<void> {
    for (const write of writes) write.ifLate = tooLate;
    try {
      await within(lastDeadline(writes), missed === undefined ? this.#follow() : this.#apply(base, missed));
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

  /** Sends a batch until its outcome is known, or no write in it waits any longer. @throws RegistryError `store-unavailable`: nothing was sent */
  async #send(batch: Batch, expectedRevision: number, deadline: Deadline): Promise<AppendOutcome> {
    for (let sent = false; ; sent = true) {
      const outcome = await within<AppendOutcome>(deadline, this.#outcomeOf(batch, expectedRevision, sent), 'unknown');
      if (outcome !== 'unknown' || performance.now() + PAUSE >= deadline.at) return outcome;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** The outcome of one append. Once the batch was sent, only the log itself can say that it is not there. */
  async #outcomeOf(batch: Batch, expectedRevision: number, sent: boolean): Promise<AppendOutcome> {
    try {
      const outcome = await this.#options.store.append(batch, expectedRevision);
      if (outcome === 'done' || outcome === 'unknown' || !sent) return outcome;
      return (await this.#isInLog(batch, outcome)) ? 'done' : outcome;
    } catch (error) {
      if (sent) return 'unknown'; // an earlier attempt may have succeeded
      throw error;
    }
  }

  async #isInLog({ events }: Batch, conflict: Overtaken | 'conflict'): Promise<boolean> {
    const last = events.at(-1);
    if (last === undefined) return false;
    if (conflict !== 'conflict') return conflict.missed.some(({ id }) => id === last.id);
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
      if (base.revision > 0 && mine?.hash !== base.hash) throw notOurs(base);
      if (news.length === 0) return;
      await this.#apply(base, news as Event[]);
    }
  }

  /** Applies events that follow `base`. @throws LogBroken if they do not */
  async #apply(base: Snapshot, news: readonly Event[]): Promise<void> {
    if (news[0]?.previousHash !== base.hash) throw notOurs(base);
    const fold = foldFrom(base);
    for (const event of news) fold.add(event);
    const next = fold.freeze(await activeContents(fold, [], this.#options.contents));
    // A read that had timed out must not undo what was shown since.
    if (this.#applied === base) this.#options.show(next, news);
  }
}

function notOurs({ revision }: Snapshot): LogBroken {
  return new LogBroken(
    `The log does not hold revision ${revision} as this instance applied it; it was replaced or cut. It is not followed.`,
  );
}

function lastDeadline(writes: readonly Write[]): Deadline {
  return {
    at: Math.max(...writes.map(({ deadline }) => deadline.at)),
    cuts: writes.every(({ deadline }) => deadline.cuts),
  };
}

function give({ write, events, snapshot, refusal, replayOf }: Answer): void {
  if (refusal !== undefined) write.refuse(refusal);
  else write.give({ events, snapshot, replayOf });
}

/** The answer if the batch was sent and its outcome did not become known. What rests on no event of the batch has changed nothing in any case. */
function unknownOutcome({ events, replayOf, rests }: Answer): RegistryError {
  if (!rests) return unconfirmed();
  const eventId = (events[0] ?? replayOf)?.id;
  return new RegistryError(
    'outcome-unknown',
    'The connection to the store broke during the write, so the change may or may not have been made. Look up the event by its id, or repeat the request with the same Idempotency-Key.',
    eventId === undefined ? {} : { eventId },
  );
}
