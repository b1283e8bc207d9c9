/** Whom prompts are for, while a rollout is under way. */
import { attributeName, isPlainSubject, plainTexts, textsOf } from '../../../registry/assignment/plain.ts';
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
/** NUL, or half a surrogate pair: such a text has no UTF-8 form, or cannot be stored. */
const UNFIT = /[\0\p{Surrogate}]/u;
const NO_ATTRIBUTES = Object.freeze({});

/** @throws RegistryFailure `not-understood`, saying what is wrong. The registry would refuse the same. */
export function checkedFor({ subject, attributes }: For): CheckedFor {
  if (!isPlainSubject(subject) && (!isText(subject) || subject === ''))
    throw invalid('The subject must be a text of 1 to 200 characters, without NUL and halves of surrogate pairs.');
  return attributes === undefined
    ? { subject, attributes: NO_ATTRIBUTES }
    : { subject, attributes: copyOf(attributes) };
}

/** A copy, so that who gave them can change them. */
function copyOf(attributes: NonNullable<For['attributes']>): CheckedFor['attributes'] {
  const texts = plainTexts(attributes);
  if (texts !== undefined) return texts === attributes ? { ...texts } : texts;
  const names = Object.keys(attributes);
  if (names.length > MOST_ATTRIBUTES)
    throw invalid(`There are ${names.length} attributes; at most ${MOST_ATTRIBUTES} are allowed.`);
  for (const name of names) {
    const value = attributes[name];
    if (attributeName(name) === undefined)
      throw invalid(
        `"${name}" is not the name of an attribute: use letters and digits, a lower-case letter first, at most 63.`,
      );
    if (typeof value !== 'boolean' && !Number.isFinite(value) && !isText(value))
      throw invalid(`The attribute "${name}" must be a text of at most 200 characters, a finite number or a boolean.`);
  }
  return textsOf(attributes);
}

/** Whether a value is a text of at most 200 code points. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && !UNFIT.test(value) && Array.from(value).length <= MOST_CHARACTERS;
}

function invalid(message: string): RegistryFailure {
  return new RegistryFailure('not-understood', message);
}
