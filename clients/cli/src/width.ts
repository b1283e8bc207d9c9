/**
 * The width of text on a terminal, in columns.
 *
 * Rule: an emoji takes two columns, however many code points it has (a grapheme cluster, UAX #29). Any other code point takes two if it is
 * wide (East Asian Width, UAX #11), none if it is combining or invisible, else one.
 */
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Blocks of wide characters: Hangul, CJK, kana, Yi, full-width forms, the ideographic planes. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]/u;
const EMOJI = /^(?:\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\p{Emoji}\u200d|\p{Regional_Indicator}{2})/u;
/** Combining marks, invisible characters, and jamo that join the Hangul syllable before them. */
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]/u;

/** Columns that a text takes. The text must not contain control characters. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/u.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) {
    if (EMOJI.test(segment)) columns += 2;
    else for (const character of segment) columns += ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  }
  return columns;
}
