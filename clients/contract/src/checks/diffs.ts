/** `diffVersions`: the hunks turn one text into the other. */
import { isDeepStrictEqual } from 'node:util';
import type { Diff, Hunk, PackDocument } from '../answers.ts';
import { documentOf } from '../documents.ts';
import { checksOf } from '../kit.ts';

const count = ({ lines }: Hunk, ...signs: readonly string[]) =>
  lines.filter((line) => signs.includes(line.slice(0, 1))).length;

/** The text of an asset; empty if the version does not have it. */
function textOf({ system, styles }: PackDocument, asset: string): string {
  return asset === 'system' ? system : (styles.find(({ id }) => asset === `styles/${id}`)?.text ?? '');
}

/** Applies hunks to a text. Undefined if a hunk does not fit where it says it begins, in the old text or in the new one. */
function applied(text: string, hunks: readonly Hunk[]): string | undefined {
  const before = text === '' ? [] : text.split('\n');
  const after: string[] = [];
  let read = 0;
  for (const { oldStart, oldLines, newStart, newLines, lines } of hunks) {
    const begin = oldLines === 0 ? read : oldStart - 1; // the start of an empty range is 0 in some implementations, 1 in others
    after.push(...before.slice(read, begin));
    if (newLines > 0 && after.length !== newStart - 1) return undefined;
    const of = (...signs: readonly string[]) =>
      lines.filter((line) => signs.includes(line.slice(0, 1))).map((line) => line.slice(1));
    if (!isDeepStrictEqual(before.slice(begin, begin + oldLines), of(' ', '-'))) return undefined;
    after.push(...of(' ', '+'));
    read = begin + oldLines;
  }
  return [...after, ...before.slice(read)].join('\n');
}

export const diffChecks = checksOf('diffVersions', {
  'it shows which prompts, metadata and styles differ': async (kit) => {
    const { world } = kit;
    await world.publishAll();
    const { body } = await kit.ask<Diff>(
      'diffVersions',
      { path: world.path({ version: '2.0.0' }), query: { against: '1.0.0' } },
      200,
    );
    kit.same([body.pack, body.from, body.to], [world.pack, '1.0.0', '2.0.0'], 'from and to');
    kit.same([body.stylesAdded, body.stylesRemoved], [['socratic'], ['direct']], 'stylesAdded and stylesRemoved');
    kit.same(
      Object.fromEntries(body.assets.map(({ asset, change }) => [asset, change])),
      { system: 'changed', 'styles/supportive': 'same', 'styles/socratic': 'added', 'styles/direct': 'removed' },
      'the change of each asset',
    );
    kit.ok(
      body.metadata.some(
        ({ field, from, to }) => field === 'summary' && from.includes('1.0.0') && to.includes('2.0.0'),
      ),
      'metadata shows both summaries',
      body.metadata,
    );
    const hunks = body.assets.find(({ asset }) => asset === 'system')?.hunks ?? [];
    kit.ok(
      hunks.length > 0 &&
        hunks.every((hunk) => count(hunk, ' ', '-') === hunk.oldLines && count(hunk, ' ', '+') === hunk.newLines),
      'each hunk has as many lines as oldLines and newLines say',
      hunks,
    );
    const lines = hunks.flatMap((hunk) => hunk.lines);
    kit.ok(
      lines.includes(`-This is version 1.0.0 of ${world.pack}.`) &&
        lines.includes(`+This is version 2.0.0 of ${world.pack}.`),
      'the hunks show the removed line and the added line',
      lines,
    );
    kit.same(body.assets.find(({ change }) => change === 'same')?.hunks, [], 'an asset that is the same has no hunks');
    for (const { asset, hunks } of body.assets) {
      const [from = '', to = ''] = ['1.0.0', '2.0.0'].map((version) => textOf(documentOf(world.pack, version), asset));
      kit.same(applied(from, hunks), to, `the hunks of ${asset} turn the old text into the new one`);
    }
  },
  'the default for `against` is the active version in the default channel': async (kit) => {
    await kit.world.publishAll();
    await kit.ask(
      'activateVersion',
      { path: kit.world.path(), body: { version: '1.2.0', reason: 'To be compared with' } },
      200,
      201,
    );
    const { body } = await kit.ask<Diff>('diffVersions', { path: kit.world.path({ version: '1.0.0' }) }, 200);
    kit.same([body.from, body.to], ['1.2.0', '1.0.0'], 'from and to');
  },
  'a version compared with itself has no differences': async (kit) => {
    await kit.world.publishAll();
    const { body } = await kit.ask<Diff>(
      'diffVersions',
      { path: kit.world.path({ version: '1.0.0' }), query: { against: '1.0.0' } },
      200,
    );
    kit.same(
      [body.assets.filter(({ change }) => change !== 'same'), body.metadata, body.stylesAdded, body.stylesRemoved],
      [[], [], [], []],
      'no changed asset, metadata or style',
    );
  },
  'an unknown version answers 404; a revoked one answers 410 without the scope audit:read': async (kit) => {
    const { world } = kit;
    const version = await world.revoked();
    await kit.refused(
      'diffVersions',
      { path: world.path({ version: '7.7.7' }), query: { against: '1.0.0' } },
      404,
      'version-not-found',
    );
    await kit.refused(
      'diffVersions',
      { path: world.path({ version: '1.0.0' }), query: { against: '7.7.7' } },
      404,
      'version-not-found',
    );
    await kit.refused(
      'diffVersions',
      { path: world.path({ version }), query: { against: '1.0.0' }, key: await world.readerKey() },
      410,
      'content-revoked',
    );
    await kit.refused(
      'diffVersions',
      { path: world.path({ version: '1.0.0' }), query: { against: version }, key: await world.readerKey() },
      410,
      'content-revoked',
    );
  },
});
