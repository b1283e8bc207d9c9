/**
 * The single writer: how a decision becomes durable, then visible, then announced (SPEC R3, R5).
 *
 * Problem: another instance may take the next revision first, and a connection may go away around COMMIT.
 * Rule: one change at a time in this process. Conflict: catch up from the log and decide again, for up to two seconds. An answer without
 * an event closes the door behind it (`fence.ts`).
 * Unknown: append the very same events again until the store says done or conflict; as one event only can take a revision,
 * the log then tells whether they are in it.
 * Example: two operators activate at once; one gets revision 8, the other is decided again on it and gets revision 9.
 */
import type { Contents } from '../local/contents.ts';
import { PAUSE, tooLate, within, type Deadline } from './deadline.ts';
import { Door, restsOnState } from './fence.ts';
import { messageOf, RegistryError, LogBroken } from '../errors.ts';
import { seal, type Event } from '../log/event.ts';
import { foldFrom } from '../events.ts';
import type { Fold } from '../state/fold.ts';
import type { Logger } from '../machine/logger.ts';
import type { PackContent } from '../model.ts';
import type { Snapshot } from '../state/snapshot.ts';
import type { Clock } from '../machine/clock.ts';
import type { AppendOutcome, Batch, Store, StoredContent } from '../log/store.ts';
import type { Proposal } from '../log/proposal.ts';

/** For how long a write may take, its wait for others included, in milliseconds: its answer is out within two seconds. */
const PATIENCE = 1600;
/** Events read from the log at once. */
const PAGE = 10_000;
/** Between two tries to catch up after one, at most, in milliseconds; the first comes after `PAUSE`. */
const LONGEST_PAUSE = 2000;

/** Decides against a snapshot, and is asked again where another write was quicker. @throws RegistryError the refusal */
export type Propose = (snapshot: Snapshot) => Proposal | Promise<Proposal>;

interface Attempt {
  readonly outcome: 'appended' | 'overtaken' | 'decided';
  readonly events: readonly Event[];
  readonly refusal?: RegistryError;
  /** The answer is that of an event which is in the log. */
  readonly replayed: boolean;
}

export interface WriterOptions {
  readonly store: Store;
  readonly contents: Contents;
  /** `known` is waited for before the first event is dated. */
  readonly clock: Clock & { known?(): Promise<void> | undefined };
  readonly logger: Logger;
  /** The one assignment that makes a snapshot visible, and what follows from it. No events: the whole history was replaced. */
  readonly publish: (next: Snapshot, events: readonly Event[]) => void;
  /** Hears that the log is not the one that was applied here. */
  readonly diverged?: (reason: string) => void;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #door: Door;
  #current: Snapshot;
  #queue: Promise<unknown> = Promise.resolve();
  #settling: NodeJS.Timeout | undefined;
  #catchingUp: Promise<void> | undefined;
  #closed = false;

  constructor(initial: Snapshot, options: WriterOptions) {
    this.#current = initial;
    this.#options = options;
    this.#door = new Door(options.store);
  }

  /**
   * Proposes against the current snapshot until what it proposes is in the log, or there is nothing to append.
   *
   * @param options.large a batch that may take its time, as a first start's: then the store's own limits hold for each call
   * @param options.closes somebody acts on the answer: one without an event is given only when no earlier write can take effect any more
   * @returns the events appended, and the snapshot they were decided on or led to
   * @throws RegistryError what `propose` refuses with; `store-busy`, `store-unavailable`, `outcome-unknown`
   */
  async commit(
    propose: Propose,
    { large = false, closes = false } = {},
  ): Promise<{ events: readonly Event[]; snapshot: Snapshot }> {
    const askedAt = performance.now();
    const deadline: Deadline = { at: askedAt + PATIENCE, cuts: !large };
    const turn = Promise.withResolvers<undefined>();
    const result = this.#exclusive(async () => {
      turn.resolve(undefined);
      if (deadline.cuts && performance.now() >= deadline.at) throw tooLate();
      for (;;) {
        const base = this.#current;
        const { outcome, events, refusal, replayed } = await this.#attempt(base, propose, deadline);
        if (outcome === 'appended') return { events, snapshot: this.#current };
        const fenced = outcome === 'decided' && closes && !replayed && restsOnState(refusal);
        const closed = fenced && (await this.#door.close(base, askedAt, deadline));
        if (!closed) await this.#followForWrite(deadline);
        // A refusal, or nothing to do, rests on what the log holds now: another instance may have been ahead of this one (SPEC R5).
        if (closed || (outcome === 'decided' && !fenced && this.#current === base)) {
          if (refusal !== undefined) throw refusal;
          return { events: [], snapshot: base };
        }
        if (outcome === 'overtaken' && this.#current === base) await this.#door.look(deadline); // by no event, so by a fence
        if (performance.now() >= deadline.at) {
          throw new RegistryError(
            'store-busy',
            'Others kept changing the registry for two seconds; nothing was changed. Try again.',
          );
        }
      }
    });
    // Whoever waits for its turn behind a store that does not answer is told so in time; nothing of it was begun.
    await within(deadline, Promise.race([turn.promise, result.then(() => undefined)]));
    return result;
  }

  /** Hears of the fence as somebody else read it. */
  seeFence(fence: number): void {
    this.#door.see(fence);
  }

  /** Puts another history in the place of the one that was applied, where `read` finds one. */
  replace(read: (current: Snapshot) => Promise<Snapshot | undefined>): Promise<boolean> {
    return this.#exclusive(async () => {
      const next = await read(this.#current);
      if (next !== undefined) this.#show(next, []);
      return next !== undefined;
    });
  }

  /**
   * Applies what the log holds beyond the current snapshot, as the log was after this call at the earliest; one reading serves all who
   * wait for it.
   * @throws RegistryError `store-unavailable`; LogBroken
   */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#exclusive(() => {
      this.#catchingUp = undefined; // whoever asks from here on may ask for more than this reading will find
      return this.#follow();
    });
    return this.#catchingUp;
  }

  /** Waits for the change under way; later ones are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#settling);
    await this.#queue;
  }

  #exclusive<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed)
      return Promise.reject(new RegistryError('store-unavailable', 'The registry is closing; nothing was changed.'));
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => undefined); // the caller gets the failure; the next in line starts all the same
    return result;
  }

  /** One try: what it proposes is in the log, was overtaken by another, or is nothing to append (a refusal, or the state is as asked). */
  async #attempt(base: Snapshot, propose: Propose, deadline: Deadline): Promise<Attempt> {
    const { fence } = this.#door; // with the state that is decided on: one that is raised from here on is a conflict
    let proposal: Proposal;
    try {
      proposal = await within(deadline, propose(base));
    } catch (refusal) {
      if (!(refusal instanceof RegistryError) || refusal.code === 'store-unavailable') throw refusal;
      return { outcome: 'decided', events: [], refusal, replayed: false };
    }
    const replayed = proposal.seen !== undefined;
    if ((proposal.seen ?? 0) > base.revision) return { outcome: 'overtaken', events: [], replayed };
    if (proposal.events.length === 0) return { outcome: 'decided', events: [], replayed };
    const events = await this.#append(base, fence, proposal, deadline);
    return events === undefined
      ? { outcome: 'overtaken', events: [], replayed }
      : { outcome: 'appended', events, replayed };
  }

  async #followForWrite(deadline: Deadline): Promise<void> {
    try {
      await within(deadline, this.#follow());
    } catch (error) {
      if (!(error instanceof LogBroken)) throw error;
      this.#options.diverged?.(error.message);
      throw new RegistryError(
        'store-unavailable',
        'The log in the store is not the one that this instance has applied; nothing was changed. The log of the service says more.',
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
    // All that can fail is done before the append: what is durable must become visible. SPEC R3
    const next = fold.freeze(await within(deadline, this.#activeContents(fold, proposal.contents)));

    const batch: Batch = { events, contents: proposal.contents, sessionKeys: proposal.sessionKeys ?? [], fence };
    const sentAt = performance.now();
    for (let sent = false; ; sent = true) {
      const outcome = await within<AppendOutcome>(deadline, this.#outcomeOf(batch, base.revision, sent), 'unknown');
      if (outcome === 'done') {
        // A reading of the log that was given up on may have shown them by now.
        if (this.#current === base) this.#show(next, events);
        this.#door.passed(next, sentAt);
        return events;
      }
      if (outcome === 'conflict') return undefined;
      if (performance.now() + PAUSE >= deadline.at) {
        this.#settleLater();
        throw new RegistryError(
          'outcome-unknown',
          'The store went away while it was being written to; the change may have been made or not. Ask for the event by its id, or repeat with the same Idempotency-Key.',
          {
            eventId: events[0]?.id,
          },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** What comes of one try. Once the batch was sent, only the log itself can say that it is not in it. */
  async #outcomeOf(batch: Batch, expectedRevision: number, sent: boolean): Promise<AppendOutcome> {
    try {
      const outcome = await this.#options.store.append(batch, expectedRevision);
      return outcome === 'conflict' && sent && (await this.#isInLog(batch.events)) ? 'done' : outcome;
    } catch (error) {
      if (sent) return 'unknown'; // an earlier try may have got through
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

  /** Reads on from my own last event, so that a log that is not mine any more is noticed and not followed (SPEC R10). */
  async #follow(): Promise<void> {
    for (;;) {
      const base = this.#current;
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
      // One that was given up on, because it took too long, must not undo what was shown since.
      if (this.#current === base) this.#show(next, news as Event[]);
    }
  }

  #show(next: Snapshot, events: readonly Event[]): void {
    this.#current = next;
    this.#options.publish(next, events);
  }

  /** After an unknown outcome the log may be ahead of what is visible: look until it can be read. */
  #settleLater(pause = PAUSE): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      if (this.#closed) return;
      this.catchUp().catch((error: unknown) => {
        if (this.#closed) return;
        const again = !(error instanceof LogBroken);
        this.#options.logger.warn(
          { reason: messageOf(error), again },
          'The log could not be read after a write of unknown outcome.',
        );
        if (again) this.#settleLater(Math.min(2 * pause, LONGEST_PAUSE));
      });
    }, pause).unref();
  }
}
