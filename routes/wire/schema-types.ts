/** Builders for schemas, and the types that go with them. */
import { Type, type Static, type TObject, type TProperties, type TSchema, type TUnsafe } from '@sinclair/typebox';

/** An object that allows no other members. */
export const closed = <T extends TProperties>(
  properties: T,
  options: { $id?: string; description?: string; examples?: unknown[] } = {},
): TObject<T> => Type.Object(properties, { ...options, additionalProperties: false });

/** A reference to a schema that has an `$id`. It has the type of that schema; `Type.Ref` has not. */
export const ref = <T extends TSchema>(schema: T): TUnsafe<Static<T>> =>
  Type.Unsafe<Static<T>>(Type.Ref(schema.$id ?? ''));

/** One of these strings, as an `enum`. A union would become an `anyOf` of constants. */
export const stringEnum = <const T extends readonly string[]>(values: T, description: string): TUnsafe<T[number]> =>
  Type.Unsafe<T[number]>({ type: 'string', enum: values, description, examples: [values[0]] });

/** The values of the schema, or null, in the notation of OpenAPI 3.1. */
export const nullable = <T extends TSchema>(schema: T): TUnsafe<Static<T> | null> =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [(schema as unknown as { type: string }).type, 'null'] });

/** The same value without `readonly` in its type. A response body is serialised and never changed. */
export const mutable = <T>(value: T): Mutable<T> => value as Mutable<T>;
export type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;
