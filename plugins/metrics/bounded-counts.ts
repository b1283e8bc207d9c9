/**
 * Counts by names that grow without end, within a bound.
 *
 * Problem: there is a new version every day, and every label value is a series that Prometheus keeps.
 * Rule: at most `most` series. Where they are used up, one that is not wanted any more (its version is active nowhere) goes, the oldest
 * first; where all are wanted, the new one is counted as `other`. What went comes back from 0, as after a restart.
 * Example: with 1000 series in use and 1.0.0 active nowhere, the first read of 9.0.0 takes the place of 1.0.0.
 */
import { Counter, type Registry } from 'prom-client';

/** One series; whoever counts keeps it and adds to it. */
export interface Count<L extends string> {
  readonly labels: Readonly<Record<L, string>>;
  value: number;
}

export interface BoundedCountsOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  /** The labels whose values grow without end; `other` where there is no room. */
  readonly growing: readonly L[];
  /** The most series beside those of `other`. */
  readonly most: number;
  readonly register: Registry;
  /** Whether a series is still wanted. */
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

  /** The series of these labels. */
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
