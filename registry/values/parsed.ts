/** Texts that stand for a number or a time. */

/** RFC 8259 section 6. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/u;
/** RFC 3339 section 5.6, with its zone. */
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/u;

/** An RFC 8259 number; undefined if the text is not one, or too large. */
export function numberOf(text: string): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** An RFC 3339 time in milliseconds since the epoch, finer digits cut off; undefined if the text is not one. */
export function timeOf(text: string): number | undefined {
  const value = TIME.test(text) ? Date.parse(text.toUpperCase()) : NaN;
  return Number.isNaN(value) ? undefined : value;
}
