/**
 * Differences between versions: the hunks turn one text into the other, whatever the texts are. Texts with nothing in common cost no more
 * than their length.
 */
import { setImmediate } from 'node:timers/promises';
import { applyPatch, structuredPatch } from 'diff';
import fc from 'fast-check';
import t from 'tap';
import {
  differences,
  type AssetDiff,
  type Differences,
  type Edition,
  type Hunk,
} from '../../../registry/packs/diff.ts';
import type { PackDocument } from '../../../registry/model.ts';
import type { VersionRecord } from '../../../registry/state/records.ts';
import { readPackFolders } from '../../../registry/packs/pack-folder.ts';
import { PACKS } from '../../support/apps/app.ts';
import { documentOf, versionOf } from '../../support/packs/pack-documents.ts';
import { openRegistry } from '../../support/apps/registries.ts';

/** A version as the registry knows it. */
function editionOf(version: string, members: Partial<PackDocument> = {}): Edition {
  const { content, digest, summary, author } = versionOf('coach', version, members);
  const { defaultStyle, compatibility } = content;
  const styles = content.styles.map(({ id, title }) => ({ id, title }));
  const record: VersionRecord = {
    pack: 'coach',
    version,
    digest,
    summary,
    author,
    defaultStyle,
    styles,
    compatibility,
    publishedAt: '',
    publishedBy: { keyId: '', label: '' },
    violations: [],
  };
  return { record, content };
}

/** Two versions that differ in their system prompts. */
const ofTexts = (before: string, after: string) =>
  differences(editionOf('1.0.0', { system: before }), editionOf('2.0.0', { system: after }));
const assetIn = ({ assets }: Differences, asset: string): AssetDiff => assets.find((each) => each.asset === asset)!;

/** Applies hunks to a text whose last line has a line end. Undefined if they do not fit. */
function applied(text: string | undefined, hunks: readonly Hunk[]): string | undefined {
  const source = text === undefined ? '' : `${text}\n`;
  const result = applyPatch(
    source,
    {
      oldFileName: 'a',
      newFileName: 'b',
      oldHeader: undefined,
      newHeader: undefined,
      hunks: hunks.map((hunk) => ({ ...hunk, lines: [...hunk.lines] })),
    },
    { fuzzFactor: 0, autoConvertLineEndings: false },
  );
  return result === false ? undefined : result;
}

/** Why hunks do not turn one text into the other; undefined if they do. */
function faultOf(before: string | undefined, after: string | undefined, hunks: readonly Hunk[]): string | undefined {
  for (const { oldLines, newLines, lines } of hunks) {
    const signs = lines.map((line) => line.charAt(0));
    if (signs.some((sign) => ![' ', '-', '+'].includes(sign)))
      return `a line that is neither kept, removed nor added: ${lines.find((line) => !/^[ +-]/u.test(line))}`;
    if (
      signs.filter((sign) => sign !== '+').length !== oldLines ||
      signs.filter((sign) => sign !== '-').length !== newLines
    )
      return 'the counts are wrong';
  }
  const result = applied(before, hunks);
  return result === (after === undefined ? '' : `${after}\n`)
    ? undefined
    : `they lead to ${JSON.stringify(result?.slice(0, 100))}`;
}

t.test('the hunks turn any text into any other', async (t) => {
  const line = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        'a',
        'b',
        'c',
        '',
        '- a',
        '+ b',
        '\\ No newline at end of file',
        '@@ -1 +1 @@',
        '\t',
        'é',
        '🌱',
      ),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
  );
  const text = fc
    .array(line, { minLength: 1, maxLength: 30 })
    .map((lines) => `x${lines.join('\n').replaceAll('\0', '').replaceAll('\r', '')}`);
  let changed = 0;
  const property = fc.asyncProperty(text, text, async (before, after) => {
    const [from, to] = [editionOf('1.0.0', { system: before }), editionOf('2.0.0', { system: after })];
    const { change, hunks } = assetIn(await differences(from, to), 'system');
    const [old, now] = [from.content.system, to.content.system];
    changed += hunks.length;
    if ((old === now) !== (change === 'same') || (change === 'same' && hunks.length > 0))
      throw new Error(`${change} with ${hunks.length} hunks`);
    const fault = faultOf(old, now, hunks);
    if (fault !== undefined) throw new Error(fault);
  });
  await fc.assert(property, { numRuns: 500 });
  t.ok(changed > 200, `${changed} hunks were looked at`);
});

t.test('a long text shows only the changes, with three lines of context', async (t) => {
  const lines = Array.from({ length: 200 }, (_, index) => `Line ${index}.`);
  const edited = lines.map((line, index) => (index === 50 ? 'Edited.' : line)).filter((_, index) => index !== 150);
  const { change, hunks } = assetIn(await ofTexts(lines.join('\n'), edited.join('\n')), 'system');
  t.equal(change, 'changed');
  t.strictSame(hunks, [
    {
      oldStart: 48,
      oldLines: 7,
      newStart: 48,
      newLines: 7,
      lines: [' Line 47.', ' Line 48.', ' Line 49.', '-Line 50.', '+Edited.', ' Line 51.', ' Line 52.', ' Line 53.'],
    },
    {
      oldStart: 148,
      oldLines: 7,
      newStart: 148,
      newLines: 6,
      lines: [' Line 147.', ' Line 148.', ' Line 149.', '-Line 150.', ' Line 151.', ' Line 152.', ' Line 153.'],
    },
  ]);
  const last = assetIn(await ofTexts('a\nb', 'a\nc'), 'system').hunks;
  t.strictSame(
    last,
    [{ oldStart: 1, oldLines: 2, newStart: 1, newLines: 2, lines: [' a', '-b', '+c'] }],
    'the last line is a line like any other',
  );
});

t.test('new and missing styles are shown as added and removed', async (t) => {
  const style = (id: string, text = `Be ${id}.`) => ({ id, title: id, text });
  const from = editionOf('1.0.0', { styles: [style('supportive'), style('direct'), style('concise')] });
  const to = editionOf('2.0.0', {
    styles: [style('socratic', 'Ask.\nAsk again.'), style('supportive'), style('direct', 'Be kind.')],
  });
  const diff = await differences(from, to);
  t.same([diff.stylesAdded, diff.stylesRemoved], [['socratic'], ['concise']]);
  t.same(
    diff.assets.map(({ asset, change }) => `${asset} ${change}`),
    [
      'system changed',
      'styles/socratic added',
      'styles/supportive same',
      'styles/direct changed',
      'styles/concise removed',
    ],
  );
  t.match(assetIn(diff, 'styles/socratic').hunks, [{ oldLines: 0, newLines: 2, lines: ['+Ask.', '+Ask again.'] }]);
  t.match(assetIn(diff, 'styles/concise').hunks, [{ oldLines: 1, newLines: 0, lines: ['-Be concise.'] }]);
  for (const { asset, hunks } of diff.assets) {
    const textIn = ({ content }: Edition) =>
      asset === 'system' ? content.system : content.styles.find(({ id }) => `styles/${id}` === asset)?.text;
    t.equal(faultOf(textIn(from), textIn(to), hunks), undefined, asset);
  }
});

t.test('without a first version, everything is added', async (t) => {
  const to = editionOf('1.0.0');
  const diff = await differences(undefined, to);
  t.same(
    diff.assets.map(({ asset, change }) => `${asset} ${change}`),
    ['system added', 'styles/supportive added', 'styles/direct added'],
  );
  t.same([diff.metadata, diff.stylesAdded, diff.stylesRemoved], [[], ['supportive', 'direct'], []]);
  t.equal(faultOf(undefined, to.content.system, assetIn(diff, 'system').hunks), undefined);
  t.same(
    await differences(to, to),
    {
      assets: diff.assets.map(({ asset }) => ({ asset, change: 'same', hunks: [] })),
      metadata: [],
      stylesAdded: [],
      stylesRemoved: [],
    },
    'to itself, nothing',
  );
});

t.test('metadata fields are listed if they differ, not if only their notation does', async (t) => {
  const from = editionOf('1.0.0');
  const { compatibility, styles } = documentOf('coach', '1.0.0');
  const [supportive, direct] = styles;
  const fields = async (members: Partial<PackDocument>) =>
    (await differences(from, editionOf('2.0.0', { summary: 'Edition 1.0.0.', ...members }))).metadata;
  t.same(await fields({}), [], 'the version itself is not listed');
  t.same(await fields({ summary: 'Warmer "openings"' }), [
    { field: 'summary', from: '"Edition 1.0.0."', to: '"Warmer \\"openings\\""' },
  ]);
  t.same(
    (await fields({ author: 'Others', defaultStyle: 'direct' })).map(({ field }) => field),
    ['author', 'defaultStyle'],
  );
  t.match(await fields({ compatibility: { ...compatibility, locales: ['en'] } }), [
    { field: 'compatibility', from: /"pt-BR"/, to: /"locales":\["en"\]/ },
  ]);
  const { packFormat, locales, clients, models } = compatibility;
  t.same(await fields({ compatibility: { packFormat, locales, clients, models } }), [], 'members in another order');
  t.match(await fields({ styles: [direct!, supportive!] }), [{ field: 'styles' }], 'the order of styles is content');
  t.match(await fields({ styles: [{ ...supportive!, title: 'Warm' }, direct!] }), [{ field: 'styles', to: /Warm/ }]);
});

t.test('texts with nothing in common are one hunk, after a bounded search', async (t) => {
  // Myers takes (n + m)² steps here: about ten thousand million for 52,000 lines each. It would not return.
  const lines = (letter: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${letter}${index % 1000}`);
  for (const [before, after] of [
    [lines('a', 52_000), lines('b', 52_000)],
    [lines('a', 40_000), ['x']],
    [['x'], lines('b', 40_000)],
  ] as const) {
    const { change, hunks } = assetIn(await ofTexts(before.join('\n'), after.join('\n')), 'system');
    t.equal(change, 'changed');
    t.match(hunks, [{ oldStart: 1, oldLines: before.length, newStart: 1, newLines: after.length }]);
    t.equal(hunks[0]?.lines.length, before.length + after.length);
    t.equal(faultOf(before.join('\n'), after.join('\n'), hunks), undefined);
  }
  const nothingAlike = (version: string, letter: string) =>
    editionOf(version, {
      styles: Array.from({ length: 50 }, (_, index) => ({
        id: `s${index}`,
        title: 's',
        text: lines(letter, 2100).join('\n'),
      })),
      defaultStyle: 's0',
    });
  for (const { hunks } of (await differences(nothingAlike('1.0.0', 'a'), nothingAlike('2.0.0', 'b'))).assets.slice(1))
    t.match(hunks, [{ oldLines: 2100, newLines: 2100 }], 'fifty of them are no fifty searches');
  const { hunks } = assetIn(
    await differences(undefined, editionOf('1.0.0', { system: lines('a', 50_000).join('\n') })),
    'system',
  );
  t.match(hunks, [{ oldLines: 0, newLines: 50_000 }], 'a long new text has no removed lines');
  t.equal(faultOf(undefined, lines('a', 50_000).join('\n'), hunks), undefined);
});

t.test('a long search yields to others, and finds the same as an uninterrupted one', async (t) => {
  const numbered = (letter: string, changed: number, of: number) =>
    Array.from({ length: of }, (_, index) => (index < changed ? `${letter}${index}` : `${index}`)).join('\n');
  for (const [changed, of, turnsAtLeast] of [
    [400, 1500, 400],
    [900, 900, 500],
  ] as const) {
    const [before, after] = [numbered('a', changed, of), numbered('b', changed, of)];
    let turns = 0;
    let over = false;
    const others = (async () => {
      for (; !over; turns += 1) await setImmediate();
    })();
    const { hunks } = assetIn(await ofTexts(before, after), 'system');
    over = true;
    await others;
    t.ok(turns >= turnsAtLeast, `${turns} turns while ${changed} of ${of} lines were compared`);
    const atOnce = structuredPatch('', '', `${before}\n`, `${after}\n`, undefined, undefined, {
      context: 3,
      maxEditLength: 1000,
    });
    if (atOnce !== undefined)
      t.strictSame(
        hunks,
        atOnce.hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({
          oldStart,
          oldLines,
          newStart,
          newLines,
          lines,
        })),
      );
    t.equal(faultOf(before, after, hunks), undefined);
  }
});

t.test('all pairs of shipped versions of a pack, in both directions', async (t) => {
  const shipped = await readPackFolders(PACKS);
  const registry = await openRegistry(t, { shipped });
  let changed = 0;
  for (const [pack, state] of registry.current.packs) {
    for (const from of state.versions) {
      for (const to of state.versions) {
        const [before, after] = [await registry.version(pack, from.version), await registry.version(pack, to.version)];
        const diff = await differences(before, after);
        for (const { asset, hunks } of diff.assets) {
          const textIn = ({ content }: Edition) =>
            asset === 'system' ? content.system : content.styles.find(({ id }) => `styles/${id}` === asset)?.text;
          const fault = faultOf(textIn(before), textIn(after), hunks);
          changed += hunks.length;
          if (fault !== undefined) t.fail(`${pack} ${from.version} -> ${to.version} ${asset}: ${fault}`);
        }
      }
    }
  }
  t.ok(changed > 40, `${changed} hunks`);
});
