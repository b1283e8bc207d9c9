/**
 * Prompt texts: their normal form, which characters are visible, and how texts are compared.
 *
 * Problem: editors and transports change line ends, byte order marks and final newlines. Invisible characters can split a forbidden word,
 * or make an empty text look present.
 * Rule: there is one normal form, and it is a fixed point (docs/adr/0019): normalising twice changes nothing, so any number of hops give
 * the same digest. Comparison drops invisible characters.
 * Example: `"\uFEFFBe kind.\r\n\r\n"` is registered as `"Be kind."`.
 */

/**
 * A text as it is digested and served: without byte order marks at the start, with CRLF as LF, without line ends at the end. Spaces, lone
 * carriage returns and the Unicode form do not change. `normalizeText(normalizeText(x)) === normalizeText(x)`.
 */
export function normalizeText(text: string): string {
  // Not a regular expression: it would scan a long run again from each of its characters.
  const lines = text.replace(/^\uFEFF+/u, '').split('\n');
  return trimEnd(lines.map((line) => trimEnd(line, '\r')).join('\n'), '\r\n');
}

/** The text without any of these characters at its end. */
function trimEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** A text with every line end (CRLF, CR, LF) as LF: the text that policy patterns see. */
export function withPlainLineEnds(text: string): string {
  return text.replace(/\r\n?/gu, '\n');
}

/** Characters without a visible form (UAX #44, Default_Ignorable_Code_Point): soft hyphens, joiners, Hangul fillers, tags. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
/** White space, and U+2800 BRAILLE PATTERN BLANK, which Unicode does not class as white space. */
const BLANKS = /[\s\u2800]+/gu;
/** Anything but white space, control characters, ignorable characters, annotation marks, U+1D159 MUSICAL SYMBOL NULL NOTEHEAD. */
const VISIBLE = /[^\s\p{Cc}\p{Default_Ignorable_Code_Point}\u2800\uFFF9-\uFFFB\u{1D159}]/u;

/** Whether a text has at least one visible character. */
export function isVisible(text: string): boolean {
  return VISIBLE.test(text);
}

/** The form for comparing plain texts: without ignorable characters, NFKC, runs of white space as one space, trimmed. */
export function comparable(text: string): string {
  return folded(text.replace(IGNORABLE, '')).replace(IGNORABLE, '');
}

/** Like `comparable`, but keeps ignorable characters. */
export function folded(text: string): string {
  return text.normalize('NFKC').replace(BLANKS, ' ').trim();
}

/** The most characters that one message lists. */
const MAX_LISTED = 5;

/** Lists the ignorable characters in a part of a text with their positions, e.g. `U+00AD at line 3, column 7`; empty if there are none. */
export function ignorablesIn(text: string, start = 0, end = text.length): string {
  const found: string[] = [];
  for (const { 0: character, index } of text.slice(start, end).matchAll(IGNORABLE)) {
    if (found.length === MAX_LISTED) return `${found.join('; ')} and more`;
    found.push(`${codePoint(character)} at ${lineAndColumn(text, start + index)}`);
  }
  return found.join('; ');
}

/** The line and column of an offset. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return `line ${line}, column ${Array.from(before.slice(before.lastIndexOf('\n') + 1)).length + 1}`;
}

/** E.g. `U+00AD`. */
function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
