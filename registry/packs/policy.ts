/**
 * The floor: what every version of a pack must hold before it may be active (SPEC R7).
 *
 * Problem: one careless edit can take a safety boundary out of a prompt, and an old version may lack one that was added since.
 * Rule: a policy is versioned, stands in the log, and is checked when a version is published, when the policy changes, and
 * again, by what was found then, at each activation and rollback (`floor.ts` checks).
 */
import { invalidInput, messageOf } from '../errors.ts';
import { canonical, sha256 } from '../values/canonical.ts';
import { type InputFault, Policy } from '../model.ts';
import { checked, unseenTexts } from './faults.ts';
import { canMatch, compilePattern } from './patterns.ts';
import { deepFreeze } from '../values/frozen.ts';
import { unfitTexts } from '../values/unfit-texts.ts';

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
  const { value, faults: schemaFaults } = checked(Policy, document);
  if (value === undefined) throw invalidInput('The policy breaks its schema.', schemaFaults);
  const faults = [...unfitTexts(value), ...meaningFaults(value)];
  if (faults.length > 0) throw invalidInput('The policy contradicts itself.', faults);
  const policy = deepFreeze(structuredClone(value));
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
