/**
 * Time, by the store's clock.
 *
 * Problem: an event is never earlier than the one before it. One instance whose clock is wrong would date its own events wrong, and every
 * later one of every instance.
 * Rule: where the store is on another machine its clock counts, for events and for the ends of keys and sessions. Each renewal of the lease
 * brings it; in between the monotonic clock carries it on. A writer asks for it before its first event; a reader that does not know it yet goes
 * by the clock of the process. Where the store has no clock of its own the process's is the store's.
 * Example: this machine says 2046, PostgreSQL says 2026-01-31T09:30:00Z; an activation here is of 2026-01-31T09:30:00Z.
 */
import type { Logger } from '../machine/logger.ts';
import type { Store } from './store.ts';
import type { Clock } from '../machine/clock.ts';

/** How far two clocks may be apart before an operator is warned, in milliseconds. */
const APART = 300_000;
/** How far the log may be ahead of the clock, in milliseconds: a clock that is being set right goes back a little. */
const AHEAD = 5000;

export class StoreClock implements Clock {
  readonly #store: Pick<Store, 'now'>;
  readonly #own: Clock;
  readonly #logger: Logger;
  /** What to add to the monotonic clock; undefined until the store has said what time it is. */
  #offset: number | undefined;
  #apart = false;
  #behind = false;

  /** @param own the clock of the process, which also gives ids */
  constructor(store: Pick<Store, 'now'>, own: Clock, logger: Logger) {
    this.#store = store;
    this.#own = own;
    this.#logger = logger;
  }

  /** Milliseconds since the epoch, by the store's clock as far as it is known. */
  now(): number {
    return this.#offset === undefined ? this.#own.now() : Math.round(performance.now() + this.#offset);
  }

  newId(): string {
    return this.#own.newId();
  }

  /** Resolves once `now` goes by the store's clock; undefined where it does already. @throws RegistryError `store-unavailable` */
  known(): Promise<void> | undefined {
    return this.#offset !== undefined || this.#store.now === undefined ? undefined : this.#ask();
  }

  /**
   * Takes in what the store said.
   * @param now its time in milliseconds since the epoch; undefined from a store without a clock of its own
   * @param askedAt when it was asked, monotonic, in milliseconds
   */
  observe(now: number | undefined, askedAt: number): void {
    if (now === undefined) return;
    this.#offset = now - (askedAt + performance.now()) / 2;
    const apart = this.#own.now() - now;
    const wrong = Math.abs(apart) > APART;
    if (wrong && !this.#apart) {
      this.#logger.warn(
        { apartSeconds: Math.round(apart / 1000) },
        `The clock of this machine is ${lengthOf(apart)} ${apart > 0 ? 'ahead of' : 'behind'} the clock of the store. Events, keys and sessions go by the store's. Set this machine's clock.`,
      );
    }
    this.#apart = wrong;
  }

  /** Why events do not get the time of the clock: the last one is later. Undefined where they do. @param lastAt the time of the last event; empty where there is none */
  behind(lastAt: string): string | undefined {
    const ahead = Date.parse(lastAt) - this.now();
    if (!(ahead > AHEAD)) return undefined;
    return `The last event is of ${lastAt}, ${lengthOf(ahead)} after the clock. New events get that time, too, until the clock has passed it.`;
  }

  /** Warns at a start of a clock that is well before the last event. */
  warnAtStart(lastAt: string): void {
    const ahead = Date.parse(lastAt) - this.now();
    if (ahead > APART)
      this.#logger.warn(
        { lastAt, now: new Date(this.now()).toISOString() },
        `The clock is ${lengthOf(ahead)} before the last event of the log. Is it set right?`,
      );
  }

  /** Says when the log gets ahead of the clock, and when it no longer is. */
  watch(lastAt: string): void {
    const detail = this.behind(lastAt);
    if (detail !== undefined && !this.#behind)
      this.#logger.error(
        { lastAt, now: new Date(this.now()).toISOString() },
        `The log is ahead of the clock. ${detail} Set the clock right, or see docs/operations.md.`,
      );
    if (detail === undefined && this.#behind)
      this.#logger.info({ lastAt }, 'The clock has passed the last event of the log: events get its time again.');
    this.#behind = detail !== undefined;
  }

  async #ask(): Promise<void> {
    const askedAt = performance.now();
    this.observe(await this.#store.now?.(), askedAt);
  }
}

const UNITS: readonly (readonly [name: string, milliseconds: number])[] = [
  ['years', 31_557_600_000],
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
];

/** A length of time for people: `20 years`, `3 hours`. @param milliseconds of either sign */
export function lengthOf(milliseconds: number): string {
  const length = Math.abs(milliseconds);
  const [name, unit] = UNITS.find(([, size]) => length >= 2 * size) ?? ['seconds', 1000];
  return `${Math.floor(length / unit)} ${name}`;
}
