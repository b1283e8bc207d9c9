/** Texts that stand for a number or a time. */

/** RFC 8259 section 6. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/u;
/** RFC 3339 section 5.6, with its zone; no leap seconds, which no clock here has. The first group is the day. */
const TIME =
  /^(\d{4}-\d\d-\d\d)[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/u;

/** An RFC 8259 number; undefined if the text is not one, or too large. */
export function numberOf(text: string): number | undefined {
  const count = countOf(text);
  if (count !== undefined) return count;
  const value = NUMBER.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** A whole number of at most nine digits; undefined if the text is anything else. This takes a sixth of the time of the pattern. */
function countOf(text: string): number | undefined {
  if (text.length === 0 || text.length > 9 || (text.startsWith('0') && text !== '0')) return undefined;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

/** An RFC 3339 time in milliseconds since the epoch, finer digits cut off; undefined if the text is not one. */
export function timeOf(text: string): number | undefined {
  const [, day = ''] = TIME.exec(text) ?? [];
  const midnight = Date.parse(day);
  // V8 takes 30 February for 2 March, other engines refuse it (RFC 3339 section 5.7).
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return undefined;
  return Date.parse(text.toUpperCase());
}
