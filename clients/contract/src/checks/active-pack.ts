/** `getActivePack`: the active version as one whole, and who moved the channel to it. */
import type { Activation, ActivationPage, ActivePack, Version } from '../answers.ts';
import { digestOf } from '../canonical.ts';
import { checksOf } from '../kit.ts';
import { refusesUnknownChannel, refusesUnknownPack } from './common.ts';
import { conditional } from './conditional.ts';
import { ACTIVATE, ROLL_BACK } from './moves.ts';

export const activePackChecks = checksOf('getActivePack', {
  'the pack is whole: the digest matches the content, and all of it belongs to one version': async (kit) => {
    const { world } = kit;
    for (const version of ['1.0.0', '2.0.0']) {
      await world.activate(version);
      const { body } = await kit.ask<ActivePack>(
        'getActivePack',
        { path: world.path(), query: world.chosenChannel },
        200,
      );
      kit.same([body.pack, body.version], [world.pack, version], 'pack and version');
      kit.same(body.digest, digestOf(body), 'the digest is SHA-256 of RFC 8785 of the content');
      const detail = (await kit.ask<Version>('getVersion', { path: world.path({ version }) }, 200)).body;
      kit.same(
        [body.digest, body.system, body.styles, body.defaultStyle],
        [detail.digest, detail.system, detail.styles, detail.defaultStyle],
        'the content is that of getVersion',
      );
    }
  },
  'it says when, by whom and why the channel was moved, as the move answered': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0');
    const { actor, ...moved } = (
      await kit.ask<Activation>(ACTIVATE, { path: world.path(), body: world.activationBody('2.0.0') }, 201)
    ).body;
    const { body } = await world.activePack();
    kit.same(
      [body.activatedAt, body.activatedBy, body.reason, body.revision],
      [moved.activatedAt, actor, moved.reason, moved.revision],
      'activatedAt, activatedBy, reason and revision',
    );
    const { activations } = (
      await kit.ask<ActivationPage>(
        'listActivations',
        { path: world.path(), query: { ...world.chosenChannel, limit: 1 } },
        200,
      )
    ).body;
    kit.same(
      activations.map((each) => [each.activatedAt, each.actor, each.reason, each.revision]),
      [[body.activatedAt, body.activatedBy, body.reason, body.revision]],
      'listActivations says the same',
    );
  },
  'it supports If-None-Match': (kit) => conditional(kit, 'getActivePack', { path: kit.world.path() }),
  'a rollback to the same content has a higher revision and a different ETag': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0', '1.2.0');
    const first = await kit.ask<ActivePack>('getActivePack', { path: world.path(), query: world.chosenChannel }, 200);
    await world.activate('2.0.0');
    await kit.ask(ROLL_BACK, { path: world.path(), body: world.rollbackBody() }, 201);
    const again = await kit.ask<ActivePack>('getActivePack', { path: world.path(), query: world.chosenChannel }, 200);
    kit.same(again.body.digest, first.body.digest, 'the digest is the same');
    kit.ok(again.body.revision > first.body.revision, 'the revision is higher', [
      first.body.revision,
      again.body.revision,
    ]);
    kit.ok(again.etag !== first.etag, 'the ETag is different', again.etag);
  },
  'an unknown pack or channel answers 404 and lists the known ones': async (kit) => {
    await refusesUnknownPack(kit, 'getActivePack', (pack) => ({ path: { pack } }));
    await refusesUnknownChannel(kit, 'getActivePack', (channel) => ({ path: kit.world.path(), query: { channel } }));
  },
});
