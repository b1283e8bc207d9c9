/** The words of rollouts: subjects, attributes, audiences, shares and plans. `model.ts` passes them on. */
import { Type, type Static } from '@sinclair/typebox';
import { oneOf } from './one-of.ts';

/** JSON Schema counts code points. `unfitTexts` refuses NUL and lone surrogates. */
export const Subject = Type.String({
  minLength: 1,
  maxLength: 200,
  description:
    'The id that a read is decided for: a user, an account, a conversation. Compared as it is. Never send an e-mail address.',
  examples: ['user-4711'],
});

export const AttributeName = Type.String({
  pattern: '^[a-z][A-Za-z0-9]{0,62}$',
  description: 'Name of an attribute: letters and digits, beginning with a lower-case letter, at most 63.',
  examples: ['country'],
});

/** The most attributes of one subject. */
export const MOST_ATTRIBUTES = 20;

/** As an audience compares it. */
export const AttributeText = Type.String({ maxLength: 200, examples: ['de'] });

/** As it is given. Every door compares it as a string: `true` is `"true"`, 30 is `"30"`. */
export const AttributeValue = Type.Union([AttributeText, Type.Number(), Type.Boolean()], {
  description: 'A text of at most 200 characters, a number, true or false. All are compared as texts: 30 is "30".',
});

/** Facts about a subject. */
export const Attributes = Type.Record(AttributeName, AttributeValue, {
  maxProperties: MOST_ATTRIBUTES,
  additionalProperties: false,
});
/** Attributes as they are compared. */
export type AttributeTexts = Readonly<Record<string, string>>;

/** What a condition compares with: one value, or any of a list. */
export const OPERATORS = {
  in: 'list',
  notIn: 'list',
  startsWith: 'list',
  endsWith: 'list',
  contains: 'list',
  equals: 'one',
  greaterThan: 'one',
  lessThan: 'one',
  semver: 'one',
  before: 'one',
  after: 'one',
} as const;
export type Operator = keyof typeof OPERATORS;

/** The most values of all conditions of an audience together, and the most testers. */
export const MOST_VALUES = 1000;

export const Condition = Type.Object(
  {
    attribute: AttributeName,
    operator: oneOf(Object.keys(OPERATORS) as Operator[], {
      description: [
        '`in`, `notIn`, `equals`, `startsWith`, `endsWith` and `contains` compare texts as they are, case included.',
        '`greaterThan` and `lessThan` compare JSON numbers (RFC 8259). `before` and `after` compare times with their zone (RFC 3339).',
        '`semver` is a range in the grammar of node-semver (https://github.com/npm/node-semver#range-grammar).',
        'If the attribute is missing or cannot be parsed, the condition does not hold, not even for `notIn`.',
      ].join(' '),
      examples: ['in'],
    }),
    values: Type.Array(AttributeText, {
      minItems: 1,
      maxItems: MOST_VALUES,
      description: 'One of them must match (`notIn`: none). `equals` and comparisons take exactly one.',
    }),
  },
  { additionalProperties: false },
);
export type Condition = Static<typeof Condition>;

export const Audience = Type.Object(
  {
    conditions: Type.Optional(
      Type.Array(Condition, { maxItems: 20, description: 'All of them must hold. Default: everybody.' }),
    ),
    subjects: Type.Optional(
      Type.Array(Subject, { maxItems: MOST_VALUES, description: 'Testers: they always get the candidate.' }),
    ),
  },
  { additionalProperties: false, description: 'Who takes part in a rollout. Default: everybody.' },
);
export type Audience = Static<typeof Audience>;

export const RolloutId = Type.Integer({
  minimum: 1,
  description: 'Id of a rollout: the revision of the event that started it.',
  examples: [12],
});

export const ScheduleId = Type.String({
  pattern: '^[0-9A-Za-z-]{1,64}$',
  description: 'Id of a scheduled activation: that of the event that scheduled it.',
  examples: ['0d9c6a52-7f1e-4c57-9a35-0b8f4f5e2f11'],
});

/** Percent; the log and the code hold thousandths of a percent, so that comparisons are exact. */
export const Share = Type.Number({
  minimum: 0,
  maximum: 100,
  description: 'Percent of the audience that gets the candidate: 0 to 100, at most three decimals.',
  examples: [10],
});

const duration = (description: string) =>
  Type.String({ pattern: '^[1-9][0-9]{0,8}[smhd]$', description, examples: ['30m'] });

/** A number and a unit: seconds, minutes, hours or days. */
export const Duration = duration('A number and `s`, `m`, `h` or `d`.');

/** The most steps of a plan. */
export const MOST_STEPS = 50;

export const Step = Type.Object(
  {
    share: Share,
    hold: Type.Optional(duration('How long until the next step. Without it, somebody must advance the rollout.')),
  },
  { additionalProperties: false },
);
export type Step = Static<typeof Step>;

export const Finish = oneOf(['promote', 'wait'], {
  description:
    '`promote`: after the last step and the bake everybody gets the candidate. `wait`: somebody must promote it.',
  examples: ['promote'],
});
export type Finish = Static<typeof Finish>;

/** What happens to the sessions that run on the version that a move leaves (SPEC R16). */
export const SessionPolicy = oneOf(['keep', 'next-turn', 'end'], {
  description:
    'What happens to running sessions of the channel on the version that is left. `keep`: they keep it. `next-turn`: they move along at their next read. `end`: they end.',
  examples: ['next-turn'],
});
export type SessionPolicy = Static<typeof SessionPolicy>;
