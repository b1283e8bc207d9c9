/** A channel as a whole: `getChannel` with both arms, the trial and the schedule; `confirmActivation`. */
import type { Activation, ActivePack } from '../answers.ts';
import { checksOf, type Kit } from '../kit.ts';
import {
  beginTrial,
  cancel,
  CANDIDATE,
  channelPath,
  isWaitOf,
  reasonIn,
  rollOut,
  schedule,
  STABLE,
  verbOn,
} from '../rolling.ts';
import { refusesUnknownChannel, refusesUnknownPack } from './common.ts';
import { ACTIVATE, ROLL_BACK, waitsForInstances } from './moves.ts';
import type { ChannelState } from '../rollout-answers.ts';

const GET = 'getChannel';
const CONFIRM = 'confirmActivation';

async function channel(kit: Kit) {
  return kit.ask<ChannelState>(GET, { path: await channelPath(kit.world) }, 200);
}

/** The action changes the channel's ETag and revision. */
async function changes(kit: Kit, what: string, act: () => Promise<unknown>): Promise<ChannelState> {
  const before = await channel(kit);
  await act();
  const path = await channelPath(kit.world);
  const after = await kit.ask<ChannelState>(GET, { path, headers: { 'if-none-match': before.etag } }, 200);
  kit.ok(
    after.etag !== before.etag && after.body.revision > before.body.revision,
    `${what}: ETag and revision are others`,
    [before.etag, after.etag, before.body.revision, after.body.revision],
  );
  return after.body;
}

async function confirm(kit: Kit, headers: Readonly<Record<string, string>> = {}, status = 200) {
  return kit.ask<{ readonly version: string; readonly revision: number; readonly code?: string }>(
    CONFIRM,
    { path: await channelPath(kit.world), body: reasonIn(kit.world), headers },
    status,
  );
}

export const channelStateChecks = [
  ...checksOf(GET, {
    'it has both arms as reads serve them, and the rule between them': async (kit) => {
      const { world } = kit;
      await world.activate(STABLE);
      kit.same((await channel(kit)).body.rollout, undefined, 'without a rollout there is no rollout member');
      const audience = {
        conditions: [{ attribute: 'country', operator: 'in', values: ['de', 'at'] }],
        subjects: [`tester-${world.runId}`],
      };
      const rollout = await rollOut(world, { steps: [{ share: 12.345 }], audience });
      const { body } = await channel(kit);
      const read = async (subject?: string) =>
        (
          await kit.ask<ActivePack>(
            'getActivePack',
            { path: world.path(), query: { ...world.chosenChannel, subject } },
            200,
          )
        ).body;
      kit.same(body.stable, await read(), 'stable is what getActivePack shows');
      kit.same(body.rollout?.candidate, await read(audience.subjects[0]), 'candidate is what a tester gets');
      const { id, share, state, hash, salt = '' } = body.rollout ?? {};
      kit.same(
        [id, share, body.rollout?.audience, state, hash, body.revision],
        [rollout.id, 12.345, audience, 'running', 'v1', rollout.id],
        'id, share, audience, state, hash and revision',
      );
      kit.ok(salt.length >= 8, 'there is a salt', salt.length);
    },
    'its ETag and revision change with every part': async (kit) => {
      const { world } = kit;
      await world.activate(STABLE);
      const started = await changes(kit, 'a rollout starts', () => rollOut(world));
      const rollout = { id: started.rollout?.id ?? 0 };
      const steer = (verb: string) => () => kit.ask(verb, verbOn(world, rollout), 200);
      kit.same((await changes(kit, 'a step', steer('advanceRollout'))).rollout?.share, 50, 'the share of the step');
      kit.same((await changes(kit, 'a pause', steer('pauseRollout'))).rollout?.state, 'paused', 'the state');
      kit.same((await changes(kit, 'an abort', steer('abortRollout'))).rollout, undefined, 'no rollout');
      let id = '';
      const pending = await changes(kit, 'something is scheduled', async () => ({ id } = await schedule(world)));
      kit.ok(
        pending.schedule.some((each) => each.id === id),
        'the schedule has it',
        pending.schedule,
      );
      await changes(kit, 'it is cancelled', () => cancel(world, { id }));
      kit.same((await changes(kit, 'a trial', () => beginTrial(world))).trial?.version, CANDIDATE, 'the trial');
      kit.same((await changes(kit, 'a confirmation', () => confirm(kit))).trial, undefined, 'no trial');
      const { etag } = await channel(kit);
      await world.appendEvent();
      const path = await channelPath(world);
      const answer = await kit.ask(GET, { path, headers: { 'if-none-match': etag } }, 304);
      kit.same([answer.etag, answer.text], [etag, ''], 'another event changes nothing: 304 with the ETag and no body');
    },
    'an unknown pack or channel answers 404': async (kit) => {
      const path = await channelPath(kit.world);
      await refusesUnknownPack(kit, GET, (pack) => ({ path: { ...path, pack } }));
      await refusesUnknownChannel(kit, GET, (name) => ({ path: { ...path, channel: name } }));
    },
  }),
  ...checksOf(ACTIVATE, {
    'with revertAfter it is a trial, which getChannel shows': async (kit) => {
      const { world } = kit;
      const { revision, activatedAt, reason, actor } = await beginTrial(world, '1h');
      const { trial, stable } = (await channel(kit)).body;
      kit.same(
        [stable.version, stable.revision, trial?.version, trial?.reason, trial?.startedBy],
        [CANDIDATE, revision, CANDIDATE, reason, actor],
        'the version is active and on trial, with reason and actor',
      );
      kit.ok(isWaitOf(3_600_000, activatedAt, trial?.revertAt), 'revertAt is an hour after the activation', trial);
      const again = { ...world.activationBody(CANDIDATE), revertAfter: '1h' };
      await kit.refused(ACTIVATE, { path: world.path(), body: again }, 409, 'trial-running');
      await world.activate('1.2.0');
      kit.same((await channel(kit)).body.trial, undefined, 'another move ends the trial');
    },
    'a trial of the active version is refused, and so is one of more than 90 days': async (kit) => {
      const { world } = kit;
      await world.activate(STABLE);
      const of = (members: object) => ({ path: world.path(), body: { ...world.activationBody(STABLE), ...members } });
      await kit.refused(ACTIVATE, of({ revertAfter: '1h' }), 409, 'already-active');
      for (const revertAfter of ['91d', '1', '0s', '1.5h'])
        await kit.refused(ACTIVATE, of({ version: '1.2.0', revertAfter }), 400, 'validation-failed');
      kit.same((await channel(kit)).body.trial, undefined, 'there is no trial');
    },
    'activating the version that is on trial confirms it': async (kit) => {
      const { world } = kit;
      const { revision } = await beginTrial(world);
      await kit.ask<Activation>(ACTIVATE, { path: world.path(), body: world.activationBody(CANDIDATE) }, 200, 201);
      const { trial, stable } = (await channel(kit)).body;
      kit.same([trial, stable.revision], [undefined, revision], 'the trial is over, and the channel did not move');
    },
  }),
  ...checksOf(CONFIRM, {
    'the version that is on trial stays': async (kit) => {
      const { world } = kit;
      await beginTrial(world);
      const before = await world.activePack();
      const { body } = await confirm(kit);
      kit.same(body.version, CANDIDATE, 'version');
      kit.ok(body.revision > before.body.revision, 'the revision is that of the confirmation', body.revision);
      kit.same((await world.activePack()).etag, before.etag, 'the channel did not move');
      kit.same((await confirm(kit, {}, 404)).body.code, 'no-trial', 'there is no trial any more');
    },
    'it honours If-Match': async (kit) => {
      await beginTrial(kit.world);
      const { etag, body } = await kit.world.activePack();
      const stale = await confirm(kit, { 'if-match': `"${body.revision - 1}"` }, 412);
      kit.same(stale.body.code, 'revision-conflict', 'a stale revision is refused');
      await confirm(kit, { 'if-match': etag });
    },
    'after it, a rollback goes down the stack as usual': async (kit) => {
      const { world } = kit;
      await beginTrial(world);
      await confirm(kit);
      const { body } = await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.rollbackBody() }, 201);
      kit.same([body.version, body.previousVersion], [STABLE, CANDIDATE], 'version and previousVersion');
    },
    'an unknown pack or channel answers 404': async (kit) => {
      const request = { path: await channelPath(kit.world), body: reasonIn(kit.world) };
      await refusesUnknownPack(kit, CONFIRM, (pack) => ({ ...request, path: { ...request.path, pack } }));
      await refusesUnknownChannel(kit, CONFIRM, (name) => ({ ...request, path: { ...request.path, channel: name } }));
    },
    'with Prefer: wait it answers once the instances have applied it': async (kit) => {
      await beginTrial(kit.world);
      const request = { path: await channelPath(kit.world), body: reasonIn(kit.world) };
      await waitsForInstances(kit, CONFIRM, request, 200);
    },
  }),
];
