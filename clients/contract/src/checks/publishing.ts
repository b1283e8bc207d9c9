/** `publishVersion`: what makes a version, what changes nothing, and what is refused. */
import { summaryOf, type PackDocument, type VersionSummary } from '../answers.ts';
import { digestOf } from '../canonical.ts';
import { documentOf } from '../documents.ts';
import { checksOf, type Kit } from '../kit.ts';
import { versionDetail } from './versions.ts';

const PUBLISH = 'publishVersion';

/** Publishes a document that is wrong in a way that a schema cannot express: it is refused, and the version does not exist. */
async function refusesDocument(kit: Kit, members: Partial<PackDocument>): Promise<void> {
  const document = { ...documentOf(kit.world.pack, kit.world.nextVersion()), ...members };
  const { errors } = await kit.refused(PUBLISH, { path: kit.world.path(), body: document }, 400, 'validation-failed');
  kit.ok((errors?.length ?? 0) > 0, 'errors say what is wrong');
  await kit.world.publishAll();
  await kit.refused(
    'getVersion',
    { path: kit.world.path({ version: 'version' in members ? '9.9.9' : document.version }) },
    404,
    'version-not-found',
  );
}

/** Changes further down in a document. */
function nestedChanges({ styles: [first, ...rest], compatibility }: PackDocument): Partial<PackDocument>[] {
  if (first === undefined) return [];
  return [
    { compatibility: { ...compatibility, locales: ['en'] } },
    { styles: [{ ...first, title: 'Another title' }, ...rest] },
    { styles: [{ ...first, text: 'Another text.' }, ...rest] },
  ];
}

export const publishingChecks = checksOf(PUBLISH, {
  'a new version answers 201 with Location and the digest, and is not active anywhere': async (kit) => {
    const { world } = kit;
    await world.publishAll();
    const document = documentOf(world.pack, world.nextVersion());
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
      'it is registered, and not active anywhere',
    );
    const detail = await versionDetail(kit, version);
    kit.same(
      [detail.system, detail.styles, detail.digest],
      [document.system, document.styles, body.digest],
      'getVersion has it at once',
    );
    kit.same(detail.activeIn, [], 'getVersion does not show it as active either');
    kit.same(summaryOf(detail), body, 'getVersion has the same metadata as this response');
    world.giveBack(version);
  },
  'publishedBy names the key that published the version': async (kit) => {
    const { world } = kit;
    const { secret, keyId, label } = await world.key('an author', ['packs:publish']);
    const { body } = await kit.ask<VersionSummary>(
      PUBLISH,
      { path: world.path(), body: documentOf(world.pack, world.nextVersion()), key: secret },
      201,
    );
    kit.same(body.publishedBy, { keyId, label }, 'keyId and label of that key');
    world.giveBack(body.version);
  },
  'publishing the same again answers 200 and changes nothing; anything else under the same version answers 409': async (
    kit,
  ) => {
    const { world } = kit;
    await world.publishAll();
    const document = documentOf(world.pack, world.nextVersion());
    const first = await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: document }, 201);
    const again = await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: document }, 200);
    kit.same(again.body, first.body, 'the same body, including the time');
    const others: Partial<PackDocument>[] = [
      { system: 'Another text.' },
      { summary: 'Another summary.' },
      { author: 'Somebody else' },
      { defaultStyle: 'direct' },
      { styles: [...document.styles].reverse() },
      ...nestedChanges(document),
    ];
    for (const other of others) {
      const { code } = await kit.refused(
        PUBLISH,
        { path: world.path(), body: { ...document, ...other } },
        409,
        'version-exists',
      );
      kit.same(code, 'version-exists', `a different ${Object.keys(other).join()} is refused: ${JSON.stringify(other)}`);
    }
    const { system, digest, summary, author } = await versionDetail(kit, document.version);
    kit.same(
      [system, digest, summary, author],
      [document.system, first.body.digest, document.summary, document.author],
      'the version did not change',
    );
    world.giveBack(document.version);
  },
  'byte order marks, CRLF and trailing newlines do not make a different version; neither does what getVersion returned':
    async (kit) => {
      const { world } = kit;
      await world.publishAll();
      const document = documentOf(world.pack, world.nextVersion());
      const first = await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: document }, 201);
      const again = await kit.ask<VersionSummary>(
        PUBLISH,
        {
          path: world.path(),
          body: { ...document, system: `\uFEFF\uFEFF${document.system.replaceAll('\n', '\r\n')}\r\n\r\n` },
        },
        200,
      );
      const { system, styles } = await versionDetail(kit, document.version);
      await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: { ...document, system, styles } }, 200);
      kit.same(again.body.digest, first.body.digest, 'the digest is the same');
      world.giveBack(document.version);
    },
  'a version that is not SemVer, or has build metadata, is refused': async (kit) => {
    for (const version of ['1.0', '01.0.0', '1.0.0+build']) await refusesDocument(kit, { version });
  },
  'a text with a NUL or a lone surrogate is refused, not repaired': async (kit) => {
    for (const system of ['NUL: \u0000.', 'Half: \ud83d.']) await refusesDocument(kit, { system });
  },
  'texts are stored without Unicode normalisation': async (kit) => {
    const { world } = kit;
    const document = {
      ...documentOf(world.pack, world.nextVersion()),
      system: 'Composed: \u00e9; decomposed: e\u0301; compatible: \ufb01.',
    };
    const { body } = await kit.ask<VersionSummary>(PUBLISH, { path: world.path(), body: document }, 201);
    kit.same(
      [(await versionDetail(kit, document.version)).system, body.digest],
      [document.system, digestOf({ pack: world.pack, ...document })],
      'the text and its digest are those of the request',
    );
  },
  'an unknown member anywhere in the body is refused, not ignored': async (kit) => {
    const { styles, compatibility } = documentOf(kit.world.pack, '1.0.0');
    await refusesDocument(kit, { styles: styles.map((style) => ({ ...style, surprise: 1 })) });
    await refusesDocument(kit, { compatibility: { ...compatibility, surprise: 1 } });
  },
  'a defaultStyle that is not among the styles is refused': (kit) =>
    refusesDocument(kit, { defaultStyle: 'no-such-style' }),
  'a style listed twice is refused': async (kit) => {
    const { styles } = documentOf(kit.world.pack, '1.0.0');
    await refusesDocument(kit, { styles: [...styles, ...styles] });
  },
});
