/** `getVersion`: a version never changes, and a revoked one is not served again. */
import { summaryOf, type Version } from '../answers.ts';
import { digestOf } from '../canonical.ts';
import { documentOf } from '../documents.ts';
import { checksOf, type Kit } from '../kit.ts';

/** What getVersion answers for a version. */
export async function versionDetail(kit: Kit, version: string): Promise<Version> {
  return (await kit.ask<Version>('getVersion', { path: kit.world.path({ version }) }, 200)).body;
}

export const versionChecks = checksOf('getVersion', {
  'it has the texts that were published, and their digest': async (kit) => {
    const { world } = kit;
    await world.publishAll();
    for (const version of ['1.0.0', '2.0.0']) {
      const document = documentOf(world.pack, version);
      const body = await versionDetail(kit, version);
      kit.same(
        [body.pack, body.version, body.system, body.styles, body.defaultStyle, body.compatibility],
        [world.pack, version, document.system, document.styles, document.defaultStyle, document.compatibility],
        `the content of ${version} is what was published`,
      );
      kit.same(body.digest, digestOf(body), `the digest of ${version} is SHA-256 of RFC 8785 of its content`);
    }
    const version = world.nextVersion();
    const summary = await world.publish(version);
    kit.same(summaryOf(await versionDetail(kit, version)), summary, 'the metadata is what publishVersion answered');
  },
  'activeIn lists the channels in which the version is active': async (kit) => {
    const { body } = await kit.world.activePack();
    kit.ok(
      (await versionDetail(kit, body.version)).activeIn.includes(body.channel),
      'it lists the channel of the active version',
    );
    kit.same(
      (await versionDetail(kit, await kit.world.unusedVersion())).activeIn,
      [],
      'it is empty for a version that was never active',
    );
  },
  'a revoked version answers 410 without the scope audit:read, and can be read with it': async (kit) => {
    const { world } = kit;
    const version = await world.revoked();
    await kit.refused(
      'getVersion',
      { path: world.path({ version }), key: await world.readerKey() },
      410,
      'content-revoked',
    );
    const body = await versionDetail(kit, version);
    kit.same(
      [body.status, body.system],
      ['revoked', documentOf(world.pack, version).system],
      'with audit:read: status and text',
    );
    kit.ok(body.problems.length > 0, 'problems say why it cannot be activated');
  },
  'an unknown version answers 404 and lists the known versions': async (kit) => {
    await kit.world.publishAll();
    const { knownVersions } = await kit.refused(
      'getVersion',
      { path: kit.world.path({ version: '7.7.7' }) },
      404,
      'version-not-found',
    );
    kit.ok(knownVersions?.includes('1.10.0') === true, 'knownVersions includes 1.10.0', knownVersions);
    await kit.refused(
      'getVersion',
      { path: { pack: `no-such-${kit.world.runId}`, version: '1.0.0' } },
      404,
      'pack-not-found',
    );
  },
});
