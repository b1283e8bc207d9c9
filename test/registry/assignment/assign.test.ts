/** Which arm a subject gets: vectors for other languages, and what must hold for every subject (SPEC R13). */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import independent from 'murmurhash3js-revisited';
import semver from 'semver';
import t from 'tap';
import { assigning } from '../../../registry/assignment/assign.ts';
import { explainAssignment } from '../../../registry/assignment/explain.ts';
import { membershipOf } from '../../../registry/assignment/audience.ts';
import type { Operator } from '../../../registry/model.ts';
import { audienceFaults } from '../../../registry/rollouts/audience-faults.ts';
import { BUCKETS, bucketOf, bucketsAfter, murmur3 } from '../../../registry/values/buckets.ts';
import { sectionOf, textOf } from '../../support/docs/pages.ts';

/** Computed with the C++ reference, `MurmurHash3_x86_32` of smhasher, over UTF-8 bytes with seed 0. */
const HASHES: readonly (readonly [text: string, hash: number])[] = [
  ['', 0],
  ['a', 0x3c2569b2],
  ['abc', 0xb3dd93fa],
  ['hello', 0x248bfa47],
  ['hello, world', 0x149bbb7f],
  ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
];

t.test('the hash is MurmurHash3 over UTF-8', async (t) => {
  for (const [text, hash] of HASHES) t.equal(murmur3(text), hash, text);
  for (const text of ['', 'user-42', 'jürgen', '😀'.repeat(100), 'ü'.repeat(2000), 'x'.repeat(2000)])
    t.equal(bucketsAfter('salt-ß:')(text), bucketOf(`salt-ß:${text}`), 'a prefix that is encoded once');
  t.not(murmur3('ü'), murmur3('\u0075\u0308'), 'no normalisation');
});

t.test('the vectors of docs/rollouts.md are right, by ours and by an independent implementation', async (t) => {
  const rows = [
    ...sectionOf(textOf('docs/rollouts.md'), 'Who gets what').matchAll(
      /^\| `(.+)` \| `(.+)` \| `([0-9a-f]{8})` \| (\d+) \|$/gmu,
    ),
  ];
  t.equal(rows.length, 12);
  for (const [, salt, subject, hash = '', bucket] of rows) {
    const text = `${salt}:${subject}`;
    t.equal(independent.x86.hash32([...Buffer.from(text)], 0), Number.parseInt(hash, 16), `the hash of ${text}`);
    t.equal(bucketOf(text), Number(bucket), `the bucket of ${text}`);
  }
  const property = fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
    assert.equal(murmur3(text), independent.x86.hash32([...Buffer.from(text)], 0));
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }), 'any text');
});

t.test('a higher share takes the candidate from nobody, a lower one gives it to nobody new', async (t) => {
  const property = fc.property(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.integer({ min: 0, max: BUCKETS }),
    fc.integer({ min: 0, max: BUCKETS }),
    (subject, salt, one, other) => {
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      const arms = [low, high].map((share) => assigning({ salt, share })(subject));
      assert.ok(arms[0] === 'stable' || arms[1] === 'candidate');
      assert.equal(assigning({ salt, share: BUCKETS })(subject), 'candidate', '100 % is everybody');
      assert.equal(assigning({ salt, share: 0 })(subject), 'stable', '0 % is nobody');
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2000 }));
});

/** Pearson's chi-square of observed counts against equal ones. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

t.test('a million subjects fall evenly, and independently between salts', async (t) => {
  const CELLS = 100;
  const [counts, joint] = [new Array<number>(CELLS).fill(0), new Array<number>(CELLS).fill(0)];
  for (let index = 0; index < 1_000_000; index += 1) {
    const one = bucketOf(`salt-one:user-${index}`);
    const other = bucketOf(`salt-two:user-${index}`);
    counts[Math.floor(one / 1000)] = (counts[Math.floor(one / 1000)] ?? 0) + 1;
    const cell = Math.floor(one / 10_000) * 10 + Math.floor(other / 10_000);
    joint[cell] = (joint[cell] ?? 0) + 1;
  }
  // 99 degrees of freedom: 148.2 is exceeded once in 1,000.
  t.ok(chiSquare(counts) < 148.2, `evenly: ${chiSquare(counts).toFixed(1)}`);
  t.ok(chiSquare(joint) < 148.2, `independently: ${chiSquare(joint).toFixed(1)}`);
});

t.test('testers and the audience', async (t) => {
  const audience = {
    conditions: [{ attribute: 'country', operator: 'in' as const, values: ['de', 'at'] }],
    subjects: ['tester'],
  };
  const assign = assigning({ salt: 's', share: BUCKETS, audience });
  t.equal(assign('anybody', { country: 'de' }), 'candidate');
  t.equal(assign('anybody', { country: 'fr' }), 'stable');
  t.equal(assign('anybody'), 'stable', 'a missing attribute');
  t.equal(assign(undefined, { country: 'de' }), 'stable', 'no subject');
  t.equal(assigning({ salt: 's', share: 0, audience })('tester'), 'candidate', 'a tester, at any share');
});

t.test('operators', async (t) => {
  const rows: readonly (readonly [Operator, readonly string[], value: string, holds: boolean])[] = [
    ['in', ['a', 'b'], 'b', true],
    ['in', ['a', 'b'], 'B', false],
    ['notIn', ['a', 'b'], 'c', true],
    ['notIn', ['a', 'b'], 'a', false],
    ['startsWith', ['x', 'ab'], 'abc', true],
    ['endsWith', ['bc'], 'abc', true],
    ['contains', ['b'], 'abc', true],
    ['contains', ['d'], 'abc', false],
    ['equals', ['true'], 'true', true],
    ['equals', ['true'], 'True', false],
    ['greaterThan', ['17'], '17.5', true],
    ['greaterThan', ['17'], '17', false],
    ['greaterThan', ['17'], 'thirty', false],
    ['greaterThan', ['17'], '0x20', false],
    ['greaterThan', ['17'], '1e3', true],
    ['greaterThan', ['17'], ' 18', false],
    ['greaterThan', ['17'], '018', false],
    ['greaterThan', ['17'], '1234567890', true],
    ['lessThan', ['1234567890'], '999999999', true],
    ['lessThan', ['1'], '0', true],
    ['lessThan', ['0'], '-0.5', true],
    ['lessThan', ['0'], '', false],
    ['semver', ['>=2.1.0 <3.0.0'], '2.5.1', true],
    ['semver', ['>=2.1.0 <3.0.0'], '3.0.0', false],
    ['semver', ['>=2.1.0 <3.0.0'], 'latest', false],
    ['before', ['2027-01-01T00:00:00Z'], '2026-12-31T23:59:59.999Z', true],
    ['before', ['2027-01-01T00:00:00Z'], '2027-01-01T00:30:00+01:00', true],
    ['before', ['2027-01-01T00:00:00Z'], '2026-12-31', false],
    ['after', ['2027-01-01T00:00:00Z'], '2027-01-01T00:00:00.001Z', true],
    ['after', ['2027-01-01T00:00:00Z'], 'tomorrow', false],
    ['after', ['2024-01-01T00:00:00Z'], '2024-02-29T00:00:00Z', true],
    ['after', ['2024-01-01T00:00:00Z'], '2027-02-29T00:00:00Z', false], // no such day
    ['after', ['2024-01-01T00:00:00Z'], '2027-01-01T24:00:00Z', false], // no such hour
    ['after', ['2024-01-01T00:00:00Z'], '2027-01-01T00:00:00+24:00', false],
  ];
  for (const [operator, values, value, holds] of rows) {
    const takesPart = membershipOf({ conditions: [{ attribute: 'a', operator, values: [...values] }] });
    t.equal(takesPart({ a: value }), holds, `${value} ${operator} ${values.join()}`);
    t.equal(takesPart({}), false, `nothing ${operator} ${values.join()}`);
  }
  t.equal(membershipOf({ conditions: [{ attribute: 'constructor', operator: 'notIn', values: ['a'] }] })({}), false);
});

t.test('a condition gives the same answers however many versions it has seen', async (t) => {
  const range = '>=1.50.0 <1.150.0';
  const takesPart = membershipOf({ conditions: [{ attribute: 'a', operator: 'semver', values: [range] }] });
  const versions = Array.from({ length: 250 }, (_, index) => `1.${index}.0`);
  const inRange = versions.filter((version) => semver.satisfies(version, range));
  for (const pass of ['first', 'second'])
    t.strictSame(
      versions.filter((a) => takesPart({ a })),
      inRange,
      `the ${pass} time`,
    );
  t.equal(inRange.length, 100);
});

t.test('what is wrong with an audience', async (t) => {
  const faults = (operator: Operator, ...values: string[]) =>
    audienceFaults({ conditions: [{ attribute: 'a', operator, values }] });
  t.match(faults('equals', 'a', 'b'), [{ pointer: '/conditions/0/values', detail: /exactly one value/u }]);
  t.match(faults('greaterThan', 'many'), [{ pointer: '/conditions/0/values/0', detail: /number/u }]);
  t.match(faults('lessThan', 'NaN'), [{ detail: /number/u }]);
  t.match(faults('before', '2027-01-01'), [{ detail: /with its zone/u }]);
  t.match(faults('semver', 'latest'), [{ detail: /SemVer range/u }]);
  const many = {
    attribute: 'a',
    operator: 'in' as const,
    values: Array.from({ length: 600 }, (_, index) => `${index}`),
  };
  t.match(audienceFaults({ conditions: [many, many] }), [{ detail: /1200 values together/u }]);
  t.same(audienceFaults({}), []);
});

t.test('the reason for an arm is the one that decided', async (t) => {
  const conditions = [
    { attribute: 'country', operator: 'in', values: ['de', 'at'] },
    { attribute: 'age', operator: 'greaterThan', values: ['17'] },
  ] as const;
  const audience = {
    conditions: conditions.map((each) => ({ ...each, values: [...each.values] })),
    subjects: ['anna'],
  };
  const rule = { salt: 'nYw2x0pZ1fJ3kQ8s', share: 41_994, audience };
  const fits = { country: 'de', age: '30' };
  t.same(explainAssignment(rule, 'anna'), { arm: 'candidate', because: 'tester' });
  t.match(explainAssignment(rule, 'user-42', { age: '30' }), {
    arm: 'stable',
    because: 'audience',
    unmet: conditions[0],
  });
  t.match(explainAssignment(rule, 'user-42', { country: 'de', age: '17' }), { arm: 'stable', unmet: conditions[1] });
  t.same(explainAssignment(rule, 'user-42', fits), { arm: 'candidate', because: 'bucket', bucket: 41_993 });
  t.same(explainAssignment({ ...rule, share: 41_993 }, 'user-42', fits), {
    arm: 'stable',
    because: 'bucket',
    bucket: 41_993,
  });
  for (let index = 0; index < 1000; index += 1) {
    const subject = `üser-${index}`;
    const attributes = { country: index % 3 === 0 ? 'fr' : 'at', age: `${index % 40}` };
    const { arm, ...why } = explainAssignment(rule, subject, attributes);
    if (arm !== assigning(rule)(subject, attributes)) t.fail(`another arm for ${subject}`);
    const candidate = why.because === 'bucket' && why.bucket < rule.share;
    if (candidate !== (arm === 'candidate')) t.fail(`the reason of ${subject} contradicts its arm`);
  }
});
