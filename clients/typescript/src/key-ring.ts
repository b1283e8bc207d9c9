/**
 * The API keys that a source has used, to sign and verify local sessions.
 *
 * Problem: the key may change at run time, and reading it can fail. Neither may end a running session.
 * Rule: a request uses the current key or is not sent. A local session is signed with the latest known key.
 */
import { keyReader, type RegistryClientOptions } from './client.ts';

/** Keys to remember; the least recently used are dropped. */
const MAX_KEYS = 4;

export class KeyRing {
  readonly #read: () => string;
  /** The latest is last. */
  readonly #used = new Set<string>();

  constructor(key: RegistryClientOptions['key']) {
    this.#read = keyReader(key);
  }

  /** The current key. @throws RegistryFailure `unauthenticated` if it is missing or invalid */
  read(): string {
    const key = this.#read();
    this.#used.delete(key);
    this.#used.add(key);
    for (const eldest of this.#used) if (this.#used.size > MAX_KEYS) this.#used.delete(eldest);
    return key;
  }

  /** All remembered keys, latest first. @throws RegistryFailure `unauthenticated` if there never was a key */
  latest(): readonly string[] {
    try {
      this.read();
    } catch (error) {
      if (this.#used.size === 0) throw error;
    }
    return [...this.#used].reverse();
  }
}
