/**
 * Checks a version's texts against a policy (SPEC R7).
 *
 * Problem: line breaks, other letter forms or invisible characters can hide a forbidden text or break a required one.
 * Rule (docs/adr/0020): plain texts are compared after folding (`comparable`, texts.ts). If an invisible character makes the difference,
 * the violation says which one and where. Patterns see the text as it is served, with every line end as LF. They are RE2 (linear time),
 * so no text can make a check hang.
 * Example: a system prompt without the clause "You are a coach, not a therapist" breaks rule `clause`, id `not-a-therapist`.
 */
import type { PackContent, Violation, Policy } from '../model.ts';
import { deepFreeze } from '../values/frozen.ts';
import { compilePattern } from './patterns.ts';
import { comparable, folded, ignorablesIn, lineAndColumn, withPlainLineEnds } from './texts.ts';

/** The most placeholder violations per prompt: a text can hold tens of thousands, and the log keeps each violation. */
const MAX_PLACEHOLDER_VIOLATIONS = 20;
/** The most characters of a prompt that a violation quotes. */
const MAX_QUOTED = 63;

/**
 * Every violation of a policy; empty if the version is above the floor. Pure: the same input gives the same result.
 */
export function violationsOf(content: PackContent, policy: Policy): readonly Violation[] {
  const assets: [string, string][] = [
    ['system', content.system],
    ...content.styles.map(({ id, text }): [string, string] => [`styles/${id}`, text]),
  ];
  return deepFreeze([
    ...clauseViolations(content.system, policy),
    ...assets.flatMap(([asset, text]) => [
      ...forbiddenViolations(asset, text, policy),
      ...placeholderViolations(asset, text, policy),
    ]),
    ...styleViolations(content, policy),
    ...limitViolations(content, policy),
  ]);
}

/** Whether a text contains a plain text. Old policies may have an invisible needle; it is searched for unchanged. */
function contains(text: string, needle: string, form: (text: string) => string = comparable): boolean {
  const visible = form(needle);
  return visible === '' ? folded(text).includes(folded(needle)) : form(text).includes(visible);
}

const inAnyCase = (text: string) => comparable(text).toLowerCase();

function clauseViolations(system: string, { clauses }: Policy): Violation[] {
  return clauses
    .filter((clause) => !contains(system, clause.text))
    .map(({ id, text: clause }) => ({
      rule: 'clause',
      id,
      asset: 'system',
      detail: `The system prompt must contain: "${folded(clause)}"`,
    }));
}

function forbiddenViolations(asset: string, text: string, { forbidden }: Policy): Violation[] {
  const served = withPlainLineEnds(text);
  return forbidden.flatMap(({ id, text: plain = '', pattern }): Violation[] => {
    if (pattern !== undefined)
      return compilePattern(pattern).matcher(served).find()
        ? [{ rule: 'forbidden', id, asset, detail: `Must not match ${pattern}.` }]
        : [];
    if (!contains(text, plain, inAnyCase)) return [];
    return [{ rule: 'forbidden', id, asset, detail: `Must not contain "${plain}".${hiddenBy(text, plain)}` }];
  });
}

/** Names the invisible characters that hide a forbidden text from a plain search; empty if none does. */
function hiddenBy(text: string, plain: string): string {
  if (folded(text).toLowerCase().includes(folded(plain).toLowerCase())) return '';
  const end = smallest(text.length, (length) => contains(text.slice(0, length), plain, inAnyCase));
  const start = end - smallest(end, (length) => contains(text.slice(end - length, end), plain, inAnyCase));
  const named = ignorablesIn(text, start, end);
  return named === '' ? '' : ` Invisible characters hide it: ${named}.`;
}

/** The smallest number up to `most` that fits; every larger number fits too. */
function smallest(most: number, fits: (number: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}

/** Two or more opening braces, the text up to the next brace, and the closing braces. */
const BRACES = /(\{{2,})([^{}]*)(\}*)/gu;
const NAME = /^[A-Za-z_][\w.-]*/u;

function placeholderViolations(asset: string, text: string, { placeholders }: Policy): Violation[] {
  if (placeholders === undefined) return [];
  const found = new Map<string, Violation>();
  for (const { 0: whole, 1: opening = '', 2: inner = '', 3: closing = '', index } of text.matchAll(BRACES)) {
    const name = inner.trim();
    const fault = placeholderFault({ opening: opening.length, name, closing: closing.length }, placeholders);
    if (fault === undefined || found.has(`${fault} ${name}`)) continue;
    const id = name.slice(0, MAX_QUOTED).toWellFormed(); // the log cannot store half a surrogate pair
    const named = ignorablesIn(text, index, index + whole.length);
    const invisible = named === '' ? '' : ` It contains invisible characters: ${named}.`;
    const detail =
      fault === 'unknown'
        ? `{{${id}}} is not a known placeholder; known: ${placeholders.join(', ') || 'none'}.${invisible}`
        : `"${whole.slice(0, MAX_QUOTED).toWellFormed()}" at ${lineAndColumn(text, index)} is a malformed placeholder; write two braces on each side: {{${id}}}.${invisible}`;
    found.set(`${fault} ${name}`, { rule: 'placeholder', id, asset, detail });
    if (found.size === MAX_PLACEHOLDER_VIOLATIONS) break;
  }
  return [...found.values()];
}

/** An extra brace after a placeholder may close something else, as in `{"user": {{user}}}`. */
function placeholderFault(
  { opening, name, closing }: { opening: number; name: string; closing: number },
  known: readonly string[],
): 'unknown' | 'malformed' | undefined {
  if (closing >= 2) return opening > 2 ? 'malformed' : known.includes(name) ? undefined : 'unknown';
  // Unclosed braces are a fault only if they look like a placeholder: TeX and JSON use braces too.
  const [start = ''] = NAME.exec(name) ?? [];
  return start !== '' && (start === name || known.includes(start)) ? 'malformed' : undefined;
}

function styleViolations({ styles }: PackContent, { requiredStyles }: Policy): Violation[] {
  return requiredStyles
    .filter((required) => !styles.some(({ id }) => id === required))
    .map((id) => ({ rule: 'required-style', id, detail: `Every version must have the style "${id}".` }));
}

function limitViolations({ system, styles }: PackContent, { limits }: Policy): Violation[] {
  const total = styles.reduce((sum, { text }) => sum + text.length, system.length);
  const sizes: [string | undefined, number, number | undefined][] = [
    ['system', system.length, limits.system],
    ...styles.map(({ id, text }): [string, number, number | undefined] => [`styles/${id}`, text.length, limits.style]),
    [undefined, total, limits.total],
  ];
  return sizes.flatMap(([asset, size, most]) =>
    most === undefined || size <= most
      ? []
      : [
          {
            rule: 'limit' as const,
            ...(asset !== undefined && { asset }),
            detail: `${asset ?? 'All prompts together'}: ${size} characters; the limit is ${most}.`,
          },
        ],
  );
}
