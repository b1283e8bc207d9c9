/** `startRollout`: the whole plan is taken, or nothing. */
import type { ActivePack } from '../answers.ts';
import { checksOf, type Kit } from '../kit.ts';
import {
  beginTrial,
  CANDIDATE,
  channelNow,
  isWaitOf,
  planIn,
  rollOut,
  rolloutNow,
  STABLE,
  stableElsewhere,
  verbOn,
} from '../rolling.ts';
import { refusesUnknownChannel, refusesUnknownPack } from './common.ts';
import { previewsDiff, waitsForInstances, withoutEvent } from './moves.ts';
import type { Rollout, RolloutPreview } from '../rollout-answers.ts';
import { listed } from './rollout-lists.ts';

const START = 'startRollout';

/** Starts the default rollout as a caller. @param key default: that of the run */
function start(kit: Kit, members: object = {}, key?: string) {
  const { world } = kit;
  return kit.ask<Rollout>(
    START,
    { path: world.path(), body: planIn(world, members), ...(key !== undefined && { key }) },
    201,
  );
}

/** Requests that a schema cannot refuse, and some that it can: each is about one member of the plan. */
function badPlans(): readonly (readonly [string, object])[] {
  const condition = (operator: string, ...values: string[]) => ({
    audience: { conditions: [{ attribute: 'country', operator, values }] },
  });
  const many = Array.from({ length: 21 }, () => ({ attribute: 'a', operator: 'in', values: ['b'] }));
  return [
    ['no steps', { steps: [] }],
    ['shares that fall', { steps: [{ share: 50 }, { share: 10 }] }],
    ['the same share twice', { steps: [{ share: 50 }, { share: 50 }] }],
    ['a share above 100', { steps: [{ share: 100.001 }] }],
    ['a share below 0', { steps: [{ share: -1 }] }],
    ['a share with four decimals', { steps: [{ share: 0.0001 }] }],
    ['a share that is a text', { steps: [{ share: '10' }] }],
    ['a hold without a unit', { steps: [{ share: 10, hold: '10' }] }],
    ['a hold of more than 90 days', { steps: [{ share: 10, hold: '91d' }] }],
    ['a bake of more than 90 days', { bake: '2161h' }],
    ['a promotion that nothing dates', { finish: 'promote' }],
    ['another finish', { finish: 'later' }],
    ['an unknown operator', condition('matches', 'x')],
    ['no values', condition('in')],
    ['two values for equals', condition('equals', 'a', 'b')],
    ['a text where a number is needed', condition('greaterThan', 'ten')],
    ['a text where a range is needed', condition('semver', 'newest')],
    ['a time without a zone', condition('before', '2026-01-31T00:00:00')],
    ['21 conditions', { audience: { conditions: many } }],
    ['an empty tester', { audience: { subjects: [''] } }],
    ['a lone surrogate', { audience: { subjects: ['\ud83d'] } }],
  ];
}

async function agrees(kit: Kit, { changed: _, instances: __, ...rollout }: Rollout): Promise<void> {
  kit.same((await rolloutNow(kit.world, rollout)).body, rollout, 'getRollout shows the same');
}

export const rolloutChecks = checksOf(START, {
  'it answers 201 with the rollout and Location, and the active version stays': async (kit) => {
    const { world } = kit;
    await world.activate(STABLE);
    const before = await world.activePack();
    const plan = {
      steps: [
        { share: 0.001, hold: '1h' },
        { share: 50, hold: '2d' },
      ],
      bake: '90d',
      finish: 'promote',
      audience: { conditions: [{ attribute: 'country', operator: 'in', values: ['de'] }], subjects: ['tester'] },
    };
    const { body, headers, revision } = await start(kit, plan);
    kit.same(headers.get('location'), `${world.prefix}/v1/packs/${world.pack}/rollouts/${body.id}`, 'Location');
    const { steps, bake, finish, audience, state, share, step, version, stableVersion } = body;
    kit.same({ steps, bake, finish, audience }, plan, 'the plan is the one of the request');
    kit.same(
      [body.pack, body.channel, version, stableVersion, state, share, step],
      [world.pack, before.body.channel, CANDIDATE, STABLE, 'running', 0.001, 1],
      'pack, channel, version, stableVersion, state, share, step',
    );
    kit.ok(body.revision === body.id && revision >= body.id, 'id and revision are those of its event', [
      body.id,
      body.revision,
      revision,
    ]);
    kit.ok(isWaitOf(3_600_000, body.startedAt, body.nextAt), 'nextAt is the end of the first hold', body);
    await agrees(kit, body);
    kit.same((await world.activePack()).etag, before.etag, 'the active version is the same, with the same ETag');
  },
  'startedBy is the key that sent the request': async (kit) => {
    await kit.world.activate(STABLE);
    const { secret, keyId, label } = await kit.world.key('a releaser', ['packs:activate']);
    kit.same((await start(kit, {}, secret)).body.startedBy, { keyId, label }, 'keyId and label');
  },
  'with dryRun it only predicts the outcome': async (kit) => {
    const { world } = kit;
    await world.activate(STABLE);
    const before = await listed(kit);
    const preview = async (members: object) =>
      (
        await withoutEvent(kit, () =>
          kit.ask<RolloutPreview>(
            START,
            { path: world.path(), body: planIn(world, { ...members, dryRun: true }) },
            200,
          ),
        )
      ).body;
    const plain = await preview({ audience: { subjects: ['one', 'two'] } });
    const { rollout, everybody, testers, problems, diff } = plain;
    kit.same(
      [rollout.version, rollout.stableVersion, rollout.share, everybody, testers, problems],
      [CANDIDATE, STABLE, 10, true, 2, []],
      'version, stableVersion, share, everybody, testers, problems',
    );
    await previewsDiff(kit, { diff }, STABLE, CANDIDATE);
    const conditions = [{ attribute: 'a', operator: 'equals', values: ['b'] }];
    kit.same((await preview({ audience: { conditions } })).everybody, false, 'an audience is not everybody');
    const revoked = await preview({ version: await world.revoked() });
    kit.ok(
      revoked.problems.some(({ rule }) => rule === 'revoked'),
      'problems say that a revoked version cannot become the candidate',
      revoked.problems,
    );
    kit.same(await listed(kit), before, 'no rollout was started');
  },
  'a version that is active, revoked or unknown is refused': async (kit) => {
    const { world } = kit;
    const revoked = await world.revoked();
    await world.activate(STABLE);
    const before = await listed(kit);
    const refused = (version: string, status: number, code: string) =>
      kit.refused(START, { path: world.path(), body: planIn(world, { version }) }, status, code);
    await refused(STABLE, 409, 'already-active');
    await refused(revoked, 409, 'version-revoked');
    await refused('7.7.7', 422, 'unknown-version');
    kit.same(await listed(kit), before, 'no rollout was started');
  },
  'a channel has one rollout at a time, and none during a trial': async (kit) => {
    const { world } = kit;
    const first = await rollOut(world);
    const other = { path: world.path(), body: planIn(world, { version: '1.2.0' }) };
    await kit.refused(START, other, 409, 'rollout-running');
    await kit.ask('pauseRollout', verbOn(world, first), 200);
    await kit.refused(START, other, 409, 'rollout-running');
    await beginTrial(world);
    await kit.refused(START, other, 409, 'trial-running');
  },
  'a plan that is not valid is refused as a whole': async (kit) => {
    const { world } = kit;
    await world.activate(STABLE);
    await withoutEvent(kit, async () => {
      for (const [what, members] of badPlans()) {
        const request = { path: world.path(), body: planIn(world, members) };
        const { errors = [] } = await kit.refused(START, request, 400, 'validation-failed');
        kit.ok(errors.length > 0, `${what}: errors say what is wrong`, errors);
      }
    });
  },
  'sameSubjectsAs gives the candidate to the same subjects again': async (kit) => {
    const { world } = kit;
    const first = await rollOut(world);
    const salt = async () => (await channelNow(world)).body.rollout?.salt;
    const before = await salt();
    const second = await rollOut(world, { sameSubjectsAs: first.id });
    kit.same(await salt(), before, 'the salt is that of the earlier rollout');
    await rollOut(world);
    kit.ok((await salt()) !== before, 'otherwise each rollout has its own salt');
    await world.activate(STABLE);
    for (const sameSubjectsAs of [1, second.id + 1])
      await kit.refused(
        START,
        { path: world.path(), body: planIn(world, { sameSubjectsAs }) },
        404,
        'rollout-not-found',
      );
  },
  'If-Match is that of the channel': async (kit) => {
    const { world } = kit;
    await world.activate('1.2.0', STABLE);
    const { etag, body } = await world.activePack();
    const request = (ifMatch: string) => ({
      path: world.path(),
      body: planIn(world),
      headers: { 'if-match': ifMatch },
    });
    const { currentRevision } = await kit.refused(START, request(`"${body.revision - 1}"`), 412, 'revision-conflict');
    kit.same(currentRevision, body.revision, 'currentRevision is the revision of the channel');
    await kit.ask(START, request(etag), 201);
  },
  'channels are separate': async (kit) => {
    const { world } = kit;
    const other = await stableElsewhere(world);
    if (other === undefined) return;
    const { channel, id } = await rollOut(world, { steps: [{ share: 100 }] });
    const { body, headers } = await kit.ask<ActivePack>(
      'getActivePack',
      { path: world.path(), query: { channel: other, subject: 'anybody' } },
      200,
    );
    kit.same([body.version, headers.get('registry-assignment')], [STABLE, null], `${other} has no rollout`);
    kit.ok(!(await listed(kit, { channel: other })).some((each) => each.id === id), `nor is it listed there`);
    kit.ok(
      (await listed(kit, { channel })).some((each) => each.id === id),
      `it is listed in ${channel}`,
    );
  },
  'an unknown pack or channel answers 404': async (kit) => {
    const { world } = kit;
    await world.activate(STABLE);
    await refusesUnknownPack(kit, START, (pack) => ({ path: { pack }, body: planIn(world) }));
    await refusesUnknownChannel(kit, START, (channel) => ({ path: world.path(), body: planIn(world, { channel }) }));
  },
  'with Prefer: wait it answers once the instances have applied it': async (kit) => {
    await kit.world.activate(STABLE);
    await waitsForInstances(kit, START, { path: kit.world.path(), body: planIn(kit.world) }, 201);
  },
});
