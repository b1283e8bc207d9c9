/**
 * What a text must look like, in words: no message shows a regular expression.
 *
 * Problem: "must match pattern ^(0|[1-9]\d{0,14})\.…" tells nobody why `v1.0.0` is refused.
 * Rule: both doors (folder on disk, HTTP) say what came, what would be right, and an example. The domain's patterns are told here; any
 * other is told by the description of its schema.
 * Example: `It is "v1.0.0", which is not valid: it must be a SemVer version …, e.g. 1.1.0.`
 */
import type { TSchema } from '@sinclair/typebox';
import { Digest, KeyId, NOT_BLANK, PackName, Version } from '../model.ts';

/** By pattern. */
const SHAPES: ReadonlyMap<unknown, string> = new Map([
  [
    PackName.pattern,
    'a name of lower-case letters, digits and hyphens, at most 63, that begins with a letter or a digit',
  ],
  [Version.pattern, 'a SemVer 2.0.0 version: three numbers with dots between them, no "v" in front, no build metadata'],
  [Digest.pattern, '"sha256:" and 64 lower-case hexadecimal digits'],
  [KeyId.pattern, '1 to 32 letters and digits'],
]);

/** The most characters of a wrong value that a message shows. */
const SHOWN = 60;

/**
 * Says why a value breaks the pattern of its schema.
 * @param schema has a `pattern`
 * @param subject names the value in the sentence
 */
export function brokenPattern(
  { pattern, description = '', examples }: TSchema,
  value: unknown,
  subject = 'It',
): string {
  if (pattern === NOT_BLANK) return subject === 'It' ? 'Must not be blank.' : `${subject} must not be blank.`;
  const shape = SHAPES.get(pattern);
  const [example] = (examples as readonly (string | number)[] | undefined) ?? [];
  const such = example === undefined ? '' : `, e.g. ${String(example)}`;
  const right = shape === undefined ? `. ${String(description).replace(/\.$/u, '')}` : `: it must be ${shape}`;
  return `${subject} is ${shown(value)}, which is not valid${right}${such}.`;
}

function shown(value: unknown): string {
  const text = String(value);
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN).toWellFormed()}…` : text);
}
