/**
 * Texts of prompts: the form in which they are registered, what of them can be seen, and how they are compared.
 *
 * Problem: the same text comes with other line ends, byte order marks and final newlines from each editor and each hop; and characters
 * that nobody sees can split a forbidden word, or stand for a text that is not there.
 * Rule: one normal form, which is a fixed point (docs/adr/0019): normalising twice changes nothing, so that any number of hops give
 * one digest. Comparing drops what cannot be seen.
 * Example: `"\uFEFFBe kind.\r\n\r\n"` is registered as `"Be kind."`.
 */

/**
 * A text as it is digested and served: byte order marks at the beginning dropped, CRLF as LF, line ends at the end dropped; blanks, lone
 * carriage returns and the Unicode form are left as they are. `normalizeText(normalizeText(x)) === normalizeText(x)`.
 */
export function normalizeText(text: string): string {
  // By hand where a regular expression would look at a long run again from each of its characters.
  const lines = text.replace(/^\uFEFF+/u, '').split('\n');
  return withoutEnd(lines.map((line) => withoutEnd(line, '\r')).join('\n'), '\r\n');
}

/** The text without what it ends with of these characters. */
function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** A text with every line end (CRLF, CR, LF) as LF: what patterns of a policy see. */
export function withPlainLineEnds(text: string): string {
  return text.replace(/\r\n?/gu, '\n');
}

/** What is drawn as nothing, by Unicode (UAX #44, Default_Ignorable_Code_Point): soft hyphens, joiners, Hangul fillers, tags. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
/** White space, and U+2800 BRAILLE PATTERN BLANK, which Unicode does not count among it. */
const BLANKS = /[\s\u2800]+/gu;
/** Beside blanks: control characters, what is ignorable, annotation marks, U+1D159 MUSICAL SYMBOL NULL NOTEHEAD. */
const VISIBLE = /[^\s\p{Cc}\p{Default_Ignorable_Code_Point}\u2800\uFFF9-\uFFFB\u{1D159}]/u;

/** Whether a text holds at least one character that can be seen. */
export function isVisible(text: string): boolean {
  return VISIBLE.test(text);
}

/** A text as plain texts are compared: without what is ignorable, after NFKC, blanks folded to one, ends trimmed. */
export function comparable(text: string): string {
  return folded(text.replace(IGNORABLE, '')).replace(IGNORABLE, '');
}

/** As `comparable`, but with what is ignorable. */
export function folded(text: string): string {
  return text.normalize('NFKC').replace(BLANKS, ' ').trim();
}

/** The most characters that one message names. */
const NAMED = 5;

/** Names the ignorable characters in a part of a text, with their place in the text, e.g. `U+00AD at line 3, column 7`; empty if there is none. */
export function ignorablesIn(text: string, start = 0, end = text.length): string {
  const found: string[] = [];
  for (const { 0: character, index } of text.slice(start, end).matchAll(IGNORABLE)) {
    if (found.length === NAMED) return `${found.join('; ')} and more`;
    found.push(`${codePoint(character)} at ${lineAndColumn(text, start + index)}`);
  }
  return found.join('; ');
}

/** Where an offset is in a text, in lines and characters. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `line ${line}, column ${Array.from(before.slice(before.lastIndexOf('\n') + 1)).length + 1}`;
}

/** E.g. `U+00AD`. */
function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
