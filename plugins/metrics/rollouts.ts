/**
 * What channels do by and by: rollouts, scheduled activations, trials. Everything is read at the time of the scrape.
 *
 * Rule: a channel has samples while it does something, and none otherwise. Times are points in time, so that a dashboard shows the rest.
 * Example: `prompt_registry_rollout_share_ratio{pack="coach",channel="production",version="2.0.0"} 0.1`.
 */
import { Gauge, type Registry as Register } from 'prom-client';
import { needsSomebody, type ChannelPlan, type Registry } from '../../registry/index.ts';
import { firstOf, plansOf, rolloutsOf } from './channels.ts';

const STATES = ['running', 'paused', 'baking'] as const;

/** Thousandths of a percent as a ratio. */
const ratioOf = (share: number) => share / 100_000;

interface Bounds {
  /** The maximum number of channels of each metric. */
  readonly most: number;
  readonly register: Register;
}

/** Registers gauges of rollouts, schedules and trials. */
export function reportRollouts(registry: Registry, { most, register }: Bounds): void {
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    samples: () => Iterable<readonly [labels: Record<L, string>, value: number]>,
  ) => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [register],
      collect() {
        this.reset();
        for (const [labels, value] of samples()) this.set(labels, value);
      },
    });
  };
  const rollouts = () => [...firstOf(rolloutsOf(registry), most)];
  const plansWith = (holds: (plan: ChannelPlan) => boolean) => [...firstOf([...plansOf(registry)].filter(holds), most)];

  gauge(
    'prompt_registry_rollout_share_ratio',
    'Part of the audience that gets the version that is rolled out, 0 to 1.',
    ['pack', 'channel', 'version'],
    () => rollouts().map(({ pack, channel, version, share }) => [{ pack, channel, version }, ratioOf(share)]),
  );
  gauge('prompt_registry_rollout_state', 'How far a rollout is: 1 for its state.', ['pack', 'channel', 'state'], () =>
    rollouts().flatMap(({ pack, channel, state }) =>
      STATES.map((each) => [{ pack, channel, state: each }, Number(each === state)] as const),
    ),
  );
  gauge(
    'prompt_registry_rollout_waits',
    'Whether a rollout goes on only if somebody acts: it is paused, or nothing of its plan comes by time.',
    ['pack', 'channel'],
    () =>
      rollouts().map((rollout) => {
        const { pack, channel } = rollout;
        return [{ pack, channel }, Number(needsSomebody(rollout, registry.now()))];
      }),
  );
  gauge('prompt_registry_scheduled_activations', 'Scheduled activations that are pending.', ['pack', 'channel'], () =>
    plansWith(({ schedule }) => schedule.length > 0).map(({ pack, channel, schedule }) => [
      { pack, channel },
      schedule.length,
    ]),
  );
  gauge(
    'prompt_registry_trial_end_timestamp_seconds',
    'When the trial of the active version ends unless it is confirmed, in seconds since 1970.',
    ['pack', 'channel'],
    () =>
      plansWith(({ trial }) => trial !== undefined).map(({ pack, channel, trial }) => [
        { pack, channel },
        Date.parse(trial?.revertAt ?? '') / 1000,
      ]),
  );
}
