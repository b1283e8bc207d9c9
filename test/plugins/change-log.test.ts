/** The lines about changes: each move and each change of a plan is one line, and none says who gets which version. */
import t from 'tap';
import { logChange } from '../../plugins/change-log.ts';
import { openRegistry } from '../support/apps/registries.ts';
import { RecordedLogger } from '../support/observability/recorded-logger.ts';
import { until } from '../support/process/until.ts';

const MINUTE = 60_000;
const pack = 'coach';

t.test('rollouts, schedules and trials', async (t) => {
  const clock = { time: Date.UTC(2026, 0, 31), now: () => clock.time, newId: () => crypto.randomUUID() };
  const registry = await openRegistry(t, { clock, defaultVersion: '1.0.0' });
  const log = new RecordedLogger();
  registry.onChange((events) => {
    for (const event of events) logChange(log as unknown as Parameters<typeof logChange>[0], event);
  });
  const plan = {
    version: '2.0.0',
    steps: [{ share: 12.5, hold: '1h' }, { share: 50 }],
    finish: 'wait' as const,
    audience: {
      conditions: [{ attribute: 'country', operator: 'in' as const, values: ['hunter2'] }],
      subjects: ['hunter2'],
    },
  };

  const first = await registry.rollouts.start({ ...plan, reason: 'r1' });
  const steer = (verb: Parameters<typeof registry.rollouts.steer>[0], reason: string, rollout = first.rollout.id) =>
    registry.rollouts.steer(verb, { pack, rollout, reason });
  await steer('pause-rollout', 'r2');
  await steer('resume-rollout', 'r3');
  await steer('advance-rollout', 'r4');
  await registry.rollback({ reason: 'r5' });
  const second = await registry.rollouts.start({ ...plan, reason: 'r6' });
  await steer('promote-rollout', 'r7', second.rollout.id);
  const at = new Date(clock.time + MINUTE).toISOString();
  const { scheduled } = await registry.rollouts.schedule({ version: '1.1.0', at, reason: 'r8' });
  await registry.rollouts.cancel({ pack, schedule: scheduled.id, reason: 'r9' });
  await registry.activate({ version: '1.1.0', revertAfter: '1h', reason: 'r10' });
  await registry.rollouts.confirm({ reason: 'r11' });
  await registry.rollouts.schedule({ version: '1.0.0', at, reason: 'r12' });
  await registry.activate({ version: '1.0.0', revertAfter: '1m', reason: 'r13' });
  await registry.revoke({ pack, version: '1.1.0', reason: 'r14' });
  await registry.revoke({ pack, version: '2.0.0', reason: 'r15' });
  const before = log.lines.length;
  clock.time += MINUTE;
  await until(() => log.lines.length >= before + 2);

  const stable = '1.0.0';
  const { id } = first.rollout;
  t.match(
    log.lines.map(({ level, message }) => `${level} ${message}`),
    [
      'info coach production: 2.0.0 at 12.5 % (rollout-started)',
      'info coach production: 2.0.0 at 12.5 % (rollout-paused)',
      'info coach production: 2.0.0 (rollout-resumed)',
      'info coach production: 2.0.0 at 50 % (rollout-advanced)',
      'info coach production: 2.0.0 (rollout-aborted)',
      'info coach production: 2.0.0 at 12.5 % (rollout-started)',
      'info coach production: 1.0.0 -> 2.0.0 (version-activated)',
      'info coach production: 1.1.0 (activation-scheduled)',
      'info coach production: 1.1.0 (schedule-cancelled)',
      'info coach production: 2.0.0 -> 1.1.0 (version-activated)',
      'info coach production: 1.1.0 (activation-confirmed)',
      'info coach production: 1.0.0 (activation-scheduled)',
      'info coach production: 1.1.0 -> 1.0.0 (version-activated)',
      'warn coach 1.1.0 is revoked',
      'warn coach 2.0.0 is revoked',
      'warn coach production: 1.0.0 (trial-stayed)',
      'warn coach production: 1.0.0 (schedule-skipped)',
    ],
  );
  const fields = (reason: string) => log.lines.find((line) => line.fields['reason'] === reason)?.fields;
  const actor = { keyId: 'system', label: 'system' };
  const common = { pack, channel: 'production', version: '2.0.0', actor };
  t.match(fields('r1'), {
    ...common,
    revision: id,
    rollout: id,
    share: 12.5,
    state: 'running',
    nextAt: String,
    stable,
  });
  t.match(fields('r5'), { ...common, type: 'rollout-aborted', rollout: id, by: 'rollback', stable });
  t.match(fields('r7'), { from: '1.0.0', to: '2.0.0', rollout: second.rollout.id });
  t.match(fields('r8'), { version: '1.1.0', at });
  t.match(fields('r10'), { to: '1.1.0', revertAt: new Date(clock.time - MINUTE + 60 * MINUTE).toISOString() });
  t.match(log.lines.at(-1)?.fields, { type: 'schedule-skipped', why: 'already-active', schedule: String });
  const [started] = await registry.events({ after: id - 1, limit: 1 });
  const salt = started?.type === 'rollout-started' ? started.data.salt : '';
  const all = JSON.stringify(log.lines);
  t.ok(salt.length > 8 && all.includes(String(id)), 'control');
  for (const secret of [salt, 'hunter2', 'country']) t.notOk(all.includes(secret), `no ${secret}`);
});
