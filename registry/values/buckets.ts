/**
 * Buckets: where a text falls among 100,000, the same in every language and on every machine.
 *
 * Problem: a share of the users must be the same users on each instance, in each client and after a restart.
 * Rule: `floor(murmur3_x86_32(utf8(text), seed 0) × 100,000 / 2^32)`. MurmurHash3 is Austin Appleby's, in the public domain
 * (https://github.com/aappleby/smhasher, `MurmurHash3_x86_32`). It hashes UTF-8 bytes: ports that hash UTF-16 units differ as soon as a text
 * is not ASCII. The product is below 2^53, so it is exact.
 * Example: `bucketOf('7d3f:user-42')` → a number from 0 to 99,999.
 */

/** How many buckets there are: a share of 1 % is 1,000 of them. */
export const BUCKETS = 100_000;

/** Bytes for a text: more than the longest subject has. */
const ROOM = 1024;
const encoder = new TextEncoder();

/** The bucket of a text, from 0 to `BUCKETS` - 1. */
export function bucketOf(text: string): number {
  return bucketFrom(murmur3(text));
}

/** Compiles `bucketOf(prefix + text)` for one prefix. Nothing is allocated for a text of at most `ROOM` bytes. */
export function bucketsAfter(prefix: string): (text: string) => number {
  const hash = hashesAfter(prefix);
  return (text) => bucketFrom(hash(text));
}

/** MurmurHash3_x86_32 of a text's UTF-8 bytes with seed 0, as an unsigned 32-bit integer. */
export const murmur3 = hashesAfter('');

function bucketFrom(hash: number): number {
  return Math.floor((hash * BUCKETS) / 2 ** 32);
}

/** Compiles `murmur3(prefix + text)` for one prefix, which is encoded once. */
function hashesAfter(prefix: string): (text: string) => number {
  const start = encoder.encode(prefix);
  const bytes = new Uint8Array(start.length + ROOM); // one call at a time uses it, since nothing here waits
  bytes.set(start);
  const rest = bytes.subarray(start.length);
  return (text) => {
    if (text.length * 3 <= ROOM) return murmur3Of(bytes, start.length + encodeInto(text, rest)); // a UTF-16 unit becomes at most three bytes
    const long = encoder.encode(prefix + text);
    return murmur3Of(long, long.length);
  };
}

/** Writes a text into `bytes`. Most ids are ASCII, where this loop is several times as fast as the encoder. @returns the bytes written */
function encodeInto(text: string, bytes: Uint8Array): number {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return encoder.encodeInto(text, bytes).written;
    bytes[index] = unit;
  }
  return text.length;
}

function murmur3Of(bytes: Uint8Array, length: number): number {
  const whole = length - (length % 4);
  let hash = 0;
  for (let at = 0; at < whole; at += 4) {
    hash ^= scrambled(
      byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24),
    );
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = length - 1; at >= whole; at -= 1) tail = (tail << 8) | byte(bytes, at);
  hash ^= scrambled(tail); // of 0 it is 0
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scrambled(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}
