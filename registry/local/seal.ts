/**
 * Seals: proof that a file is unchanged.
 *
 * Problem: a digest finds damage, but anyone who edits the file can make a matching digest. And appending to a file must not mean reading it
 * from the start.
 * Rule: without a key a seal is a SHA-256, with a key an HMAC-SHA-256 (RFC 2104). Each seal covers the one before it, so parts can be cut off
 * at the end, but not removed, swapped or copied from another file. Seals are compared in constant time.
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

  /** Adds data; how it is split into parts makes no difference. */
  update(part: string | Uint8Array): this {
    this.#sum.update(part);
    return this;
  }

  /** The seal of everything since the previous seal, in lower-case hex; the next seal covers it. */
  close(): string {
    const seal = this.#sum.digest('hex');
    this.#sum = this.#begun().update(`${seal}\n`);
    return seal;
  }

  /** Like `close`. @returns whether the result is this seal */
  closesWith(seal: string): boolean {
    const own = Buffer.from(this.close());
    const other = Buffer.from(seal);
    return own.length === other.length && timingSafeEqual(own, other);
  }

  #begun(): Sum {
    return this.#key === undefined ? createHash('sha256') : createHmac('sha256', this.#key);
  }
}
