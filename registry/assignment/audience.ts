/**
 * Audiences: which subjects take part in a rollout.
 *
 * Problem: a read decides for a subject in a fraction of a microsecond, and every door must decide alike.
 * Rule: an audience is compiled once, when the rollout changes. All its conditions must hold. An attribute that is missing, or cannot be
 * parsed as the operator needs, makes its condition false, also for `notIn`. Texts are compared as they are.
 * Example: `{attribute: 'age', operator: 'greaterThan', values: ['17']}` holds for `{age: '30'}` and not for `{age: 'thirty'}`.
 */
import semver from 'semver';
import { numberOf, timeOf } from '../values/parsed.ts';
import type { AttributeTexts, Audience, Operator } from '../model.ts';

/** Whether an attribute's value meets a condition. */
type Test = (value: string) => boolean;

/** Whether a subject's attributes meet all conditions of an audience. */
export type Membership = (attributes: AttributeTexts) => boolean;

/** Compiles an audience that has no faults. */
export function membershipOf({ conditions = [] }: Audience): Membership {
  const tests = conditions.map(({ attribute, operator, values }) => ({ attribute, holds: TESTS[operator](values) }));
  return (attributes) => {
    for (const { attribute, holds } of tests) {
      const value: unknown = attributes[attribute]; // every object has a `constructor`, but it is no text
      if (typeof value !== 'string' || !holds(value)) return false;
    }
    return true;
  };
}

const TESTS: Readonly<Record<Operator, (values: readonly string[]) => Test>> = {
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
  semver: ([text = '']) => {
    const range = new semver.Range(text);
    return remembered((value) => {
      const version = semver.parse(value);
      return version !== null && range.test(version);
    });
  },
};

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
