/**
 * What is due by time: a step, the end of a trial, a scheduled activation. Holds of a second are the shortest. The checks wait for the message
 * in the stream, not for a time.
 */
import type { ActivationPage, EventPage } from '../answers.ts';
import { checksOf, type Kit } from '../kit.ts';
import { beginTrial, cancel, CANDIDATE, rollOut, rolloutNow, schedule, STABLE } from '../rolling.ts';
import type { Message } from '../stream.ts';
import { begins, reading } from './events.ts';

/** Does something, and waits for messages of these types after it. @returns the messages */
async function comes(kit: Kit, types: readonly string[], act: () => Promise<unknown>): Promise<Message[]> {
  const messages: Message[] = [];
  await reading(kit, { query: { pack: kit.world.pack } }, async (next) => {
    await begins(kit, next);
    await act();
    while (messages.length < types.length) {
      const message = await next();
      if (types.includes(message.event)) messages.push(message);
    }
  });
  return messages;
}

/** The event is the only one of its type since then, and nobody sent it. */
async function isOne(kit: Kit, type: string, since: number): Promise<void> {
  const query = { pack: kit.world.pack, type, after: since, limit: 1000 };
  const { events } = (await kit.ask<EventPage>('listEvents', { query }, 200)).body;
  kit.same(
    events.map(({ actor }) => actor.keyId),
    ['system'],
    `one event ${type}, whose actor is "system"`,
  );
}

export const dueChecks = [
  ...checksOf('getRollout', {
    'a step is taken automatically once the hold before it is over': async (kit) => {
      const { world } = kit;
      let id = 0;
      await comes(kit, ['rollout-advanced'], async () => {
        ({ id } = await rollOut(world, { steps: [{ share: 10, hold: '1s' }, { share: 50 }] }));
      });
      const { share, step, state, nextAt } = (await rolloutNow(world, { id })).body;
      kit.same([share, step, state, nextAt], [50, 2, 'running', undefined], 'share, step, state, and no nextAt');
      await isOne(kit, 'rollout-advanced', id);
    },
  }),
  ...checksOf('confirmActivation', {
    'without it, a trial ends automatically as a rollback': async (kit) => {
      const { world } = kit;
      let revision = 0;
      await comes(kit, ['version-rolled-back'], async () => {
        ({ revision } = await beginTrial(world, '1s'));
      });
      kit.same((await world.activePack()).body.version, STABLE, 'the version before is active again');
      const query = { ...world.chosenChannel, limit: 1 };
      const { body } = await kit.ask<ActivationPage>('listActivations', { path: world.path(), query }, 200);
      const [move] = body.activations;
      kit.same(
        [move?.kind, move?.version, move?.previousVersion],
        ['rollback', STABLE, CANDIDATE],
        'listActivations has the rollback',
      );
      await isOne(kit, 'version-rolled-back', revision);
    },
  }),
  ...checksOf('scheduleActivation', {
    'at its time the version is activated; what the move overtakes is skipped': async (kit) => {
      const { world } = kit;
      await world.activate(STABLE);
      const far = await schedule(world); // tells the time by the clock of the registry
      await cancel(world, far);
      const at = new Date(Date.parse(far.scheduledAt) + 1000).toISOString();
      await comes(kit, ['version-activated', 'schedule-skipped'], async () => {
        await schedule(world, { at });
        await schedule(world, { at, version: '1.2.0' });
      });
      kit.same((await world.activePack()).body.version, CANDIDATE, 'the version is active');
      await isOne(kit, 'version-activated', far.revision);
      await isOne(kit, 'schedule-skipped', far.revision);
    },
  }),
];
