/**
 * S15: how many moves a second many writers get, against one, and two instances on one PostgreSQL, against one.
 *
 * Problem: over HTTP, 50 writers would also measure how fast one core parses requests and writes log lines.
 * Rule: the writers call the registry in the process of the instance, so that what is counted is deciding, appending and showing. Each
 * instance is a process. Two instances share the writers of one: the load is the same, only spread.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openPostgresStore } from '../registry/stores/postgres/index.ts';
import { compare, type Leg } from './measure.ts';
import type { Plan } from './plan.ts';
import { percent, type Row, type Table } from './report.ts';
import { fill, packNames } from './support/fill.ts';
import type { Moved, Order, Where } from './support/mover.ts';
import { withPostgres } from './support/postgres.ts';
import { PACKS_DIR, type Workplace } from './support/workplace.ts';

const MOVER = fileURLToPath(new URL('./support/mover.ts', import.meta.url));
const WRITERS = 50;
const PACKS = packNames(WRITERS);
const [ONE, FIRST_HALF, SECOND_HALF] = [PACKS.slice(0, 1), PACKS.slice(0, WRITERS / 2), PACKS.slice(WRITERS / 2)];
/** Milliseconds of a leg. */
const LEG = { full: 1000, quick: 200 } as const;

/** An instance, in its own process. */
interface Instance {
  /** Moves with one writer for each of these packs. */
  move(packs: readonly string[]): Promise<Moved>;
  stop(): Promise<void>;
}

/** S15. */
export async function movesOfManyWriters(plan: Plan, workplace: Workplace): Promise<Table> {
  const rows = [
    await onSqlite(plan, workplace),
    ...(await withPostgres((server) => onPostgres(plan, () => server.database()))),
  ];
  return {
    title: `Moves of ${WRITERS} writers`,
    about:
      `Acknowledged moves a second of ${WRITERS} writers, each on its own pack, against one writer. The writers call \`registry.activate()\` in the process of the instance, without HTTP. ` +
      'Two instances are two processes that share one PostgreSQL and the writers; the one instance has another database and all writers. *Without a receipt* is the share of moves that lost to others or whose outcome is unknown.',
    rows,
  };
}

async function onSqlite(plan: Plan, workplace: Workplace): Promise<Row> {
  const instance = await start(plan, { dataDir: await workplace.forWriters(WRITERS) });
  try {
    return await manyAgainstOne(plan, 'SQLite', instance);
  } finally {
    await instance.stop();
  }
}

/** @param database makes an empty database */
async function onPostgres(plan: Plan, database: () => Promise<string>): Promise<Row[]> {
  const filled = async () => {
    const url = await database();
    await fill(openPostgresStore({ url }), { packs: WRITERS, versionsPerPack: 2 }, PACKS_DIR);
    return { url };
  };
  const [alone, shared] = [await filled(), await filled()];
  const instances = await Promise.all([start(plan, alone), start(plan, shared), start(plan, shared)]);
  const [single, first, second] = instances;
  try {
    return [await manyAgainstOne(plan, 'PostgreSQL', single), await twoAgainstOne(plan, [first, second], single)];
  } finally {
    await Promise.all(instances.map((each) => each.stop()));
  }
}

async function manyAgainstOne(plan: Plan, store: string, instance: Instance): Promise<Row> {
  process.stderr.write(`S15 on ${store}\n`);
  const leg =
    (packs: readonly string[]): Leg<'rate' | 'lost'> =>
    async () => {
      const moved = await instance.move(packs);
      return { rate: rateOf(moved), lost: lostShare([moved]) };
    };
  const { rate, lost } = await compare(plan.pairs, leg(PACKS), leg(ONE));
  return {
    what: `S15 ${WRITERS} writers / one, ${store}`,
    figures: {
      'moves/s': { spread: rate.ratio, unit: '×', goal: { atLeast: 5 } },
      ours: { spread: rate.ours, unit: '/s' },
      'the other': { spread: rate.reference, unit: '/s' },
      'without a receipt': { spread: percent(lost.ours), unit: '%' },
    },
  };
}

async function twoAgainstOne(
  plan: Plan,
  [first, second]: readonly [Instance, Instance],
  single: Instance,
): Promise<Row> {
  process.stderr.write('S15 with two instances\n');
  const { rate, share, lost } = await compare<'rate' | 'share' | 'lost'>(
    plan.pairs,
    async () => {
      const both = await Promise.all([first.move(FIRST_HALF), second.move(SECOND_HALF)]);
      const moves = both.map((each) => each.moves);
      return {
        rate: both.reduce((total, each) => total + rateOf(each), 0),
        share: Math.min(...moves) / moves.reduce((total, each) => total + each, 0),
        lost: lostShare(both),
      };
    },
    async () => ({ rate: rateOf(await single.move(PACKS)), share: NaN, lost: NaN }),
  );
  return {
    what: 'S15 two instances / one, PostgreSQL',
    figures: {
      'moves/s': { spread: rate.ratio, unit: '×', goal: { atLeast: 0.9 } },
      ours: { spread: rate.ours, unit: '/s' },
      'the other': { spread: rate.reference, unit: '/s' },
      'without a receipt': { spread: percent(lost.ours), unit: '%' },
      'the slower instance’s share': { spread: percent(share.ours), unit: '%', goal: { atLeast: 35 } },
    },
  };
}

function rateOf({ moves, seconds }: Moved): number {
  return moves / seconds;
}

/** The share of moves that got no receipt. */
function lostShare(legs: readonly Moved[]): number {
  const lost = legs.reduce((total, each) => total + each.lost, 0);
  return lost / legs.reduce((total, each) => total + each.lost + each.moves, 0);
}

async function start(plan: Plan, where: Where): Promise<Instance> {
  const child = fork(MOVER, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  await answered(child, where);
  return {
    move: (packs) => {
      const order: Order = { packs, milliseconds: plan.quick ? LEG.quick : LEG.full };
      return answered(child, order) as Promise<Moved>;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

/** Sends a message. @returns the answer; rejects if the process ends instead */
function answered(child: ChildProcess, message: Where | Order): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`An instance ended with ${code}.`));
    child.once('exit', ended);
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer);
    });
    child.send(message);
  });
}
