/** Activations at a time: `scheduleActivation`, `listSchedule`, `cancelScheduledActivation`. */
import { checksOf, type Kit } from '../kit.ts';
import { cancel, CANDIDATE, reasonIn, schedule, scheduleBody, STABLE, stableElsewhere } from '../rolling.ts';
import { refusesUnknownChannel, refusesUnknownPack } from './common.ts';
import type { ScheduledActivation } from '../rollout-answers.ts';

const SCHEDULE = 'scheduleActivation';
const LIST = 'listSchedule';
const CANCEL = 'cancelScheduledActivation';
/** The most that may be pending in a channel. */
const MOST = 20;
const DAY = 86_400_000;

async function listed(kit: Kit): Promise<readonly ScheduledActivation[]> {
  await kit.world.ensureActive();
  const request = { path: kit.world.path(), query: kit.world.chosenChannel };
  return (await kit.ask<{ readonly scheduled: readonly ScheduledActivation[] }>(LIST, request, 200)).body.scheduled;
}

const inDays = (days: number) => new Date(Date.now() + days * DAY).toISOString();

export const scheduleChecks = [
  ...checksOf(SCHEDULE, {
    'it answers 201 with Location, and moves nothing': async (kit) => {
      const { world } = kit;
      await world.activate(STABLE);
      const before = await world.activePack();
      const { secret, keyId, label } = await world.key('a planner', ['packs:activate']);
      const at = new Date(Math.ceil(Date.now() / DAY + 1) * DAY);
      const zoned = at.toISOString().replace('T00:00:00.000Z', 'T01:00:00+01:00');
      const { body, headers } = await kit.ask<ScheduledActivation>(
        SCHEDULE,
        { path: world.path(), body: scheduleBody(world, { at: zoned }), key: secret },
        201,
      );
      const { channel } = before.body;
      kit.same(
        headers.get('location'),
        `${world.prefix}/v1/packs/${world.pack}/schedule?channel=${channel}`,
        'Location',
      );
      kit.same(
        [body.pack, body.channel, body.version, Date.parse(body.at), body.scheduledBy],
        [world.pack, channel, CANDIDATE, at.getTime(), { keyId, label }],
        'pack, channel, version, at, and scheduledBy, which is the key that sent the request',
      );
      kit.ok(body.revision > before.body.revision, 'the revision is that of its event', body.revision);
      kit.same((await world.activePack()).etag, before.etag, 'the channel did not move');
      kit.same(
        (await listed(kit)).find(({ id }) => id === body.id),
        body,
        'listSchedule has the same',
      );
      await cancel(world, body);
    },
    'a time without a zone, in the past or too far ahead is refused': async (kit) => {
      const { world } = kit;
      const before = await listed(kit);
      for (const at of [inDays(1).slice(0, -1), inDays(-1), inDays(91), 'tomorrow', '2027-02-30T00:00:00Z'])
        await kit.refused(
          SCHEDULE,
          { path: world.path(), body: scheduleBody(world, { at }) },
          400,
          'validation-failed',
        );
      kit.same(await listed(kit), before, 'nothing was scheduled');
    },
    'an unknown or revoked version is refused, and so is an unknown pack or channel': async (kit) => {
      const { world } = kit;
      const body = (version: string) => ({ path: world.path(), body: scheduleBody(world, { version }) });
      await kit.refused(SCHEDULE, body('7.7.7'), 422, 'unknown-version');
      await kit.refused(SCHEDULE, body(await world.revoked()), 409, 'version-revoked');
      await refusesUnknownPack(kit, SCHEDULE, (pack) => ({ path: { pack }, body: scheduleBody(world) }));
      await refusesUnknownChannel(kit, SCHEDULE, (channel) => ({
        path: world.path(),
        body: scheduleBody(world, { channel }),
      }));
    },
    [`at most ${MOST} are pending in a channel, and revoking a key cancels what it has scheduled`]: async (kit) => {
      const { world } = kit;
      const others = await listed(kit);
      const { secret, keyId } = await world.key('a planner', ['packs:activate']);
      const request = { path: world.path(), body: scheduleBody(world), key: secret };
      for (let count = others.length; count < MOST; count += 1) await kit.ask(SCHEDULE, request, 201);
      await kit.refused(SCHEDULE, request, 409, 'schedule-full');
      kit.same((await listed(kit)).length, MOST, 'listSchedule has as many');
      await kit.ask('revokeKey', { path: { keyId }, body: reasonIn(world) }, 200);
      kit.same(await listed(kit), others, 'after the revocation none of them is pending');
    },
  }),
  ...checksOf(LIST, {
    'it lists the pending ones, the earliest first': async (kit) => {
      const { world } = kit;
      const before = await listed(kit);
      const made = [
        await schedule(world, { at: inDays(3) }),
        await schedule(world, { at: inDays(2) }),
        await schedule(world, { at: inDays(4), version: STABLE }),
      ];
      const pending = await listed(kit);
      const earliestFirst = [...before, ...made].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
      kit.same(pending, earliestFirst, 'each as it was answered');
      for (const each of made) await cancel(world, each);
      kit.same(await listed(kit), before, 'cancelled ones are gone');
    },
    'channels are separate': async (kit) => {
      const { world } = kit;
      const other = await stableElsewhere(world);
      if (other === undefined) return;
      const { id } = await schedule(world, { channel: other });
      kit.ok(!(await listed(kit)).some((each) => each.id === id), `what is scheduled in ${other} is not listed here`);
      await cancel(world, { id });
    },
    'an unknown pack or channel answers 404': async (kit) => {
      await refusesUnknownPack(kit, LIST, (pack) => ({ path: { pack } }));
      await refusesUnknownChannel(kit, LIST, (channel) => ({ path: kit.world.path(), query: { channel } }));
    },
  }),
  ...checksOf(CANCEL, {
    'the activation is no longer pending, and cannot be cancelled again': async (kit) => {
      const { world } = kit;
      const scheduled = await schedule(world);
      const request = { path: world.path({ id: scheduled.id }), body: reasonIn(world) };
      const { body } = await kit.ask<{ id: string; revision: number }>(CANCEL, request, 200);
      kit.same(body.id, scheduled.id, 'id');
      kit.ok(body.revision > scheduled.revision, 'the revision is that of its event', body.revision);
      kit.ok(!(await listed(kit)).some(({ id }) => id === scheduled.id), 'it is not pending any more');
      await kit.refused(CANCEL, request, 404, 'schedule-not-found');
    },
    'an unknown pack or id answers 404': async (kit) => {
      const { world } = kit;
      const body = reasonIn(world);
      const { id } = await schedule(world);
      await refusesUnknownPack(kit, CANCEL, (pack) => ({ path: { pack, id }, body }));
      await kit.refused(CANCEL, { path: world.path({ id: 'nothing' }), body }, 404, 'schedule-not-found');
      kit.ok(
        (await listed(kit)).some((each) => each.id === id),
        'another one is still pending',
      );
      await cancel(world, { id });
    },
  }),
];
