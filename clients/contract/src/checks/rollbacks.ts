/** `rollbackPack`: it goes down the stack and never forward. */
import type { Activation, Preview } from '../answers.ts';
import { checksOf } from '../kit.ts';
import { refusesUnknownChannel, refusesUnknownPack } from './common.ts';
import { honoursIfMatch, movedTo, moveWaits, previewsDiff, ROLL_BACK, withoutEvent } from './moves.ts';

export const rollbackChecks = checksOf(ROLL_BACK, {
  'two rollbacks go two versions back, never forward again': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0', '1.2.0', '2.0.0');
    const before = await world.activePack();
    const first = (await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.rollbackBody() }, 201)).body;
    await movedTo(kit, first, '2.0.0', '1.2.0', 'rollback');
    const second = (await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.rollbackBody() }, 201)).body;
    await movedTo(kit, second, '1.2.0', '1.0.0', 'rollback');
    kit.ok(before.body.revision < first.revision && first.revision < second.revision, 'each has a higher revision', [
      before.body.revision,
      first.revision,
      second.revision,
    ]);
  },
  'at the bottom of the stack it is refused': async (kit) => {
    await kit.world.rollBackToBottom();
    const before = await kit.world.activePack();
    await kit.refused(
      ROLL_BACK,
      { path: kit.world.path(), body: kit.world.rollbackBody() },
      409,
      'nothing-to-roll-back-to',
    );
    kit.same((await kit.world.activePack()).etag, before.etag, 'the channel did not move');
  },
  'it skips revoked versions': async (kit) => {
    const { world } = kit;
    const version = await world.unusedVersion();
    await world.activate('1.2.0', version, '2.0.0');
    await kit.ask('revokeVersion', { path: world.path({ version }), body: { reason: 'To be passed over' } }, 200);
    const { body } = await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.rollbackBody() }, 201);
    await movedTo(kit, body, '2.0.0', '1.2.0', 'rollback');
  },
  'it is refused if fromVersion is not active': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0', '2.0.0');
    const before = await world.activePack();
    for (const stale of [{ fromVersion: '1.0.0' }, { fromVersion: '1.0.0', toVersion: '1.0.0' }])
      await kit.refused(ROLL_BACK, { path: world.path(), body: world.rollbackBody(stale) }, 409, 'not-active');
    kit.same((await world.activePack()).etag, before.etag, 'the refused requests moved nothing');
    const { body } = await kit.ask<Activation>(
      ROLL_BACK,
      { path: world.path(), body: world.rollbackBody({ fromVersion: '2.0.0' }) },
      201,
    );
    await movedTo(kit, body, '2.0.0', '1.0.0', 'rollback');
  },
  'toVersion must have been active in the channel': async (kit) => {
    const { world } = kit;
    const [base, never] = [await world.unusedVersion(), await world.unusedVersion()];
    await world.activate(base, '1.0.0', '1.2.0', '2.0.0');
    const { everActive } = await kit.refused(
      ROLL_BACK,
      { path: world.path(), body: world.rollbackBody({ toVersion: never }) },
      409,
      'never-active',
    );
    kit.ok(
      everActive?.includes('1.0.0') === true && !everActive.includes(never),
      'everActive lists the versions that were active',
      everActive,
    );
    await kit.refused(
      ROLL_BACK,
      { path: world.path(), body: world.rollbackBody({ toVersion: '7.7.7' }) },
      422,
      'unknown-version',
    );
    const same = (
      await kit.ask<Activation>(
        ROLL_BACK,
        { path: world.path(), body: world.rollbackBody({ toVersion: '2.0.0' }) },
        200,
      )
    ).body;
    kit.same(
      [same.version, same.changed],
      ['2.0.0', false],
      'a rollback to the active version succeeds and changes nothing',
    );
    const { body } = await kit.ask<Activation>(
      ROLL_BACK,
      { path: world.path(), body: world.rollbackBody({ toVersion: '1.0.0' }) },
      201,
    );
    await movedTo(kit, body, '2.0.0', '1.0.0', 'rollback');
    const further = (await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.rollbackBody() }, 201))
      .body;
    kit.same(further.version, base, 'the next rollback goes on from there');
  },
  'with dryRun it only predicts the outcome': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0', '2.0.0');
    const before = await world.activePack();
    const { body } = await withoutEvent(kit, () =>
      kit.ask<Preview>(ROLL_BACK, { path: world.path(), body: world.rollbackBody({ dryRun: true }) }, 200),
    );
    await previewsDiff(kit, body, '2.0.0', '1.0.0');
    kit.same(
      [body.wouldActivate, body.previousVersion, body.stylesAdded, body.stylesRemoved],
      ['1.0.0', '2.0.0', ['direct'], ['socratic']],
      'wouldActivate, previousVersion, styles',
    );
    kit.same((await world.activePack()).etag, before.etag, 'the channel did not move');
  },
  'it honours If-Match': (kit) => honoursIfMatch(kit, ROLL_BACK, (world) => world.rollbackBody()),
  'with Prefer: wait it answers once the instances have applied it': (kit) =>
    moveWaits(kit, ROLL_BACK, kit.world.rollbackBody()),
  'an unknown pack or channel answers 404': async (kit) => {
    const { world } = kit;
    await world.ensureActive();
    await refusesUnknownPack(kit, ROLL_BACK, (pack) => ({ path: { pack }, body: world.rollbackBody() }));
    await refusesUnknownChannel(kit, ROLL_BACK, (channel) => ({
      path: world.path(),
      body: world.rollbackBody({ channel }),
    }));
  },
});
