/**
 * Pack documents: which faults are refused and how they are named, what is normalised, and that the same prompts always give the same
 * digest, from disk or over HTTP (SPEC R1).
 */
import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import { RegistryError } from '../../../registry/errors.ts';
import type { PackDocument, InputFault } from '../../../registry/model.ts';
import { parsePack } from '../../../registry/packs/pack.ts';
import { normalizeText } from '../../../registry/packs/texts.ts';
import { documentOf, versionOf } from '../../support/packs/pack-documents.ts';
import { firstUnfrozen } from '../../support/stores/snapshots.ts';
import { words } from '../../support/process/words.ts';

const NUL = '\0';
const BOM = '\uFEFF';
const LONE_SURROGATES = ['\ud83c', 'a\udf31b', '\udf31\ud83c'];

/** A second implementation of RFC 8785 for the values in a pack, independent of the service. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)); // by UTF-16 code units, as RFC 8785 section 3.2.3 asks
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

/** A text for a title: in ASCII, on one line. */
const shown = (text: string) =>
  JSON.stringify(text).replace(/[^ -~]/gu, (character) => `\\u${character.charCodeAt(0).toString(16)}`);

const sha256 = (text: string) => `sha256:${createHash('sha256').update(text, 'utf8').digest('hex')}`;

/** The faults that a document is refused with. */
function faultsOf(document: unknown, pack = 'coach'): readonly InputFault[] {
  try {
    parsePack(pack, document);
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'validation-failed')
      return error.members['errors'] as InputFault[];
    throw error;
  }
  return [];
}

/** Refused for this place alone, in words that fit. */
function refused(
  t: Test,
  document: unknown,
  pointer: string,
  detail: RegExp,
  title = `${pointer} ${detail.source}`,
): void {
  const faults = faultsOf(document);
  t.same(
    faults.map((fault) => fault.pointer),
    [pointer],
    title,
  );
  t.match(faults[0]?.detail, detail, title);
}

const withMembers = (members: object): unknown => ({ ...documentOf('coach', '1.0.0'), ...members });
const withCompatibility = (members: object) =>
  withMembers({ compatibility: { ...documentOf('coach', '1.0.0').compatibility, ...members } });
const withStyle = (members: object) =>
  withMembers({ styles: [{ ...documentOf('coach', '1.0.0').styles[0], ...members }] });

t.test('a document that breaks its schema is refused by pointer', async (t) => {
  for (const member of ['version', 'summary', 'author', 'system', 'styles', 'defaultStyle', 'compatibility']) {
    const { [member]: _, ...rest } = documentOf('coach', '1.0.0') as Record<string, unknown>;
    refused(t, rest, `/${member}`, /required|expected/i, `without ${member}`);
  }
  refused(t, withMembers({ system: 5 }), '/system', /string/i);
  refused(t, withMembers({ system: ' \n\t' }), '/system', /blank/);
  refused(t, withMembers({ system: 'x'.repeat(262_145) }), '/system', /262144/);
  refused(t, withMembers({ summary: '' }), '/summary', /./);
  refused(t, withMembers({ author: 'x'.repeat(121) }), '/author', /120/);
  refused(t, withMembers({ styles: [] }), '/styles', /1/);
  refused(t, withMembers({ defaultStyle: 'Not A Name' }), '/defaultStyle', /lower-case/);
  refused(t, withStyle({ id: '../direct' }), '/styles/0/id', /lower-case/);
  refused(t, withStyle({ title: '  ' }), '/styles/0/title', /blank/);
  refused(t, withStyle({ text: '' }), '/styles/0/text', /./);
  refused(t, withCompatibility({ packFormat: 2 }), '/compatibility/packFormat', /1/);
  refused(t, withCompatibility({ packFormat: '1' }), '/compatibility/packFormat', /integer/i);
  refused(t, withCompatibility({ models: [{ provider: 'anthropic' }] }), '/compatibility/models/0/family', /./);
  for (const nothing of [null, undefined, 'text', 5, []])
    t.not(faultsOf(nothing).length, 0, `${JSON.stringify(nothing)} is no document`);
  for (const pack of ['', 'Coach', '../coach', 'coach\0', 'a'.repeat(64), '-coach', 'coach ']) {
    t.same(
      faultsOf(documentOf('coach', '1.0.0'), pack).map(({ pointer }) => pointer),
      ['/pack'],
      JSON.stringify(pack),
    );
  }
  t.same(faultsOf(documentOf('coach', '1.0.0'), 'a'.repeat(63)), []);
});

t.test('all faults are listed at once, at most twenty', async (t) => {
  const faults = faultsOf(withMembers({ system: '', summary: 7, defaultStyle: 'X', extra: 1 }));
  t.same(faults.map(({ pointer }) => pointer).sort(), ['/defaultStyle', '/extra', '/summary', '/system']);
  const many = Array.from({ length: 50 }, (_, index) => ({ id: `STYLE ${index}`, title: '', text: '' }));
  t.equal(faultsOf(withMembers({ styles: many })).length, 20);
});

t.test('unknown members are refused, never dropped', async (t) => {
  refused(t, withMembers({ notes: 'x' }), '/notes', /unexpected/i);
  refused(t, withStyle({ temperature: 0.7 }), '/styles/0/temperature', /unexpected/i);
  refused(t, withCompatibility({ regions: [] }), '/compatibility/regions', /unexpected/i);
  const text = JSON.stringify(documentOf('coach', '1.0.0'));
  for (const name of ['__proto__', 'constructor', 'prototype', 'toString']) {
    const parsed: unknown = JSON.parse(`{"${name}":{"polluted":true},${text.slice(1)}`);
    refused(t, parsed, `/${name}`, /unexpected/i, `${name} at the top`);
    const nested = text.replace('"compatibility":{', `"compatibility":{"${name}":{"polluted":true},`);
    refused(t, JSON.parse(nested), `/compatibility/${name}`, /unexpected/i, `${name} further down`);
  }
  t.equal(({} as { polluted?: boolean }).polluted, undefined, 'and nothing is polluted');
});

t.test('versions are SemVer 2.0.0 without build metadata', async (t) => {
  const good = words`
    0.0.0 1.2.3 10.20.30 1.0.0-alpha 1.0.0-alpha.1 1.0.0-0.3.7 1.0.0-x.7.z.92 1.0.0-x-y-z.-- 999999999999999.0.0
    1.0.0-0A
  `;
  for (const version of good) t.same(faultsOf(documentOf('coach', version)), [], version);
  const bad = [
    '',
    '1.2.3-ä',
    ' 1.2.3',
    '1.2.3\n',
    `1.0.0-${'a'.repeat(60)}`,
    ...words`
    1 1.2 v1.2.3 1.2.3.4 01.2.3 1.02.3 1.2.03 1.2.3- 1.2.3-01 1.2.3-a..b =1.2.3 1.2.x 9999999999999999.0.0 -1.0.0
    1e3.0.0
  `,
  ];
  for (const version of [...bad, '1.2.3+build', '1.2.3-rc.1+build.5', '1.2.3+']) {
    const pointers = faultsOf(documentOf('coach', version)).map(({ pointer }) => pointer);
    t.same(pointers, ['/version'], JSON.stringify(version));
  }
});

t.test('rules that a schema cannot express', async (t) => {
  const [style] = documentOf('coach', '1.0.0').styles;
  refused(
    t,
    withMembers({ styles: [style, { ...style, text: 'another' }] }),
    '/styles/1/id',
    /"supportive" is a duplicate/,
  );
  refused(
    t,
    withMembers({ defaultStyle: 'socratic' }),
    '/defaultStyle',
    /"socratic" is not one of the version's styles: supportive, direct/,
  );
  for (const range of ['not a range', '>=x.y', '1.2.3.4', '>> 1']) {
    refused(
      t,
      withCompatibility({ clients: [{ name: 'web', range }] }),
      '/compatibility/clients/0/range',
      /is not a SemVer range/,
      range,
    );
  }
  for (const locale of ['e', 'english!', 'en_US', '-en', 'en-', 'x'.repeat(36), '12']) {
    const [fault] = faultsOf(withCompatibility({ locales: ['en', locale] }));
    t.equal(fault?.pointer, '/compatibility/locales/1', locale);
  }
  t.same(
    faultsOf(
      withCompatibility({
        locales: ['en', 'pt-BR', 'zh-Hant-TW', 'de-CH-1996'],
        clients: [
          { name: 'web', range: '*' },
          { name: 'cli', range: '^1.2 || >=3' },
        ],
      }),
    ),
    [],
  );
});

t.test('a NUL or half a surrogate pair is refused anywhere', async (t) => {
  const fields: [string, (text: string) => unknown][] = [
    ['/system', (text) => withMembers({ system: text })],
    ['/summary', (text) => withMembers({ summary: text })],
    ['/author', (text) => withMembers({ author: text })],
    ['/styles/0/title', (text) => withStyle({ title: text })],
    ['/styles/0/text', (text) => withStyle({ text })],
    [
      '/compatibility/models/0/provider',
      (text) => withCompatibility({ models: [{ provider: text, family: 'claude' }] }),
    ],
    [
      '/compatibility/models/0/family',
      (text) => withCompatibility({ models: [{ provider: 'anthropic', family: text }] }),
    ],
    ['/compatibility/clients/0/name', (text) => withCompatibility({ clients: [{ name: text, range: '*' }] })],
  ];
  for (const [pointer, put] of fields) {
    refused(t, put(`a${NUL}b`), pointer, /NUL/, `NUL in ${pointer}`);
    for (const text of LONE_SURROGATES)
      refused(t, put(`x${text}`), pointer, /surrogate/, `${JSON.stringify(text)} in ${pointer}`);
    t.same(faultsOf(put('a \u{1F331} plant')), [], `a whole pair in ${pointer}`);
  }
  t.not(faultsOf({ ...documentOf('coach', '1.0.0'), [`a${NUL}`]: 1 }).length, 0, 'in a name');
});

t.test('texts are normalised: BOMs at the start, CRLF, line ends at the end; nothing else', async (t) => {
  const cases: [string, string][] = [
    [`${BOM}text`, 'text'],
    [`text${BOM}`, `text${BOM}`],
    ['a\r\nb\r\n', 'a\nb'],
    ['a\rb', 'a\rb'],
    ['a\n', 'a'],
    ['a\n\n', 'a'],
    ['a\r\n\r\n', 'a'],
    ['a\n\r', 'a'],
    ['a\r\r\nb', 'a\nb'],
    ['\n\na', '\n\na'],
    [`${BOM}${BOM}\n${BOM}a`, `\n${BOM}a`],
    ['a\n \n', 'a\n '],
    ['  a \t', '  a \t'],
    ['a\u2028b\u0085', 'a\u2028b\u0085'],
    ['e\u0301', 'e\u0301'],
  ];
  for (const [given, kept] of cases) {
    t.equal(normalizeText(given), kept, shown(given));
    const { content } = versionOf('coach', '1.0.0', {
      system: given,
      styles: [{ id: 'supportive', title: 'S', text: given }],
    });
    t.same([content.system, content.styles[0]?.text], [kept, kept], `as a prompt: ${shown(given)}`);
  }
  const composed = versionOf('coach', '1.0.0', { system: 'caf\u00e9' });
  const decomposed = versionOf('coach', '1.0.0', { system: 'cafe\u0301' });
  t.equal(composed.content.system.normalize('NFD'), decomposed.content.system.normalize('NFD'), 'they look the same');
  t.not(composed.digest, decomposed.digest, 'NFC and NFD are two contents');
});

t.test('the digest is the SHA-256 of the RFC 8785 text of the served content', async (t) => {
  const document: PackDocument = {
    ...documentOf('coach', '1.2.0-rc.1'),
    system: 'Say "hello",\n\tthen listen. \u20ac \u{1F600} \u0007 / \\',
    styles: [
      { id: 'zeta', title: 'Ζ', text: 'last first' },
      { id: 'alpha', title: 'A', text: 'first last' },
    ],
    defaultStyle: 'zeta',
    compatibility: { models: [], clients: [], locales: ['en'], packFormat: 1 },
  };
  // By hand: members sorted, no white space, styles in their own order, \u0007 escaped, all else as it is.
  const vector =
    '{"compatibility":{"clients":[],"locales":["en"],"models":[],"packFormat":1},"defaultStyle":"zeta","pack":"coach",' +
    '"styles":[{"id":"zeta","text":"last first","title":"Ζ"},{"id":"alpha","text":"first last","title":"A"}],' +
    '"system":"Say \\"hello\\",\\n\\tthen listen. € 😀 \\u0007 / \\\\","version":"1.2.0-rc.1"}';
  const { digest, content } = parsePack('coach', document);
  t.equal(digest, sha256(vector));
  t.equal(digest, 'sha256:3cde0ba891c6dcfe2dc9b132744db160b554c97ebafb54f1bb5dad21a67ef003', 'and it never drifts');
  t.equal(sha256(canonicalJson(content)), digest, 'of exactly the served content');

  const same = parsePack('coach', { ...document, summary: 'Another summary.', author: 'Somebody else' });
  t.equal(same.digest, digest, 'summary and author are not content');
  const [first, second] = document.styles;
  const others: Record<string, unknown> = {
    version: { ...document, version: '1.2.0' },
    system: { ...document, system: `${document.system} ` },
    styles: { ...document, styles: [first, { ...second, text: 'other' }] },
    order: { ...document, styles: [second, first] },
    defaultStyle: { ...document, defaultStyle: 'alpha' },
    compatibility: { ...document, compatibility: { ...document.compatibility, locales: ['de'] } },
  };
  for (const [what, other] of Object.entries(others))
    t.not(parsePack('coach', other).digest, digest, `another ${what}`);
  t.not(parsePack('onboarding', document).digest, digest, 'another pack');
});

t.test('a version is a deeply frozen copy', async (t) => {
  const document = documentOf('coach', '1.0.0');
  const before = structuredClone(document);
  const version = parsePack('coach', document);
  t.equal(firstUnfrozen(version), undefined);
  t.same(document, before, 'the document did not change');
  t.notOk(Object.isFrozen(document.styles[0]), 'and still its owner’s');
  document.compatibility.locales.push('de');
  (document.styles[0] as { text: string }).text = 'changed';
  t.same(version.content.compatibility.locales, before.compatibility.locales);
  t.equal(version.content.styles[0]?.text, before.styles[0]?.text);
});
