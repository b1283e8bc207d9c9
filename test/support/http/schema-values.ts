/**
 * Values that a JSON Schema of `openapi.yaml` allows, and values that it does not: what the fuzzer is made of.
 *
 * Rule: names that must mean something (`pack`, `version`, …) come from a pool more often than not, so that most valid requests get
 * past the first look-up.
 * Example: `valueOf(schema, 'body', { version: ['1.0.0'] })`, `spoilt({ reason: 'Why' })`.
 */
import fc from 'fast-check';
import { OPENAPI } from './openapi.ts';

/** Values by the name of the member or parameter. */
export type Pools = Readonly<Record<string, readonly string[]>>;

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** Lengths and list sizes are kept small: what is large is a fault to be planted, not the usual. */
const USUAL_LENGTH = 60;
const USUAL_ITEMS = 3;

/** A value that the schema allows. @param name of the member or parameter that it is for */
export function valueOf(schema: object, name: string, pools: Pools): fc.Arbitrary<unknown> {
  const {
    $ref,
    type,
    enum: values,
    properties = {},
    required = [],
    items = {},
    minItems = 0,
    maxItems = USUAL_ITEMS,
    minimum = 0,
    maximum = 1000,
    anyOf,
    additionalProperties,
  } = schema as Schema;
  if ($ref !== undefined) return valueOf(OPENAPI.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {}, name, pools);
  if (values !== undefined) return fc.constantFrom(...values);
  if (anyOf !== undefined) return fc.oneof(...anyOf.map((each) => valueOf(each, name, pools)));
  if (type === 'boolean') return fc.boolean();
  const known = pools[name] ?? [];
  if (type === 'integer' && known.length > 0)
    return fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...known).map(Number) },
      { weight: 1, arbitrary: fc.integer({ min: minimum, max: Math.min(maximum, minimum + 1000) }) },
    );
  if (type === 'integer')
    return fc.oneof(
      fc.constantFrom(minimum, maximum),
      fc.integer({ min: minimum, max: Math.min(maximum, minimum + 1000) }),
    );
  if (type === 'number') return fc.integer({ min: minimum * 1000, max: maximum * 1000 }).map((found) => found / 1000);
  if (type === 'array')
    return fc.array(valueOf(items, name, pools), {
      minLength: minItems,
      maxLength: Math.min(maxItems, Math.max(minItems, USUAL_ITEMS)),
    });
  if (typeof additionalProperties === 'object')
    return fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/u), valueOf(additionalProperties, name, pools), {
      maxKeys: USUAL_ITEMS,
    });
  if (type === 'object') {
    const members = Object.fromEntries(
      Object.entries(properties).map(([member, inner]) => [member, valueOf(inner, member, pools)]),
    );
    return fc.record(members, { requiredKeys: [...required] }).map((record) => ({ ...record })); // a plain object, with a prototype
  }
  const free = textOf(schema);
  return known.length === 0
    ? free
    : fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: free });
}

function textOf({ format, pattern, minLength = 0, maxLength = USUAL_LENGTH }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc
      .date({ noInvalidDate: true, min: new Date('2020-01-01'), max: new Date('2040-01-01') })
      .map((date) => date.toISOString());
  if (pattern !== undefined && pattern !== '\\S')
    return fc.stringMatching(new RegExp(pattern, 'u')).filter((text) => text.length <= maxLength);
  const text = fc
    .string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, USUAL_LENGTH) })
    .map((found) => found.slice(0, maxLength).toWellFormed());
  return text.filter((found) => /\S/u.test(found) && !found.includes('\0') && found.length >= minLength);
}

/** Text that breaks things: control characters, both halves of nothing, right-to-left, what looks like a path, a number, code. */
const ODD = [
  '',
  ' ',
  '\t',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\ufeff',
  '\u202e\u2066',
  '\u2028',
  '\u200b',
  'e\u0301',
  '\u{1f469}\u200d\u{1f4bb}',
  '\uffff',
  '\u{10ffff}',
  '..',
  '../../etc/passwd',
  '%2e%2e%2f',
  '%',
  '%zz',
  '%00',
  '/',
  '//',
  '\\',
  '?',
  '#',
  '*',
  '~1',
  ':',
  '{pack}',
  '${7*7}',
  "' OR 1=1 --",
  '<script>',
  '"\r\nX-Injected: 1',
  'null',
  'undefined',
  'true',
  'NaN',
  'Infinity',
  '-0',
  '1e400',
  '0x10',
  '9007199254740993',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '1.0.0+build',
  'v1.0.0',
  '01.0.0',
  '1.0',
  '99999999999999999999.0.0',
  '1.0.0-',
  '2026-02-30T00:00:00Z',
  '2026-01-01',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:60Z',
  '+275760-09-13T00:00:00.000Z',
] as const;

/** Text that no schema expects. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom<string>(...ODD),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(64, 65, 200, 201, 301, 501, 5000).map((length) => 'a'.repeat(length)),
);

/** Longer than anything may be, still within the body limit or beyond it. */
export const hugeText: fc.Arbitrary<string> = fc.constantFrom(
  'a'.repeat(50_000),
  '\u{1f600}'.repeat(20_000),
  ' '.repeat(30_000),
  'b'.repeat(150_000),
);

const wrong: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER, [], {}, [[]], [null], ''),
  oddText,
  { weight: 1, arbitrary: fc.constant(0).map(() => nested(150)) },
  fc.jsonValue({ maxDepth: 3 }),
);

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Names of members that no schema has. */
const strange = fc.oneof(
  fc.constantFrom(
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    '',
    'actor',
    'revision',
    'Version',
    'a'.repeat(500),
    '\u0000',
    '\ud800',
    'é',
  ),
  fc.string({ maxLength: 8 }),
);

/** The value with one thing changed: another type, a member less or more, an odd or huge text, somewhere in it. */
export function spoilt(value: unknown): fc.Arbitrary<unknown> {
  const paths = pathsIn(value);
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(fc.constantFrom(...paths), wrong).map(([path, other]) => withAt(value, path, () => other)),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constantFrom(...paths), oddText).map(([path, text]) => withAt(value, path, () => text)),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom(...paths), strange, wrong)
        .map(([path, name, other]) => withAt(value, path, (found) => withMember(found, name, other))),
    },
    { weight: 2, arbitrary: fc.constantFrom(...paths).map((path) => withAt(value, path, () => undefined)) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(...paths)
        .map((path) =>
          withAt(value, path, (found) =>
            Array.isArray(found) ? [...(found as unknown[]), ...(found as unknown[])] : [found],
          ),
        ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(...paths), hugeText).map(([path, text]) => withAt(value, path, () => text)),
    },
  );
}

type Path = readonly (string | number)[];

function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inside = Array.isArray(value)
    ? value.flatMap((item, index) => pathsIn(item, [...path, index]))
    : Object.entries(value).flatMap(([name, member]) => pathsIn(member, [...path, name]));
  return [path, ...inside];
}

/** A copy with what is at the path replaced; `undefined` takes it away where JSON can. */
function withAt(value: unknown, path: Path, change: (found: unknown) => unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return change(value);
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === first ? withAt(item, rest, change) : item));
  return { ...(value as object), [first]: withAt((value as Record<string, unknown>)[first], rest, change) };
}

function withMember(found: unknown, name: string, member: unknown): unknown {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return { [name]: member };
  return Object.fromEntries([...Object.entries(found), [name, member]]); // also `__proto__`, as an own member
}
