/**
 * Subjects and attributes that can only be right.
 *
 * Problem: a read checks whom it is for each time, and a full check takes longer than the read.
 * Rule: what is right without a doubt is found here. Everything else goes to the full check, which also says what is wrong. The service and
 * the TypeScript client share this file, so it knows no schemas.
 * Example: `plainTexts({ country: 'de', age: 30 })` → `{ country: 'de', age: '30' }`; `plainTexts({ Country: 'de' })` → undefined.
 */

/** As in the schemas of the domain; a text has at least as many UTF-16 units as code points, which those count. */
const LONGEST = 200;
const MOST_ATTRIBUTES = 20;
const ATTRIBUTE_NAME = /^[a-z][A-Za-z0-9]{0,62}$/u;
/** NUL, or half a surrogate pair. */
const UNFIT = /[\0\p{Surrogate}]/u;
/** For texts of at most so many UTF-16 units, a loop is faster than the pattern. */
const SHORT = 20;

/** Whether a subject can only be right. */
export function isPlainSubject(subject: unknown): subject is string {
  return typeof subject === 'string' && subject !== '' && isPlain(subject);
}

/** Attributes as texts, if they can only be right; undefined in any doubt. They are the same object if they are texts already. */
export function plainTexts(
  attributes: Readonly<Record<string, string | number | boolean>>,
): Readonly<Record<string, string>> | undefined {
  if (typeof attributes !== 'object' || (attributes as object | null) === null) return undefined;
  let count = 0;
  let areTexts = true;
  for (const name in attributes) {
    const value = attributes[name];
    if (attributeName(name) === undefined) return undefined;
    if (typeof value === 'string') {
      if (!isPlain(value)) return undefined;
    } else if (typeof value === 'boolean' || Number.isFinite(value)) areTexts = false;
    else return undefined;
    count += 1;
  }
  if (count > MOST_ATTRIBUTES) return undefined;
  return areTexts ? (attributes as Readonly<Record<string, string>>) : textsOf(attributes);
}

/** Attributes as they are compared. */
export function textsOf(attributes: Readonly<Record<string, string | number | boolean>>): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));
}

/** Names that are right, each as the key of an object has it: such a string is found fastest. Callers use few names. */
const knownNames = new Map<string, string>();
const MOST_KNOWN_NAMES = 1000;

/** The name itself if it may name an attribute; undefined if not. A name that was seen before is checked by a look-up. */
export function attributeName(name: string): string | undefined {
  const known = knownNames.get(name);
  if (known !== undefined || !ATTRIBUTE_NAME.test(name)) return known;
  const [key = name] = Object.keys({ [name]: true });
  if (knownNames.size < MOST_KNOWN_NAMES) knownNames.set(key, key);
  return key;
}

/** Whether a text is short enough and has nothing that no UTF-8 has. */
function isPlain(text: string): boolean {
  if (text.length > LONGEST) return false;
  if (text.length > SHORT) return !UNFIT.test(text);
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0 || unit >= 0xd800) return !UNFIT.test(text);
  }
  return true;
}
