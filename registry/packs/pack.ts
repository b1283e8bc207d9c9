/**
 * Checking a pack document and freezing it into a version with a digest.
 *
 * Problem: a version is published once and then never changes, so whatever is wrong with it must be found before.
 * Rule (SPEC R1): both doors (folder on disk, HTTP) come through `parsePack`, the one place where texts are normalised; the same
 * prompts give the same digest.
 * Example: a file with CRLF line ends and the same text sent as JSON with LF are one version, not two.
 */
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value';
import type { Static, TSchema } from '@sinclair/typebox';
import semver from 'semver';
import { invalidInput, type InputFault } from '../errors.ts';
import { canonical, sha256 } from '../log/event.ts';
import { NOT_BLANK, PackDocument, PackName, type PackContent, type PackVersion } from '../model.ts';
import { brokenPattern } from './shapes.ts';
import { isVisible, normalizeText } from './texts.ts';

/** The most faults that one refusal names. */
const FAULTS_NAMED = 20;

/** Freezes a JSON-like value and all that hangs on it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

/** What makes a string unfit for the registry, or undefined: a NUL or a lone surrogate (SPEC R1: it has no digest). */
export function unfitText(text: string): string | undefined {
  if (text.includes('\0')) return 'holds a NUL character (U+0000); remove it';
  if (!text.isWellFormed()) return 'holds half of a surrogate pair; send well-formed Unicode';
  return undefined;
}

/** How deep a JSON value may be nested: far deeper than any schema here, and far from what would overflow a stack. */
const DEEPEST = 100;

/** Every string in a JSON value that is unfit, and what is nested too deep to be looked at, by RFC 6901 pointer. */
export function unfitTexts(value: unknown, pointer = '', depth = 0): InputFault[] {
  if (typeof value === 'string') {
    const fault = unfitText(value);
    return fault === undefined ? [] : [{ pointer, detail: `The text ${fault}.` }];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (depth === DEEPEST) return [{ pointer, detail: `The value is nested deeper than ${DEEPEST} levels.` }];
  return Object.entries(value).flatMap(([key, member]) => {
    const here = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const fault = unfitText(key);
    return fault === undefined
      ? unfitTexts(member, here, depth + 1)
      : [{ pointer, detail: `A member's name ${fault}.` }];
  });
}

/**
 * Every text in which nothing can be seen although its schema asks for one that is not blank, by RFC 6901 pointer.
 * @param value one that conforms to the schema
 */
export function unseenTexts(schema: TSchema, value: unknown, pointer = ''): InputFault[] {
  const { pattern, items, properties } = schema as {
    pattern?: string;
    items?: TSchema;
    properties?: Record<string, TSchema>;
  };
  if (typeof value === 'string')
    return pattern === NOT_BLANK && !isVisible(value)
      ? [{ pointer, detail: 'Nothing in this text can be seen; write at least one visible character.' }]
      : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const inner = Array.isArray(value) ? items : properties?.[name];
    return inner === undefined ? [] : unseenTexts(inner, member, `${pointer}/${name}`);
  });
}

/** How a value breaks a schema, by RFC 6901 pointer, at most 20 faults. */
export function schemaFaults(schema: TSchema, value: unknown): InputFault[] {
  const faults = new Map<string, InputFault>();
  for (const error of Value.Errors(schema, value)) {
    if (isShortEnough(error)) continue;
    // A missing member is reported as missing and as of a wrong type; the first says it best.
    if (!faults.has(error.path)) faults.set(error.path, { pointer: error.path, detail: faultDetail(error) });
    if (faults.size === FAULTS_NAMED) break;
  }
  return [...faults.values()];
}

/** Whether a value has no fault of `schemaFaults`. */
export function conforms<T extends TSchema>(schema: T, value: unknown): value is Static<T> {
  return schemaFaults(schema, value).length === 0;
}

/** TypeBox counts UTF-16 units; a length is one of characters (JSON Schema Validation section 6.3.1), as the HTTP door counts. */
function isShortEnough({ type, schema, value }: ValueError): boolean {
  const { maxLength = 0 } = schema as { maxLength?: number };
  return type === ValueErrorType.StringMaxLength && typeof value === 'string' && Array.from(value).length <= maxLength;
}

function faultDetail({ type, message, schema, value }: ValueError): string {
  if (type === ValueErrorType.StringPattern) return brokenPattern(schema, value);
  if (type === ValueErrorType.StringMinLength && schema['pattern'] === NOT_BLANK) return 'Must not be blank.';
  return `${message}.`;
}

/**
 * Checks a pack document and freezes it.
 *
 * @param pack the name of the pack the document belongs to
 * @param document untrusted: a parsed body or a parsed folder
 * @returns a deep-frozen version with its digest
 * @throws RegistryError `validation-failed` with every fault found, by pointer
 */
export function parsePack(pack: string, document: unknown): PackVersion {
  const named = schemaFaults(PackName, pack).map((fault) => ({ ...fault, pointer: '/pack' }));
  if (named.length > 0 || !conforms(PackDocument, document))
    throw invalidInput('The pack document breaks its schema.', [...named, ...schemaFaults(PackDocument, document)]);

  const faults = [...unfitTexts(document), ...meaningFaults(document)].slice(0, FAULTS_NAMED);
  if (faults.length > 0)
    throw invalidInput('The pack document contradicts itself or holds what cannot be served.', faults);

  const { summary, author } = document;
  const content = deepFreeze(structuredClone(normalized({ pack, ...document })));
  return Object.freeze({
    content,
    digest: digestOf(content),
    summary,
    author,
    unseen: deepFreeze(unseenTexts(PackDocument, document)),
  });
}

/** The content with its texts in their normal form, and nothing but what is digested. */
function normalized({ pack, version, system, styles, defaultStyle, compatibility }: PackContent): PackContent {
  return {
    pack,
    version,
    system: normalizeText(system),
    styles: styles.map(({ id, title, text }) => ({ id, title, text: normalizeText(text) })),
    defaultStyle,
    compatibility,
  };
}

/**
 * Whether a registered content is the one given. Builds before the normal form was a fixed point registered texts in other forms, e.g.
 * with a final newline; those keep their digest, and are the same version still (SPEC R1, docs/adr/0019).
 */
export function isSameContent(registered: PackContent, given: PackVersion): boolean {
  return digestOf(normalized(registered)) === given.digest;
}

/** `sha256:<hex>` over RFC 8785 of the content (DESIGN section 2). */
export function digestOf(content: PackContent): string {
  return `sha256:${sha256(canonical(content))}`;
}

/** The rules that a schema cannot say. */
function meaningFaults(document: PackDocument): InputFault[] {
  const faults: InputFault[] = [];
  if (semver.valid(document.version) !== document.version) {
    faults.push({ pointer: '/version', detail: `"${document.version}" is no SemVer 2.0.0 version.` });
  }
  const ids = new Set<string>();
  document.styles.forEach(({ id }, index) => {
    if (ids.has(id))
      faults.push({
        pointer: `/styles/${index}/id`,
        detail: `The style "${id}" stands there twice; style ids are unique in a version.`,
      });
    ids.add(id);
  });
  if (!ids.has(document.defaultStyle)) {
    faults.push({
      pointer: '/defaultStyle',
      detail: `"${document.defaultStyle}" is none of the version's styles: ${[...ids].join(', ')}.`,
    });
  }
  document.compatibility.clients.forEach(({ range }, index) => {
    if (semver.validRange(range) === null) {
      faults.push({
        pointer: `/compatibility/clients/${index}/range`,
        detail: `"${range}" is no SemVer range; write e.g. ">=2.0.0 <3.0.0".`,
      });
    }
  });
  document.compatibility.locales.forEach((tag, index) => {
    if (!isLanguageTag(tag))
      faults.push({
        pointer: `/compatibility/locales/${index}`,
        detail: `"${tag}" is no BCP 47 language tag; write e.g. "en" or "pt-BR".`,
      });
  });
  return faults;
}

function isLanguageTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
