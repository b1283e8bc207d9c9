/**
 * A counter with a bounded number of series, for labels whose values never stop growing.
 *
 * Problem: there may be a new version every day, and Prometheus keeps a series for each label value.
 * Rule: there are at most `most` series. At the bound, a new one replaces the oldest one that is no longer wanted (its version is not active
 * anywhere). If all are wanted, the new one is counted as `other`. A replaced series starts again at 0, as after a restart.
 * Example: 1000 series are in use and 1.0.0 is not active anywhere. The first read of 9.0.0 replaces the series of 1.0.0.
 */
import { Counter, type Registry } from 'prom-client';

/** One series. The caller keeps it and increments `value`. */
export interface Count<L extends string> {
  readonly labels: Readonly<Record<L, string>>;
  value: number;
}

export interface BoundedCountsOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  /** The labels whose values never stop growing. They become `other` at the bound. */
  readonly growing: readonly L[];
  /** The maximum number of series, without those of `other`. */
  readonly most: number;
  readonly register: Registry;
  /** Whether to keep a series at the bound. */
  readonly isWanted: (labels: Readonly<Record<L, string>>) => boolean;
}

export class BoundedCounts<L extends string> {
  readonly #options: BoundedCountsOptions<L>;
  readonly #counts = new Map<string, Count<L>>();
  readonly #others = new Map<string, Count<L>>();

  constructor(options: BoundedCountsOptions<L>) {
    this.#options = options;
    const { name, help, labelNames, register } = options;
    const all = () => [...this.#counts.values(), ...this.#others.values()];
    new Counter<L>({
      name,
      help,
      labelNames,
      registers: [register],
      collect() {
        this.reset();
        for (const { labels, value } of all()) this.inc(labels, value);
      },
    });
  }

  /** The series with these labels. */
  of(labels: Readonly<Record<L, string>>): Count<L> {
    const key = this.#keyOf(labels);
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    if (this.#counts.size >= this.#options.most && !this.#makeRoom()) return this.#otherOf(labels);
    return added(this.#counts, key, labels);
  }

  #makeRoom(): boolean {
    for (const [key, { labels }] of this.#counts) if (!this.#options.isWanted(labels)) return this.#counts.delete(key);
    return false;
  }

  #otherOf(labels: Readonly<Record<L, string>>): Count<L> {
    const renamed = { ...labels, ...Object.fromEntries(this.#options.growing.map((name) => [name, 'other'])) };
    const key = this.#keyOf(renamed);
    return this.#others.get(key) ?? added(this.#others, key, renamed);
  }

  #keyOf(labels: Readonly<Record<L, string>>): string {
    return this.#options.labelNames.map((name) => labels[name]).join('\n');
  }
}

function added<L extends string>(
  counts: Map<string, Count<L>>,
  key: string,
  labels: Readonly<Record<L, string>>,
): Count<L> {
  const count = { labels, value: 0 };
  counts.set(key, count);
  return count;
}
