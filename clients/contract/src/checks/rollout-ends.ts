/** What moves of a channel do to the rollout that runs in it: `rollbackPack`, `activateVersion`, `revokeVersion`. */
import type { Activation, ActivationPage } from '../answers.ts';
import { checksOf, type Kit } from '../kit.ts';
import { CANDIDATE, rollOut, rolloutNow, STABLE } from '../rolling.ts';
import { ACTIVATE, ROLL_BACK, withoutEvent } from './moves.ts';
import type { Rollout } from '../rollout-answers.ts';

/** A move, and sees that it ended the rollout. @returns the move */
async function ends(
  kit: Kit,
  rollout: Rollout,
  state: 'promoted' | 'aborted',
  operation: string,
  body: object,
): Promise<Activation> {
  const move = (await kit.ask<Activation>(operation, { path: kit.world.path(), body }, 201)).body;
  kit.same((await rolloutNow(kit.world, rollout)).body.state, state, `the rollout is ${state}`);
  return move;
}

/** What a subject gets: at a share of 100 % that is the candidate, if a rollout runs. */
async function subjectGets(kit: Kit) {
  const query = { ...kit.world.chosenChannel, subject: 'anybody' };
  const { body, etag } = await kit.ask<Activation>('getActivePack', { path: kit.world.path(), query }, 200);
  return { version: body.version, etag };
}

/** Everybody may get the candidate; below the stable version there is another one. */
async function rollOutToAll(kit: Kit): Promise<Rollout> {
  await kit.world.activate('1.2.0');
  return rollOut(kit.world, { steps: [{ share: 100 }] });
}

export const rolloutEndChecks = [
  ...checksOf(ROLL_BACK, {
    'while a rollout runs it ends the rollout: everybody is on the stable version, and the channel stays': async (
      kit,
    ) => {
      const { world } = kit;
      const rollout = await rollOutToAll(kit);
      const before = await world.activePack();
      const move = await ends(kit, rollout, 'aborted', ROLL_BACK, world.rollbackBody());
      kit.same(
        [move.kind, move.version, move.previousVersion, move.changed, move.rollout],
        ['rollback', STABLE, STABLE, true, { id: rollout.id, state: 'aborted' }],
        'kind, version, previousVersion, changed and rollout',
      );
      kit.same(
        await subjectGets(kit),
        { version: STABLE, etag: before.etag },
        'a subject gets the stable version, with the ETag that it had',
      );
      const { activations } = (
        await kit.ask<ActivationPage>(
          'listActivations',
          { path: world.path(), query: { ...world.chosenChannel, limit: 1 } },
          200,
        )
      ).body;
      kit.same(activations, [move], 'listActivations shows it as the move answered');
      const next = (await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.rollbackBody() }, 201)).body;
      kit.same([next.version, next.previousVersion], ['1.2.0', STABLE], 'the next rollback goes down the stack');
    },
    'it ends a paused rollout just the same': async (kit) => {
      const { world } = kit;
      const rollout = await rollOutToAll(kit);
      const path = world.path({ rollout: String(rollout.id) });
      await kit.ask('pauseRollout', { path, body: { reason: 'Checked' } }, 200);
      await ends(kit, rollout, 'aborted', ROLL_BACK, world.rollbackBody());
      kit.same((await subjectGets(kit)).version, STABLE, 'a subject gets the stable version');
    },
    'while a rollout runs, fromVersion and If-Match may name either arm': async (kit) => {
      const { world } = kit;
      for (const fromVersion of [CANDIDATE, STABLE]) {
        const rollout = await rollOutToAll(kit);
        await kit.refused(
          ROLL_BACK,
          { path: world.path(), body: world.rollbackBody({ fromVersion: '1.10.0' }) },
          409,
          'not-active',
        );
        await ends(kit, rollout, 'aborted', ROLL_BACK, world.rollbackBody({ fromVersion }));
      }
      for (const tagOf of [async () => (await world.activePack()).etag, async () => (await subjectGets(kit)).etag]) {
        await rollOutToAll(kit);
        const request = { path: world.path(), body: world.rollbackBody(), headers: { 'if-match': await tagOf() } };
        await kit.ask(ROLL_BACK, request, 201);
        kit.same((await subjectGets(kit)).version, STABLE, 'with the ETag of that arm it ends the rollout');
      }
    },
    'a second rollback from the candidate does not go below the stable version': async (kit) => {
      const { world } = kit;
      const rollout = await rollOutToAll(kit);
      const body = world.rollbackBody({ fromVersion: CANDIDATE });
      await ends(kit, rollout, 'aborted', ROLL_BACK, body);
      await kit.refused(ROLL_BACK, { path: world.path(), body }, 409, 'not-active');
      kit.same((await world.activePack()).body.version, STABLE, 'the stable version is still active');
    },
    'with dryRun it does not end the rollout': async (kit) => {
      const { world } = kit;
      const rollout = await rollOutToAll(kit);
      await withoutEvent(kit, () =>
        kit.ask(ROLL_BACK, { path: world.path(), body: world.rollbackBody({ dryRun: true }) }, 200),
      );
      kit.same((await rolloutNow(world, rollout)).body, rollout, 'the rollout did not change');
      kit.same((await subjectGets(kit)).version, CANDIDATE, 'a subject gets the candidate');
    },
    'with toVersion it goes there, and the rollout ends': async (kit) => {
      const rollout = await rollOutToAll(kit);
      const move = await ends(kit, rollout, 'aborted', ROLL_BACK, kit.world.rollbackBody({ toVersion: '1.2.0' }));
      kit.same([move.version, move.previousVersion], ['1.2.0', STABLE], 'version and previousVersion');
    },
  }),
  ...checksOf(ACTIVATE, {
    'activating the candidate of a rollout promotes it, any other version aborts it': async (kit) => {
      const { world } = kit;
      const promoted = await rollOutToAll(kit);
      const move = await ends(kit, promoted, 'promoted', ACTIVATE, world.activationBody(CANDIDATE));
      kit.same([move.version, move.previousVersion], [CANDIDATE, STABLE], 'version and previousVersion');
      for (const version of ['1.10.0', STABLE]) {
        const aborted = await rollOutToAll(kit);
        await ends(kit, aborted, 'aborted', ACTIVATE, world.activationBody(version));
        kit.same((await subjectGets(kit)).version, version, `after an activation of ${version} everybody gets it`);
      }
    },
  }),
  ...checksOf('revokeVersion', {
    'revoking the candidate of a rollout ends it': async (kit) => {
      const { world } = kit;
      const version = await world.unusedVersion();
      const rollout = await rollOut(world, { version, steps: [{ share: 100 }] });
      const before = await world.activePack();
      await kit.ask('revokeVersion', { path: world.path({ version }), body: { reason: 'Checked' } }, 200);
      kit.same((await rolloutNow(world, rollout)).body.state, 'aborted', 'the rollout is aborted');
      kit.same(
        await subjectGets(kit),
        { version: STABLE, etag: before.etag },
        'a subject gets the stable version, with the ETag that it had',
      );
    },
    'revoking the stable version with the candidate as replacement promotes it': async (kit) => {
      const { world } = kit;
      const version = await world.unusedVersion();
      await world.activate(version);
      const body = {
        version: CANDIDATE,
        ...world.chosenChannel,
        reason: 'Checked',
        steps: [{ share: 10 }],
        finish: 'wait',
      };
      const rollout = (await kit.ask<Rollout>('startRollout', { path: world.path(), body }, 201)).body;
      await kit.ask(
        'revokeVersion',
        { path: world.path({ version }), body: { reason: 'Checked', replacement: CANDIDATE } },
        200,
      );
      kit.same((await rolloutNow(world, rollout)).body.state, 'promoted', 'the rollout is promoted');
      kit.same((await world.activePack()).body.version, CANDIDATE, 'the candidate is active');
    },
  }),
];
