/**
 * A set that nobody can take anything from, in the order in which its items came.
 *
 * Problem: a snapshot never changes, so one more item would mean a copy of all of them, for each move of a pointer.
 * Rule: a set and those that grew from it share one store. Each sees as many items of it as it has; what came later is not its own.
 * Only a second growth from the same set makes a copy.
 * Example: `const two = one.with('2.0.0')` copies nothing, and `one.has('2.0.0')` stays false.
 */
export class GrowingSet<T> implements Iterable<T> {
  /** Item to its place. Shared: places from `size` on belong to sets that grew from this one. */
  readonly #indexes: Map<T, number>;
  readonly size: number;

  constructor(items: Iterable<T> = [], grown?: Map<T, number>) {
    this.#indexes = grown ?? new Map([...new Set(items)].map((item, index) => [item, index]));
    this.size = this.#indexes.size;
    Object.freeze(this);
  }

  has(item: T): boolean {
    return (this.#indexes.get(item) ?? Infinity) < this.size;
  }

  /** This set and the item: itself where it has it. */
  with(item: T): GrowingSet<T> {
    if (this.has(item)) return this;
    const indexes =
      this.#indexes.size === this.size ? this.#indexes : new Map([...this].map((known, index) => [known, index]));
    indexes.set(item, this.size);
    return new GrowingSet([], indexes);
  }

  *[Symbol.iterator](): Generator<T, undefined> {
    let left = this.size;
    for (const item of this.#indexes.keys()) {
      if (left === 0) return;
      left -= 1;
      yield item;
    }
  }

  /** As a list, for `JSON.stringify`. */
  toJSON(): T[] {
    return [...this];
  }
}
