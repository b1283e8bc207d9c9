/**
 * The floor: what every version of a pack must hold before it may be active (SPEC R7).
 *
 * Problem: one careless edit can take a safety boundary out of a prompt, and an old version may lack one that was added since.
 * Rule: a policy is versioned, stands in the log, and is checked when a version is published, when the policy changes, and
 * again, by what was found then, at each activation and rollback (`floor.ts` checks).
 */
import { Type, type Static } from '@sinclair/typebox';
import { invalidInput, messageOf, type InputFault } from '../errors.ts';
import { canonical, sha256 } from '../log/event.ts';
import { NOT_BLANK, PackName, StyleId } from '../model.ts';
import { conforms, deepFreeze, schemaFaults, unfitTexts, unseenTexts } from './pack.ts';
import { canMatch, compilePattern } from './patterns.ts';

const RuleId = Type.String({
  pattern: PackName.pattern ?? '',
  description: 'Names the rule in messages.',
  examples: ['not-a-therapist'],
});
const Characters = Type.Integer({
  minimum: 1,
  maximum: 10_000_000,
  description: 'The most characters.',
  examples: [20_000],
});

/** `policy.yaml`, and what the log keeps of it. */
export const Policy = Type.Object(
  {
    version: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      description: 'A higher one replaces a lower one.',
      examples: [1],
    }),
    clauses: Type.Array(
      Type.Object(
        {
          id: RuleId,
          text: Type.String({
            minLength: 1,
            maxLength: 2000,
            pattern: NOT_BLANK,
            examples: ['You are a coach, not a therapist.'],
          }),
        },
        { additionalProperties: false },
      ),
      { maxItems: 100, description: 'Sentences that a system prompt must contain.' },
    ),
    forbidden: Type.Array(
      Type.Object(
        {
          id: RuleId,
          text: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 500,
              pattern: NOT_BLANK,
              description: 'A plain text, in any case and spacing.',
            }),
          ),
          pattern: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 500,
              description: 'An RE2 pattern; it sees the text as it is served, with every line end as \\n.',
            }),
          ),
        },
        { additionalProperties: false },
      ),
      { maxItems: 100, description: 'What no prompt may contain; each names a text or a pattern.' },
    ),
    requiredStyles: Type.Array(StyleId, { maxItems: 50, description: 'Styles that every version must have.' }),
    limits: Type.Object(
      { system: Type.Optional(Characters), style: Type.Optional(Characters), total: Type.Optional(Characters) },
      { additionalProperties: false, description: 'Characters: of the system prompt, of each style, of all together.' },
    ),
    placeholders: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_]{0,62}$', examples: ['user_name'] }), {
        maxItems: 200,
        description: 'The names that may stand in {{double braces}}. Braces are not checked if it is left out.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type Policy = Static<typeof Policy>;

/** A checked policy with its digest. */
export interface CheckedPolicy {
  readonly policy: Policy;
  readonly digest: string;
  /** What a new policy is refused for; one that was in force before this was checked stays. */
  readonly faultsIfNew: readonly InputFault[];
}

/**
 * Checks a policy document and freezes it.
 * @throws RegistryError `validation-failed` with every fault found, by pointer
 */
export function parsePolicy(document: unknown): CheckedPolicy {
  if (!conforms(Policy, document)) throw invalidInput('The policy breaks its schema.', schemaFaults(Policy, document));
  const faults = [...unfitTexts(document), ...meaningFaults(document)];
  if (faults.length > 0) throw invalidInput('The policy contradicts itself.', faults);
  const policy = deepFreeze(structuredClone(document));
  const faultsIfNew = deepFreeze([...unseenTexts(Policy, policy), ...deadPatterns(policy)]);
  return Object.freeze({ policy, digest: `sha256:${sha256(canonical(policy))}`, faultsIfNew });
}

/** A pattern that cannot match forbids nothing. @param policy one whose patterns are RE2 */
function deadPatterns({ forbidden }: Policy): InputFault[] {
  return forbidden.flatMap(({ id, pattern }, index) => {
    if (pattern === undefined || canMatch(compilePattern(pattern))) return [];
    const detail = `Rule "${id}" can never match. Prompts are matched with every line end as \\n, so they hold no \\r; they hold no NUL and no half of a surrogate pair. Or the pattern asks for something before the beginning or after the end.`;
    return [{ pointer: `/forbidden/${index}/pattern`, detail }];
  });
}

function meaningFaults(policy: Policy): InputFault[] {
  const faults: InputFault[] = [];
  policy.forbidden.forEach(({ id, text, pattern }, index) => {
    const pointer = `/forbidden/${index}`;
    if ((text === undefined) === (pattern === undefined))
      faults.push({ pointer, detail: `Rule "${id}" must name either a text or a pattern.` });
    if (pattern === undefined) return;
    try {
      compilePattern(pattern);
    } catch (error) {
      faults.push({ pointer: `${pointer}/pattern`, detail: `Rule "${id}" is no RE2 pattern: ${messageOf(error)}.` });
    }
  });
  for (const [list, rules] of [
    ['clauses', policy.clauses],
    ['forbidden', policy.forbidden],
  ] as const) {
    const ids = rules.map(({ id }) => id);
    ids.forEach((id, index) => {
      if (ids.indexOf(id) !== index)
        faults.push({ pointer: `/${list}/${index}/id`, detail: `The rule "${id}" stands there twice.` });
    });
  }
  return faults;
}
