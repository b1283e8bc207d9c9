/**
 * Who takes part in a rollout, as the command line says it.
 *
 * Rule: `--where` is one condition in one line: attribute, operator, values. Several must all hold. `--testers` always get the candidate.
 * `--audience` is the same as JSON, in a file or in place; everything given is joined.
 * Example: `country in de,at` → `{attribute: 'country', operator: 'in', values: ['de', 'at']}`.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OPERATORS, type Audience, type Condition, type Operator } from '../../../registry/model.ts';
import { audienceFaults, checkedAudience } from '../../../registry/rollouts/audience-faults.ts';
import { wrongUsage, type CliError } from './exit.ts';

/** Other ways to write an operator. */
const SYNONYMS: Readonly<Record<string, Operator>> = {
  '=': 'equals',
  '>': 'greaterThan',
  '<': 'lessThan',
  'not in': 'notIn',
};
const FORM = 'Write an attribute, an operator and values, e.g. "country in de,at" or "age > 17".';

/** @throws CliError `wrong-usage` */
function conditionOf(text: string): Condition {
  const found = /^\s*(\S+)\s+(not in|\S+)\s+(\S.*?)\s*$/dsu.exec(text);
  if (found === null) throw badCondition(text, FORM);
  const [, attribute = '', written = '', rest = ''] = found;
  const [, atAttribute, atOperator, atValues] = (found.indices ?? []).map((range) => (range?.[0] ?? 0) + 1);
  if (!/^[a-z][A-Za-z0-9]{0,62}$/u.test(attribute))
    throw badCondition(
      text,
      `The attribute "${attribute}" at character ${atAttribute} must have at most 63 letters and digits and begin with a lower-case letter.`,
    );
  const operator = SYNONYMS[written] ?? written;
  if (!isOperator(operator))
    throw badCondition(
      text,
      `"${written}" at character ${atOperator} is not an operator. Operators: ${[...Object.keys(OPERATORS), ...Object.keys(SYNONYMS)].join(', ')}.`,
    );
  const values = OPERATORS[operator] === 'list' ? rest.split(',').map((value) => value.trim()) : [rest];
  if (values.includes(''))
    throw badCondition(text, `A value of "${rest}" at character ${atValues} is empty. Write e.g. "de,at".`);
  const condition = { attribute, operator, values };
  const [fault] = audienceFaults({ conditions: [condition] });
  if (fault !== undefined)
    throw badCondition(text, `The value "${rest}" at character ${atValues} is not valid. ${fault.detail}`);
  return condition;
}

function badCondition(text: string, detail: string): CliError {
  return wrongUsage(`--where "${text}" is not valid. ${detail}`);
}

function isOperator(text: string): text is Operator {
  return Object.hasOwn(OPERATORS, text);
}

/** The options about the audience, as they were typed. */
export interface AudienceOptions {
  readonly audience?: string;
  readonly where?: readonly string[];
  readonly testers?: readonly string[];
}

/** The audience of all options together; undefined if it is everybody. @throws CliError `wrong-usage` */
export async function audienceOf(
  { audience, where = [], testers = [] }: AudienceOptions,
  cwd: string,
): Promise<Audience | undefined> {
  const base = audience === undefined ? {} : await audienceIn(audience, cwd);
  const conditions = [...(base.conditions ?? []), ...where.map(conditionOf)];
  const subjects = [...(base.subjects ?? []), ...testers];
  if (conditions.length + subjects.length === 0) return undefined;
  return sound(
    { ...(conditions.length > 0 && { conditions }), ...(subjects.length > 0 && { subjects }) },
    'The audience',
  );
}

/** @throws CliError `wrong-usage` with every fault */
function sound(audience: unknown, what: string): Audience {
  const { value, faults } = checkedAudience(audience);
  if (value !== undefined) return value;
  const lines = faults.map(({ pointer = '', detail }) => `\n  ${pointer === '' ? '/' : pointer}: ${detail}`);
  throw wrongUsage(`${what} is not valid:${lines.join('')}`, 'docs/rollouts.md describes audiences.');
}

/** `--audience`: JSON, or the name of a file with it. @throws CliError `wrong-usage` */
async function audienceIn(text: string, cwd: string): Promise<Audience> {
  const inPlace = text.trimStart().startsWith('{');
  const what = inPlace ? 'The JSON of --audience' : `The file of --audience, ${text},`;
  return sound(
    await parsed(inPlace, text, cwd).catch((error: unknown) => {
      throw wrongUsage(
        `${what} cannot be read: ${(error as Error).message}`,
        'Give a JSON file, or JSON that begins with "{".',
      );
    }),
    what,
  );
}

async function parsed(inPlace: boolean, text: string, cwd: string): Promise<unknown> {
  return JSON.parse(inPlace ? text : await readFile(resolve(cwd, text), 'utf8'));
}
