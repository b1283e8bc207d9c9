/**
 * Checks that a response has the fields that a command shows.
 *
 * Problem: many services respond 200 with `{}`. With `--json` that would look like a response of the registry.
 * Example: `registry.ask((api) => api.GET('/v1/keys')).then(withFields({ keys: 'list' }))`.
 */
import { RegistryFailure, type Answer } from '@prompt-registry/client';

export type Kind = 'string' | 'number' | 'boolean' | 'object' | 'list';

/** Returns the response if it has these fields. @throws RegistryFailure `not-a-registry` if a field is missing or has another type */
export function withFields(
  kinds: Readonly<Record<string, Kind>>,
): <T extends object>(response: Answer<T>) => Answer<T> {
  return (response) => {
    const missing = Object.entries(kinds).filter(
      ([name, kind]) => kindOf((response.data as Readonly<Record<string, unknown>>)[name]) !== kind,
    );
    if (missing.length === 0) return response;
    throw new RegistryFailure(
      'not-a-registry',
      `The response lacks ${missing.map(([name]) => `"${name}"`).join(', ')}. The server is not a registry, or an incompatible version of it.`,
      { status: response.status },
    );
  };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return value === null ? 'null' : typeof value;
}

/** The objects in a list; empty if the value is not a list. */
export function objectsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value)
    ? value.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null)
    : [];
}

/** The strings in a list; empty if the value is not a list. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}
