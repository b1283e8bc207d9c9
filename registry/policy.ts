/**
 * The floor: what every version of a pack must hold before it may be active (SPEC R7).
 *
 * Problem: one careless edit can take a safety boundary out of a prompt, and an old version may lack one that was added since.
 * Rule: a policy is versioned, stands in the log, and is checked when a version is published, when the policy changes, and
 * again, by what was found then, at each activation and rollback. Texts are compared after NFKC and with white space folded.
 * Patterns are RE2 (linear time), so that no text can make a check hang.
 * Example: a system prompt without the clause "You are a coach, not a therapist" breaks rule `clause`, id `not-a-therapist`.
 */
import { Type, type Static } from '@sinclair/typebox';
import { RE2JS } from 're2js';
import { invalidInput, messageOf, type InputFault } from './errors.ts';
import { canonical, sha256 } from './event.ts';
import { NOT_BLANK, PackName, StyleId, type PackContent, type Violation } from './model.ts';
import { conforms, deepFreeze, schemaFaults, unfitTexts } from './pack.ts';

const RuleId = Type.String({ pattern: PackName.pattern ?? '', description: 'Names the rule in messages.', examples: ['not-a-therapist'] });
const Characters = Type.Integer({ minimum: 1, maximum: 10_000_000, description: 'The most characters.', examples: [20_000] });

/** `policy.yaml`, and what the log keeps of it. */
export const Policy = Type.Object(
  {
    version: Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'A higher one replaces a lower one.', examples: [1] }),
    clauses: Type.Array(
      Type.Object(
        { id: RuleId, text: Type.String({ minLength: 1, maxLength: 2000, pattern: NOT_BLANK, examples: ['You are a coach, not a therapist.'] }) },
        { additionalProperties: false },
      ),
      { maxItems: 100, description: 'Sentences that a system prompt must contain.' },
    ),
    forbidden: Type.Array(
      Type.Object(
        {
          id: RuleId,
          text: Type.Optional(Type.String({ minLength: 1, maxLength: 500, pattern: NOT_BLANK, description: 'A plain text, in any case.' })),
          pattern: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'An RE2 pattern.' })),
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
    placeholders: Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_]{0,62}$', examples: ['user_name'] }), {
      maxItems: 200,
      description: 'The names that may stand in {{double braces}}.',
    }),
  },
  { additionalProperties: false },
);
export type Policy = Static<typeof Policy>;

/** A checked policy with its digest. */
export interface CheckedPolicy {
  readonly policy: Policy;
  readonly digest: string;
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
  return Object.freeze({ policy, digest: `sha256:${sha256(canonical(policy))}` });
}

function meaningFaults(policy: Policy): InputFault[] {
  const faults: InputFault[] = [];
  policy.forbidden.forEach(({ id, text, pattern }, index) => {
    const pointer = `/forbidden/${index}`;
    if ((text === undefined) === (pattern === undefined)) faults.push({ pointer, detail: `Rule "${id}" must name either a text or a pattern.` });
    if (pattern === undefined) return;
    try {
      RE2JS.compile(pattern);
    } catch (error) {
      faults.push({ pointer: `${pointer}/pattern`, detail: `Rule "${id}" is no RE2 pattern: ${messageOf(error)}.` });
    }
  });
  for (const [list, rules] of [['clauses', policy.clauses], ['forbidden', policy.forbidden]] as const) {
    const ids = rules.map(({ id }) => id);
    ids.forEach((id, index) => {
      if (ids.indexOf(id) !== index) faults.push({ pointer: `/${list}/${index}/id`, detail: `The rule "${id}" stands there twice.` });
    });
  }
  return faults;
}

/** The most unknown placeholders that are told of one prompt: a text can hold tens of thousands, and each violation stands in the log. */
const PLACEHOLDERS_NAMED = 20;

/** As texts are compared: NFKC, white space folded to single blanks, ends trimmed. */
function folded(text: string): string {
  return text.normalize('NFKC').replace(/\s+/gu, ' ').trim();
}

/**
 * Everything in which a content breaks a policy; empty where it is above the floor. Pure: same content, same policy, same answer.
 */
export function violationsOf(content: PackContent, policy: Policy): readonly Violation[] {
  const assets: [string, string][] = [['system', content.system], ...content.styles.map(({ id, text }): [string, string] => [`styles/${id}`, text])];
  return deepFreeze([
    ...clauseViolations(content.system, policy),
    ...assets.flatMap(([asset, text]) => [...forbiddenViolations(asset, text, policy), ...placeholderViolations(asset, text, policy)]),
    ...styleViolations(content, policy),
    ...limitViolations(content, policy),
  ]);
}

function clauseViolations(system: string, { clauses }: Policy): Violation[] {
  const text = folded(system);
  return clauses
    .filter((clause) => !text.includes(folded(clause.text)))
    .map(({ id, text: clause }) => ({ rule: 'clause', id, asset: 'system', detail: `The system prompt must contain: "${folded(clause)}"` }));
}

function forbiddenViolations(asset: string, text: string, { forbidden }: Policy): Violation[] {
  const here = folded(text);
  return forbidden
    .filter(({ text: plain, pattern }) => (pattern === undefined ? here.toLowerCase().includes(folded(plain ?? '').toLowerCase()) : RE2JS.compile(pattern).matcher(here).find()))
    .map(({ id, text: plain, pattern }) => ({ rule: 'forbidden', id, asset, detail: `Must not contain ${pattern === undefined ? `"${plain ?? ''}"` : `what matches ${pattern}`}.` }));
}

function placeholderViolations(asset: string, text: string, { placeholders }: Policy): Violation[] {
  const names = new Set([...text.matchAll(/\{\{([^{}]*)\}\}/gu)].map(([, name = '']) => name.trim()));
  return [...names]
    .filter((name) => !placeholders.includes(name))
    .slice(0, PLACEHOLDERS_NAMED)
    .map((name) => name.slice(0, 63).toWellFormed()) // the log takes no half of a surrogate pair
    .map((id) => ({ rule: 'placeholder', id, asset, detail: `{{${id}}} is no known placeholder; known ones: ${placeholders.join(', ') || 'none'}.` }));
}

function styleViolations({ styles }: PackContent, { requiredStyles }: Policy): Violation[] {
  return requiredStyles
    .filter((required) => !styles.some(({ id }) => id === required))
    .map((id) => ({ rule: 'required-style', id, detail: `Every version must have the style "${id}".` }));
}

function limitViolations({ system, styles }: PackContent, { limits }: Policy): Violation[] {
  const total = styles.reduce((sum, { text }) => sum + text.length, system.length);
  const sizes: [string | undefined, number, number | undefined][] = [['system', system.length, limits.system], ...styles.map(({ id, text }): [string, number, number | undefined] => [`styles/${id}`, text.length, limits.style]), [undefined, total, limits.total]];
  return sizes.flatMap(([asset, size, most]) =>
    most === undefined || size <= most ? [] : [{ rule: 'limit' as const, ...(asset !== undefined && { asset }), detail: `${asset ?? 'All prompts together'}: ${size} characters; at most ${most} are allowed.` }],
  );
}
