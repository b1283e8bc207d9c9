/** Packs, their versions and their policies: `listPacks`, `getPack`, `listVersions`, `getPolicy`. */
import { summaryOf, type Pack, type Policy, type Prompt, type Version, type VersionPage } from '../answers.ts';
import { hashOf } from '../canonical.ts';
import { BY_RANK } from '../documents.ts';
import { checksOf, type Kit } from '../kit.ts';
import { pagesJoin, refusesUnknownPack } from './common.ts';

const unknownPack = (kit: Kit, operation: string) => refusesUnknownPack(kit, operation, (pack) => ({ path: { pack } }));

export const packChecks = [
  ...checksOf('listPacks', {
    'it lists every pack as getPack shows it': async (kit) => {
      await kit.world.ensureActive();
      const { body } = await kit.ask<{ packs: Pack[] }>('listPacks', {}, 200);
      const own = body.packs.find(({ pack }) => pack === kit.world.pack);
      const { pack: defaultPack } = (await kit.ask<Prompt>('getSystemPrompt', {}, 200)).body;
      kit.ok(
        body.packs.some(({ pack }) => pack === defaultPack),
        `it lists the default pack, ${defaultPack}`,
      );
      kit.same(
        own,
        (await kit.ask<Pack>('getPack', { path: kit.world.path() }, 200)).body,
        'the pack of this run is as in getPack',
      );
      await kit.world.activate('1.2.0', '1.0.0');
      const later = (await kit.ask<{ packs: Pack[] }>('listPacks', {}, 200)).body.packs.find(
        ({ pack }) => pack === kit.world.pack,
      );
      kit.same(later, (await kit.ask<Pack>('getPack', { path: kit.world.path() }, 200)).body, 'so it is after a move');
      kit.same(body.packs.length, new Set(body.packs.map(({ pack }) => pack)).size, 'each pack is listed once');
    },
  }),
  ...checksOf('getPack', {
    'it has the 20 highest versions, the latest one, and the active version of each channel': async (kit) => {
      const { world } = kit;
      await world.publishAll();
      for (
        let more = (await kit.ask<Pack>('getPack', { path: world.path() }, 200)).body.versionCount;
        more <= 20;
        more += 1
      )
        await world.publishAnother();
      const prerelease = `9.0.0-rc.${world.nextNumber()}`; // higher than all others, but not the latest, as it is a prerelease
      await world.publish(prerelease);
      const active = await world.activePack();
      const { body } = await kit.ask<Pack>('getPack', { path: world.path() }, 200);
      const all = (await kit.ask<VersionPage>('listVersions', { path: world.path(), query: { limit: 1000 } }, 200)).body
        .versions;
      kit.same(body.pack, world.pack, 'pack is the one of the request');
      kit.same(body.versionCount, all.length, 'versionCount is the number of versions');
      kit.same(body.versions, all.slice(0, 20), 'versions are the 20 highest');
      kit.same(
        body.latest,
        all.find(({ version, status }) => !version.includes('-') && status === 'registered')?.version ?? null,
        'latest is the highest version that is neither a prerelease nor revoked',
      );
      const { channel, version, digest, revision, activatedAt, activatedBy } = active.body;
      kit.same(
        body.channels.find((each) => each.channel === channel),
        { channel, version, digest, revision, activatedAt, activatedBy },
        'the channel is as in getActivePack',
      );
    },
    'it shows the current state after each change': async (kit) => {
      const { world } = kit;
      const version = await world.unusedVersion();
      const of = async () => {
        const { versionCount, channels, versions } = (await kit.ask<Pack>('getPack', { path: world.path() }, 200)).body;
        return {
          versionCount,
          active: channels.some((each) => each.version === version),
          channels: versions.find((each) => each.version === version)?.activeIn.length,
        };
      };
      const before = await of();
      await world.activate('1.0.0', version);
      kit.same(await of(), { ...before, active: true, channels: 1 }, 'a version that was activated');
      await world.activate('1.0.0');
      await world.publishAnother();
      kit.same(
        await of(),
        { versionCount: before.versionCount + 1, active: false, channels: 0 },
        'after another version was activated, and one more was published',
      );
    },
    'an unknown pack answers 404 and lists the known packs': (kit) => unknownPack(kit, 'getPack'),
  }),
  ...checksOf('getPolicy', {
    'a pack without a policy has version 0 and null as digest and revision': async (kit) => {
      await kit.world.publishAll();
      const { body } = await kit.ask<Policy>('getPolicy', { path: kit.world.path() }, 200);
      kit.same(
        [body.pack, body.version, body.digest, body.revision],
        [kit.world.pack, 0, null, null],
        'pack, version, digest, revision',
      );
    },
    'the digest of a policy is that of its canonical JSON': async (kit) => {
      await kit.world.publishAll();
      const { body } = await kit.ask<{ packs: Pack[] }>('listPacks', {}, 200);
      const { pack: defaultPack } = (await kit.ask<Prompt>('getSystemPrompt', {}, 200)).body;
      for (const pack of new Set([defaultPack, ...body.packs.slice(0, 5).map(({ pack }) => pack)])) {
        const {
          pack: name,
          digest,
          revision,
          ...policy
        } = (await kit.ask<Policy>('getPolicy', { path: { pack } }, 200)).body;
        kit.same(name, pack, 'pack is the one of the request');
        kit.same(
          digest,
          policy.version === 0 ? null : `sha256:${hashOf(policy)}`,
          `the digest of the policy of ${pack} is SHA-256 of RFC 8785`,
        );
        kit.same(revision === null, policy.version === 0, `the policy of ${pack} has a revision if it has a version`);
      }
    },
    'an unknown pack answers 404 and lists the known packs': (kit) => unknownPack(kit, 'getPolicy'),
  }),
  ...checksOf('listVersions', {
    'the highest SemVer comes first': async (kit) => {
      await kit.world.publishAll();
      const { body } = await kit.ask<VersionPage>(
        'listVersions',
        { path: kit.world.path(), query: { limit: 1000 } },
        200,
      );
      kit.same(
        body.versions.map(({ version }) => version).filter((version) => BY_RANK.some((each) => each === version)),
        [...BY_RANK],
        'the order is that of SemVer',
      );
      kit.same([body.pack, body.nextCursor], [kit.world.pack, null], 'pack, and no next page');
    },
    'the pages join to the whole list, without a gap or a repeat': async (kit) => {
      await kit.world.publishAll();
      await pagesJoin(kit, 'listVersions', 'versions', 2);
      for (const limit of [0, 1001])
        await kit.refused('listVersions', { path: kit.world.path(), query: { limit } }, 400, 'validation-failed');
    },
    'each version is as in getVersion, also if it is active or revoked': async (kit) => {
      const { world } = kit;
      const version = await world.unusedVersion();
      await kit.ask(
        'revokeVersion',
        { path: world.path({ version }), body: { reason: 'Checked', replacement: '1.0.0' } },
        200,
      );
      const active = (await world.activePack()).body.version;
      const { versions } = (
        await kit.ask<VersionPage>('listVersions', { path: world.path(), query: { limit: 1000 } }, 200)
      ).body;
      for (const each of [version, active, '1.2.0']) {
        const detail = (await kit.ask<Version>('getVersion', { path: world.path({ version: each }) }, 200)).body;
        kit.same(
          versions.find((listed) => listed.version === each),
          summaryOf(detail),
          `version ${each} is as in getVersion`,
        );
      }
    },
    'status selects': async (kit) => {
      const revoked = await kit.world.revoked();
      const of = async (status: string) =>
        (await kit.ask<VersionPage>('listVersions', { path: kit.world.path(), query: { limit: 1000, status } }, 200))
          .body.versions;
      const [gone, there] = [await of('revoked'), await of('registered')];
      kit.ok(
        gone.some(({ version }) => version === revoked) && gone.every(({ status }) => status === 'revoked'),
        'only revoked versions',
        gone.map(({ version }) => version),
      );
      kit.ok(
        there.length > 0 && there.every(({ status }) => status === 'registered'),
        'only registered versions',
        there.map(({ version }) => version),
      );
      await kit.refused(
        'listVersions',
        { path: kit.world.path(), query: { status: 'lost' } },
        400,
        'validation-failed',
      );
    },
    'an unknown pack answers 404 and lists the known packs': (kit) => unknownPack(kit, 'listVersions'),
  }),
];
