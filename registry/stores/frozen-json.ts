/** Values from a store are frozen: neither the reader nor the writer can change them. */

/**
 * Parses a JSON text into a deeply frozen value.
 * @throws SyntaxError if the text is not JSON
 */
export function parseFrozen(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => Object.freeze(value));
}

/** A deeply frozen copy of a JSON value, without undefined members, as on disk. */
export function frozenCopy<T>(value: T): T {
  return parseFrozen(JSON.stringify(value)) as T;
}
