/** One of a few strings, as an `enum`. A union of literals would become an `anyOf` of constants in the API's document. */
import { Kind, Type, TypeRegistry, type SchemaOptions, type TUnsafe } from '@sinclair/typebox';

const KIND = 'OneOf';
TypeRegistry.Set<{ readonly enum: readonly string[] }>(KIND, (schema, value) => schema.enum.includes(value as string));

/** A schema for these strings. In-process checks know it, and Ajv does. */
export const oneOf = <const T extends readonly string[]>(values: T, options: SchemaOptions): TUnsafe<T[number]> =>
  Type.Unsafe<T[number]>({ ...options, [Kind]: KIND, type: 'string', enum: values });
