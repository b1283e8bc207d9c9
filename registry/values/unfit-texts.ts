/** Strings that have no UTF-8 form, or that a database cannot hold. */
import type { InputFault } from '../model.ts';

/** What makes a string unfit for the registry, or undefined: a NUL or a lone surrogate (SPEC R1: it has no digest). */
export function unfitText(text: string): string | undefined {
  if (text.includes('\0')) return 'holds a NUL character (U+0000); remove it';
  if (!text.isWellFormed()) return 'holds half of a surrogate pair; send well-formed Unicode';
  return undefined;
}

/** How deep a JSON value may be nested: far deeper than any schema here, and far from what would overflow a stack. */
const DEEPEST = 100;

/** Every string in a JSON value that is unfit, and what is nested too deep to be looked at, by RFC 6901 pointer. */
export function unfitTexts(value: unknown, pointer = '', depth = 0): InputFault[] {
  if (typeof value === 'string') {
    const fault = unfitText(value);
    return fault === undefined ? [] : [{ pointer, detail: `The text ${fault}.` }];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (depth === DEEPEST) return [{ pointer, detail: `The value is nested deeper than ${DEEPEST} levels.` }];
  return Object.entries(value).flatMap(([key, member]) => {
    const here = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const fault = unfitText(key);
    return fault === undefined
      ? unfitTexts(member, here, depth + 1)
      : [{ pointer, detail: `A member's name ${fault}.` }];
  });
}
