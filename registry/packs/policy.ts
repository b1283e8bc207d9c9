/**
 * Policies: the floor that every version of a pack must meet before it can be active (SPEC R7).
 *
 * Problem: one careless edit can remove a safety boundary from a prompt, and old versions lack boundaries that were added later.
 * Rule: a policy has a version and is kept in the log. Versions are checked against it when they are published and when the policy changes
 * (`floor.ts`). Each activation and rollback uses the results of that check.
 */
import { invalidInput, messageOf } from '../errors.ts';
import { canonical, sha256 } from '../values/canonical.ts';
import { type InputFault, Policy } from '../model.ts';
import { checked, invisibleTexts } from './faults.ts';
import { canMatch, compilePattern } from './patterns.ts';
import { deepFreeze } from '../values/frozen.ts';
import { unfitTexts } from '../values/unfit-texts.ts';

/** A checked policy with its digest. */
export interface CheckedPolicy {
  readonly policy: Policy;
  readonly digest: string;
  /** Faults that refuse a new policy. A policy that was in force before these checks existed stays. */
  readonly faultsIfNew: readonly InputFault[];
}

/**
 * Checks a policy document and freezes it.
 * @throws RegistryError `validation-failed` with every fault found, by pointer
 */
export function parsePolicy(document: unknown): CheckedPolicy {
  const { value, faults: schemaFaults } = checked(Policy, document);
  if (value === undefined) throw invalidInput('The policy breaks its schema.', schemaFaults);
  const faults = [...unfitTexts(value), ...semanticFaults(value)];
  if (faults.length > 0) throw invalidInput('The policy contradicts itself.', faults);
  const policy = deepFreeze(structuredClone(value));
  const faultsIfNew = deepFreeze([...invisibleTexts(Policy, policy), ...unmatchablePatterns(policy)]);
  return Object.freeze({ policy, digest: `sha256:${sha256(canonical(policy))}`, faultsIfNew });
}

/** Patterns that cannot match, and so forbid nothing. @param policy all of its patterns are RE2 */
function unmatchablePatterns({ forbidden }: Policy): InputFault[] {
  return forbidden.flatMap(({ id, pattern }, index) => {
    if (pattern === undefined || canMatch(compilePattern(pattern))) return [];
    const detail = `Rule "${id}" can never match. Prompts are matched with every line end as \\n, so they never contain \\r; nor do they contain NUL or half a surrogate pair. Another cause: the pattern requires text before the start or after the end.`;
    return [{ pointer: `/forbidden/${index}/pattern`, detail }];
  });
}

function semanticFaults(policy: Policy): InputFault[] {
  const faults: InputFault[] = [];
  policy.forbidden.forEach(({ id, text, pattern }, index) => {
    const pointer = `/forbidden/${index}`;
    if ((text === undefined) === (pattern === undefined))
      faults.push({ pointer, detail: `Rule "${id}" must have either a text or a pattern.` });
    if (pattern === undefined) return;
    try {
      compilePattern(pattern);
    } catch (error) {
      faults.push({
        pointer: `${pointer}/pattern`,
        detail: `The pattern of rule "${id}" is not valid RE2: ${messageOf(error)}.`,
      });
    }
  });
  for (const [list, rules] of [
    ['clauses', policy.clauses],
    ['forbidden', policy.forbidden],
  ] as const) {
    const ids = rules.map(({ id }) => id);
    ids.forEach((id, index) => {
      if (ids.indexOf(id) !== index)
        faults.push({ pointer: `/${list}/${index}/id`, detail: `The rule id "${id}" is a duplicate.` });
    });
  }
  return faults;
}
