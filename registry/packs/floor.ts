/**
 * Holding a content to the floor: everything in which it breaks a policy (SPEC R7).
 *
 * Problem: a forbidden text can be hidden, and a required one broken, by line breaks, other forms of letters, or characters nobody sees.
 * Rule (docs/adr/0020): plain texts are compared after folding (`comparable`, texts.ts); where an invisible character decides, it is named
 * with its place. Patterns see the text as it is served, with every line end as LF, and are RE2 (linear time), so that no text can make a
 * check hang.
 * Example: a system prompt without the clause "You are a coach, not a therapist" breaks rule `clause`, id `not-a-therapist`.
 */
import type { PackContent, Violation, Policy } from '../model.ts';
import { deepFreeze } from '../values/frozen.ts';
import { compilePattern } from './patterns.ts';
import { comparable, folded, ignorablesIn, lineAndColumn, withPlainLineEnds } from './texts.ts';

/** The most placeholders that are told of one prompt: a text can hold tens of thousands, and each violation stands in the log. */
const PLACEHOLDERS_NAMED = 20;
/** The most characters of a prompt that a violation quotes. */
const QUOTED = 63;

/**
 * Everything in which a content breaks a policy; empty where it is above the floor. Pure: same content, same policy, same answer.
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

/** Whether a text holds a plain text. A needle of which nothing is seen, which only old policies have, is looked for as it is. */
function holds(text: string, needle: string, form: (text: string) => string = comparable): boolean {
  const wanted = form(needle);
  return wanted === '' ? folded(text).includes(folded(needle)) : form(text).includes(wanted);
}

const inAnyCase = (text: string) => comparable(text).toLowerCase();

function clauseViolations(system: string, { clauses }: Policy): Violation[] {
  return clauses
    .filter((clause) => !holds(system, clause.text))
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
        ? [{ rule: 'forbidden', id, asset, detail: `Must not contain what matches ${pattern}.` }]
        : [];
    if (!holds(text, plain, inAnyCase)) return [];
    return [{ rule: 'forbidden', id, asset, detail: `Must not contain "${plain}".${hidden(text, plain)}` }];
  });
}

/** Names the invisible characters without which a forbidden text would have been found in plain sight. */
function hidden(text: string, plain: string): string {
  if (folded(text).toLowerCase().includes(folded(plain).toLowerCase())) return '';
  const end = smallest(text.length, (length) => holds(text.slice(0, length), plain, inAnyCase));
  const start = end - smallest(end, (length) => holds(text.slice(end - length, end), plain, inAnyCase));
  const named = ignorablesIn(text, start, end);
  return named === '' ? '' : ` It stands there with invisible characters in it: ${named}.`;
}

/** The smallest number up to `most` that fits, where each fits that is larger than one that does. */
function smallest(most: number, fits: (number: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  return high;
}

/** Two braces or more, what follows up to the next brace, and the braces that close it. */
const BRACES = /(\{{2,})([^{}]*)(\}*)/gu;
const NAME = /^[A-Za-z_][\w.-]*/u;

function placeholderViolations(asset: string, text: string, { placeholders }: Policy): Violation[] {
  if (placeholders === undefined) return [];
  const found = new Map<string, Violation>();
  for (const { 0: whole, 1: opening = '', 2: inner = '', 3: closing = '', index } of text.matchAll(BRACES)) {
    const name = inner.trim();
    const fault = placeholderFault({ opening: opening.length, name, closing: closing.length }, placeholders);
    if (fault === undefined || found.has(`${fault} ${name}`)) continue;
    const id = name.slice(0, QUOTED).toWellFormed(); // the log takes no half of a surrogate pair
    const named = ignorablesIn(text, index, index + whole.length);
    const invisible = named === '' ? '' : ` It holds invisible characters: ${named}.`;
    const detail =
      fault === 'unknown'
        ? `{{${id}}} is no known placeholder; known ones: ${placeholders.join(', ') || 'none'}.${invisible}`
        : `"${whole.slice(0, QUOTED).toWellFormed()}" at ${lineAndColumn(text, index)} is a malformed placeholder; write two braces on each side: {{${id}}}.${invisible}`;
    found.set(`${fault} ${name}`, { rule: 'placeholder', id, asset, detail });
    if (found.size === PLACEHOLDERS_NAMED) break;
  }
  return [...found.values()];
}

/** A brace too many behind a placeholder closes something else, as in `{"user": {{user}}}`. */
function placeholderFault(
  { opening, name, closing }: { opening: number; name: string; closing: number },
  known: readonly string[],
): 'unknown' | 'malformed' | undefined {
  if (closing >= 2) return opening > 2 ? 'malformed' : known.includes(name) ? undefined : 'unknown';
  // What is not closed is a placeholder only where it looks like one; TeX and JSON have braces of their own.
  const [begins = ''] = NAME.exec(name) ?? [];
  return begins !== '' && (begins === name || known.includes(begins)) ? 'malformed' : undefined;
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
            detail: `${asset ?? 'All prompts together'}: ${size} characters; at most ${most} are allowed.`,
          },
        ],
  );
}
