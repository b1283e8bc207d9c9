/** A pack of very many versions: the cost of a move, and how long readers wait during moves, saving the last good snapshot included. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from '../registry/index.ts';
import { compare, type Leg } from './measure.ts';
import { versionsOf, type Plan } from './plan.ts';
import type { Table } from './report.ts';
import { versionNames } from './support/fill.ts';
import { openRegistry } from './support/registry.ts';
import type { Workplace } from './support/workplace.ts';

/** Milliseconds between two moves. */
const PAUSE = 50;

export async function movesInLargePack(plan: Plan, workplace: Workplace): Promise<Table> {
  const versions = versionsOf(plan);
  const small = await openRegistry(await workplace.small());
  let large: Registry | undefined;
  try {
    large = await openRegistry(await workplace.onePack());
    const { cpu, delay } = await compare(plan.pairs, moves(plan, large), moves(plan, small));
    return {
      title: 'A pack of many versions',
      about:
        'Twenty moves a second, compared with the same in a pack of three versions. A reader waits while the event loop is busy.',
      rows: [
        {
          what: `moves in a pack of ${versions} versions`,
          figures: {
            'CPU time': { spread: cpu.ratio, unit: '×' },
            'of a move': { spread: cpu.ours, unit: 'ms' },
            'longest wait of a reader': { spread: delay.ours, unit: 'ms' },
            'with three versions': { spread: delay.reference, unit: 'ms' },
          },
        },
      ],
    };
  } finally {
    await large?.close();
    await small.close();
  }
}

/** Moves a channel to and fro. */
function moves(plan: Plan, registry: Registry): Leg<'cpu' | 'delay'> {
  const versions = versionNames(2);
  return async () => {
    const delays = monitorEventLoopDelay({ resolution: 1 });
    delays.enable();
    const before = process.cpuUsage();
    for (let move = 0; move < plan.writes.each; move += 1) {
      const version = versions.find((each) => each !== registry.activePack().version) ?? '';
      await registry.activate({ version, reason: 'Users report that answers are too blunt' });
      await sleep(PAUSE);
    }
    const { user, system } = process.cpuUsage(before);
    delays.disable();
    return { cpu: (user + system) / 1000 / plan.writes.each, delay: delays.max / 1e6 };
  };
}
