/**
 * The query of a read that a rollout decides has a separate parser (`plugins/read-query.ts`). Nobody may see the difference.
 *
 * The same query with a `&` before it has the same meaning and takes the general parser, so every request is sent both ways.
 */
import assert from 'node:assert/strict';
import { parse } from 'fast-querystring';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { queryOf, ReadQuery } from '../../plugins/read-query.ts';
import { openApp } from '../support/apps/app.ts';

const QUERIES = 2000;
/** Three reads that take different parameters, and an operation that takes no subject. */
const PATHS = [
  '/v1/packs/coach/active',
  '/v1/prompts/system',
  '/v1/prompts/styles/reflective',
  '/v1/packs/coach/activations',
];

/** Values that are right, and values that a parser may get wrong. */
const VALUES = [
  ...['user-42', 'de', '2.1.0', 'a=b', 'a%3Db', 'a:b', 'a+b', 'a%2Bb', 'a%20b', 'a%26b', 'a%23b', '%25', 'constructor'],
  ...['j%C3%BCrgen', 'jürgen', '%F0%9F%98%80', '😀', '%c3%bc', '%00', '%', '%zz', '%C3', '%ED%A0%80', 'a%'],
  ...[
    '',
    '+',
    ' ',
    'x'.repeat(200),
    'x'.repeat(201),
    '%C3%BC'.repeat(200),
    '%F0%9F%98%80'.repeat(200),
    '%20'.repeat(201),
  ],
];
const NAMES = [
  ...['country', 'plan', 'a', 'aB9', 'constructor', 'toString'],
  ...['', 'Country', '9a', 'a-b', '__proto__', 'ü', 'n'.repeat(63), 'n'.repeat(64), 'count%72y'],
];
const value = fc.constantFrom(...VALUES);
const attribute = fc
  .tuple(fc.constantFrom(...NAMES), fc.constantFrom(':', '%3A', '%3a', '', '%3'), value)
  .map((parts) => `attribute=${parts.join('')}`);
const parameter = fc.oneof(
  { weight: 6, arbitrary: attribute },
  { weight: 4, arbitrary: fc.constantFrom('attribute=country:de', 'attribute=plan%3Apro', 'subject=user-42') },
  { weight: 3, arbitrary: value.map((text) => `subject=${text}`) },
  fc.constantFrom('channel=production', 'channel=staging', 'channel=Staging', 'channel=none', 'channel=', 'channel'),
  fc.constantFrom('pack=coach', 'pack=none', 'pack=co%61ch', 'pack=', 'pack=coach+'),
  fc.constantFrom(
    '',
    'subject',
    'attribute',
    'Subject=a',
    'subjec=a',
    'sub%6Aect=a',
    'limit=1',
    '=a',
    '#',
    'attribute[]=a:b',
  ),
);
const query = fc.oneof(
  { weight: 9, arbitrary: fc.array(parameter, { minLength: 1, maxLength: 5 }).map((all) => all.join('&')) },
  fc.integer({ min: 19, max: 22 }).map((count) => attributesOf(count)),
);

/** So many attributes that are right. */
function attributesOf(count: number): string {
  return ['subject=user-1', ...Array.from({ length: count }, (_, index) => `attribute=a${index}:x`)].join('&');
}

async function openReads(t: Test) {
  const { app, key } = await openApp(t, { store: 'memory', registry: { defaultVersion: '1.1.0' } });
  await app.registry.rollouts.start({
    version: '2.0.0',
    steps: [{ share: 50 }],
    finish: 'wait',
    audience: {
      conditions: [{ attribute: 'country', operator: 'in', values: ['de', 'j\u00fcrgen', 'a b', '\u{1f600}'] }],
      subjects: ['user-42'], // both arms occur, whatever the salt
    },
    reason: 'Two arms',
  });
  return async (url: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await app.inject({ url, headers: { authorization: `Bearer ${key}`, ...headers } });
    // The clock says both, not the query: a machine that is very busy renews no lease for a while.
    const { date: _, 'registry-stale': _age, ...rest } = answer.headers;
    return { status: answer.statusCode, headers: rest, body: answer.body };
  };
}

t.test('both parsers give the same answer', async (t) => {
  const ask = await openReads(t);
  const seen = { short: 0, arms: new Set<unknown>(), statuses: new Set<number>() };
  const property = fc.asyncProperty(fc.constantFrom(...PATHS), query, async (path, text) => {
    const answer = await ask(`${path}?${text}`);
    if (queryOf(text) instanceof ReadQuery) seen.short += 1;
    seen.arms.add(answer.headers['registry-assignment']);
    seen.statuses.add(answer.status);
    assert.deepEqual(answer, await ask(`${path}?&${text}`));
  });
  await t.resolves(fc.assert(property, { numRuns: QUERIES }));
  t.ok(seen.short > QUERIES / 10, `control: the parser of reads took ${seen.short} of ${QUERIES}`);
  t.equal(seen.arms.size, 3, 'control: both arms, and answers without an arm');
  t.strictSame([...seen.statuses].sort(), [200, 400, 404]);
});

t.test('the parser of reads takes what browsers and people write', async (t) => {
  const usual = new URLSearchParams([
    ['subject', 'jürgen 😀'],
    ['attribute', 'country:de'],
    ['attribute', 'note:a+b: 100 %'],
    ['pack', 'coach'],
  ]);
  for (const text of [
    String(usual),
    'subject=user-42&attribute=country:de',
    'attribute=a:&channel=staging',
    attributesOf(20),
  ])
    t.ok(queryOf(text) instanceof ReadQuery, text);
  t.match(queryOf(String(usual)), {
    subject: 'jürgen 😀',
    pack: 'coach',
    attributes: { country: 'de', note: 'a+b: 100 %' },
  });
  for (const text of ['&subject=user-42', 'subject=user-42&', 'channel=staging', '', 'subject=%00', attributesOf(21)])
    t.notOk(queryOf(text) instanceof ReadQuery, `in doubt: ${text}`);
});

t.test('what the parser of reads takes, the general parser reads alike', async (t) => {
  const raw = fc.string({
    unit: fc.constantFrom('ü', ' ', '\0', '\ud800', '%', '2', 'B', '+', '=', ':', 'a'),
    maxLength: 4,
  });
  const text = fc.tuple(query, raw, fc.constantFrom('', '&attribute=b:c')).map((parts) => parts.join(''));
  const property = fc.property(text, (text) => {
    const short = queryOf(text);
    if (!(short instanceof ReadQuery)) return;
    const { pack, channel, subject, attribute = [] } = parse(text) as Record<string, string | undefined>;
    const pairs = [attribute]
      .flat()
      .map((pair) => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)]);
    assert.deepEqual(short.attributes, Object.fromEntries(pairs));
    assert.equal(Object.keys(short.attributes).length, pairs.length, 'each name once');
    assert.deepEqual([short.pack, short.channel, short.subject], [pack, channel, subject]);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5000 }));
});

t.test('the subject in a header, with attributes in the query, has the same answer as both in the query', async (t) => {
  const ask = await openReads(t);
  for (const subject of ['user-1', 'user-2', 'user-3', 'user-4', 'jürgen', '😀'])
    for (const attributes of ['attribute=country:de', 'attribute=country:fr']) {
      const name = encodeURIComponent(subject);
      const expected = await ask(`${PATHS[0]}?subject=${name}&${attributes}`);
      for (const start of ['', '&'])
        t.strictSame(await ask(`${PATHS[0]}?${start}${attributes}`, { 'registry-subject': name }), expected);
    }
  for (const header of ['', 'x'.repeat(201), '%', '%00', 'x'.repeat(2401)])
    for (const start of ['', '&'])
      t.match(await ask(`${PATHS[0]}?${start}attribute=country:de`, { 'registry-subject': header }), { status: 400 });
});
