/**
 * What a text must look like, in words: no message shows a regular expression.
 *
 * Problem: "must match pattern ^(0|[1-9]\d{0,14})\.…" does not explain why `v1.0.0` is refused.
 * Rule: messages show the value, the rule and an example, for folders and HTTP requests alike. This file describes the domain's patterns;
 * for others the description of the schema is used.
 * Example: `It is "v1.0.0", which is not valid: it must be a SemVer version …, e.g. 1.1.0.`
 */
import type { TSchema } from '@sinclair/typebox';
import { AttributeName, Digest, Duration, KeyId, NOT_BLANK, PackName, Version } from '../model.ts';

/** Descriptions by pattern. */
const SHAPES: ReadonlyMap<unknown, string> = new Map([
  [PackName.pattern, 'a name of lower-case letters, digits and hyphens, at most 63, starting with a letter or a digit'],
  [Version.pattern, 'a SemVer 2.0.0 version: three numbers separated by dots, without a leading "v" or build metadata'],
  [Digest.pattern, '"sha256:" followed by 64 lower-case hexadecimal digits'],
  [KeyId.pattern, '1 to 32 letters and digits'],
  [AttributeName.pattern, 'a name of letters and digits, at most 63, starting with a lower-case letter'],
  [Duration.pattern, 'a whole number from 1 and a unit, "s", "m", "h" or "d"'],
]);

/** The most characters of an invalid value that a message shows. */
const MAX_SHOWN = 60;

/**
 * Explains why a value does not match the pattern of its schema.
 * @param schema has a `pattern`
 * @param subject what the sentence calls the value
 */
export function brokenPattern(
  { pattern, description = '', examples }: TSchema,
  value: unknown,
  subject = 'It',
): string {
  if (pattern === NOT_BLANK) return subject === 'It' ? 'Must not be blank.' : `${subject} must not be blank.`;
  const shape = SHAPES.get(pattern);
  const [example] = (examples as readonly (string | number)[] | undefined) ?? [];
  const suffix = example === undefined ? '' : `, e.g. ${String(example)}`;
  const rule = shape === undefined ? `. ${String(description).replace(/\.$/u, '')}` : `: it must be ${shape}`;
  return `${subject} is ${quoted(value)}, which is not valid${rule}${suffix}.`;
}

/** Explains why a member may not have its name. @param schema has `patternProperties` */
export function brokenName({ patternProperties }: TSchema, name: string): string {
  const [pattern] = Object.keys(patternProperties as object);
  return brokenPattern({ pattern } as unknown as TSchema, name, 'The name');
}

function quoted(value: unknown): string {
  const text = String(value);
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN).toWellFormed()}…` : text);
}
