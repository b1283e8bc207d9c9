/**
 * Seals: proof that a file is as it was written.
 *
 * Problem: a digest finds damage, but whoever edits the file can make one that fits. And a file that grows must not be read from its
 * start for each addition.
 * Rule: without a key a seal is a SHA-256, with one an HMAC-SHA-256 (RFC 2104). Each seal covers the one before it, so parts can be cut off
 * at the end, but not left out, exchanged or taken from another file. Seals are compared in constant time.
 * Example: the third part's seal is `HMAC(key, "<second seal>\n<third part>")`.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Which kind of seal a file carries, as its first line says. */
export type SealKind = 'sha-256' | 'hmac-sha-256';

/** The key of a MAC, at least `SHORTEST_KEY` bytes. */
export type SealKey = Uint8Array;

/** The shortest key of a MAC, in bytes: as long as its result (RFC 2104 section 3). */
export const SHORTEST_KEY = 32;

type Sum = ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

export class Seal {
  readonly #key: SealKey | undefined;
  #sum: Sum;

  constructor(key?: SealKey) {
    this.#key = key;
    this.#sum = this.#begun();
  }

  get kind(): SealKind {
    return this.#key === undefined ? 'sha-256' : 'hmac-sha-256';
  }

  /** Takes more in; where one part ends and the next begins makes no difference. */
  update(part: string | Uint8Array): this {
    this.#sum.update(part);
    return this;
  }

  /** The seal of all since the one before, in lower-case hex; the next one covers it. */
  close(): string {
    const seal = this.#sum.digest('hex');
    this.#sum = this.#begun().update(`${seal}\n`);
    return seal;
  }

  /** As `close`. @returns whether that is the seal */
  closesWith(seal: string): boolean {
    const own = Buffer.from(this.close());
    const other = Buffer.from(seal);
    return own.length === other.length && timingSafeEqual(own, other);
  }

  #begun(): Sum {
    return this.#key === undefined ? createHash('sha256') : createHmac('sha256', this.#key);
  }
}
