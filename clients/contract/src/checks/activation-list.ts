/** `listActivations`: every move of a pack's channels, newest first. */
import type { Activation, ActivationPage, Revocation } from '../answers.ts';
import { checksOf } from '../kit.ts';
import { pagesJoin } from './common.ts';
import { ROLL_BACK } from './moves.ts';

export const activationListChecks = checksOf('listActivations', {
  'it lists every move, newest first': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0', '1.2.0');
    const moved = (await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.rollbackBody() }, 201)).body;
    const { activations, nextCursor } = (
      await kit.ask<ActivationPage>(
        'listActivations',
        { path: world.path(), query: { ...world.chosenChannel, limit: 1000 } },
        200,
      )
    ).body;
    const { instances: _, ...expected } = moved;
    kit.same(activations[0], expected, 'the first entry is the last move, as the move answered');
    kit.same(nextCursor, null, 'there is no next page');
    kit.ok(
      activations.every(({ revision }, index) => index === 0 || revision <= (activations[index - 1]?.revision ?? 0)),
      'revisions decrease',
      activations.map(({ revision }) => revision),
    );
    kit.ok(
      activations.every(({ pack, changed }) => pack === world.pack && changed),
      'every entry is a move of the pack',
    );
  },
  'the pages join to the whole list, without a gap or a repeat': async (kit) => {
    await kit.world.activate('1.0.0', '1.2.0', '1.10.0', '2.0.0');
    await pagesJoin(kit, 'listActivations', 'activations', 3);
  },
  'it lists a move made by a revocation': async (kit) => {
    const { world } = kit;
    const version = await world.unusedVersion();
    await world.activate('1.2.0', version);
    const { body } = await kit.ask<Revocation>(
      'revokeVersion',
      { path: world.path({ version }), body: { reason: 'Checked' } },
      200,
    );
    const [last] = (
      await kit.ask<ActivationPage>(
        'listActivations',
        { path: world.path(), query: { ...world.chosenChannel, limit: 1 } },
        200,
      )
    ).body.activations;
    kit.same(
      [last?.kind, last?.version, last?.previousVersion, last?.revision, last?.reason],
      ['revocation', '1.2.0', version, body.revision, 'Checked'],
      'kind, version, previousVersion, revision, reason',
    );
  },
  '`at` finds the move that was in force at that time': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0', '1.2.0', '2.0.0');
    const query = { ...world.chosenChannel, limit: 1000 };
    const whole = (await kit.ask<ActivationPage>('listActivations', { path: world.path(), query }, 200)).body
      .activations;
    const at = whole.at(1)?.activatedAt ?? '';
    const { activations } = (
      await kit.ask<ActivationPage>('listActivations', { path: world.path(), query: { ...query, limit: 1, at } }, 200)
    ).body;
    kit.same(
      activations[0],
      whole.find(({ activatedAt }) => activatedAt <= at),
      'the newest move that is not later',
    );
    await kit.refused('listActivations', { path: world.path(), query: { at: 'yesterday' } }, 400, 'validation-failed');
  },
});
