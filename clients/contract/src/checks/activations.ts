/** What is active, and the moves of channels: `getActivePack`, `listActivations`, `activateVersion`, `rollbackPack`. */
import type {
  Activation,
  ActivationPage,
  ActivePack,
  Diff,
  EventPage,
  Preview,
  Revocation,
  Version,
} from '../answers.ts';
import { digestOf } from '../canonical.ts';
import { checksOf, type Kit } from '../kit.ts';
import { conditional } from './conditional.ts';
import { waited } from './waiting.ts';

const ACTIVATE = 'activateVersion';
const ROLL_BACK = 'rollbackPack';

/** Both moves honour `If-Match`, and neither moves anything in a dry run or where it is refused. */
async function guardedMove(kit: Kit, operation: string, body: (world: Kit['world']) => object): Promise<void> {
  const { world } = kit;
  await world.at('1.0.0', '1.2.0', '2.0.0');
  const before = await world.activePack();
  const { revision } = before.body;
  const move = (ifMatch: string) => ({ path: world.path(), body: body(world), headers: { 'if-match': ifMatch } });
  for (const stale of [`"${revision - 1}"`, `W/${before.etag}`, '"no-such-tag"']) {
    const { currentRevision } = await kit.refused(operation, move(stale), 412, 'revision-conflict');
    kit.same(currentRevision, revision, `If-Match: ${stale} does not match; currentRevision says where the channel is`);
  }
  kit.same((await world.activePack()).etag, before.etag, 'refused, it moved nothing');
  await kit.ask<Activation>(operation, move(before.etag), 201);
  const then = await world.activePack();
  kit.ok(then.body.revision > revision, 'with the ETag it moves');
  await world.at('2.0.0');
  const { body: last } = await world.activePack();
  await kit.ask<Activation>(operation, move(`"${last.revision}"`), 201);
}

/** A move told by its answer is what is active from then on. */
async function holds(kit: Kit, activation: Activation, from: string | null, to: string, kind: string): Promise<void> {
  const active = await kit.world.activePack();
  const { version, previousVersion, changed, kind: told, pack, digest, revision } = activation;
  kit.same(
    [pack, version, previousVersion, changed, told],
    [kit.world.pack, to, from, true, kind],
    'pack, version, previousVersion, changed, kind',
  );
  kit.same(
    [active.body.version, active.body.digest, active.body.revision, active.body.reason],
    [to, digest, revision, activation.reason],
    'getActivePack is at it, by its revision',
  );
}

/** Does what makes no event of the pack. */
async function quiet<T>(kit: Kit, act: () => Promise<T>): Promise<T> {
  const events = async () =>
    (await kit.ask<EventPage>('listEvents', { query: { pack: kit.world.pack, limit: 1000 } }, 200)).body.events.at(-1)
      ?.revision;
  const before = await events();
  const done = await act();
  kit.same(await events(), before, 'it made no event');
  return done;
}

/** A preview tells the differences that diffVersions tells. */
async function differs(kit: Kit, { diff }: Preview, from: string, to: string): Promise<void> {
  const { body } = await kit.ask<Diff>(
    'diffVersions',
    { path: kit.world.path({ version: to }), query: { against: from } },
    200,
  );
  kit.same(diff, body.assets, 'diff is what diffVersions tells');
}

async function waits(kit: Kit, operation: string, body: object): Promise<void> {
  await kit.world.at('1.0.0', '1.2.0', '2.0.0');
  await waited(kit, operation, { path: kit.world.path(), body }, 201);
}

const active = checksOf('getActivePack', {
  'the pack is whole: its digest is that of what it holds, and all of it is of one version': async (kit) => {
    const { world } = kit;
    for (const version of ['1.0.0', '2.0.0']) {
      await world.at(version);
      const { body } = await kit.ask<ActivePack>('getActivePack', { path: world.path(), query: world.there }, 200);
      kit.same([body.pack, body.version], [world.pack, version], 'pack and version');
      kit.same(body.digest, digestOf(body), 'the digest is SHA-256 of RFC 8785 of the content');
      const detail = (await kit.ask<Version>('getVersion', { path: world.path({ version }) }, 200)).body;
      kit.same(
        [body.digest, body.system, body.styles, body.defaultStyle],
        [detail.digest, detail.system, detail.styles, detail.defaultStyle],
        'it is what getVersion has',
      );
    }
  },
  'it says when, by whom and why the channel was moved, as the move itself did': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0');
    const { actor, ...moved } = (
      await kit.ask<Activation>(ACTIVATE, { path: world.path(), body: world.moveTo('2.0.0') }, 201)
    ).body;
    const { body } = await world.activePack();
    kit.same(
      [body.activatedAt, body.activatedBy, body.reason, body.revision],
      [moved.activatedAt, actor, moved.reason, moved.revision],
      'activatedAt, activatedBy, reason and revision',
    );
    const { activations } = (
      await kit.ask<ActivationPage>('listActivations', { path: world.path(), query: { ...world.there, limit: 1 } }, 200)
    ).body;
    kit.same(
      activations.map((each) => [each.activatedAt, each.actor, each.reason, each.revision]),
      [[body.activatedAt, body.activatedBy, body.reason, body.revision]],
      'listActivations says the same',
    );
  },
  'it is conditional': (kit) => conditional(kit, 'getActivePack', { path: kit.world.path() }),
  'a rollback to the same content is a new state: a higher revision, another ETag': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0', '1.2.0');
    const first = await kit.ask<ActivePack>('getActivePack', { path: world.path(), query: world.there }, 200);
    await world.at('2.0.0');
    await kit.ask(ROLL_BACK, { path: world.path(), body: world.back() }, 201);
    const again = await kit.ask<ActivePack>('getActivePack', { path: world.path(), query: world.there }, 200);
    kit.same(again.body.digest, first.body.digest, 'the digest is the same');
    kit.ok(again.body.revision > first.body.revision, 'the revision is higher', [
      first.body.revision,
      again.body.revision,
    ]);
    kit.ok(again.etag !== first.etag, 'the ETag is another', again.etag);
  },
  'what is not there is 404 with what there is': async (kit) => {
    const { world } = kit;
    await world.active();
    const { knownPacks } = await kit.refused(
      'getActivePack',
      { path: { pack: `no-such-${world.run}` } },
      404,
      'pack-not-found',
    );
    kit.ok(knownPacks?.includes(world.pack) === true, 'knownPacks');
    const { knownChannels } = await kit.refused(
      'getActivePack',
      { path: world.path(), query: { channel: `no-such-${world.run}` } },
      404,
      'channel-not-found',
    );
    kit.ok((knownChannels?.length ?? 0) > 0, 'knownChannels', knownChannels);
  },
});

const list = checksOf('listActivations', {
  'every move stands there, the newest first': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0', '1.2.0');
    const moved = (await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.back() }, 201)).body;
    const { activations, nextCursor } = (
      await kit.ask<ActivationPage>(
        'listActivations',
        { path: world.path(), query: { ...world.there, limit: 1000 } },
        200,
      )
    ).body;
    const { instances: _, ...told } = moved;
    kit.same(activations[0], told, 'the first is the last move, as its own answer told it');
    kit.same(nextCursor, null, 'no more pages');
    kit.ok(
      activations.every(({ revision }, index) => index === 0 || revision <= (activations[index - 1]?.revision ?? 0)),
      'revisions fall',
      activations.map(({ revision }) => revision),
    );
    kit.ok(
      activations.every(({ pack, changed }) => pack === world.pack && changed),
      'all of them are moves of the pack',
    );
  },
  'pages join to the whole list, without a gap or a repeat': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0', '1.2.0', '1.10.0', '2.0.0');
    const whole = (
      await kit.ask<ActivationPage>('listActivations', { path: world.path(), query: { limit: 1000 } }, 200)
    ).body.activations;
    const found: Activation[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages <= whole.length; pages += 1) {
      const { body }: { body: ActivationPage } = await kit.ask<ActivationPage>(
        'listActivations',
        { path: world.path(), query: { limit: 3, cursor } },
        200,
      );
      if (body.activations.length > 3) kit.same(body.activations.length, 3, 'a page has at most its limit');
      found.push(...body.activations);
      if (body.nextCursor === null) break;
      cursor = body.nextCursor;
    }
    kit.same(found, whole, 'all pages together');
    await kit.refused(
      'listActivations',
      { path: world.path(), query: { cursor: 'made-up' } },
      400,
      'validation-failed',
    );
  },
  'a channel that a revocation moved stands there, too': async (kit) => {
    const { world } = kit;
    const version = await world.fresh();
    await world.at('1.2.0', version);
    const { body } = await kit.ask<Revocation>(
      'revokeVersion',
      { path: world.path({ version }), body: { reason: 'Checked' } },
      200,
    );
    const [last] = (
      await kit.ask<ActivationPage>('listActivations', { path: world.path(), query: { ...world.there, limit: 1 } }, 200)
    ).body.activations;
    kit.same(
      [last?.kind, last?.version, last?.previousVersion, last?.revision, last?.reason],
      ['revocation', '1.2.0', version, body.revision, 'Checked'],
      'kind, version, previousVersion, revision, reason',
    );
  },
  'at gives the one in force then': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0', '1.2.0', '2.0.0');
    const query = { ...world.there, limit: 1000 };
    const whole = (await kit.ask<ActivationPage>('listActivations', { path: world.path(), query }, 200)).body
      .activations;
    const at = whole.at(1)?.activatedAt ?? '';
    const { activations } = (
      await kit.ask<ActivationPage>('listActivations', { path: world.path(), query: { ...query, limit: 1, at } }, 200)
    ).body;
    kit.same(
      activations[0],
      whole.find(({ activatedAt }) => activatedAt <= at),
      'the newest that is not later',
    );
    await kit.refused('listActivations', { path: world.path(), query: { at: 'yesterday' } }, 400, 'validation-failed');
  },
});

const activations = checksOf(ACTIVATE, {
  'it points the channel at the version, with a new, higher revision and Location': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0');
    const before = await world.activePack();
    const { body, headers, revision } = await kit.ask<Activation>(
      ACTIVATE,
      { path: world.path(), body: world.moveTo('2.0.0') },
      201,
    );
    kit.same(
      headers.get('location'),
      `${world.prefix}/v1/packs/${world.pack}/active?channel=${body.channel}`,
      'Location',
    );
    kit.ok(body.revision > before.body.revision && revision >= body.revision, 'the revision', [
      before.body.revision,
      body.revision,
      revision,
    ]);
    await holds(kit, body, '1.0.0', '2.0.0', 'activation');
  },
  'the actor is the key that moved it': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0');
    const { secret, keyId, label } = await world.key('an operator', ['packs:activate']);
    for (const [operation, body] of [
      [ACTIVATE, world.moveTo('2.0.0')],
      [ROLL_BACK, world.back()],
    ] as const) {
      const moved = await kit.ask<Activation>(operation, { path: world.path(), body, key: secret }, 201);
      kit.same(moved.body.actor, { keyId, label }, `${operation}: keyId and label`);
    }
  },
  'what is active already is a success without effect': async (kit) => {
    const { world } = kit;
    await world.at('2.0.0');
    await world.goOn(); // the log has gone on since
    const before = await world.activePack();
    const { body } = await quiet(kit, () =>
      kit.ask<Activation>(ACTIVATE, { path: world.path(), body: world.moveTo('2.0.0') }, 200),
    );
    kit.same(
      [body.changed, body.revision, body.version],
      [false, before.body.revision, '2.0.0'],
      'changed, revision, version',
    );
    kit.same((await world.activePack()).etag, before.etag, 'the channel did not move');
  },
  'with dryRun it only says what would happen': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0');
    const before = await world.activePack();
    const { body } = await quiet(kit, () =>
      kit.ask<Preview>(ACTIVATE, { path: world.path(), body: { ...world.moveTo('2.0.0'), dryRun: true } }, 200),
    );
    await differs(kit, body, '1.0.0', '2.0.0');
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
        { path: world.path(), body: { ...world.moveTo(await world.revoked()), dryRun: true } },
        200,
      )
    ).body;
    kit.ok(
      revoked.problems.some(({ rule }) => rule === 'revoked'),
      'problems say that a revoked version could not be activated',
      revoked.problems,
    );
  },
  'If-Match is honoured': (kit) => guardedMove(kit, ACTIVATE, (world) => world.moveTo('1.0.0')),
  'Prefer: wait answers when the instances have applied it': (kit) => waits(kit, ACTIVATE, kit.world.moveTo('1.10.0')),
  'a version that is not registered, or revoked, is refused, and nothing moves': async (kit) => {
    const { world } = kit;
    const revoked = await world.revoked();
    const before = await world.activePack();
    const { knownVersions } = await kit.refused(
      ACTIVATE,
      { path: world.path(), body: world.moveTo('7.7.7') },
      422,
      'unknown-version',
    );
    kit.ok(knownVersions?.includes('1.0.0') === true, 'knownVersions', knownVersions);
    await kit.refused(ACTIVATE, { path: world.path(), body: world.moveTo(revoked) }, 409, 'version-revoked');
    await kit.refused(
      ACTIVATE,
      { path: { pack: `no-such-${world.run}` }, body: world.moveTo('1.0.0') },
      404,
      'pack-not-found',
    );
    const { knownChannels } = await kit.refused(
      ACTIVATE,
      { path: world.path(), body: { ...world.moveTo('1.0.0'), channel: `no-such-${world.run}` } },
      404,
      'channel-not-found',
    );
    kit.ok((knownChannels?.length ?? 0) > 0, 'knownChannels', knownChannels);
    kit.same((await world.activePack()).etag, before.etag, 'the channel did not move');
  },
  'a reason has 1 to 500 characters and is not blank': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0');
    for (const reason of ['', ' \t', 'x'.repeat(501)])
      await kit.refused(
        ACTIVATE,
        { path: world.path(), body: { ...world.moveTo('1.2.0'), reason } },
        400,
        'validation-failed',
      );
    await kit.ask(ACTIVATE, { path: world.path(), body: { ...world.moveTo('1.2.0'), reason: 'x'.repeat(500) } }, 201);
  },
});

const rollbacks = checksOf(ROLL_BACK, {
  'pressing it twice goes two back, never forward again': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0', '1.2.0', '2.0.0');
    const before = await world.activePack();
    const first = (await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.back() }, 201)).body;
    await holds(kit, first, '2.0.0', '1.2.0', 'rollback');
    const second = (await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.back() }, 201)).body;
    await holds(kit, second, '1.2.0', '1.0.0', 'rollback');
    kit.ok(
      before.body.revision < first.revision && first.revision < second.revision,
      'each has a new, higher revision',
      [before.body.revision, first.revision, second.revision],
    );
  },
  'at the bottom there is nothing to roll back to': async (kit) => {
    await kit.world.bottom();
    const before = await kit.world.activePack();
    await kit.refused(ROLL_BACK, { path: kit.world.path(), body: kit.world.back() }, 409, 'nothing-to-roll-back-to');
    kit.same((await kit.world.activePack()).etag, before.etag, 'the channel did not move');
  },
  'revoked versions are passed over': async (kit) => {
    const { world } = kit;
    const version = await world.fresh();
    await world.at('1.2.0', version, '2.0.0');
    await kit.ask('revokeVersion', { path: world.path({ version }), body: { reason: 'To be passed over' } }, 200);
    const { body } = await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.back() }, 201);
    await holds(kit, body, '2.0.0', '1.2.0', 'rollback');
  },
  'fromVersion guards against a channel that has moved meanwhile': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0', '2.0.0');
    const before = await world.activePack();
    for (const stale of [{ fromVersion: '1.0.0' }, { fromVersion: '1.0.0', toVersion: '1.0.0' }])
      await kit.refused(ROLL_BACK, { path: world.path(), body: world.back(stale) }, 409, 'not-active');
    kit.same((await world.activePack()).etag, before.etag, 'refused, it moved nothing');
    const { body } = await kit.ask<Activation>(
      ROLL_BACK,
      { path: world.path(), body: world.back({ fromVersion: '2.0.0' }) },
      201,
    );
    await holds(kit, body, '2.0.0', '1.0.0', 'rollback');
  },
  'toVersion must have been active in the channel': async (kit) => {
    const { world } = kit;
    const [base, never] = [await world.fresh(), await world.fresh()];
    await world.at(base, '1.0.0', '1.2.0', '2.0.0');
    const { everActive } = await kit.refused(
      ROLL_BACK,
      { path: world.path(), body: world.back({ toVersion: never }) },
      409,
      'never-active',
    );
    kit.ok(
      everActive?.includes('1.0.0') === true && !everActive.includes(never),
      'everActive lists those that were',
      everActive,
    );
    await kit.refused(
      ROLL_BACK,
      { path: world.path(), body: world.back({ toVersion: '7.7.7' }) },
      422,
      'unknown-version',
    );
    const same = (
      await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.back({ toVersion: '2.0.0' }) }, 200)
    ).body;
    kit.same([same.version, same.changed], ['2.0.0', false], 'to what is active already: a success without effect');
    const { body } = await kit.ask<Activation>(
      ROLL_BACK,
      { path: world.path(), body: world.back({ toVersion: '1.0.0' }) },
      201,
    );
    await holds(kit, body, '2.0.0', '1.0.0', 'rollback');
    const further = (await kit.ask<Activation>(ROLL_BACK, { path: world.path(), body: world.back() }, 201)).body;
    kit.same(further.version, base, 'from there the next one goes further down');
  },
  'with dryRun it only says what would happen': async (kit) => {
    const { world } = kit;
    await world.at('1.0.0', '2.0.0');
    const before = await world.activePack();
    const { body } = await quiet(kit, () =>
      kit.ask<Preview>(ROLL_BACK, { path: world.path(), body: world.back({ dryRun: true }) }, 200),
    );
    await differs(kit, body, '2.0.0', '1.0.0');
    kit.same(
      [body.wouldActivate, body.previousVersion, body.stylesAdded, body.stylesRemoved],
      ['1.0.0', '2.0.0', ['direct'], ['socratic']],
      'wouldActivate, previousVersion, styles',
    );
    kit.same((await world.activePack()).etag, before.etag, 'the channel did not move');
  },
  'If-Match is honoured': (kit) => guardedMove(kit, ROLL_BACK, (world) => world.back()),
  'Prefer: wait answers when the instances have applied it': (kit) => waits(kit, ROLL_BACK, kit.world.back()),
  'what is not there is 404': async (kit) => {
    const { world } = kit;
    await world.active();
    await kit.refused(ROLL_BACK, { path: { pack: `no-such-${world.run}` }, body: world.back() }, 404, 'pack-not-found');
    await kit.refused(
      ROLL_BACK,
      { path: world.path(), body: world.back({ channel: `no-such-${world.run}` }) },
      404,
      'channel-not-found',
    );
  },
});

export const activationChecks = [...active, ...list, ...activations, ...rollbacks];
