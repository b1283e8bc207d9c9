/**
 * How old what is served may be: the time since the registry last said that it is current.
 *
 * Rule: in a running process time is measured by a monotonic clock, so that a clock that is set does not make anything older or younger.
 * Only what was read from a copy is dated by the wall clock. Being asked costs nothing: timers tell when an age is reached.
 */
import { later, type Timer } from './timers.ts';

export interface FreshnessOptions {
  /** Milliseconds after which what is served counts as stale. */
  readonly staleAfter: number;
  /** Milliseconds after which it is not served any more; `Infinity` for never. */
  readonly maxStale: number;
  /** It became stale, too stale, or fresh. `news` is false where that need not be told: a copy is young, but no registry has confirmed it. */
  readonly onChange: (news: boolean) => void;
}

export type Grade = 'fresh' | 'stale' | 'too-stale';

export class Freshness {
  readonly #options: FreshnessOptions;
  #confirmed = -Infinity;
  /** None before anything is known: what begins as stale is told of as well. */
  #grade: Grade | undefined;
  /** What was told last. */
  #told: Grade | undefined;
  #timer: Timer | undefined;

  constructor(options: FreshnessOptions) {
    this.#options = options;
  }

  /** Milliseconds since it was last known to be current. */
  get age(): number {
    return Math.max(0, performance.now() - this.#confirmed);
  }

  /** Whether it is not known any more that it is current; true of itself, also while no timer runs: closed, or asleep. */
  get isStale(): boolean {
    return this.age >= Math.min(this.#options.staleAfter, this.#options.maxStale);
  }

  get grade(): Grade {
    return this.#grade ?? 'stale';
  }

  /** It was known to be current so many milliseconds ago; what is known to be younger stays so. */
  confirm(age = 0): void {
    this.#confirmed = Math.max(this.#confirmed, performance.now() - age);
    this.#look(true);
  }

  /** What is served from now on is of that age, however young what was served before is. */
  restart(age: number): void {
    this.#confirmed = performance.now() - age;
    this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** @param confirmed a registry has just said so */
  #look(confirmed = false): void {
    clearTimeout(this.#timer);
    const { staleAfter, maxStale, onChange } = this.#options;
    const { age } = this;
    const grade = age >= maxStale ? 'too-stale' : age >= staleAfter ? 'stale' : 'fresh';
    const next = Math.min(...[staleAfter, maxStale].filter((bound) => bound > age));
    if (Number.isFinite(next)) this.#timer = later(Math.ceil(next - age), () => this.#look());
    const news = grade !== this.#told && (grade !== 'fresh' || confirmed);
    if (grade === this.#grade && !news) return;
    this.#grade = grade;
    if (news) this.#told = grade;
    onChange(news);
  }
}
