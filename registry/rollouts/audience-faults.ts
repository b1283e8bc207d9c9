/** What a schema cannot say about an audience. */
import semver from 'semver';
import { Audience, MOST_VALUES, OPERATORS, type Condition, type InputFault, type Operator } from '../model.ts';
import { checked, type Checked } from '../packs/faults.ts';
import { numberOf, timeOf } from '../values/parsed.ts';
import { unfitTexts } from '../values/unfit-texts.ts';

/** Checks a whole audience: gives it, or its faults by RFC 6901 pointer. */
export function checkedAudience(value: unknown): Checked<typeof Audience> {
  const { value: audience, faults } = checked(Audience, value);
  if (audience === undefined) return { faults };
  const found = [...unfitTexts(audience), ...audienceFaults(audience)];
  return found.length === 0 ? { value: audience, faults: [] } : { faults: found };
}

/** The faults of an audience, by RFC 6901 pointer. @param audience conforms to the schema */
export function audienceFaults({ conditions = [] }: Audience): InputFault[] {
  const faults = conditions.flatMap((condition, index) => conditionFaults(condition, `/conditions/${index}`));
  const values = conditions.reduce((sum, condition) => sum + condition.values.length, 0);
  if (values > MOST_VALUES)
    faults.push({
      pointer: '/conditions',
      detail: `The conditions have ${values} values together; at most ${MOST_VALUES} are allowed.`,
    });
  return faults;
}

interface Expected {
  readonly parses: (text: string) => boolean;
  readonly detail: string;
}

const A_NUMBER: Expected = {
  parses: (text) => numberOf(text) !== undefined,
  detail: 'Must be a number, e.g. "17" or "0.5".',
};
const A_TIME: Expected = {
  parses: (text) => timeOf(text) !== undefined,
  detail: 'Must be an RFC 3339 time with its zone, e.g. "2027-01-31T00:00:00Z".',
};
const A_RANGE: Expected = {
  parses: (text) => semver.validRange(text) !== null,
  detail: 'Must be a SemVer range, e.g. ">=2.1.0 <3.0.0".',
};

/** What the value of a comparison must be. */
const EXPECTED: Partial<Record<Operator, Expected>> = {
  greaterThan: A_NUMBER,
  lessThan: A_NUMBER,
  before: A_TIME,
  after: A_TIME,
  semver: A_RANGE,
};

function conditionFaults({ operator, values }: Condition, pointer: string): InputFault[] {
  if (OPERATORS[operator] === 'one' && values.length !== 1)
    return [{ pointer: `${pointer}/values`, detail: `The operator "${operator}" takes exactly one value.` }];
  const expected = EXPECTED[operator];
  return expected === undefined || expected.parses(values[0] ?? '')
    ? []
    : [{ pointer: `${pointer}/values/0`, detail: expected.detail }];
}
