/** Version ranges give what the library `semver` gives. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import semver from 'semver';
import t from 'tap';
import { rangeOf } from '../../../registry/values/version-ranges.ts';

const number = fc.integer({ min: 0, max: 3 }).map(String);
const part = fc.oneof({ weight: 4, arbitrary: number }, { weight: 1, arbitrary: fc.constantFrom('x', 'X', '*') });
const identifier = fc.constantFrom('0', '1', '10', 'a', 'alpha', 'b-c', '-', '1a');
const suffix = fc
  .tuple(fc.array(identifier, { maxLength: 3 }), fc.constantFrom('', '', '+build.7'))
  .map(([pre, build]) => `${pre.length === 0 ? '' : `-${pre.join('.')}`}${build}`);
const version = fc
  .tuple(fc.constantFrom('', '', '', 'v', ' '), number, number, number, suffix)
  .map(([before, major, minor, patch, end]) => `${before}${major}.${minor}.${patch}${end}`);
const partial = fc.oneof(
  version.map((each) => each.trim()),
  fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.')),
);
const operator = fc.constantFrom('', '', '=', '<', '<=', '>', '>=', '^', '~', '~>', '> ', '^ ', '~ ', '>= v', '=v');
const simple = fc.tuple(operator, partial).map((pair) => pair.join(''));
const alternative = fc.oneof(
  fc.array(simple, { maxLength: 3 }).map((words) => words.join('  ')),
  fc.tuple(partial, partial).map((pair) => pair.join(' - ')),
);
const range = fc.array(alternative, { minLength: 1, maxLength: 3 }).map((each) => each.join(' || '));

t.test('a version is within a valid range if the library says so', async (t) => {
  const [counts, property] = [
    { within: 0, outside: 0 },
    fc.property(range, fc.array(version, { minLength: 5, maxLength: 5 }), (text, versions) => {
      fc.pre(semver.validRange(text) !== null);
      const isWithin = rangeOf(text);
      for (const each of versions) {
        const expected = semver.valid(each) !== null && new semver.Range(text).test(each);
        counts[expected ? 'within' : 'outside'] += 1;
        assert.equal(isWithin(each), expected, `${each} in ${text}`);
      }
    }),
  ];
  t.doesNotThrow(() => fc.assert(property, { numRuns: 4000 }));
  t.ok(counts.within > 1000 && counts.outside > 1000, JSON.stringify(counts));
});

t.test('what is not a version is within no range', async (t) => {
  for (const text of [
    '',
    '1',
    '1.2',
    '1.2.3.4',
    '01.2.3',
    'latest',
    `1.2.3-${'a'.repeat(256)}`,
    '9007199254740993.0.0',
  ])
    t.strictSame([rangeOf('*')(text), semver.valid(text)], [false, null], text);
});
