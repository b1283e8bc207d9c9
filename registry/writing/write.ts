/**
 * A write: one call of the writer, from its arrival to its answer.
 *
 * Problem: a write waits in the queue, for its decision and for the store, and each of them may hang. Its caller must be answered in time
 * (SPEC R9), and the true answer depends on how far the write has come.
 * Rule: a write has one deadline and one answer. The code that handles it sets `ifLate`, which makes the answer if the deadline passes now. The
 * first answer counts, later ones are ignored.
 * Example: a write that the store has not confirmed after 1.6 seconds is answered `outcome-unknown`; one that still waits in the queue is
 * answered `store-unavailable`.
 */
import { RegistryError } from '../errors.ts';
import type { Event } from '../log/event.ts';
import type { Proposal } from '../log/proposal.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { PATIENCE, tooLate, type Deadline } from './deadline.ts';

/**
 * Decides on the state that the writes before this one lead to. Pure.
 * @param made the events of the writes before it that are appended together with it
 * @param now the time of its events, by the store's clock, in milliseconds since the epoch
 * @throws RegistryError the refusal
 */
export type Decide = (state: Snapshot, made: readonly Event[], now: number) => Proposal;

/**
 * Reads what the decision needs besides the state. It is called again if another write was faster.
 * @param base what is applied; the log may hold more
 * @throws RegistryError the refusal
 */
export type Prepare = (base: Snapshot) => Decide | Promise<Decide>;

/** What became of a write. */
export interface Committed {
  /** Its events, in order; empty if there was nothing to change. */
  readonly events: readonly Event[];
  /** The snapshot that its events led to, or that the answer was decided on. */
  readonly snapshot: Snapshot;
  /** The request repeats an earlier one: the event of the first (SPEC R6). */
  readonly replayOf?: Event | undefined;
}

export interface WriteOptions {
  /** It may take long, as a first start does: only the store's own limits apply to each call. It is never joined with others. Default: false. */
  readonly large?: boolean;
  /** Somebody acts on the answer: one without an event is given only when no earlier write can take effect any more. Default: false. */
  readonly closes?: boolean;
}

export class Write {
  readonly prepare: Prepare;
  readonly large: boolean;
  readonly closes: boolean;
  /** Monotonic, in milliseconds. */
  readonly askedAt = performance.now();
  readonly deadline: Deadline;
  readonly answer: Promise<Committed>;
  /** Settles with the answer; never rejects. */
  readonly over: Promise<undefined>;
  ifLate: () => RegistryError = tooLate;
  /** Whether it must be appended alone: the store has rejected a batch that it was in. */
  alone = false;
  #answered = false;
  readonly #settle: PromiseWithResolvers<Committed> = Promise.withResolvers();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(prepare: Prepare, { large = false, closes = false }: WriteOptions) {
    this.prepare = prepare;
    this.large = large;
    this.closes = closes;
    this.deadline = { at: this.askedAt + PATIENCE, cuts: !large };
    this.answer = this.#settle.promise;
    this.over = this.answer.then(nothing, nothing);
    if (!large) this.#timer = setTimeout(() => this.refuse(this.ifLate()), PATIENCE);
  }

  get isAnswered(): boolean {
    return this.#answered;
  }

  give(committed: Committed): void {
    this.#end();
    this.#settle.resolve(committed);
  }

  refuse(error: unknown): void {
    this.#end();
    this.#settle.reject(error);
  }

  /** Another write was faster: this one is decided again, unless its time is up. */
  lostRace(): void {
    this.ifLate = busy;
    if (performance.now() >= this.deadline.at) this.refuse(busy());
  }

  #end(): void {
    this.#answered = true;
    clearTimeout(this.#timer);
  }
}

function nothing(): undefined {
  return undefined;
}

function busy(): RegistryError {
  return new RegistryError(
    'store-busy',
    'Other writers kept changing the registry for two seconds. Nothing was changed. Try again.',
  );
}
