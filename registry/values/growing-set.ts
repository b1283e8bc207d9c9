/**
 * An immutable set in insertion order that can be extended cheaply.
 *
 * Problem: a snapshot never changes, so adding one item would copy the whole set on each move of a pointer.
 * Rule: a set and the sets that grew from it share one Map. Each set sees only its first `size` items. Extending the same set a second time
 * makes a copy.
 * Example: `const two = one.with('2.0.0')` copies nothing, and `one.has('2.0.0')` stays false.
 */
export class GrowingSet<T> implements Iterable<T> {
  /** Index by item. Shared: indexes from `size` on belong to sets that grew from this one. */
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

  /** This set plus the item; the same set if it already has it. */
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

  /** A list, for `JSON.stringify`. */
  toJSON(): T[] {
    return [...this];
  }
}
