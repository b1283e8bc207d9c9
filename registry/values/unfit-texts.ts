/** Strings that have no UTF-8 form, or that a database cannot store. */
import type { InputFault } from '../model.ts';

/** Why a string cannot be stored: a NUL or a lone surrogate (SPEC R1: it has no digest); undefined if it can. */
export function unfitText(text: string): string | undefined {
  if (text.includes('\0')) return 'contains a NUL character (U+0000); remove it';
  if (!text.isWellFormed()) return 'contains half a surrogate pair; send well-formed Unicode';
  return undefined;
}

/** The deepest nesting of a JSON value: far deeper than any schema here, far from a stack overflow. */
const MAX_DEPTH = 100;

/** Every string in a JSON value that cannot be stored, and every value that is nested too deeply, by RFC 6901 pointer. */
export function unfitTexts(value: unknown, pointer = '', depth = 0): InputFault[] {
  if (typeof value === 'string') {
    const fault = unfitText(value);
    return fault === undefined ? [] : [{ pointer, detail: `The text ${fault}.` }];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (depth === MAX_DEPTH) return [{ pointer, detail: `The value is nested deeper than ${MAX_DEPTH} levels.` }];
  return Object.entries(value).flatMap(([key, member]) => {
    const here = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const fault = unfitText(key);
    return fault === undefined ? unfitTexts(member, here, depth + 1) : [{ pointer, detail: `A member name ${fault}.` }];
  });
}
