/** Whom prompts are for, while a rollout is under way. */
import { RegistryFailure } from './failure.ts';

/** A subject and what is known about it. */
export interface For {
  /** A user, an account, a conversation: 1 to 200 characters, compared as they are. Never use an e-mail address. */
  readonly subject: string;
  /** At most 20. They are compared as strings: `true` is `"true"`, 30 is `"30"`. */
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

/** A valid subject, with its attributes as they are compared. */
export interface CheckedFor {
  readonly subject: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const MOST_CHARACTERS = 200;
const MOST_ATTRIBUTES = 20;
const ATTRIBUTE_NAME = /^[a-z][A-Za-z0-9]{0,62}$/u;
/** NUL, or half a surrogate pair: such a text has no UTF-8 form, or cannot be stored. */
const UNFIT = /[\0\p{Surrogate}]/u;
/** Printable ASCII. */
const PLAIN = /^[ -~]*$/;
const NO_ATTRIBUTES = Object.freeze({});

/** @throws RegistryFailure `not-understood`, saying what is wrong. The registry would refuse the same. */
export function checkedFor({ subject, attributes }: For): CheckedFor {
  if (!isText(subject) || subject === '')
    throw invalid('The subject must be a text of 1 to 200 characters, without NUL and halves of surrogate pairs.');
  return attributes === undefined
    ? { subject, attributes: NO_ATTRIBUTES }
    : { subject, attributes: textsOf(attributes) };
}

/** A copy, so that who gave them can change them. */
function textsOf(attributes: NonNullable<For['attributes']>): CheckedFor['attributes'] {
  const texts: Record<string, string> = {};
  const names = Object.keys(attributes);
  if (names.length > MOST_ATTRIBUTES)
    throw invalid(`There are ${names.length} attributes; at most ${MOST_ATTRIBUTES} are allowed.`);
  for (const name of names) {
    const value = attributes[name];
    if (!ATTRIBUTE_NAME.test(name))
      throw invalid(
        `"${name}" is not the name of an attribute: use letters and digits, a lower-case letter first, at most 63.`,
      );
    if (typeof value !== 'boolean' && !Number.isFinite(value) && !isText(value))
      throw invalid(`The attribute "${name}" must be a text of at most 200 characters, a finite number or a boolean.`);
    texts[name] = String(value);
  }
  return texts;
}

/** Whether a value is a text of at most 200 code points. */
function isText(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (value.length <= MOST_CHARACTERS && PLAIN.test(value)) return true; // most are, and this is twice as fast
  return !UNFIT.test(value) && Array.from(value).length <= MOST_CHARACTERS;
}

function invalid(message: string): RegistryFailure {
  return new RegistryFailure('not-understood', message);
}
