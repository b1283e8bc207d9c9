/** The verbs of a rollout: `advanceRollout`, `pauseRollout`, `resumeRollout`, `promoteRollout`, `abortRollout`. */
import type { ActivationPage } from '../answers.ts';
import type { Answer } from '../asker.ts';
import { checksOf, type Check, type Kit } from '../kit.ts';
import { CANDIDATE, rollOut, rolloutNow, STABLE, verbOn } from '../rolling.ts';
import { refusesUnknownPack } from './common.ts';
import { waitsForInstances, withoutEvent } from './moves.ts';
import type { Rollout, RolloutPreview } from '../rollout-answers.ts';

const ADVANCE = 'advanceRollout';
const PAUSE = 'pauseRollout';
const RESUME = 'resumeRollout';
const PROMOTE = 'promoteRollout';
const ABORT = 'abortRollout';

/** Applies a verb, and sees that `getRollout` shows what it answered. */
async function apply(kit: Kit, verb: string, rollout: Rollout, members: object = {}): Promise<Rollout> {
  const { body } = await kit.ask<Rollout>(verb, verbOn(kit.world, rollout, members), 200);
  const { changed: _, ...shown } = body;
  kit.same((await rolloutNow(kit.world, rollout)).body, shown, `getRollout shows what ${verb} answered`);
  return body;
}

/** Applying a verb again succeeds and changes nothing. */
async function changesNothing(kit: Kit, verb: string, rollout: Rollout): Promise<void> {
  const before = (await rolloutNow(kit.world, rollout)).body;
  const { body } = await withoutEvent(kit, () => kit.ask<Rollout>(verb, verbOn(kit.world, rollout), 200));
  kit.same(body, { ...before, changed: false }, 'changed is false, and all else is as it was');
}

/** A rollout that the verb changes. */
async function changeable(kit: Kit, verb: string): Promise<Rollout> {
  const rollout = await rollOut(kit.world);
  if (verb === RESUME) await kit.ask(PAUSE, verbOn(kit.world, rollout), 200);
  return (await rolloutNow(kit.world, rollout)).body;
}

async function onlyPredicts(kit: Kit, verb: string, state: Rollout['state']): Promise<void> {
  const rollout = await changeable(kit, verb);
  const before = await kit.world.activePack();
  const { body } = await withoutEvent(kit, () =>
    kit.ask<RolloutPreview>(verb, verbOn(kit.world, rollout, { dryRun: true }), 200),
  );
  kit.same(
    [body.rollout.id, body.rollout.state, body.problems],
    [rollout.id, state, []],
    'the rollout as it would be, and no problems',
  );
  kit.same((await rolloutNow(kit.world, rollout)).body, rollout, 'the rollout did not change');
  kit.same((await kit.world.activePack()).etag, before.etag, 'the channel did not move');
}

async function honoursIfMatch(kit: Kit, verb: string): Promise<void> {
  const request = (rollout: Rollout, ifMatch: string) => ({
    ...verbOn(kit.world, rollout),
    headers: { 'if-match': ifMatch },
  });
  const rollout = await changeable(kit, verb);
  const { etag, body } = await rolloutNow(kit.world, rollout);
  for (const stale of [`"${body.revision - 1}"`, `W/${etag}`, '"no-such-tag"']) {
    const { currentRevision } = await kit.refused(verb, request(rollout, stale), 412, 'revision-conflict');
    kit.same(currentRevision, body.revision, `If-Match: ${stale} does not match; currentRevision is the rollout's`);
  }
  kit.same((await rolloutNow(kit.world, rollout)).etag, etag, 'the refused requests changed nothing');
  await kit.ask(verb, request(rollout, etag), 200);
  const another = await changeable(kit, verb);
  await kit.ask(verb, request(another, `"${another.revision}"`), 200);
}

async function refusesEndedAndUnknown(kit: Kit, verb: string): Promise<void> {
  const { world } = kit;
  const rollout = await rollOut(world);
  await refusesUnknownPack(kit, verb, (pack) => {
    const { path, ...request } = verbOn(world, rollout);
    return { ...request, path: { ...path, pack } };
  });
  await kit.refused(verb, verbOn(world, { id: rollout.id + 1 }), 404, 'rollout-not-found');
  for (const reason of ['', ' \t', 'x'.repeat(501)])
    await kit.refused(verb, verbOn(world, rollout, { reason }), 400, 'validation-failed');
  await kit.ask(verb === ABORT ? PROMOTE : ABORT, verbOn(world, rollout), 200);
  await kit.refused(verb, verbOn(world, rollout), 409, 'rollout-ended');
}

async function waits(kit: Kit, verb: string): Promise<void> {
  await waitsForInstances(kit, verb, verbOn(kit.world, await changeable(kit, verb)), 200);
}

/** What the verbs have in common. @param state what a dry run predicts */
function common(verb: string, state: Rollout['state']): Check[] {
  return checksOf(verb, {
    'with dryRun it only predicts the outcome': (kit) => onlyPredicts(kit, verb, state),
    'it honours If-Match with the ETag or the revision of the rollout': (kit) => honoursIfMatch(kit, verb),
    'an ended or unknown rollout is refused, and so is an invalid reason': (kit) => refusesEndedAndUnknown(kit, verb),
    'with Prefer: wait it answers once the instances have applied it': (kit) => waits(kit, verb),
  });
}

/** The last move in `listActivations`. */
async function lastMove(kit: Kit) {
  const { body } = await kit.ask<ActivationPage>(
    'listActivations',
    { path: kit.world.path(), query: { ...kit.world.chosenChannel, limit: 1 } },
    200,
  );
  return body.activations[0];
}

const etagOf = ({ etag }: Answer<unknown>) => etag;

export const steeringChecks = [
  ...checksOf(ADVANCE, {
    'it takes the steps of the plan one by one, up to the last': async (kit) => {
      const steps = [{ share: 1.5, hold: '1h' }, { share: 20 }, { share: 100 }];
      const rollout = await rollOut(kit.world, { steps });
      for (const [step, share] of [
        [2, 20],
        [3, 100],
      ] as const) {
        const { changed, nextAt, ...body } = await apply(kit, ADVANCE, rollout);
        kit.same(
          [body.step, body.share, body.state, changed, nextAt],
          [step, share, 'running', true, undefined],
          'step, share, state, changed, and no nextAt, because the step has no hold',
        );
      }
      await changesNothing(kit, ADVANCE, rollout);
    },
    'after the last step comes the bake': async (kit) => {
      const rollout = await rollOut(kit.world, { steps: [{ share: 50 }], bake: '1h', finish: 'promote' });
      const { state, share, nextAt } = await apply(kit, ADVANCE, rollout);
      kit.same([state, share], ['baking', 50], 'state and share');
      kit.ok(nextAt !== undefined, 'nextAt is the end of the bake', nextAt);
      await changesNothing(kit, ADVANCE, rollout);
    },
    'with share it sets that share, and the plan goes on with the first step above it': async (kit) => {
      const rollout = await rollOut(kit.world, { steps: [{ share: 10 }, { share: 20 }, { share: 50 }] });
      const set = async (share: number, step: number) => {
        const body = await apply(kit, ADVANCE, rollout, { share });
        kit.same([body.share, body.step, body.changed], [share, step, true], `share, step and changed at ${share} %`);
      };
      await set(33.333, 2);
      await set(0, 0);
      const { share, step } = await apply(kit, ADVANCE, rollout);
      kit.same([share, step], [10, 1], 'the next step is the first one again');
      for (const wrong of [100.001, -1, 0.0001, '10'])
        await kit.refused(ADVANCE, verbOn(kit.world, rollout, { share: wrong }), 400, 'validation-failed');
    },
  }),
  ...checksOf(PAUSE, {
    'it stops the plan and keeps the share': async (kit) => {
      const rollout = await rollOut(kit.world, { steps: [{ share: 10, hold: '1h' }, { share: 50 }] });
      const { state, share, step, changed, nextAt } = await apply(kit, PAUSE, rollout);
      kit.same(
        [state, share, step, changed, nextAt],
        ['paused', 10, 1, true, undefined],
        'state, share, step, changed, and no nextAt',
      );
      await changesNothing(kit, PAUSE, rollout);
    },
  }),
  ...checksOf(RESUME, {
    'the hold goes on with what was left of it': async (kit) => {
      const rollout = await rollOut(kit.world, { steps: [{ share: 10, hold: '1h' }, { share: 50 }] });
      await changesNothing(kit, RESUME, rollout);
      await apply(kit, PAUSE, rollout);
      const { state, share, changed, nextAt } = await apply(kit, RESUME, rollout);
      kit.same([state, share, changed], ['running', 10, true], 'state, share, changed');
      const due = Date.parse(nextAt ?? '');
      const before = Date.parse(rollout.nextAt ?? '');
      kit.ok(due >= before && due < before + 3_600_000, 'nextAt is later than before, by less than the hold', [
        rollout.nextAt,
        nextAt,
      ]);
    },
  }),
  ...checksOf(PROMOTE, {
    'the candidate becomes active, as a move that names the rollout': async (kit) => {
      const { world } = kit;
      const rollout = await rollOut(world);
      const { state, changed, revision, endReason } = await apply(kit, PROMOTE, rollout, { reason: 'It went well' });
      kit.same([state, changed, endReason], ['promoted', true, 'It went well'], 'state, changed, endReason');
      const { body } = await world.activePack();
      kit.same([body.version, body.revision], [CANDIDATE, revision], 'the candidate is active since that revision');
      const move = await lastMove(kit);
      kit.same(
        [move?.kind, move?.version, move?.previousVersion, move?.revision, move?.rollout],
        ['activation', CANDIDATE, STABLE, revision, { id: rollout.id, state: 'promoted' }],
        'listActivations has the move, with the rollout',
      );
      await changesNothing(kit, PROMOTE, rollout);
      await kit.ask('rollbackPack', { path: world.path(), body: world.rollbackBody() }, 201);
      kit.same((await world.activePack()).body.version, STABLE, 'a rollback goes back to the stable version');
    },
  }),
  ...checksOf(ABORT, {
    'everybody is on the stable version again, whose ETag is as it was': async (kit) => {
      const { world } = kit;
      const rollout = await rollOut(world, { steps: [{ share: 100 }] });
      const read = () =>
        kit.ask('getActivePack', { path: world.path(), query: { ...world.chosenChannel, subject: 'anybody' } }, 200);
      const stable = etagOf(await world.activePack());
      kit.ok(etagOf(await read()) !== stable, 'at 100 % a subject gets the candidate');
      const { state, changed } = await apply(kit, ABORT, rollout);
      kit.same([state, changed], ['aborted', true], 'state, changed');
      kit.same(etagOf(await read()), stable, 'then it gets the stable version');
      await changesNothing(kit, ABORT, rollout);
    },
  }),
  ...common(ADVANCE, 'running'),
  ...common(PAUSE, 'paused'),
  ...common(RESUME, 'running'),
  ...common(PROMOTE, 'promoted'),
  ...common(ABORT, 'aborted'),
];
