/** What a store gives out must not be changed by whoever holds it, nor by who wrote it. */

/**
 * The JSON text's value, frozen to its leaves.
 * @throws SyntaxError where the text is no JSON.
 */
export function parseFrozen(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => Object.freeze(value));
}

/** A copy of a JSON value, frozen to its leaves; members that are undefined are left out, as on disk. */
export function frozenCopy<T>(value: T): T {
  return parseFrozen(JSON.stringify(value)) as T;
}
