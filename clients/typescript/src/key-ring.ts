/**
 * The keys that a source has used, for what is signed with them.
 *
 * Problem: a key is changed while it runs, and where it comes from can fail; neither may end a session that began under it.
 * Rule: a request is sent with the key of now or not at all; a session of this client's own is signed with the latest that could be had.
 */
import { keyReader, type RegistryClientOptions } from './client.ts';

/** Keys that are remembered; those used longest ago go first. */
const MOST_KEYS = 4;

export class KeyRing {
  readonly #read: () => string;
  /** The latest last. */
  readonly #used = new Set<string>();

  constructor(key: RegistryClientOptions['key']) {
    this.#read = keyReader(key);
  }

  /** The key of now. @throws RegistryFailure `unauthenticated` where there is none */
  read(): string {
    const key = this.#read();
    this.#used.delete(key);
    this.#used.add(key);
    for (const eldest of this.#used) if (this.#used.size > MOST_KEYS) this.#used.delete(eldest);
    return key;
  }

  /** The keys that were used, the latest first. @throws RegistryFailure `unauthenticated` where there never was one */
  latest(): readonly string[] {
    try {
      this.read();
    } catch (error) {
      if (this.#used.size === 0) throw error;
    }
    return [...this.#used].reverse();
  }
}
