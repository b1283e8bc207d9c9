// The contract kit has the algorithm of R13 on its own. It agrees with the registry's, which is held to an independent one.
import t from 'tap';
import { armOf, bucketOf, murmur3, subjectsAround } from '../../../clients/contract/src/buckets.ts';
import { assigning } from '../../../registry/assignment/assign.ts';
import * as registry from '../../../registry/values/buckets.ts';

const TEXTS = ['', 'a', 'ab', 'abc', 'abcd', 'user-4711', 'Zoë Müller', '用户', '😀👍🏽', 'x'.repeat(1500), '\u0000'];

t.test('hash and bucket are those of the registry', async (t) => {
  for (const text of TEXTS) t.equal(murmur3(text), registry.murmur3(text), JSON.stringify(text));
  for (let index = 0; index < 10_000; index += 1) {
    const subject = `${String.fromCodePoint(0x20 + index)}-${index}`;
    if (subject.isWellFormed() && bucketOf('7d3f', subject) !== registry.bucketOf(`7d3f:${subject}`))
      t.fail(`another bucket for ${JSON.stringify(subject)}`);
  }
  t.equal(murmur3('hello'), 0x248bfa47, 'a published test vector');
});

t.test('subjects around a share are on both sides of it, and near', async (t) => {
  for (const share of [0.5, 10, 37.5, 99]) {
    const rule = { salt: 'salt', share };
    const subjects = subjectsAround(rule, 3, 'user');
    t.strictSame(
      subjects.map((subject) => armOf(rule, subject)),
      ['candidate', 'candidate', 'candidate', 'stable', 'stable', 'stable'],
    );
    const assign = assigning({ salt: 'salt', share: share * 1000 });
    t.strictSame(
      subjects.map((subject) => assign(subject)),
      subjects.map((subject) => armOf(rule, subject)),
    );
    const distances = subjects.map((subject) => Math.abs(bucketOf('salt', subject) - share * 1000));
    t.ok(Math.max(...distances) < 500, `at most half a percent off: ${distances.join(', ')}`);
  }
});
