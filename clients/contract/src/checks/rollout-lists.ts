/** `listRollouts`, `getRollout`. */
import { checksOf, type Kit } from '../kit.ts';
import { pathTo, rollOut, rolloutNow, verbOn } from '../rolling.ts';
import type { Rollout, RolloutPage } from '../rollout-answers.ts';
import { pagesJoin, refusesUnknownPack } from './common.ts';

const LIST = 'listRollouts';
const GET = 'getRollout';

/** The rollouts of the channel of this run. */
export async function listed(
  kit: Kit,
  query: Readonly<Record<string, string | number | undefined>> = {},
): Promise<Rollout[]> {
  const { body } = await kit.ask<RolloutPage>(
    LIST,
    { path: kit.world.path(), query: { ...kit.world.chosenChannel, limit: 1000, ...query } },
    200,
  );
  return [...body.rollouts];
}

export const rolloutListChecks = [
  ...checksOf(LIST, {
    'it lists every rollout, the newest first, those that have ended included': async (kit) => {
      const { world } = kit;
      const first = await rollOut(world);
      await kit.ask('promoteRollout', verbOn(world, first), 200);
      const second = await rollOut(world);
      const rollouts = await listed(kit);
      kit.same(
        rollouts.slice(0, 2).map(({ id, state }) => [id, state]),
        [
          [second.id, 'running'],
          [first.id, 'promoted'],
        ],
        'the newest two',
      );
      kit.same(rollouts[0], (await rolloutNow(world, second)).body, 'each is what getRollout shows');
      kit.ok(
        rollouts.every(({ id }, index) => index === 0 || id < (rollouts[index - 1]?.id ?? 0)),
        'ids decrease',
        rollouts.map(({ id }) => id),
      );
    },
    'state selects': async (kit) => {
      const { id } = await rollOut(kit.world);
      kit.same(
        (await listed(kit, { state: 'running' })).map((each) => each.id),
        [id],
        'only the one that runs',
      );
      const promoted = await listed(kit, { state: 'promoted' });
      kit.ok(
        promoted.every(({ state }) => state === 'promoted'),
        'only those that were promoted',
        promoted,
      );
    },
    'the pages join to the whole list, without a gap or a repeat': async (kit) => {
      for (let count = 0; count < 3; count += 1) await rollOut(kit.world);
      await pagesJoin(kit, LIST, 'rollouts', 2);
    },
    'an unknown pack answers 404': (kit) => refusesUnknownPack(kit, LIST, (pack) => ({ path: { pack } })),
  }),
  ...checksOf(GET, {
    'it supports If-None-Match, and each change has another ETag': async (kit) => {
      const { world } = kit;
      const rollout = await rollOut(world);
      const path = pathTo(world, rollout);
      const { etag } = await rolloutNow(world, rollout);
      kit.ok(/^"[^"]+"$/u.test(etag), 'the ETag is strong', etag);
      const known = (status: number) => kit.ask(GET, { path, headers: { 'if-none-match': etag } }, status);
      kit.same((await known(304)).etag, etag, '304 has the ETag');
      await world.appendEvent();
      await known(304); // an event that does not concern it
      await kit.ask('pauseRollout', verbOn(world, rollout), 200);
      kit.ok((await known(200)).etag !== etag, 'after a change the ETag is different');
    },
    'it says when, by whom and why it ended': async (kit) => {
      const { world } = kit;
      const rollout = await rollOut(world);
      kit.same((await rolloutNow(world, rollout)).body, rollout, 'before, it is as it was answered');
      const { body } = await kit.ask<Rollout>('abortRollout', verbOn(world, rollout, { reason: 'Too blunt' }), 200);
      const { state, endReason, endedBy, endedAt, nextAt } = (await rolloutNow(world, rollout)).body;
      kit.same(
        [state, endReason, endedBy, nextAt],
        ['aborted', 'Too blunt', rollout.startedBy, undefined],
        'state, endReason, endedBy, no nextAt',
      );
      kit.ok(endedAt !== undefined && endedAt >= rollout.startedAt && endedAt === body.endedAt, 'endedAt', endedAt);
    },
    'an unknown pack or rollout answers 404': async (kit) => {
      const { world } = kit;
      const { id, revision } = await rollOut(world);
      await refusesUnknownPack(kit, GET, (pack) => ({ path: { pack, rollout: String(id) } }));
      for (const rollout of [revision + 1, 1])
        await kit.refused(GET, { path: pathTo(world, { id: rollout }) }, 404, 'rollout-not-found');
      for (const rollout of ['0', '1.5', '0x1', 'first'])
        await kit.refused(GET, { path: world.path({ rollout }) }, 400, 'validation-failed');
    },
  }),
];
