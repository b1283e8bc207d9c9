/** Rollouts, trials and schedules in the log and in the stream: `listEvents`, `streamEvents`. */
import type { EventPage } from '../answers.ts';
import { checksOf, type Kit } from '../kit.ts';
import { beginTrial, cancel, channelNow, channelPath, reasonIn, rollOut, schedule, verbOn } from '../rolling.ts';
import { begins, reading, upTo } from './events.ts';

/** One of each event that moves no channel, and the activation that begins a trial. */
const TYPES = [
  'rollout-started',
  'rollout-advanced',
  'rollout-paused',
  'rollout-resumed',
  'rollout-aborted',
  'activation-scheduled',
  'schedule-cancelled',
  'version-activated',
  'activation-confirmed',
] as const;

/** Makes an event of each of these types. @returns the first and last revision, and the texts that only `getChannel` may show */
async function makeEach(kit: Kit): Promise<{ first: number; last: number; secrets: readonly string[] }> {
  const { world } = kit;
  const tester = `tester-${world.runId}`;
  const rollout = await rollOut(world, { steps: [{ share: 12.345 }, { share: 50 }], audience: { subjects: [tester] } });
  const { salt = '' } = (await channelNow(world)).body.rollout ?? {};
  for (const verb of ['advanceRollout', 'pauseRollout', 'resumeRollout', 'abortRollout'])
    await kit.ask(verb, verbOn(world, rollout), 200);
  await cancel(world, await schedule(world));
  await beginTrial(world);
  const confirm = { path: await channelPath(world), body: reasonIn(world) };
  const { revision } = (await kit.ask<{ revision: number }>('confirmActivation', confirm, 200)).body;
  return { first: rollout.id, last: revision, secrets: [salt, tester, '"salt"', '"share"', '"audience"', '12.345'] };
}

export const rolloutEventChecks = [
  ...checksOf('streamEvents', {
    'messages of rollouts, trials and schedules name their channel, and tell nobody who gets what': async (kit) => {
      const { world } = kit;
      await world.activate('1.2.0', '1.0.0');
      const { channel } = (await world.activePack()).body;
      await reading(kit, { query: { pack: world.pack, channel } }, async (next) => {
        await begins(kit, next);
        const { first, last, secrets } = await makeEach(kit);
        const messages = (await upTo(next, last)).filter(({ data }) => data.revision >= first);
        kit.same(
          messages.map(({ event, data }) => [event, data.pack, data.channel]),
          TYPES.map((type) => [type, world.pack, channel]),
          'one message for each, with pack and channel, also for a reader of one channel',
        );
        kit.same(
          messages.map(({ data }) => data.moves?.length ?? 0),
          TYPES.map((type) => (type === 'version-activated' ? 1 : 0)),
          'only the activation moves the channel',
        );
        kit.same(
          messages.flatMap(({ text }) => secrets.filter((secret) => text.includes(secret))),
          [],
          'no salt, no share and no audience',
        );
      });
    },
  }),
  ...checksOf('listEvents', {
    'every change of a rollout, a trial or a schedule is one event, with actor and reason': async (kit) => {
      const { world } = kit;
      const { first, last } = await makeEach(kit);
      const query = { pack: world.pack, after: first - 1, limit: 1000 };
      const { events } = (await kit.ask<EventPage>('listEvents', { query }, 200)).body;
      const { channel } = (await world.activePack()).body;
      kit.same(
        events.filter(({ revision }) => revision <= last).map((event) => [event.type, event.channel, event.reason]),
        TYPES.map((type) => [type, channel, reasonIn(world).reason]),
        'type, channel and reason',
      );
      kit.same(new Set(events.map(({ actor }) => actor.keyId)).size, 1, 'the actor is the key that sent the requests');
    },
  }),
];
