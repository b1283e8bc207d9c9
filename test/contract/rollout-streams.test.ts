/**
 * Streams report rollouts, schedules and trials: a follower of a channel learns all that may change what it serves, and no secret.
 */
import t from 'tap';
import { listen } from '../support/apps/app.ts';
import { HOUR, MINUTE, openTimed } from '../support/apps/timed-app.ts';
import { EventStream, type Message } from '../support/http/event-stream.ts';
import { shippedOf } from '../support/packs/pack-documents.ts';

const reason = 'REASON';
const idOf = ({ id }: Message) => id;
const packs = (pack: string) => ['1.0.0', '1.1.0', '2.0.0'].map((version) => `${pack}@${version}`);

t.test('messages name the channel, pass its filter, and hold no secret', async (t) => {
  const timed = await openTimed(t, { registry: { shipped: shippedOf(...packs('coach'), ...packs('other')) } });
  const { app, key, later, at } = timed;
  const { registry } = app;
  const address = await listen(app);
  const open = async (query: string, lastEventId?: string) => {
    const stream = await EventStream.open({ address, key, query, ...(lastEventId !== undefined && { lastEventId }) });
    t.teardown(() => stream.cut());
    return stream;
  };
  const here = await open('?pack=coach&channel=production');
  const [channel, staging, other] = [
    await open('?channel=production'),
    await open('?channel=staging'),
    await open('?pack=other'),
  ];
  for (const stream of [here, channel, staging, other]) await stream.next();

  const seen = registry.current.revision;
  const audience = {
    subjects: ['SECRET-tester'],
    conditions: [{ attribute: 'secret', operator: 'in' as const, values: ['SECRET'] }],
  };
  const plan = {
    version: '2.0.0',
    steps: [{ share: 12.5, hold: '1m' }, { share: 77 }],
    finish: 'wait' as const,
    audience,
    reason,
  };
  const { rollout } = await registry.rollouts.start(plan);
  await later(MINUTE);
  const steered = { pack: 'coach', rollout: rollout.id, reason };
  await registry.rollouts.steer('pause-rollout', steered);
  await registry.rollouts.steer('resume-rollout', steered);
  await registry.rollback({ reason });
  const { scheduled } = await registry.rollouts.schedule({ version: '2.0.0', at: at(HOUR), reason });
  await registry.rollouts.cancel({ pack: 'coach', schedule: scheduled.id, reason });
  await registry.rollouts.schedule({ version: '2.0.0', at: at(MINUTE), reason });
  await registry.activate({ version: '1.1.0', revertAfter: '1h', reason });
  await later(MINUTE);
  await registry.rollouts.confirm({ reason });
  const { revision: last } = await registry.activate({ version: '2.0.0', reason });
  await here.next(({ data }) => data.revision === last);

  const events = await registry.events({ after: seen, limit: 100 });
  t.strictSame(
    events.map(({ type }) => type),
    [
      ...['rollout-started', 'rollout-advanced', 'rollout-paused', 'rollout-resumed', 'rollout-aborted'],
      ...['activation-scheduled', 'schedule-cancelled', 'activation-scheduled', 'version-activated'],
      ...['schedule-skipped', 'activation-confirmed', 'version-activated'],
    ],
  );
  const heard = (stream: EventStream) =>
    stream.events.map(({ event, data }) => [event, data.pack, data.channel, data.revision]);
  const expected = events.map(({ type, revision }) => [type, 'coach', 'production', revision]);
  await channel.next(({ data }) => data.revision === last);
  for (const stream of [here, channel]) t.strictSame(heard(stream), expected);
  for (const secret of [rollout.salt, '12.5', '12500', '77', 'SECRET', 'secret', 'REASON', scheduled.id, 'operator'])
    t.notMatch(here.text, secret);
  const aborted = here.events.find(({ event }) => event === 'rollout-aborted');
  t.match(aborted?.data.moves, [{ channel: 'production', version: '1.0.0', previousVersion: '1.0.0' }]);

  const resumed = await open('?pack=coach&channel=production', String(rollout.id));
  await resumed.next(({ data }) => data.revision === last);
  t.strictSame(
    resumed.events.map(idOf),
    here.events.slice(1).map(idOf),
    'from the middle of the rollout, without a gap',
  );

  await registry.activate({ pack: 'other', version: '1.0.0', reason });
  await other.next(({ data }) => data.pack === 'other');
  for (const stream of [staging, other]) t.notOk(stream.events.some(({ data }) => data.pack === 'coach'));
});

t.test('whatever may end a rollout passes the filter of every channel of its pack', async (t) => {
  const timed = await openTimed(t, { store: 'memory' });
  const { app, key } = timed;
  const address = await listen(app);
  const stream = await EventStream.open({ address, key, query: '?pack=coach&channel=production' });
  t.teardown(() => stream.cut());
  await stream.next();
  await app.registry.rollouts.start({ version: '2.0.0', steps: [{ share: 50 }], finish: 'wait', reason });
  await app.registry.revoke({ pack: 'coach', version: '2.0.0', reason });
  await app.registry.activate({ version: '1.1.0', reason });
  await stream.next(({ event }) => event === 'version-activated');
  t.match(
    stream.events.map(({ event, data }) => [event, data.moves?.length]),
    [
      ['rollout-started', 0],
      ['version-revoked', 0],
      ['version-activated', 1],
    ],
  );
});
