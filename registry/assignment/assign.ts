/**
 * Which arm of a rollout a subject gets (SPEC R13).
 *
 * Problem: a user must keep the version that he has seen, on every instance, through every door, and after a restart.
 * Rule: the arm depends on salt, share, audience, subject and attributes, and on nothing else. A tester always gets the candidate. Everybody
 * else in the audience gets it if the bucket of `salt:subject` is below the share, so a higher share takes it from nobody.
 * Example: with share 10,000 (10 %) a subject in bucket 9,999 gets the candidate, one in bucket 10,000 stays on stable.
 */
import { bucketsAfter } from '../values/buckets.ts';
import { membershipOf, type AudienceRule } from './audience.ts';

/** `stable`: where the channel's pointer is. `candidate`: the version that is rolled out. */
export type Arm = 'stable' | 'candidate';

/** What decides. */
export interface AssignmentRule {
  readonly salt: string;
  /** Thousandths of a percent, 0 to 100,000: as many buckets get the candidate. */
  readonly share: number;
  readonly audience?: AudienceRule | undefined;
}

/** Decides for one subject. Without a subject it is `stable`. */
export type Assign = (subject: string | undefined, attributes?: Readonly<Record<string, string>>) => Arm;

const NO_ATTRIBUTES: Readonly<Record<string, string>> = Object.freeze({});

/** Compiles a rule that has no faults. */
export function assigning({ salt, share, audience = {} }: AssignmentRule): Assign {
  const testers = new Set(audience.subjects);
  const takesPart = membershipOf(audience);
  const bucketOf = bucketsAfter(`${salt}:`);
  return (subject, attributes = NO_ATTRIBUTES) => {
    if (subject === undefined) return 'stable';
    if (testers.size > 0 && testers.has(subject)) return 'candidate';
    // The bucket first: it takes less time than the conditions, and at a low share it already decides for most.
    return bucketOf(subject) < share && takesPart(attributes) ? 'candidate' : 'stable';
  };
}
