/**
 * The floor (SPEC R7): what a policy may contain, what violates it, and that no text can make the check hang.
 *
 * The shipped packs are checked against their own policies, and each rule of these is broken once on purpose.
 */
import fc from 'fast-check';
import t from 'tap';
import { hashOf, type Event } from '../../../registry/log/event.ts';
import type { PackContent, Violation, Policy } from '../../../registry/model.ts';
import { readPackFolders, readPolicies } from '../../../registry/packs/pack-folder.ts';
import { violationsOf } from '../../../registry/packs/floor.ts';
import { canMatch, compilePattern } from '../../../registry/packs/patterns.ts';
import { parsePolicy } from '../../../registry/packs/policy.ts';
import { PACKS } from '../../support/apps/app.ts';
import { versionOf } from '../../support/packs/pack-documents.ts';
import { policyOf } from '../../support/packs/policies.ts';
import { firstUnfrozen } from '../../support/stores/snapshots.ts';
import { words } from '../../support/process/words.ts';

const refused = (...errors: object[]) => ({ name: 'RegistryError', code: 'validation-failed', members: { errors } });

/** A content with this system prompt, and styles with these texts. */
function contentOf(
  system: string,
  styles: Readonly<Record<string, string>> = { supportive: 'Lead with what went well.' },
): PackContent {
  const [first = ''] = Object.keys(styles);
  return versionOf('coach', '1.0.0', {
    system,
    styles: Object.entries(styles).map(([id, text]) => ({ id, title: id, text })),
    defaultStyle: first,
  }).content;
}

/** `rule id asset` of each violation. */
const briefly = (violations: readonly Violation[]) =>
  violations.map(({ rule, id, asset }) => [rule, id, asset].filter((part) => part !== undefined).join(' '));

t.test('a policy that breaks its schema is refused, by pointer', async (t) => {
  const cases: [title: string, document: unknown, pointer: string][] = [
    ['no object', [], ''],
    ['nothing', null, ''],
    ['no version', { ...policyOf(), version: undefined }, '/version'],
    ['version 0', policyOf({ version: 0 }), '/version'],
    ['a version that is not an integer', policyOf({ version: 1.5 }), '/version'],
    ['a version as text', { ...policyOf(), version: '1' }, '/version'],
    ['an unknown member', { ...policyOf(), clause: [] }, '/clause'],
    ['no clauses', { ...policyOf(), clauses: undefined }, '/clauses'],
    ['a blank clause', policyOf({ clauses: [{ id: 'a', text: ' \n' }] }), '/clauses/0/text'],
    ['a clause without an id', { ...policyOf(), clauses: [{ text: 'x' }] }, '/clauses/0/id'],
    ['a rule id with blanks', policyOf({ clauses: [{ id: 'not a name', text: 'x' }] }), '/clauses/0/id'],
    ['a blank forbidden text', policyOf({ forbidden: [{ id: 'a', text: ' ' }] }), '/forbidden/0/text'],
    ['an empty pattern', policyOf({ forbidden: [{ id: 'a', pattern: '' }] }), '/forbidden/0/pattern'],
    ['an unknown limit', { ...policyOf(), limits: { styles: 1 } }, '/limits/styles'],
    ['a limit of 0', policyOf({ limits: { system: 0 } }), '/limits/system'],
    ['an invalid style name', policyOf({ requiredStyles: ['Supportive'] }), '/requiredStyles/0'],
    ['a placeholder in braces', policyOf({ placeholders: ['{{name}}'] }), '/placeholders/0'],
  ];
  for (const [title, document, pointer] of cases) t.throws(() => parsePolicy(document), refused({ pointer }), title);
});

t.test('a policy that contradicts itself is refused, with every fault at once', async (t) => {
  const document = policyOf({
    clauses: [
      { id: 'twice', text: 'One.' },
      { id: 'twice', text: 'Two.' },
      { id: 'nul', text: 'a\0b' },
    ],
    forbidden: [
      { id: 'neither' },
      { id: 'both', text: 'a', pattern: 'a' },
      { id: 'broken', pattern: '(a' },
      { id: 'half', text: 'a\ud800b' },
      { id: 'half', text: 'c' },
    ],
  });
  const errors = [
    { pointer: '/clauses/2/text', detail: /NUL/ },
    { pointer: '/forbidden/3/text', detail: /surrogate/ },
    { pointer: '/forbidden/0', detail: 'Rule "neither" must have either a text or a pattern.' },
    { pointer: '/forbidden/1', detail: 'Rule "both" must have either a text or a pattern.' },
    { pointer: '/forbidden/2/pattern', detail: /^The pattern of rule "broken" is not valid RE2: .*missing closing \)/ },
    { pointer: '/clauses/1/id', detail: 'The rule id "twice" is a duplicate.' },
    { pointer: '/forbidden/4/id', detail: 'The rule id "half" is a duplicate.' },
  ];
  t.throws(() => parsePolicy(document), refused(...errors));
  t.doesNotThrow(
    () => parsePolicy(policyOf({ clauses: [{ id: 'same', text: 'a' }], forbidden: [{ id: 'same', text: 'b' }] })),
    'a clause and a forbidden text may share an id',
  );
});

t.test('syntax that RE2 does not support is not a valid pattern', async (t) => {
  const patterns = words`
    (?=a) (?!a) (?<=a)b (?<!a)b (a)\1 (?<n>a)\k<n> (?>a) a++ *a [ a{1001} (a{1000}){1000} ((a{100}){100}){100}
    \p{Nowhere}
  `;
  for (const pattern of patterns)
    t.throws(
      () => parsePolicy(policyOf({ forbidden: [{ id: 'p', pattern }] })),
      refused({ pointer: '/forbidden/0/pattern', detail: /is not valid RE2/ }),
      pattern,
    );
  for (const pattern of ['(?i)\\bcure\\b', '\\p{L}+', '(?P<name>a|b)', 'a{1,1000}'])
    t.doesNotThrow(() => parsePolicy(policyOf({ forbidden: [{ id: 'p', pattern }] })), pattern);
});

t.test('a text that would hang a backtracking engine is checked like any other', { timeout: 60_000 }, async (t) => {
  // A backtracking engine takes 2^n or n^10 steps for each: at this length it would not return.
  const patterns = words`
    (a+)+$ ^(a|a)*$ (a|aa)+$ (.*a){20}b (?:a?){50}a{50}b ^(([a-z])+.)+[A-Z]([a-z])+$ (x+x+)+y
  `;
  const system = `${'a'.repeat(20_000)}!${'x'.repeat(20_000)}!`;
  const policy = parsePolicy(
    policyOf({ forbidden: patterns.map((pattern, index) => ({ id: `p${index}`, pattern })) }),
  ).policy;
  t.same(briefly(violationsOf(contentOf(system), policy)), []);
  t.same(
    briefly(violationsOf(contentOf(`${system} xxy`), policy)),
    ['forbidden p6 system'],
    'and it is found if present',
  );
});

t.test('a policy is frozen, and its digest does not depend on the order of members', async (t) => {
  const members = policyOf({ clauses: [{ id: 'a', text: 'One.' }] });
  const { policy, digest } = parsePolicy(members);
  t.equal(firstUnfrozen(policy), undefined);
  t.strictSame(policy, members);
  t.notOk(Object.isFrozen(members), 'the input does not change');
  t.match(digest, /^sha256:[0-9a-f]{64}$/);
  const { version, ...rest } = members;
  t.equal(parsePolicy({ ...rest, version, clauses: [{ text: 'One.', id: 'a' }] }).digest, digest);
  t.not(parsePolicy(policyOf({ clauses: [{ id: 'a', text: 'One' }] })).digest, digest);
});

t.test('the digest of a policy from an earlier build has not changed', async (t) => {
  const document = policyOf({
    clauses: [{ id: 'a', text: 'One.' }],
    forbidden: [
      { id: 'b', pattern: 'a\\r\\n' },
      { id: 'c', text: '\u00ad' },
    ],
    limits: { system: 10 },
    placeholders: ['name'],
  });
  t.equal(parsePolicy(document).digest, 'sha256:3d944fe321dc5f451f7df87c1517dcd90ca5f9e809705a18de299d46f36b963e');
});

const CLAUSE = 'You are a coach, not a therapist: café ﬁrst.';
const CLAUSES = policyOf({ clauses: [{ id: 'boundary', text: CLAUSE }] });

t.test('a clause is found in any wrapping, indentation and Unicode form', async (t) => {
  const spellings = {
    'as it is': CLAUSE,
    wrapped: CLAUSE.replaceAll(' ', '\n'),
    indented: CLAUSE.replaceAll(' ', '\n\t   '),
    'with no-break blanks': CLAUSE.replaceAll(' ', '\u00a0'),
    'with wide blanks': CLAUSE.replaceAll(' ', '\u3000'),
    decomposed: CLAUSE.normalize('NFD'),
    'without ligatures': CLAUSE.replace('ﬁ', 'fi'),
    'in wide letters': CLAUSE.replace('coach', 'ｃｏａｃｈ'),
    'with invisible characters': CLAUSE.replace('therapist', 'thera\u200bpist').replace(
      'coach',
      'co\u00adach\ufe0f\u3164',
    ),
    'with a blank of Braille': CLAUSE.replace(' ', '\u2800'),
    'inside a sentence': `Remember (${CLAUSE}) always.`,
  };
  for (const [title, spelling] of Object.entries(spellings))
    t.same(violationsOf(contentOf(`# Role\n\n${spelling}\n\nGo on.`), CLAUSES), [], title);

  const blank = fc.constantFrom(' ', '  ', '\n', '\r\n', '\t', '\u00a0', '\u2003', ' \n\n ');
  const form = fc.constantFrom('NFC' as const, 'NFD' as const, 'NFKC' as const, 'NFKD' as const);
  const respaced = fc.property(
    fc.array(blank, { minLength: 7, maxLength: 7 }),
    form,
    fc.string(),
    (blanks, spelling, around) => {
      const words = CLAUSE.split(' ');
      const text = words
        .map((word, index) => (index === 0 ? word : `${blanks[index - 1] ?? ' '}${word}`))
        .join('')
        .normalize(spelling);
      const system = `${around.replaceAll('\0', '')} ${text} ${around.replaceAll('\0', '')}`.trim();
      return violationsOf({ ...contentOf('x'), system }, { ...CLAUSES, placeholders: [] }).every(
        ({ rule }) => rule !== 'clause',
      );
    },
  );
  t.doesNotThrow(() => fc.assert(respaced, { numRuns: 300 }));
});

t.test('a changed clause counts as missing', async (t) => {
  const cases = {
    'a word less': CLAUSE.replace('not ', ''),
    'another case': CLAUSE.toLowerCase(),
    'another sign': CLAUSE.replace(',', ';'),
    'words run together': CLAUSE.replace(' a ', 'a'),
    'a letter of another script': CLAUSE.replace('coach', 'c\u043each'),
    'an accent less': CLAUSE.replace('é', 'e'),
  };
  for (const [title, system] of Object.entries(cases)) {
    t.same(
      violationsOf(contentOf(system), CLAUSES),
      [
        {
          rule: 'clause',
          id: 'boundary',
          asset: 'system',
          detail: 'The system prompt must contain: "You are a coach, not a therapist: café first."',
        },
      ],
      title,
    );
  }
  t.same(
    briefly(violationsOf(contentOf('Another.', { supportive: CLAUSE }), CLAUSES)),
    ['clause boundary system'],
    'in a style it does not count',
  );
});

t.test(
  'a forbidden text is found in any case and spacing, in every prompt; a pattern matches as written',
  async (t) => {
    const policy = policyOf({
      forbidden: [
        { id: 'cure', text: 'Guaranteed  CURE' },
        { id: 'todo', pattern: '\\bTODO\\b' },
        { id: 'wrapped', pattern: 'two\\s+words' },
      ],
    });
    const check = (system: string, style = 'Fine.') =>
      briefly(violationsOf(contentOf(system, { supportive: 'Fine.', direct: style }), policy));
    t.same(check('A guaranteed\ncure.'), ['forbidden cure system']);
    t.same(check('ＧＵＡＲＡＮＴＥＥＤ\u00a0cure'), ['forbidden cure system']);
    t.same(check('Fine.', 'guaranteed cure'), ['forbidden cure styles/direct']);
    t.same(check('TODO: a guaranteed cure', 'TODO'), [
      'forbidden cure system',
      'forbidden todo system',
      'forbidden todo styles/direct',
    ]);
    t.same(check('todo, TODOS, not guaranteed, cure'), [], 'a pattern is as strict as it is written');
    t.same(
      check('These two\n   words.'),
      ['forbidden wrapped system'],
      'a blank that may be a line break is written \\s+',
    );
    const [violation] = violationsOf(contentOf('TODO'), policy);
    t.equal(violation?.detail, 'Must not match \\bTODO\\b.');
  },
);

t.test('patterns see the served text with every line end as LF', async (t) => {
  const cases: [pattern: string, found: string[], not: string[]][] = [
    ['(?m)^TODO', ['TODO', 'a\nTODO b', 'a\r\nTODO', 'a\rTODO', 'a\r\r\nTODO'], ['a TODO']],
    ['(?m)^<<<<<<< ', ['a\n<<<<<<< HEAD\nb'], ['a <<<<<<< HEAD']],
    ['(?m)wait$', ['wait\rnow', 'wait\r\nnow'], ['wait now']],
    ['\\n\\n\\n', ['a\n\n\nb', 'a\r\n\r\n\r\nb', 'a\r\r\rb'], ['a\n\nb']],
    ['  ', ['a  b'], ['a b', 'a\u00a0 b']],
    ['\\x{00A0}', ['a\u00a0b'], ['a b']],
    ['ＡＢＣ', ['ＡＢＣ'], ['ABC']],
    ['ﬁ', ['ﬁrst'], ['first']],
    ['[\\x{00AD}\\x{200B}]', ['soft\u00adhyphen'], ['soft-hyphen']],
    ['\\Acoach', ['coach'], ['a\ncoach']],
  ];
  for (const [pattern, found, not] of cases) {
    const { policy } = parsePolicy(policyOf({ forbidden: [{ id: 'p', pattern }] }));
    for (const text of found)
      t.same(
        briefly(violationsOf(contentOf(text), policy)),
        ['forbidden p system'],
        `${pattern} in ${JSON.stringify(text)}`,
      );
    for (const text of not)
      t.same(briefly(violationsOf(contentOf(text), policy)), [], `${pattern} not in ${JSON.stringify(text)}`);
  }
});

t.test('a new pattern that can never match is refused', async (t) => {
  const faultsOf = (pattern: string) => parsePolicy(policyOf({ forbidden: [{ id: 'p', pattern }] })).faultsIfNew;
  const dead = [
    ' \\b ',
    'a\\B ',
    ...words`
    \r a\r\n [\r] \x00 a\x{0}b \x{D800} [^\x00-\x{10FFFF}] $a a^b a\Ab \zb (?m)a^b (?m)a$b a\bb \b\B (a|b)\r+ (?i)x\r
  `,
  ];
  for (const pattern of dead)
    t.match(faultsOf(pattern), [{ pointer: '/forbidden/0/pattern', detail: /^Rule "p" can never match\. / }], pattern);
  const alive = [
    'a\\b ',
    '(?i)\\b(we|I) (can|will)\\b',
    ...words`
    \r?\n a|\r [\r\n] ^$ (?m)^$ (?m)^TODO$ \n\n\n \s . (?s). [^a] \bTODO\b \Ba (?i)k \x{212A} \p{Cf} \W \D ^\x{FEFF}
    a$ (?m)a$\nb \A\z [\x{D800}-\x{E000}]
  `,
  ];
  for (const pattern of alive) t.same(faultsOf(pattern), [], pattern);
});

t.test('a pattern that can match is never refused as one that cannot', async (t) => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '\\n',
    '\\r',
    ' ',
    '^',
    '$',
    '\\b',
    '\\B',
    '.',
    '(?m:^)',
    '(?m:$)',
    '(?i:k)',
    '[^a]',
    '\\W',
    '\\x00',
    '\\A',
    '\\z',
    'a?',
    '(?:a|\\r)',
    '[b-z]*',
  );
  const pattern = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'k', '\u212a', '\n', ' ', 'é'), maxLength: 8 });
  let matched = 0;
  const sound = fc.property(pattern, fc.array(text, { minLength: 20, maxLength: 20 }), (given, texts) => {
    const compiled = compilePattern(given);
    const found = texts.some((each) => compiled.matcher(each).find());
    if (found) matched++;
    return !found || canMatch(compiled);
  });
  t.doesNotThrow(() => fc.assert(sound, { numRuns: 500 }));
  t.ok(matched > 50, `${matched} patterns matched`);
});

t.test('an invisible character hides nothing, and is named with its position if it makes the difference', async (t) => {
  const policy = policyOf({ forbidden: [{ id: 'cure', text: 'guaranteed cure' }] });
  const detail = (system: string) => violationsOf(contentOf(system), policy).map((violation) => violation.detail);
  for (const character of [
    '\u00ad',
    '\u034f',
    '\u061c',
    '\u115f',
    '\u180e',
    '\u200b',
    '\u200d',
    '\u2060',
    '\u3164',
    '\ufe0f',
    '\ufeff',
    '\uffa0',
    '\u{e0041}',
  ]) {
    const code = `U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`;
    t.same(
      detail(`Fine \u200b.\n A Guaran${character}teed\n\ncure, \u00ad.`),
      [`Must not contain "guaranteed cure". Invisible characters hide it: ${code} at line 2, column 10.`],
      code,
    );
  }
  t.same(detail('g\u00adu\u00ada\u00adr\u00ada\u00adn\u00adteed cure'), [
    'Must not contain "guaranteed cure". Invisible characters hide it: U+00AD at line 1, column 2; U+00AD at line 1, column 4; U+00AD at line 1, column 6; U+00AD at line 1, column 8; U+00AD at line 1, column 10 and more.',
  ]);
  t.same(
    detail('A \u00ad guaranteed cure'),
    ['Must not contain "guaranteed cure".'],
    'only if it makes the difference',
  );
  t.same(detail('guaranteed\u2800cure'), ['Must not contain "guaranteed cure".'], 'a blank is a blank');
});

t.test('an invisible text is refused in a new policy, and matched literally in an old one', async (t) => {
  const { policy, faultsIfNew } = parsePolicy(
    policyOf({ clauses: [{ id: 'c', text: '\u2800\u200b' }], forbidden: [{ id: 'f', text: '\u00ad' }] }),
  );
  t.match(faultsIfNew, [
    { pointer: '/clauses/0/text', detail: /^This text has no visible character/ },
    { pointer: '/forbidden/0/text' },
  ]);
  t.same(briefly(violationsOf(contentOf('Plain.'), policy)), ['clause c system']);
  t.same(briefly(violationsOf(contentOf('Soft\u00adhyphen \u2800\u200b.'), policy)), ['forbidden f system']);
});

t.test('only known placeholders are allowed in double braces', async (t) => {
  const policy = policyOf({ placeholders: ['user_name', 'locale'] });
  const check = (system: string) => briefly(violationsOf(contentOf(system), policy));
  t.same(check('Hello {{user_name}}, {{ locale }}, {one}, { {two} }, }}{{.'), []);
  t.same(check('{"user": {{user_name}}}, \\frac{a}{b_{c}}, {"a": {"b": {}}}, {{ {a} }}'), [], 'braces of others');
  t.same(
    check('{{user}} {{user}} {{ Locale }} {{}}'),
    ['placeholder user system', 'placeholder Locale system', 'placeholder  system'],
    'each once',
  );
  t.same(briefly(violationsOf(contentOf('Fine.', { direct: 'For {{name}}' }), policy)), [
    'placeholder name styles/direct',
  ]);
  t.equal(
    violationsOf(contentOf('{{user}}'), policy)[0]?.detail,
    '{{user}} is not a known placeholder; known: user_name, locale.',
  );
  t.match(violationsOf(contentOf('{{user}}'), policyOf())[0]?.detail, /known: none\.$/);
  t.equal(
    violationsOf(contentOf('Hello\n{{user\u200b_name}}'), policy)[0]?.detail,
    '{{user\u200b_name}} is not a known placeholder; known: user_name, locale. It contains invisible characters: U+200B at line 2, column 7.',
  );
});

t.test('malformed placeholders are reported with their position', async (t) => {
  const policy = policyOf({ placeholders: ['user_name'] });
  for (const written of [
    '{{ user_name }',
    '{{user_name {',
    '{{user_name, how are you?',
    ...words`
    {{{user_name}}} {{user_name} {{{user_name} {{user_name {{{{user_name}}}} {{other} {{{user_name}}
  `,
  ]) {
    const violations = violationsOf(contentOf(`Hello\n ${written}`), policy);
    t.match(
      violations,
      [
        {
          rule: 'placeholder',
          detail: /^"\{\{.*" at line 2, column 2 is a malformed placeholder; write two braces on each side: \{\{/,
        },
      ],
      written,
    );
    t.equal(violations.length, 1);
  }
});

t.test('a policy without placeholders ignores braces', async (t) => {
  const { placeholders: _, ...rest } = policyOf();
  const { policy } = parsePolicy(rest);
  t.same(violationsOf(contentOf('{{#if x}} {{"a": 1}} \\frac{{a}}{{b}} {{{name}}} {{name}'), policy), []);
});

t.test('the report on placeholders is bounded, and can be stored in the log', async (t) => {
  const many = Array.from({ length: 10_000 }, (_, index) => `{{p${index}}}`).join(' ');
  t.equal(violationsOf(contentOf(many, { direct: many }), policyOf()).length, 40, 'twenty a prompt');
  const violations = violationsOf(contentOf(`{{${'a'.repeat(62)}🌱}} {{${'b'.repeat(100_000)}}}`), policyOf());
  t.ok(violations.every(({ id = '', detail }) => id.length <= 63 && detail.length < 200 && detail.isWellFormed()));
  t.doesNotThrow(() => hashOf({ data: { violations } } as unknown as Event), 'no half of a surrogate pair is left');
});

t.test('limits are inclusive, for each prompt and for all together', async (t) => {
  const styles = { supportive: 's'.repeat(10), direct: 'd'.repeat(20) };
  const check = (limits: Policy['limits']) =>
    briefly(violationsOf(contentOf('x'.repeat(30), styles), policyOf({ limits })));
  t.same(check({ system: 30, style: 20, total: 60 }), []);
  t.same(check({ system: 29 }), ['limit system']);
  t.same(check({ style: 19 }), ['limit styles/direct']);
  t.same(check({ style: 9 }), ['limit styles/supportive', 'limit styles/direct']);
  t.same(check({ total: 59 }), ['limit']);
  t.equal(
    violationsOf(contentOf('x'.repeat(30), styles), policyOf({ limits: { total: 59 } }))[0]?.detail,
    'All prompts together: 60 characters; the limit is 59.',
  );
});

t.test('a required style must exist', async (t) => {
  const policy = policyOf({ requiredStyles: ['direct', 'supportive', 'concise'] });
  t.same(violationsOf(contentOf('x', { supportive: 'y' }), policy), [
    { rule: 'required-style', id: 'direct', detail: 'Every version must have the style "direct".' },
    { rule: 'required-style', id: 'concise', detail: 'Every version must have the style "concise".' },
  ]);
});

t.test('pure: same result each time, frozen, and the input does not change', async (t) => {
  const word = fc.constantFrom('You are a coach.', 'TODO', '{{name}}', '{{user}}', 'é', 'é', '\n', 'cure', '🌱');
  const text = fc.array(word, { minLength: 1, maxLength: 8 }).map((words) => `x${words.join(' ')}`);
  const policy = parsePolicy(
    policyOf({
      clauses: [{ id: 'coach', text: 'You are a coach.' }],
      forbidden: [
        { id: 'todo', pattern: 'TODO' },
        { id: 'cure', text: 'CURE' },
      ],
      requiredStyles: ['direct'],
      limits: { system: 40, style: 20, total: 70 },
      placeholders: ['name'],
    }),
  ).policy;
  let broken = 0;
  const pure = fc.property(
    text,
    fc.dictionary(fc.constantFrom('direct', 'supportive', 'concise'), text, { minKeys: 1 }),
    (system, styles) => {
      const content = contentOf(system, styles);
      const before = JSON.stringify(content);
      const [first, second] = [
        violationsOf(content, policy),
        violationsOf(content, parsePolicy(structuredClone(policy)).policy),
      ];
      broken += first.length;
      return (
        JSON.stringify(first) === JSON.stringify(second) &&
        JSON.stringify(content) === before &&
        firstUnfrozen(first) === undefined
      );
    },
  );
  t.doesNotThrow(() => fc.assert(pure, { numRuns: 300 }));
  t.ok(broken > 300, `${broken} violations were looked at`);
});

t.test('the shipped packs meet their policies, and every rule applies to them', async (t) => {
  const [shipped, policies] = [await readPackFolders(PACKS), await readPolicies(PACKS)];
  t.same(
    policies.map(({ pack }) => pack),
    [...new Set(shipped.map(({ version }) => version.content.pack))],
    'each pack has one',
  );
  for (const { version } of shipped) {
    const { content } = version;
    const { policy } = policies.find(({ pack }) => pack === content.pack)!;
    const name = `${content.pack} ${content.version}`;
    t.same(violationsOf(content, policy), [], name);

    t.ok(policy.clauses.length >= 4 && policy.forbidden.length >= 3, 'a real one');
    for (const { id, text } of policy.clauses) {
      const words = text.split(/\s+/u).map((word) => word.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&'));
      const without = content.system.replace(new RegExp(words.join('\\s+'), 'gu'), 'Be kind.');
      t.same(
        briefly(violationsOf({ ...content, system: without }, policy)),
        [`clause ${id} system`],
        `${name} without ${id}`,
      );
    }
    const worse = (text: string) => briefly(violationsOf({ ...content, system: `${content.system} ${text}` }, policy));
    t.same(worse('We can cure your fear.'), ['forbidden promises-a-cure system']);
    t.same(worse('Everything you say is  confidential.'), ['forbidden claims-confidentiality system']);
    t.same(worse('TODO'), ['forbidden unfinished system']);
    t.same(worse('{{password}}'), ['placeholder password system']);
    t.same(worse('x'.repeat(policy.limits.system ?? 0)), ['limit system']);
    const [required = ''] = policy.requiredStyles;
    const styles = content.styles.filter(({ id }) => id !== required);
    t.same(briefly(violationsOf({ ...content, styles }, policy)), [`required-style ${required}`]);
  }
});
