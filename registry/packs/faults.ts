/** How a value breaks its schema: where, and in words. */
import { Value, ValueErrorType, type ValueError } from '@sinclair/typebox/value';
import type { Static, TSchema } from '@sinclair/typebox';
import { listed } from '../errors.ts';
import { NOT_BLANK, type InputFault } from '../model.ts';
import { brokenName, brokenPattern } from './shapes.ts';
import { isVisible } from './texts.ts';

/** The most faults that one refusal lists. */
export const MAX_FAULTS = 20;

/**
 * Texts without a visible character where the schema forbids blank ones, by RFC 6901 pointer.
 * @param value conforms to the schema
 */
export function invisibleTexts(schema: TSchema, value: unknown, pointer = ''): InputFault[] {
  const { pattern, items, properties } = schema as {
    pattern?: string;
    items?: TSchema;
    properties?: Record<string, TSchema>;
  };
  if (typeof value === 'string')
    return pattern === NOT_BLANK && !isVisible(value)
      ? [{ pointer, detail: 'This text has no visible character; write at least one.' }]
      : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const inner = Array.isArray(value) ? items : properties?.[name];
    return inner === undefined ? [] : invisibleTexts(inner, member, `${pointer}/${name}`);
  });
}

/** How a value breaks a schema, by RFC 6901 pointer; at most 20 faults. */
export function schemaFaults(schema: TSchema, value: unknown): InputFault[] {
  const faults = new Map<string, InputFault>();
  for (const found of Value.Errors(schema, value)) {
    const error = found.type === ValueErrorType.Union ? closest(found) : found;
    if (error === undefined || isShortEnough(error)) continue;
    // TypeBox reports a missing member twice: as missing, and as of a wrong type. The first report is the clearer one.
    if (!faults.has(error.path)) faults.set(error.path, { pointer: error.path, detail: faultDetail(error) });
    if (faults.size === MAX_FAULTS) break;
  }
  return [...faults.values()];
}

/** What a check of a value gave: the value, or how it breaks its schema. */
export type Checked<T extends TSchema> =
  | { readonly value: Static<T>; readonly faults: readonly [] }
  | { readonly value?: undefined; readonly faults: readonly InputFault[] };

/** Checks a value against a schema, once: gives the value, or its faults as `schemaFaults` lists them. */
export function checked<T extends TSchema>(schema: T, value: unknown): Checked<T> {
  const faults = schemaFaults(schema, value);
  return faults.length === 0 ? { value: value as Static<T>, faults: [] } : { faults };
}

/** TypeBox counts UTF-16 units. JSON Schema (Validation, section 6.3.1) and the HTTP API count characters. */
function isShortEnough({ type, schema, value }: ValueError): boolean {
  const { maxLength = 0 } = schema as { maxLength?: number };
  return type === ValueErrorType.StringMaxLength && typeof value === 'string' && Array.from(value).length <= maxLength;
}

/** What breaks the alternative that is meant; undefined if a value breaks none. */
function closest(union: ValueError): ValueError | undefined {
  const alternatives = union.errors.map((errors) => [...errors].filter((error) => !isShortEnough(error)));
  if (alternatives.some((errors) => errors.length === 0)) return undefined;
  return alternatives.flat().find(({ type }) => !WRONG_TYPES.has(type)) ?? union;
}

const WRONG_TYPES: ReadonlySet<ValueErrorType> = new Set([
  ValueErrorType.Boolean,
  ValueErrorType.Null,
  ValueErrorType.Number,
  ValueErrorType.String,
]);

function faultDetail({ type, message, schema, value, path }: ValueError): string {
  if (type === ValueErrorType.StringPattern) return brokenPattern(schema, value);
  if (type === ValueErrorType.ObjectAdditionalProperties && schema['patternProperties'] !== undefined)
    return brokenName(schema, path.slice(path.lastIndexOf('/') + 1));
  if (type === ValueErrorType.Kind && Array.isArray(schema['enum'])) return `Must be one of ${listed(schema['enum'])}.`;
  if (type === ValueErrorType.StringMinLength)
    return schema['pattern'] === NOT_BLANK ? 'Must not be blank.' : 'Must not be empty.';
  if (type === ValueErrorType.StringMaxLength) return `Must have at most ${schema['maxLength']} characters.`;
  if (type === ValueErrorType.Union) return `Must be ${unionWords(schema)}.`;
  return `${message}.`;
}

/** E.g. `string, number or boolean`. */
function unionWords({ anyOf = [] }: TSchema): string {
  const words = (anyOf as readonly TSchema[]).map((each) => String(each['type']));
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}
