/**
 * The time according to the store's clock.
 *
 * Problem: an event is never earlier than the one before it. So one instance with a wrong clock would give wrong times to its own events
 * and to all later events of every instance.
 * Rule: if the store has its own clock (on another machine), that clock decides the times of events and the expiry of keys and sessions.
 * Each lease renewal reads it; between renewals the monotonic clock continues it. A writer reads it before its first event. A reader uses
 * the clock of the process until it is known. Without a store clock, the clock of the process is used.
 * Example: this machine says 2046, PostgreSQL says 2026-01-31T09:30:00Z. An activation here gets the time 2026-01-31T09:30:00Z.
 */
import type { Logger } from '../machine/logger.ts';
import type { Store } from './store.ts';
import type { Clock } from '../machine/clock.ts';

/** Clock difference that warns the operator, in milliseconds. */
const MAX_DIFFERENCE = 300_000;
/** How far the log may be ahead of the clock, in milliseconds: a clock that is being corrected may go back a little. */
const MAX_AHEAD = 5000;

export class StoreClock implements Clock {
  readonly #store: Pick<Store, 'now'>;
  readonly #processClock: Clock;
  readonly #logger: Logger;
  /** Offset to the monotonic clock; undefined until the store's time is known. */
  #offset: number | undefined;
  #differs = false;
  #behind = false;
  /** When the clock was last looked at: its time, and the monotonic time, in milliseconds. */
  #looked: { readonly at: number; readonly monotonic: number } | undefined;
  /** Until when the clock is in doubt after a jump; monotonic, in milliseconds. */
  #doubtUntil = -Infinity;

  /** @param processClock also creates the ids */
  constructor(store: Pick<Store, 'now'>, processClock: Clock, logger: Logger) {
    this.#store = store;
    this.#processClock = processClock;
    this.#logger = logger;
  }

  /** Milliseconds since the epoch; by the store's clock once that is known. */
  now(): number {
    return this.#offset === undefined ? this.#processClock.now() : Math.round(performance.now() + this.#offset);
  }

  newId(): string {
    return this.#processClock.newId();
  }

  /** Resolves when `now` uses the store's clock; undefined if it already does. @throws RegistryError `store-unavailable` */
  known(): Promise<void> | undefined {
    return this.#offset !== undefined || this.#store.now === undefined ? undefined : this.#ask();
  }

  /**
   * Adjusts to the store's time.
   * @param now in milliseconds since the epoch, as an answer said that has just arrived; undefined from a store without a clock
   */
  observe(now: number | undefined): void {
    if (now === undefined) return;
    this.#offset = now - performance.now(); // what is due by it happens late rather than early
    const difference = this.#processClock.now() - now;
    const wrong = Math.abs(difference) > MAX_DIFFERENCE;
    if (wrong && !this.#differs) {
      this.#logger.warn(
        { apartSeconds: Math.round(difference / 1000) },
        `The clock of this machine is ${lengthOf(difference)} ${difference > 0 ? 'ahead of' : 'behind'} the clock of the store. Events, keys and sessions use the store's clock. Set this machine's clock.`,
      );
    }
    this.#differs = wrong;
  }

  /**
   * Why new events do not get the current time: the last event is later. Undefined if they do.
   * @param lastAt the time of the last event; empty if there is none
   */
  behind(lastAt: string): string | undefined {
    const ahead = Date.parse(lastAt) - this.now();
    if (!(ahead > MAX_AHEAD)) return undefined;
    return `The time of the last event is ${lastAt}, ${lengthOf(ahead)} later than the clock. New events get the same time until the clock has passed it.`;
  }

  /** Warns at the start if the clock is far behind the last event. */
  warnAtStart(lastAt: string): void {
    const ahead = Date.parse(lastAt) - this.now();
    if (ahead > MAX_DIFFERENCE)
      this.#logger.warn(
        { lastAt, now: new Date(this.now()).toISOString() },
        `The clock is ${lengthOf(ahead)} behind the last event of the log. Check this machine's clock.`,
      );
  }

  /** Logs when the log gets ahead of the clock, and when it no longer is. */
  watch(lastAt: string): void {
    const detail = this.behind(lastAt);
    if (detail !== undefined && !this.#behind)
      this.#logger.error(
        { lastAt, now: new Date(this.now()).toISOString() },
        `The log is ahead of the clock. ${detail} Correct the clock, or see docs/operations.md.`,
      );
    if (detail === undefined && this.#behind)
      this.#logger.info(
        { lastAt },
        'The clock has passed the last event of the log. New events get the current time again.',
      );
    this.#behind = detail !== undefined;
  }

  /**
   * Why nothing should be done by this clock now: it has jumped, or the log is ahead of it. Undefined if it can be trusted. To be asked
   * about once a second.
   * @param lastAt the time of the last event; empty if there is none
   */
  doubt(lastAt: string): string | undefined {
    const [at, monotonic] = [this.now(), performance.now()];
    const jump = this.#looked === undefined ? 0 : at - this.#looked.at - (monotonic - this.#looked.monotonic);
    this.#looked = { at, monotonic };
    if (Math.abs(jump) > MAX_DIFFERENCE) this.#doubtUntil = monotonic + MAX_DIFFERENCE;
    if (monotonic < this.#doubtUntil)
      return `The clock has jumped by more than ${lengthOf(MAX_DIFFERENCE)}. It is trusted again once it has run evenly for that long.`;
    return this.behind(lastAt);
  }

  async #ask(): Promise<void> {
    this.observe(await this.#store.now?.());
  }
}

const UNITS: readonly (readonly [name: string, milliseconds: number])[] = [
  ['years', 31_557_600_000],
  ['days', 86_400_000],
  ['hours', 3_600_000],
  ['minutes', 60_000],
];

/** A duration for people: `20 years`, `3 hours`. @param milliseconds positive or negative */
export function lengthOf(milliseconds: number): string {
  const length = Math.abs(milliseconds);
  const [name, unit] = UNITS.find(([, size]) => length >= 2 * size) ?? ['seconds', 1000];
  return `${Math.floor(length / unit)} ${name}`;
}
