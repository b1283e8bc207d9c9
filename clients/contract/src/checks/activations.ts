/** `activateVersion`: it moves a channel to a version, or refuses and moves nothing. */
import type { Activation, Preview } from '../answers.ts';
import { checksOf } from '../kit.ts';
import { refusesUnknownChannel, refusesUnknownPack } from './common.ts';
import { ACTIVATE, honoursIfMatch, movedTo, moveWaits, previewsDiff, ROLL_BACK, withoutEvent } from './moves.ts';

export const activationChecks = checksOf(ACTIVATE, {
  'it makes the version active, with a higher revision and Location': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0');
    const before = await world.activePack();
    const { body, headers, revision } = await kit.ask<Activation>(
      ACTIVATE,
      { path: world.path(), body: world.activationBody('2.0.0') },
      201,
    );
    kit.same(
      headers.get('location'),
      `${world.prefix}/v1/packs/${world.pack}/active?channel=${body.channel}`,
      'Location',
    );
    kit.ok(body.revision > before.body.revision && revision >= body.revision, 'the revision is higher than before', [
      before.body.revision,
      body.revision,
      revision,
    ]);
    await movedTo(kit, body, '1.0.0', '2.0.0', 'activation');
  },
  'the actor is the key that sent the request': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0');
    const { secret, keyId, label } = await world.key('an operator', ['packs:activate']);
    for (const [operation, body] of [
      [ACTIVATE, world.activationBody('2.0.0')],
      [ROLL_BACK, world.rollbackBody()],
    ] as const) {
      const moved = await kit.ask<Activation>(operation, { path: world.path(), body, key: secret }, 201);
      kit.same(moved.body.actor, { keyId, label }, `${operation}: keyId and label`);
    }
  },
  'activating the active version succeeds and changes nothing': async (kit) => {
    const { world } = kit;
    await world.activate('2.0.0');
    await world.appendEvent(); // so the head of the log is not the revision of the channel
    const before = await world.activePack();
    const { body } = await withoutEvent(kit, () =>
      kit.ask<Activation>(ACTIVATE, { path: world.path(), body: world.activationBody('2.0.0') }, 200),
    );
    kit.same(
      [body.changed, body.revision, body.version],
      [false, before.body.revision, '2.0.0'],
      'changed, revision, version',
    );
    kit.same((await world.activePack()).etag, before.etag, 'the channel did not move');
  },
  'with dryRun it only predicts the outcome': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0');
    const before = await world.activePack();
    const { body } = await withoutEvent(kit, () =>
      kit.ask<Preview>(ACTIVATE, { path: world.path(), body: { ...world.activationBody('2.0.0'), dryRun: true } }, 200),
    );
    await previewsDiff(kit, body, '1.0.0', '2.0.0');
    kit.same(
      [body.wouldActivate, body.previousVersion, body.stylesAdded, body.stylesRemoved, body.problems],
      ['2.0.0', '1.0.0', ['socratic'], ['direct'], []],
      'wouldActivate, previousVersion, styles, problems',
    );
    const after = await world.activePack();
    kit.same([after.body.version, after.etag], ['1.0.0', before.etag], 'the channel did not move');
    const revoked = (
      await kit.ask<Preview>(
        ACTIVATE,
        { path: world.path(), body: { ...world.activationBody(await world.revoked()), dryRun: true } },
        200,
      )
    ).body;
    kit.ok(
      revoked.problems.some(({ rule }) => rule === 'revoked'),
      'problems say that a revoked version cannot be activated',
      revoked.problems,
    );
  },
  'it honours If-Match': (kit) => honoursIfMatch(kit, ACTIVATE, (world) => world.activationBody('1.0.0')),
  'with Prefer: wait it answers once the instances have applied it': (kit) =>
    moveWaits(kit, ACTIVATE, kit.world.activationBody('1.10.0')),
  'an unknown or revoked version is refused, and the channel does not move': async (kit) => {
    const { world } = kit;
    const revoked = await world.revoked();
    const before = await world.activePack();
    const { knownVersions } = await kit.refused(
      ACTIVATE,
      { path: world.path(), body: world.activationBody('7.7.7') },
      422,
      'unknown-version',
    );
    kit.ok(knownVersions?.includes('1.0.0') === true, 'knownVersions includes 1.0.0', knownVersions);
    await kit.refused(ACTIVATE, { path: world.path(), body: world.activationBody(revoked) }, 409, 'version-revoked');
    const body = world.activationBody('1.0.0');
    await refusesUnknownPack(kit, ACTIVATE, (pack) => ({ path: { pack }, body }));
    await refusesUnknownChannel(kit, ACTIVATE, (channel) => ({ path: world.path(), body: { ...body, channel } }));
    kit.same((await world.activePack()).etag, before.etag, 'the channel did not move');
  },
  'a reason has 1 to 500 characters and is not blank': async (kit) => {
    const { world } = kit;
    await world.activate('1.0.0');
    for (const reason of ['', ' \t', 'x'.repeat(501)])
      await kit.refused(
        ACTIVATE,
        { path: world.path(), body: { ...world.activationBody('1.2.0'), reason } },
        400,
        'validation-failed',
      );
    await kit.ask(
      ACTIVATE,
      { path: world.path(), body: { ...world.activationBody('1.2.0'), reason: 'x'.repeat(500) } },
      201,
    );
  },
});
