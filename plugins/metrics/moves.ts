/** Counts what the log says happened to channels: moves of pointers, and plans that were not carried out. */
import type { Registry as Register } from 'prom-client';
import { MOVE_KINDS, movesOf, planIn, type ChannelPlan, type Registry } from '../../registry/index.ts';
import { BoundedCounts } from './bounded-counts.ts';
import { channelsOf, firstOf, plansOf, type ChannelRef } from './channels.ts';

/** Where the counters are, and the maximum number of series of each. */
interface Bounds {
  readonly most: number;
  readonly register: Register;
}

/** Counts moves from now on, made on any instance. */
export function countMoves(registry: Registry, bounds: Bounds): void {
  const moves = new BoundedCounts({
    name: 'prompt_registry_pointer_moves_total',
    help: 'Moves of channels that this instance has applied, including those made by other instances.',
    ...bounds,
    labelNames: ['pack', 'channel', 'kind'],
    growing: ['pack', 'channel'],
    isWanted: () => true,
  });

  // Series exist before the first move, so that it is an increase. At the start, half of them are reserved for future packs.
  const expect = ({ pack, channel }: ChannelRef) => {
    for (const kind of Object.values(MOVE_KINDS)) moves.of({ pack, channel, kind });
  };
  const expectAll = () => {
    const most = Math.floor(bounds.most / 2 / Object.keys(MOVE_KINDS).length);
    for (const channel of firstOf(channelsOf(registry), most)) expect(channel);
  };
  expectAll();
  registry.onChange((events) => {
    if (events.length === 0) expectAll(); // a restore has replaced the history
    for (const event of events) {
      if (event.type === 'version-published')
        for (const channel of registry.channels) expect({ pack: event.pack ?? '', channel });
      for (const { channel, kind } of movesOf(event)) moves.of({ pack: event.pack ?? '', channel, kind }).value += 1;
    }
  });
}

/** Counts scheduled activations that were skipped, and trials that stayed because there was nothing to go back to. */
export function countFailedPlans(registry: Registry, bounds: Bounds): void {
  const failed = new BoundedCounts({
    name: 'prompt_registry_plans_failed_total',
    help: 'Scheduled activations that were skipped, and trials whose version stayed, on any instance.',
    ...bounds,
    labelNames: ['pack', 'channel', 'type'],
    growing: ['pack', 'channel'],
    isWanted: () => true,
  });
  const expect = ({ pack, channel, schedule, trial }: ChannelRef & ChannelPlan) => {
    if (schedule.length > 0) failed.of({ pack, channel, type: 'schedule-skipped' });
    if (trial !== undefined) failed.of({ pack, channel, type: 'trial-stayed' });
  };
  const expectAll = () => {
    for (const plan of plansOf(registry)) expect(plan);
  };
  expectAll();
  registry.onChange((events, snapshot) => {
    if (events.length === 0) expectAll();
    for (const { type, pack = '', channel = '' } of events) {
      const plan = planIn(snapshot, { pack, channel });
      if (plan !== undefined) expect({ pack, ...plan });
      if (type === 'schedule-skipped' || type === 'trial-stayed') failed.of({ pack, channel, type }).value += 1;
    }
  });
}
