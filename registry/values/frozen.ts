/** An immutable map. `Object.freeze` does not freeze the entries of a Map, so the Map is private. */
export class FrozenMap<K, V> implements Iterable<[K, V]> {
  readonly #entries: Map<K, V>;

  constructor(entries: Iterable<readonly [K, V]> = []) {
    this.#entries = new Map(entries);
    Object.freeze(this);
  }

  /** A copy of this map with these entries added or replaced. */
  with(entries: Iterable<readonly [K, V]>): FrozenMap<K, V> {
    const next = new FrozenMap(this.#entries);
    for (const [key, value] of entries) next.#entries.set(key, value); // no caller has it yet
    return next;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  keys(): MapIterator<K> {
    return this.#entries.keys();
  }

  values(): MapIterator<V> {
    return this.#entries.values();
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.#entries[Symbol.iterator]();
  }
}

/** Freezes a JSON-like value and everything in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
