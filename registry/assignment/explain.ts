/**
 * Why a subject gets its arm (SPEC R13): for people who ask, e.g. support.
 *
 * Rule: the arm is what `assigning` gives. The reason is found with the same parts, so it never contradicts the arm.
 * Example: `{arm: 'stable', because: 'audience', unmet: {attribute: 'country', operator: 'in', values: ['de']}}`.
 */
import type { AttributeTexts, Audience, Condition } from '../model.ts';
import { bucketOf } from '../values/buckets.ts';
import { assigning, type Arm, type AssignmentRule } from './assign.ts';
import { membershipOf } from './audience.ts';

/**
 * Why: the subject is a tester; a condition of the audience does not hold (`unmet` is the first one); or its bucket is below the share, or
 * not.
 */
export type AssignmentReason =
  | { readonly because: 'tester' }
  | { readonly because: 'audience'; readonly unmet: Condition }
  | { readonly because: 'bucket'; readonly bucket: number };

export type ExplainedAssignment = { readonly arm: Arm } & AssignmentReason;

interface RuleToExplain extends AssignmentRule {
  readonly audience?: Audience | undefined;
}

/** Decides for one subject, and says why. @param rule without faults */
export function explainAssignment(
  rule: RuleToExplain,
  subject: string,
  attributes: AttributeTexts = {},
): ExplainedAssignment {
  return { arm: assigning(rule)(subject, attributes), ...reasonOf(rule, subject, attributes) };
}

function reasonOf(
  { salt, audience = {} }: RuleToExplain,
  subject: string,
  attributes: AttributeTexts,
): AssignmentReason {
  if (audience.subjects?.includes(subject) === true) return { because: 'tester' };
  const unmet = audience.conditions?.find((condition) => !membershipOf({ conditions: [condition] })(attributes));
  return unmet === undefined
    ? { because: 'bucket', bucket: bucketOf(`${salt}:${subject}`) }
    : { because: 'audience', unmet };
}
