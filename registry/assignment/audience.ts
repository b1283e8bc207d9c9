/**
 * Audiences: which subjects take part in a rollout.
 *
 * Problem: a read decides for a subject in a fraction of a microsecond, and every door must decide alike.
 * Rule: an audience is compiled once, when the rollout changes. All its conditions must hold. An attribute that is missing, or cannot be
 * parsed as the operator needs, makes its condition false, also for `notIn`. Texts are compared as they are.
 * Example: `{attribute: 'age', operator: 'greaterThan', values: ['17']}` holds for `{age: '30'}` and not for `{age: 'thirty'}`.
 */
import { numberOf, timeOf } from '../values/parsed.ts';
import { rangeOf } from '../values/version-ranges.ts';

/** Facts about a subject, as they are compared. */
type AttributeTexts = Readonly<Record<string, string>>;

/** Who takes part. `Audience` of the model says what is valid; these types alone are part of the client package. */
export interface AudienceRule {
  readonly conditions?: readonly ConditionRule[];
  /** Testers: they always get the candidate. */
  readonly subjects?: readonly string[];
}

export interface ConditionRule {
  readonly attribute: string;
  readonly operator: keyof typeof TESTS;
  readonly values: readonly string[];
}

/** Whether an attribute's value meets a condition. */
type Test = (value: string) => boolean;

/** Whether a subject's attributes meet all conditions of an audience. */
export type Membership = (attributes: AttributeTexts) => boolean;

/** The operators that this build knows. */
export function isOperator(name: string): name is ConditionRule['operator'] {
  return Object.hasOwn(TESTS, name);
}

/** Compiles an audience that has no faults. */
export function membershipOf({ conditions = [] }: AudienceRule): Membership {
  const tests = conditions.map(({ attribute, operator, values }) => ({ attribute, holds: TESTS[operator](values) }));
  return (attributes) => {
    for (const { attribute, holds } of tests) {
      const value: unknown = attributes[attribute]; // every object has a `constructor`, but it is no text
      if (typeof value !== 'string' || !holds(value)) return false;
    }
    return true;
  };
}

const TESTS = {
  in: (values) => {
    const known = new Set(values);
    return (value) => known.has(value);
  },
  notIn: (values) => {
    const known = new Set(values);
    return (value) => !known.has(value);
  },
  startsWith: (values) => (value) => {
    for (const start of values) if (value.startsWith(start)) return true; // several times as fast as `some`
    return false;
  },
  endsWith: (values) => (value) => values.some((end) => value.endsWith(end)),
  contains: (values) => (value) => values.some((part) => value.includes(part)),
  equals:
    ([expected]) =>
    (value) =>
      value === expected,
  greaterThan: compared(numberOf, (value, limit) => value > limit),
  lessThan: compared(numberOf, (value, limit) => value < limit),
  before: compared(timeOf, (value, limit) => value < limit),
  after: compared(timeOf, (value, limit) => value > limit),
  semver: ([text = '']) => remembered(rangeOf(text)),
} satisfies Readonly<Record<string, (values: readonly string[]) => Test>>;

/** How many answers a test remembers: few versions of a client are in use at once. */
const REMEMBERED = 100;

/** The same test, which remembers its last answers. Reading a version takes a hundred times as long as a look-up. */
function remembered(test: Test): Test {
  const answers = new Map<string, boolean>();
  return (value) => {
    let holds = answers.get(value);
    if (holds === undefined) {
      holds = test(value);
      if (answers.size === REMEMBERED) answers.clear();
      answers.set(value, holds);
    }
    return holds;
  };
}

function compared(
  parse: (text: string) => number | undefined,
  holds: (value: number, limit: number) => boolean,
): (values: readonly string[]) => Test {
  return ([text = '']) => {
    const limit = parse(text) ?? NaN; // no comparison with NaN holds
    return (value) => holds(parse(value) ?? NaN, limit);
  };
}
