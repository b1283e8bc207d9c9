/** Looking into snapshots: as plain values that can be compared, and whether all of them is frozen. */
import { FrozenMap } from '../../../registry/values/frozen.ts';
import { GrowingSet } from '../../../registry/values/growing-set.ts';
import { Versions } from '../../../registry/state/versions.ts';

/** A value with every map in it as an object with its keys sorted, versions and sets as lists: what can be compared to the last leaf. */
export function plain(value: unknown): unknown {
  if (value instanceof FrozenMap)
    return plain(Object.fromEntries([...(value as FrozenMap<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1))));
  if (value instanceof Versions || value instanceof GrowingSet) return [...(value as Iterable<unknown>)].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'function') return 'compiled from the other members';
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

/** The path of the first object in a value that is not frozen; undefined if all are. */
export function firstUnfrozen(value: unknown, path = ''): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Object.isFrozen(value)) return path === '' ? '/' : path;
  const members: Iterable<readonly [unknown, unknown]> =
    value instanceof FrozenMap ? value : value instanceof Versions ? [...value].entries() : Object.entries(value);
  for (const [key, member] of members) {
    const found = firstUnfrozen(member, `${path}/${String(key)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
