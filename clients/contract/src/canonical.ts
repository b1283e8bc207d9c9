/**
 * RFC 8785 canonical JSON: strings, numbers, booleans, null, arrays and objects.
 *
 * Rule: members sorted by the UTF-16 units of their names, no white space, strings and numbers as JSON.stringify writes them (as the RFC
 * requires).
 * Example: `canonical({ b: 1, a: ['x'] })` is `{"a":["x"],"b":1}`.
 */
import { createHash } from 'node:crypto';

/** @throws TypeError for what has no canonical form: lone surrogates, integers that are not exact, NaN, infinities */
export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('A string with a lone surrogate has no canonical form.');
    return JSON.stringify(value);
  }
  if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER)
    return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object')
    throw new TypeError(`A ${typeof value} that JSON cannot express has no canonical form.`);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${canonical(name)}:${canonical(member)}`)
    .join(',')}}`;
}

/** Lower-case hex SHA-256 of the canonical form. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonical(value), 'utf8').digest('hex');
}

/** What the digest of a version covers. */
export interface Content {
  readonly pack: string;
  readonly version: string;
  readonly system: string;
  readonly styles: readonly object[];
  readonly defaultStyle: string;
  readonly compatibility: object;
}

/** The digest of a version: `sha256:<hex>` over its content. */
export function digestOf({ pack, version, system, styles, defaultStyle, compatibility }: Content): string {
  return `sha256:${hashOf({ pack, version, system, styles, defaultStyle, compatibility })}`;
}
