/**
 * The age of the current pack: the time since the registry last confirmed it.
 *
 * Rule: a running process uses a monotonic clock, so setting the system clock changes nothing. Only a local copy is dated by the system clock.
 * Reading the state costs nothing: timers fire when an age limit is reached.
 */
import { later, type Timer } from './timers.ts';

export interface FreshnessOptions {
  /** Milliseconds after which the pack counts as stale. */
  readonly staleAfter: number;
  /** Milliseconds after which the pack is no longer served; `Infinity` for never. */
  readonly maxStale: number;
  /** The grade changed. `report` is false if no event is needed: a copy is recent, but not confirmed by a registry. */
  readonly onChange: (report: boolean) => void;
}

export type Grade = 'fresh' | 'stale' | 'too-stale';

export class Freshness {
  readonly #options: FreshnessOptions;
  #confirmed = -Infinity;
  /** Undefined at first, so that starting as stale is a change, too. */
  #grade: Grade | undefined;
  /** The last grade that was reported. */
  #reported: Grade | undefined;
  #timer: Timer | undefined;

  constructor(options: FreshnessOptions) {
    this.#options = options;
  }

  /** Milliseconds since the last confirmation. */
  get age(): number {
    return Math.max(0, performance.now() - this.#confirmed);
  }

  /** Whether the pack may be out of date. Computed from the age, so it is right even if no timer runs (closed, or asleep). */
  get isStale(): boolean {
    return this.age >= Math.min(this.#options.staleAfter, this.#options.maxStale);
  }

  get grade(): Grade {
    return this.#grade ?? 'stale';
  }

  /** Confirms the pack as of `age` milliseconds ago. Never makes it older. */
  confirm(age = 0): void {
    this.#confirmed = Math.max(this.#confirmed, performance.now() - age);
    this.#update(true);
  }

  /** Sets the age of a new pack, even if the one before was younger. */
  restart(age: number): void {
    this.#confirmed = performance.now() - age;
    this.#update();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** @param confirmed whether a registry has just confirmed it */
  #update(confirmed = false): void {
    clearTimeout(this.#timer);
    const { staleAfter, maxStale, onChange } = this.#options;
    const { age } = this;
    const grade = age >= maxStale ? 'too-stale' : age >= staleAfter ? 'stale' : 'fresh';
    const next = Math.min(...[staleAfter, maxStale].filter((bound) => bound > age));
    if (Number.isFinite(next)) this.#timer = later(Math.ceil(next - age), () => this.#update());
    const report = grade !== this.#reported && (grade !== 'fresh' || confirmed);
    if (grade === this.#grade && !report) return;
    this.#grade = grade;
    if (report) this.#reported = grade;
    onChange(report);
  }
}
