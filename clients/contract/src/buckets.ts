/**
 * The published algorithm that decides which arm of a rollout a subject gets, on its own, so that a server is held to it.
 *
 * Rule: `floor(murmur3_x86_32(utf8(salt + ":" + subject), seed 0) × 100,000 / 2^32)` is the bucket; the candidate is for buckets below the
 * share, in thousandths of a percent. MurmurHash3 is Austin Appleby's (https://github.com/aappleby/smhasher).
 * Example: `bucketOf('7d3f', 'user-42')` is a number from 0 to 99,999.
 */
import type { Arm } from './answers.ts';
import type { Rule } from './rollout-answers.ts';

const BUCKETS = 100_000;

const rotated = (value: number, by: number) => (value << by) | (value >>> (32 - by));
const scrambled = (block: number) => Math.imul(rotated(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);

/** MurmurHash3_x86_32 with seed 0, as an unsigned integer. */
export function murmur3(text: string): number {
  const bytes = Buffer.from(text, 'utf8');
  const tail = bytes.length % 4;
  let hash = 0;
  for (let at = 0; at < bytes.length - tail; at += 4)
    hash = Math.imul(rotated(hash ^ scrambled(bytes.readInt32LE(at)), 13), 5) + 0xe6546b64;
  if (tail > 0) hash ^= scrambled(bytes.readUIntLE(bytes.length - tail, tail));
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** From 0 to 99,999. */
export function bucketOf(salt: string, subject: string): number {
  return Math.floor((murmur3(`${salt}:${subject}`) * BUCKETS) / 2 ** 32);
}

/** The arm of a subject that is not a tester and meets all conditions of the audience. */
export function armOf({ salt, share }: Pick<Rule, 'salt' | 'share'>, subject: string): Arm {
  return bucketOf(salt, subject) < Math.round(share * 1000) ? 'candidate' : 'stable';
}

/**
 * Subjects on both sides of a share: those whose buckets are the nearest to it. A server with another algorithm, salt or share differs for
 * some of them.
 * @param count of each side
 */
export function subjectsAround(rule: Pick<Rule, 'salt' | 'share'>, count: number, prefix: string): string[] {
  const edge = Math.round(rule.share * 1000);
  const known = Array.from({ length: 2000 }, (_, index) => {
    const subject = `${prefix}-${index}`;
    return { subject, distance: bucketOf(rule.salt, subject) - edge };
  });
  const below = known.filter(({ distance }) => distance < 0).sort((a, b) => b.distance - a.distance);
  const above = known.filter(({ distance }) => distance >= 0).sort((a, b) => a.distance - b.distance);
  return [...below.slice(0, count), ...above.slice(0, count)].map(({ subject }) => subject);
}
