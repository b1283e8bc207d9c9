/**
 * Whether an answer has what a command shows of it.
 *
 * Problem: any service answers 200 and `{}` to something; passed on with `--json` that would look like the registry's answer.
 * Example: `registry.ask((api) => api.GET('/v1/keys')).then(having({ keys: 'list' }))`.
 */
import { RegistryFailure, type Answer } from '@prompt-registry/client';

export type Kind = 'string' | 'number' | 'boolean' | 'object' | 'list';

/** Gives an answer back that has these members. @throws RegistryFailure `not-a-registry` where one of them is missing or of another kind */
export function having(kinds: Readonly<Record<string, Kind>>): <T extends object>(answer: Answer<T>) => Answer<T> {
  return (answer) => {
    const lacking = Object.entries(kinds).filter(
      ([name, kind]) => kindOf((answer.data as Readonly<Record<string, unknown>>)[name]) !== kind,
    );
    if (lacking.length === 0) return answer;
    throw new RegistryFailure(
      'not-a-registry',
      `What answered is no registry, or one of another age: its answer lacks ${lacking.map(([name]) => `"${name}"`).join(', ')}.`,
      { status: answer.status },
    );
  };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  return value === null ? 'null' : typeof value;
}

/** The members of a list that are objects; none where it is no list. */
export function objectsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value)
    ? value.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null)
    : [];
}

/** The texts of a list; none where it is no list. */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}
