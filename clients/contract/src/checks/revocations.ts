/** `revokeVersion`: where its channels go, and that the version is not served again. */
import type { Pack, Revocation } from '../answers.ts';
import { checksOf } from '../kit.ts';
import { waitsForInstances } from './moves.ts';
import { versionDetail } from './versions.ts';

export const revocationChecks = checksOf('revokeVersion', {
  'channels move to the replacement, and the version is not served again': async (kit) => {
    const { world } = kit;
    const version = await world.unusedVersion();
    await world.activate('1.0.0', version);
    const before = await world.activePack();
    const { body } = await kit.ask<Revocation>(
      'revokeVersion',
      { path: world.path({ version }), body: { reason: 'Checked', replacement: '1.10.0' } },
      200,
    );
    const after = await world.activePack();
    kit.same([body.pack, body.version], [world.pack, version], 'pack and version are those of the request');
    kit.ok(
      body.moves.some(
        (move) => move.channel === before.body.channel && move.version === '1.10.0' && move.previousVersion === version,
      ),
      'moves lists the channel that moved',
      body.moves,
    );
    kit.same(
      [after.body.version, after.body.revision],
      ['1.10.0', body.revision],
      'the replacement is active since that revision',
    );
    kit.ok(body.revision > before.body.revision, 'the revision is higher than before', body.revision);
    const detail = await versionDetail(kit, version);
    kit.same(
      [detail.status, detail.revokedReason, detail.replacement, detail.activeIn],
      ['revoked', 'Checked', '1.10.0', []],
      'getVersion shows status, reason and replacement, and no channel',
    );
    await kit.refused(
      'getVersion',
      { path: world.path({ version }), key: await world.readerKey() },
      410,
      'content-revoked',
    );
    await kit.refused(
      'activateVersion',
      { path: world.path(), body: world.activationBody(version) },
      409,
      'version-revoked',
    );
    await kit.refused(
      'rollbackPack',
      { path: world.path(), body: world.rollbackBody({ toVersion: version }) },
      409,
      'version-revoked',
    );
  },
  'without a replacement, channels go down their stacks': async (kit) => {
    const { world } = kit;
    const version = await world.unusedVersion();
    await world.activate('1.0.0', '1.2.0', version);
    await kit.ask<Revocation>('revokeVersion', { path: world.path({ version }), body: { reason: 'Checked' } }, 200);
    kit.same((await world.activePack()).body.version, '1.2.0', 'the version below is active');
  },
  'with dryRun it only predicts the outcome': async (kit) => {
    const { world } = kit;
    const version = await world.unusedVersion();
    await world.activate('1.2.0', version);
    const before = await world.activePack();
    const { body } = await kit.ask<Revocation>(
      'revokeVersion',
      { path: world.path({ version }), body: { reason: 'Checked', dryRun: true } },
      200,
    );
    kit.same(
      body.moves.map((move) => [move.channel, move.version]),
      [[before.body.channel, '1.2.0']],
      'moves lists what would move',
    );
    kit.same((await world.activePack()).etag, before.etag, 'the channel did not move');
    kit.same((await versionDetail(kit, version)).status, 'registered', 'the version is not revoked');
  },
  'with Prefer: wait it answers once the instances have applied it': async (kit) => {
    const path = kit.world.path({ version: await kit.world.unusedVersion() });
    await waitsForInstances(kit, 'revokeVersion', { path, body: { reason: 'Checked' } }, 200);
  },
  'revoking it again changes nothing; another replacement answers 409': async (kit) => {
    const { world } = kit;
    const path = world.path({ version: await world.unusedVersion() });
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
    kit.same(again.body.revision, first.body.revision, 'the revision is that of the first request');
    await kit.refused(
      'revokeVersion',
      { path, body: { reason: 'Checked', replacement: '1.2.0' } },
      409,
      'version-revoked',
    );
  },
  'if no version is left to fall back to, a replacement is required': async (kit) => {
    const { world } = kit;
    const version = await world.rollBackToBottom();
    const { candidates } = await kit.refused(
      'revokeVersion',
      { path: world.path({ version }), body: { reason: 'Checked' } },
      409,
      'replacement-required',
    );
    kit.ok(
      (candidates?.length ?? 0) > 0 && candidates?.includes(version) === false,
      'candidates lists other versions',
      candidates,
    );
    kit.same((await versionDetail(kit, version)).status, 'registered', 'the version is not revoked');
  },
  'an unknown version, an unusable replacement or an invalid reason is refused': async (kit) => {
    const { world } = kit;
    const version = await world.unusedVersion();
    await kit.refused(
      'revokeVersion',
      { path: world.path({ version: '7.7.7' }), body: { reason: 'Checked' } },
      404,
      'version-not-found',
    );
    await kit.refused(
      'revokeVersion',
      { path: { pack: `no-such-${world.runId}`, version }, body: { reason: 'Checked' } },
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
