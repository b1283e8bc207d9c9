/** Schemas of successful responses. */
import type { TSchema } from '@sinclair/typebox';
import { assignmentHeader, etagHeader, revisionHeaders } from './headers.ts';
import { ref } from './schema-types.ts';

/** A JSON response with an example. @param schema has an `$id` */
export function jsonResponse<T extends TSchema>(
  schema: T,
  description: string,
  example: unknown,
  headers: Record<string, TSchema> = {},
) {
  return {
    description,
    headers: { ...revisionHeaders, ...headers },
    content: { 'application/json': { schema: ref(schema), examples: { typical: { value: example } } } },
  } as const;
}

/** 304 to a conditional read. */
export const notModified = {
  type: 'null',
  description: 'Nothing has changed. There is no body.',
  headers: { ...revisionHeaders, ...etagHeader },
} as const;

/** 304 to a conditional read that a rollout decides. */
export const notModifiedArm = {
  ...notModified,
  headers: { ...notModified.headers, ...assignmentHeader },
} as const;
