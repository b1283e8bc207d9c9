/** Versions: `publishVersion`, `getVersion`, `diffVersions`, `revokeVersion`. They never change; a revoked one is not served again. */
import { isDeepStrictEqual } from 'node:util';
import {
  summaryOf,
  type Diff,
  type Hunk,
  type PackDocument,
  type Pack,
  type Revocation,
  type Version,
  type VersionSummary,
} from '../answers.ts';
import { digestOf } from '../canonical.ts';
import { documentOf } from '../documents.ts';
import { checksOf, type Kit } from '../kit.ts';
import { waited } from './waiting.ts';

const PUBLISH = 'publishVersion';

async function read(kit: Kit, version: string): Promise<Version> {
  return (await kit.ask<Version>('getVersion', { path: kit.world.path({ version }) }, 200)).body;
}

/** Publishes a document whose members are wrong in a way that a schema cannot say. */
async function misfit(kit: Kit, members: Partial<PackDocument>): Promise<void> {
  const document = { ...documentOf(kit.world.pack, kit.world.freshVersion()), ...members };
  const { errors } = await kit.refused(PUBLISH, { path: kit.world.path(), body: document }, 400, 'validation-failed');
  kit.ok((errors?.length ?? 0) > 0, 'errors say where');
  await kit.world.published();
  await kit.refused(
    'getVersion',
    { path: kit.world.path({ version: 'version' in members ? '9.9.9' : document.version }) },
    404,
    'version-not-found',
  );
}

/** Differences further down in a document. */
function within({ styles: [first, ...rest], compatibility }: PackDocument): Partial<PackDocument>[] {
  if (first === undefined) return [];
  return [
    { compatibility: { ...compatibility, locales: ['en'] } },
    { styles: [{ ...first, title: 'Another title' }, ...rest] },
    { styles: [{ ...first, text: 'Another text.' }, ...rest] },
  ];
}

const published = checksOf(PUBLISH, {
  'a new version is 201, with Location and its digest, active nowhere': async (kit) => {
    const { world } = kit;
    await world.published();
    const document = documentOf(world.pack, world.freshVersion());
    const { body, headers } = await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: document }, 201);
    kit.same(
      headers.get('location'),
      `${world.prefix}/v1/packs/${world.pack}/versions/${document.version}`,
      'Location',
    );
    kit.same(
      body.digest,
      digestOf({ pack: world.pack, ...document }),
      'the digest is SHA-256 of RFC 8785 of pack, version, system, styles, defaultStyle, compatibility',
    );
    const { version, summary, author, defaultStyle, compatibility } = document;
    kit.same(
      {
        version: body.version,
        summary: body.summary,
        author: body.author,
        defaultStyle: body.defaultStyle,
        compatibility: body.compatibility,
      },
      { version, summary, author, defaultStyle, compatibility },
      'the metadata is what was sent',
    );
    kit.same(
      [body.pack, body.status, body.activeIn, body.problems],
      [world.pack, 'registered', [], []],
      'registered, and active nowhere',
    );
    const detail = await read(kit, version);
    kit.same(
      [detail.system, detail.styles, detail.digest],
      [document.system, document.styles, body.digest],
      'it can be read at once',
    );
    kit.same(detail.activeIn, [], 'and is active nowhere then, too');
    kit.same(summaryOf(detail), body, 'getVersion tells all else as this answer did');
    world.leave(version);
  },
  'publishedBy is the key that published it': async (kit) => {
    const { world } = kit;
    const { secret, keyId, label } = await world.key('an author', ['packs:publish']);
    const { body } = await kit.ask<VersionSummary>(
      PUBLISH,
      { path: world.path(), body: documentOf(world.pack, world.freshVersion()), key: secret },
      201,
    );
    kit.same(body.publishedBy, { keyId, label }, 'keyId and label');
    world.leave(body.version);
  },
  'the same again is 200 without effect; anything else under the same version is 409': async (kit) => {
    const { world } = kit;
    await world.published();
    const document = documentOf(world.pack, world.freshVersion());
    const first = await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: document }, 201);
    const again = await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: document }, 200);
    kit.same(again.body, first.body, 'the same answer, its time included');
    const others: Partial<PackDocument>[] = [
      { system: 'Another text.' },
      { summary: 'Another summary.' },
      { author: 'Somebody else' },
      { defaultStyle: 'direct' },
      { styles: [...document.styles].reverse() },
      ...within(document),
    ];
    for (const other of others) {
      const { code } = await kit.refused(
        PUBLISH,
        { path: world.path(), body: { ...document, ...other } },
        409,
        'version-exists',
      );
      kit.same(code, 'version-exists', `with another ${Object.keys(other).join()}: ${JSON.stringify(other)}`);
    }
    const { system, digest, summary, author } = await read(kit, document.version);
    kit.same(
      [system, digest, summary, author],
      [document.system, first.body.digest, document.summary, document.author],
      'the version is as it was',
    );
    world.leave(document.version);
  },
  'BOMs, CRLF and final line ends make no other version, nor does what was read': async (kit) => {
    const { world } = kit;
    await world.published();
    const document = documentOf(world.pack, world.freshVersion());
    const first = await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: document }, 201);
    const again = await kit.ask<VersionSummary>(
      PUBLISH,
      {
        path: world.path(),
        body: { ...document, system: `\uFEFF\uFEFF${document.system.replaceAll('\n', '\r\n')}\r\n\r\n` },
      },
      200,
    );
    const { system, styles } = await read(kit, document.version);
    await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: { ...document, system, styles } }, 200);
    kit.same(again.body.digest, first.body.digest, 'the digest');
    world.leave(document.version);
  },
  'a version that is no SemVer, or has build metadata, is refused': async (kit) => {
    for (const version of ['1.0', '01.0.0', '1.0.0+build']) await misfit(kit, { version });
  },
  'a text with a NUL or half of a surrogate pair is refused, not mended': async (kit) => {
    for (const system of ['NUL: \u0000.', 'Half: \ud83d.']) await misfit(kit, { system });
  },
  'texts are kept as they are, without Unicode normalisation': async (kit) => {
    const { world } = kit;
    const document = {
      ...documentOf(world.pack, world.freshVersion()),
      system: 'Composed: \u00e9; decomposed: e\u0301; compatible: \ufb01.',
    };
    const { body } = await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: document }, 201);
    kit.same(
      [(await read(kit, document.version)).system, body.digest],
      [document.system, digestOf({ pack: world.pack, ...document })],
      'the text and its digest',
    );
  },
  'an unknown member anywhere in the body is refused, not dropped': async (kit) => {
    const { styles, compatibility } = documentOf(kit.world.pack, '1.0.0');
    await misfit(kit, { styles: styles.map((style) => ({ ...style, surprise: 1 })) });
    await misfit(kit, { compatibility: { ...compatibility, surprise: 1 } });
  },
  'a default style that the version lacks is refused': (kit) => misfit(kit, { defaultStyle: 'no-such-style' }),
  'a style that stands there twice is refused': async (kit) => {
    const { styles } = documentOf(kit.world.pack, '1.0.0');
    await misfit(kit, { styles: [...styles, ...styles] });
  },
});

const reads = checksOf('getVersion', {
  'it has the texts that were published, under their digest': async (kit) => {
    const { world } = kit;
    await world.published();
    for (const version of ['1.0.0', '2.0.0']) {
      const document = documentOf(world.pack, version);
      const body = await read(kit, version);
      kit.same(
        [body.pack, body.version, body.system, body.styles, body.defaultStyle, body.compatibility],
        [world.pack, version, document.system, document.styles, document.defaultStyle, document.compatibility],
        `the content of ${version}`,
      );
      kit.same(body.digest, digestOf(body), `the digest of ${version}`);
    }
    const version = world.freshVersion();
    const told = await world.publish(version);
    kit.same(summaryOf(await read(kit, version)), told, 'all else is as its publication told it');
  },
  'activeIn names the channels that point at it': async (kit) => {
    const { body } = await kit.world.activePack();
    kit.ok((await read(kit, body.version)).activeIn.includes(body.channel), 'the active version');
    kit.same((await read(kit, await kit.world.fresh())).activeIn, [], 'a version that was never active');
  },
  'a revoked version is 410 without audit:read, and can be read with it': async (kit) => {
    const { world } = kit;
    const version = await world.revoked();
    await kit.refused(
      'getVersion',
      { path: world.path({ version }), key: await world.reader() },
      410,
      'content-revoked',
    );
    const body = await read(kit, version);
    kit.same([body.status, body.system], ['revoked', documentOf(world.pack, version).system], 'for an auditor');
    kit.ok(body.problems.length > 0, 'problems say what keeps it from being activated');
  },
  'a version that is not there is 404 with those there are': async (kit) => {
    await kit.world.published();
    const { knownVersions } = await kit.refused(
      'getVersion',
      { path: kit.world.path({ version: '7.7.7' }) },
      404,
      'version-not-found',
    );
    kit.ok(knownVersions?.includes('1.10.0') === true, 'knownVersions', knownVersions);
    await kit.refused(
      'getVersion',
      { path: { pack: `no-such-${kit.world.run}`, version: '1.0.0' } },
      404,
      'pack-not-found',
    );
  },
});

const count = ({ lines }: Hunk, ...signs: readonly string[]) =>
  lines.filter((line) => signs.includes(line.slice(0, 1))).length;

/** The text of an asset; empty where the version has none. */
function textOf({ system, styles }: PackDocument, asset: string): string {
  return asset === 'system' ? system : (styles.find(({ id }) => asset === `styles/${id}`)?.text ?? '');
}

/** What hunks make of a text, each of them where it says that it begins, before and after. */
function applied(text: string, hunks: readonly Hunk[]): string | undefined {
  const before = text === '' ? [] : text.split('\n');
  const after: string[] = [];
  let read = 0;
  for (const { oldStart, oldLines, newStart, newLines, lines } of hunks) {
    const begin = oldLines === 0 ? read : oldStart - 1; // where nothing begins is told as 0 by some, as 1 by others
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

const diffs = checksOf('diffVersions', {
  'it tells each prompt, the metadata and the styles that differ': async (kit) => {
    const { world } = kit;
    await world.published();
    const { body } = await kit.ask<Diff>(
      'diffVersions',
      { path: world.path({ version: '2.0.0' }), query: { against: '1.0.0' } },
      200,
    );
    kit.same([body.pack, body.from, body.to], [world.pack, '1.0.0', '2.0.0'], 'from and to');
    kit.same([body.stylesAdded, body.stylesRemoved], [['socratic'], ['direct']], 'styles gained and lost');
    kit.same(
      Object.fromEntries(body.assets.map(({ asset, change }) => [asset, change])),
      { system: 'changed', 'styles/supportive': 'same', 'styles/socratic': 'added', 'styles/direct': 'removed' },
      'what happened to each prompt',
    );
    kit.ok(
      body.metadata.some(
        ({ field, from, to }) => field === 'summary' && from.includes('1.0.0') && to.includes('2.0.0'),
      ),
      'the summary differs',
      body.metadata,
    );
    const hunks = body.assets.find(({ asset }) => asset === 'system')?.hunks ?? [];
    kit.ok(
      hunks.length > 0 &&
        hunks.every((hunk) => count(hunk, ' ', '-') === hunk.oldLines && count(hunk, ' ', '+') === hunk.newLines),
      'hunks have as many lines as they say',
      hunks,
    );
    const lines = hunks.flatMap((hunk) => hunk.lines);
    kit.ok(
      lines.includes(`-This is version 1.0.0 of ${world.pack}.`) &&
        lines.includes(`+This is version 2.0.0 of ${world.pack}.`),
      'the line that is gone and the one that is new',
      lines,
    );
    kit.same(body.assets.find(({ change }) => change === 'same')?.hunks, [], 'what is the same has no hunks');
    for (const { asset, hunks } of body.assets) {
      const [from = '', to = ''] = ['1.0.0', '2.0.0'].map((version) => textOf(documentOf(world.pack, version), asset));
      kit.same(applied(from, hunks), to, `the hunks of ${asset} make the one text of the other`);
    }
  },
  'against nothing that is named, it is against what is active in the default channel': async (kit) => {
    await kit.world.published();
    await kit.ask(
      'activateVersion',
      { path: kit.world.path(), body: { version: '1.2.0', reason: 'To be compared with' } },
      200,
      201,
    );
    const { body } = await kit.ask<Diff>('diffVersions', { path: kit.world.path({ version: '1.0.0' }) }, 200);
    kit.same([body.from, body.to], ['1.2.0', '1.0.0'], 'from and to');
  },
  'a version with itself does not differ': async (kit) => {
    await kit.world.published();
    const { body } = await kit.ask<Diff>(
      'diffVersions',
      { path: kit.world.path({ version: '1.0.0' }), query: { against: '1.0.0' } },
      200,
    );
    kit.same(
      [body.assets.filter(({ change }) => change !== 'same'), body.metadata, body.stylesAdded, body.stylesRemoved],
      [[], [], [], []],
      'nothing',
    );
  },
  'what is not there is 404; what is revoked is 410 without audit:read': async (kit) => {
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
      { path: world.path({ version }), query: { against: '1.0.0' }, key: await world.reader() },
      410,
      'content-revoked',
    );
    await kit.refused(
      'diffVersions',
      { path: world.path({ version: '1.0.0' }), query: { against: version }, key: await world.reader() },
      410,
      'content-revoked',
    );
  },
});

const revocations = checksOf('revokeVersion', {
  'it moves channels to the replacement, and the version is not served again': async (kit) => {
    const { world } = kit;
    const version = await world.fresh();
    await world.at('1.0.0', version);
    const before = await world.activePack();
    const { body } = await kit.ask<Revocation>(
      'revokeVersion',
      { path: world.path({ version }), body: { reason: 'Checked', replacement: '1.10.0' } },
      200,
    );
    const after = await world.activePack();
    kit.same([body.pack, body.version], [world.pack, version], 'what was revoked');
    kit.ok(
      body.moves.some(
        (move) => move.channel === before.body.channel && move.version === '1.10.0' && move.previousVersion === version,
      ),
      'moves name the channel',
      body.moves,
    );
    kit.same(
      [after.body.version, after.body.revision],
      ['1.10.0', body.revision],
      'the channel is at the replacement since that revision',
    );
    kit.ok(body.revision > before.body.revision, 'the revision is a new, higher one', body.revision);
    const detail = await read(kit, version);
    kit.same(
      [detail.status, detail.revokedReason, detail.replacement, detail.activeIn],
      ['revoked', 'Checked', '1.10.0', []],
      'the version says so',
    );
    await kit.refused(
      'getVersion',
      { path: world.path({ version }), key: await world.reader() },
      410,
      'content-revoked',
    );
    await kit.refused('activateVersion', { path: world.path(), body: world.moveTo(version) }, 409, 'version-revoked');
    await kit.refused(
      'rollbackPack',
      { path: world.path(), body: world.back({ toVersion: version }) },
      409,
      'version-revoked',
    );
  },
  'without a replacement, channels go down their stack': async (kit) => {
    const { world } = kit;
    const version = await world.fresh();
    await world.at('1.0.0', '1.2.0', version);
    await kit.ask<Revocation>('revokeVersion', { path: world.path({ version }), body: { reason: 'Checked' } }, 200);
    kit.same((await world.activePack()).body.version, '1.2.0', 'the channel');
  },
  'with dryRun it only says what would happen': async (kit) => {
    const { world } = kit;
    const version = await world.fresh();
    await world.at('1.2.0', version);
    const before = await world.activePack();
    const { body } = await kit.ask<Revocation>(
      'revokeVersion',
      { path: world.path({ version }), body: { reason: 'Checked', dryRun: true } },
      200,
    );
    kit.same(
      body.moves.map((move) => [move.channel, move.version]),
      [[before.body.channel, '1.2.0']],
      'the move that it would make',
    );
    kit.same((await world.activePack()).etag, before.etag, 'the channel did not move');
    kit.same((await read(kit, version)).status, 'registered', 'the version is not revoked');
  },
  'Prefer: wait answers when the instances have applied it': async (kit) => {
    const path = kit.world.path({ version: await kit.world.fresh() });
    await waited(kit, 'revokeVersion', { path, body: { reason: 'Checked' } }, 200);
  },
  'the same again is without effect; for another replacement it is 409': async (kit) => {
    const { world } = kit;
    const path = world.path({ version: await world.fresh() });
    const first = await kit.ask<Revocation>(
      'revokeVersion',
      { path, body: { reason: 'Checked', replacement: '1.0.0' } },
      200,
    );
    const again = await kit.ask<Revocation>(
      'revokeVersion',
      { path, body: { reason: 'Checked once more', replacement: '1.0.0' } },
      200,
    );
    kit.same(again.body.revision, first.body.revision, 'the revision is that of the first');
    await kit.refused(
      'revokeVersion',
      { path, body: { reason: 'Checked', replacement: '1.2.0' } },
      409,
      'version-revoked',
    );
  },
  'where nothing is left to fall back to, a replacement is required': async (kit) => {
    const { world } = kit;
    const version = await world.bottom();
    const { candidates } = await kit.refused(
      'revokeVersion',
      { path: world.path({ version }), body: { reason: 'Checked' } },
      409,
      'replacement-required',
    );
    kit.ok(
      (candidates?.length ?? 0) > 0 && candidates?.includes(version) === false,
      'candidates are versions that would do',
      candidates,
    );
    kit.same((await read(kit, version)).status, 'registered', 'nothing was revoked');
  },
  'what is not there, and what cannot replace it, is refused': async (kit) => {
    const { world } = kit;
    const version = await world.fresh();
    await kit.refused(
      'revokeVersion',
      { path: world.path({ version: '7.7.7' }), body: { reason: 'Checked' } },
      404,
      'version-not-found',
    );
    await kit.refused(
      'revokeVersion',
      { path: { pack: `no-such-${world.run}`, version }, body: { reason: 'Checked' } },
      404,
      'pack-not-found',
    );
    await kit.refused(
      'revokeVersion',
      { path: world.path({ version }), body: { reason: 'Checked', replacement: '7.7.7' } },
      422,
      'unknown-version',
    );
    await kit.refused(
      'revokeVersion',
      { path: world.path({ version }), body: { reason: 'Checked', replacement: await world.revoked() } },
      409,
      'version-revoked',
    );
    for (const reason of ['', ' ', 'x'.repeat(501)])
      await kit.refused('revokeVersion', { path: world.path({ version }), body: { reason } }, 400, 'validation-failed');
    kit.same(
      (await kit.ask<Pack>('getPack', { path: world.path() }, 200)).body.versions.find(
        (each) => each.version === version,
      )?.status,
      'registered',
      'the version is not revoked',
    );
  },
});

export const versionChecks = [...published, ...reads, ...diffs, ...revocations];
