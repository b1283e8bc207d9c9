/** When the timekeeper looks: at the end of the next wait, not only after a renewal of the lease (SPEC R15). */
import { mock } from 'node:test';
import t from 'tap';
import { Timekeeper } from '../../../registry/instance/timekeeper.ts';
import { dueIn, type DueCommand } from '../../../registry/rollouts/due.ts';
import { planIn } from '../../../registry/state/snapshot.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';

const reason = 'A test';

t.test('what is due is done when its wait is over', async (t) => {
  const registry = await openRegistry(t, { defaultVersion: '1.0.0' });
  await registry.activate({ version: '1.1.0', reason, channel: 'staging', revertAfter: '10m' });
  const trialAt = Date.parse(planIn(registry.current, { pack: 'coach', channel: 'staging' })?.trial?.revertAt ?? '');
  const { rollout } = await registry.rollouts.start({
    version: '2.0.0',
    steps: [{ share: 1, hold: '10m' }, { share: 50 }],
    finish: 'wait',
    reason,
  });
  const applied = registry.current;
  const dueAt = Date.parse(rollout.nextAt ?? '');
  const clock = { time: 0, now: () => clock.time, doubt: () => undefined };
  const asked: DueCommand['type'][] = [];
  const executor = {
    execute: async (command: unknown) => {
      asked.push((command as DueCommand).type);
      return Promise.reject(new Error('no store'));
    },
  };
  const keeper = new Timekeeper({ executor, clock, current: { applied }, logger: new RecordedLogger() });
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const lookAt = (time: number) => {
    clock.time = time;
    keeper.look();
  };
  const pass = (milliseconds: number) => {
    clock.time += milliseconds;
    mock.timers.tick(milliseconds);
  };

  lookAt(trialAt - 60_000);
  pass(70_000);
  t.strictSame(asked, [], 'a wait that ends much later is left to the renewals');
  lookAt(trialAt - 1500);
  lookAt(trialAt - 1400);
  pass(1399);
  t.strictSame(asked, []);
  pass(1);
  t.equal(asked[0], 'keep-trial', 'the end of the trial, at its time');
  await new Promise(setImmediate); // the end of the round
  pass(Math.max(0, dueAt - clock.time));
  t.ok(asked.includes('keep-plan'), 'the step, which follows soon, at its time');
  t.equal(dueIn(applied, dueAt + 60_000), Infinity);
  await keeper.close();

  const closed = asked.length;
  lookAt(dueAt - 10);
  pass(20);
  t.equal(asked.length, closed, 'a timekeeper that is closed does nothing');
});
