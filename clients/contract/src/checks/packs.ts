/** Packs and their policies: `listPacks`, `getPack`, `getPolicy`. */
import { summaryOf, type Pack, type Policy, type Prompt, type Version, type VersionPage } from '../answers.ts';
import { hashOf } from '../canonical.ts';
import { BY_RANK } from '../documents.ts';
import { checksOf, type Kit } from '../kit.ts';

async function notThere(kit: Kit, operation: string): Promise<void> {
  await kit.world.published();
  const { knownPacks } = await kit.refused(
    operation,
    { path: { pack: `no-such-${kit.world.run}` } },
    404,
    'pack-not-found',
  );
  kit.ok(knownPacks?.includes(kit.world.pack) === true, 'knownPacks lists the packs there are');
}

export const packChecks = [
  ...checksOf('listPacks', {
    'it lists every pack, as getPack tells it': async (kit) => {
      await kit.world.active();
      const { body } = await kit.ask<{ packs: Pack[] }>('listPacks', {}, 200);
      const own = body.packs.find(({ pack }) => pack === kit.world.pack);
      const { pack: usual } = (await kit.ask<Prompt>('getSystemPrompt', {}, 200)).body;
      kit.ok(
        body.packs.some(({ pack }) => pack === usual),
        `the default pack, ${usual}, too`,
      );
      kit.same(own, (await kit.ask<Pack>('getPack', { path: kit.world.path() }, 200)).body, 'the pack of this run');
      await kit.world.at('1.2.0', '1.0.0');
      const then = (await kit.ask<{ packs: Pack[] }>('listPacks', {}, 200)).body.packs.find(
        ({ pack }) => pack === kit.world.pack,
      );
      kit.same(then, (await kit.ask<Pack>('getPack', { path: kit.world.path() }, 200)).body, 'and once it was moved');
      kit.same(body.packs.length, new Set(body.packs.map(({ pack }) => pack)).size, 'each once');
    },
  }),
  ...checksOf('getPack', {
    'it has the 20 highest versions, the latest, and where each channel is': async (kit) => {
      const { world } = kit;
      await world.published();
      for (
        let more = (await kit.ask<Pack>('getPack', { path: world.path() }, 200)).body.versionCount;
        more <= 20;
        more += 1
      )
        await world.more();
      const prerelease = `9.0.0-rc.${world.next()}`; // the highest, and not the latest
      await world.publish(prerelease);
      const active = await world.activePack();
      const { body } = await kit.ask<Pack>('getPack', { path: world.path() }, 200);
      const all = (await kit.ask<VersionPage>('listVersions', { path: world.path(), query: { limit: 1000 } }, 200)).body
        .versions;
      kit.same(body.pack, world.pack, 'pack');
      kit.same(body.versionCount, all.length, 'versionCount');
      kit.same(body.versions, all.slice(0, 20), 'versions are the 20 highest');
      kit.same(
        body.latest,
        all.find(({ version, status }) => !version.includes('-') && status === 'registered')?.version ?? null,
        'latest is the highest that is no prerelease and not revoked',
      );
      const { channel, version, digest, revision, activatedAt, activatedBy } = active.body;
      kit.same(
        body.channels.find((each) => each.channel === channel),
        { channel, version, digest, revision, activatedAt, activatedBy },
        'the channel is where getActivePack says',
      );
    },
    'it is as it is now, whatever it was before': async (kit) => {
      const { world } = kit;
      const version = await world.fresh();
      const of = async () => {
        const { versionCount, channels, versions } = (await kit.ask<Pack>('getPack', { path: world.path() }, 200)).body;
        return {
          versionCount,
          at: channels.some((each) => each.version === version),
          told: versions.find((each) => each.version === version)?.activeIn.length,
        };
      };
      const before = await of();
      await world.at('1.0.0', version);
      kit.same(await of(), { ...before, at: true, told: 1 }, 'a version that became active');
      await world.at('1.0.0');
      await world.more();
      kit.same(
        await of(),
        { versionCount: before.versionCount + 1, at: false, told: 0 },
        'one that is not any more, and one more that was published',
      );
    },
    'a pack that is not there is 404 with those there are': (kit) => notThere(kit, 'getPack'),
  }),
  ...checksOf('getPolicy', {
    'a pack without a policy has version 0, no digest and no revision': async (kit) => {
      await kit.world.published();
      const { body } = await kit.ask<Policy>('getPolicy', { path: kit.world.path() }, 200);
      kit.same(
        [body.pack, body.version, body.digest, body.revision],
        [kit.world.pack, 0, null, null],
        'pack, version, digest, revision',
      );
    },
    'the digest of a policy is that of its canonical form': async (kit) => {
      await kit.world.published();
      const { body } = await kit.ask<{ packs: Pack[] }>('listPacks', {}, 200);
      const { pack: usual } = (await kit.ask<Prompt>('getSystemPrompt', {}, 200)).body;
      for (const pack of new Set([usual, ...body.packs.slice(0, 5).map(({ pack }) => pack)])) {
        const {
          pack: name,
          digest,
          revision,
          ...policy
        } = (await kit.ask<Policy>('getPolicy', { path: { pack } }, 200)).body;
        kit.same(name, pack, 'it is of the pack that was asked');
        kit.same(digest, policy.version === 0 ? null : `sha256:${hashOf(policy)}`, `digest of the policy of ${pack}`);
        kit.same(revision === null, policy.version === 0, `a policy that is there has a revision (${pack})`);
      }
    },
    'a pack that is not there is 404 with those there are': (kit) => notThere(kit, 'getPolicy'),
  }),
  ...checksOf('listVersions', {
    'the highest SemVer comes first': async (kit) => {
      await kit.world.published();
      const { body } = await kit.ask<VersionPage>(
        'listVersions',
        { path: kit.world.path(), query: { limit: 1000 } },
        200,
      );
      kit.same(
        body.versions.map(({ version }) => version).filter((version) => BY_RANK.some((each) => each === version)),
        [...BY_RANK],
        'the order',
      );
      kit.same([body.pack, body.nextCursor], [kit.world.pack, null], 'pack, and no more pages');
    },
    'pages join to the whole list, without a gap or a repeat': async (kit) => {
      await kit.world.published();
      const whole = (
        await kit.ask<VersionPage>('listVersions', { path: kit.world.path(), query: { limit: 1000 } }, 200)
      ).body.versions;
      const found: VersionPage['versions'][number][] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages <= whole.length; pages += 1) {
        const { body }: { body: VersionPage } = await kit.ask<VersionPage>(
          'listVersions',
          { path: kit.world.path(), query: { limit: 2, cursor } },
          200,
        );
        found.push(...body.versions);
        if (body.versions.length > 2) kit.same(body.versions.length, 2, 'a page has at most its limit');
        if (body.nextCursor === null) break;
        cursor = body.nextCursor;
      }
      kit.same(found, whole, 'all pages together');
      await kit.refused(
        'listVersions',
        { path: kit.world.path(), query: { cursor: 'made-up' } },
        400,
        'validation-failed',
      );
      for (const limit of [0, 1001])
        await kit.refused('listVersions', { path: kit.world.path(), query: { limit } }, 400, 'validation-failed');
    },
    'each is told as getVersion tells it, one that is active and one that is revoked as well': async (kit) => {
      const { world } = kit;
      const version = await world.fresh();
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
          `version ${each}`,
        );
      }
    },
    'status chooses': async (kit) => {
      const revoked = await kit.world.revoked();
      const of = async (status: string) =>
        (await kit.ask<VersionPage>('listVersions', { path: kit.world.path(), query: { limit: 1000, status } }, 200))
          .body.versions;
      const [gone, there] = [await of('revoked'), await of('registered')];
      kit.ok(
        gone.some(({ version }) => version === revoked) && gone.every(({ status }) => status === 'revoked'),
        'revoked: those alone',
        gone.map(({ version }) => version),
      );
      kit.ok(
        there.length > 0 && there.every(({ status }) => status === 'registered'),
        'registered: those alone',
        there.map(({ version }) => version),
      );
      await kit.refused(
        'listVersions',
        { path: kit.world.path(), query: { status: 'lost' } },
        400,
        'validation-failed',
      );
    },
    'a pack that is not there is 404 with those there are': (kit) => notThere(kit, 'listVersions'),
  }),
];
