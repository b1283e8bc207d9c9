/**
 * The benchmarks: `npm run bench -- [--only S1,S4] [--quick] [--write]`.
 *
 * Prints Markdown tables of ratios, each with its goal, on stdout, and progress on stderr. A missed goal is reported but does not fail the
 * run: people decide whether a figure is good enough, because they know what else ran on the machine. `--quick` shows in seconds that
 * everything works; its figures mean nothing. `--write` puts the tables into docs/performance.md.
 */
import { parseArgs } from 'node:util';
import { decisionsOfClient } from './client-decisions.ts';
import { readsOfClient } from './client-reads.ts';
import { activationAgainstAppend, activationAmongMany, flipToVisible } from './activation.ts';
import { movesInLargePack } from './large-pack.ts';
import { movesOfManyWriters } from './moves.ts';
import { writeTable } from './document.ts';
import { FULL, QUICK, type Plan } from './plan.ts';
import { readsAgainstMap, readsInProcessAmongMany } from './reads-in-process.ts';
import { readsAgainstBare, readsAmongMany } from './reads-over-http.ts';
import { machine, markdown, verdict, type Table } from './report.ts';
import { readsOfSubjects, readsOfSubjectsInProcess } from './rollout-reads.ts';
import { startUp } from './start-up.ts';
import { activationOnPostgres, commitToPeer, readsWithBusyStore } from './several-instances.ts';
import { fanOut } from './streams.ts';
import { raisePriority } from './support/cores.ts';
import { Workplace } from './support/workplace.ts';

/** A benchmark makes one table, of the rows that were asked for. */
interface Benchmark {
  readonly names: readonly string[];
  readonly run: (plan: Plan, workplace: Workplace, names: readonly string[]) => Promise<Table>;
}

/** In the order in which they run; `--only` accepts their `names`. */
const BENCHMARKS: readonly Benchmark[] = [
  { names: ['S1', 'S2', 'S3'], run: readsAgainstBare },
  { names: ['S4'], run: readsAgainstMap },
  { names: ['client'], run: readsOfClient },
  { names: ['S5'], run: activationAgainstAppend },
  { names: ['flip'], run: flipToVisible },
  { names: ['S6'], run: activationOnPostgres },
  { names: ['S7'], run: commitToPeer },
  { names: ['busy-store'], run: readsWithBusyStore },
  { names: ['S8'], run: fanOut },
  { names: ['S9'], run: readsAmongMany },
  { names: ['S9'], run: readsInProcessAmongMany },
  { names: ['S9'], run: activationAmongMany },
  { names: ['S12'], run: readsOfSubjects },
  { names: ['S12'], run: readsOfSubjectsInProcess },
  { names: ['S13'], run: decisionsOfClient },
  { names: ['S15'], run: movesOfManyWriters },
  { names: ['large-pack'], run: movesInLargePack },
  { names: ['S10'], run: startUp },
];
const NAMES = [...new Set(BENCHMARKS.flatMap(({ names }) => names))];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
if (values.quick && values.write) {
  process.stderr.write('--write needs a full run: the figures of a quick one mean nothing.\n');
  process.exit(2);
}
const names = values.only?.split(',') ?? NAMES;
const unknown = names.filter((name) => !NAMES.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`--only ${unknown.join(',')}: there is no such benchmark; use ${NAMES.join(', ')}.\n`);
  process.exit(2);
}

const plan = values.quick ? QUICK : FULL;
const workplace = new Workplace(plan);
process.on('exit', () => workplace.remove());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const ranOn = machine(raisePriority());
process.stdout.write(`${ranOn}\nCommand: node bench/run.ts ${process.argv.slice(2).join(' ')}\n`);
process.stdout.write(
  `Pairs that take turns: ${plan.load.processes * plan.load.pairs} over HTTP, ${plan.reads.pairs} in process, ${plan.writes.pairs} of writes; ${plan.starts} starts. A cell is the median, with the lowest and the highest in brackets.\n\n`,
);
if (plan.quick)
  process.stdout.write('**A quick run: it shows that the benchmarks work. Its figures are no measurement.**\n\n');
const tables: Table[] = [];
for (const benchmark of BENCHMARKS) {
  const chosen = benchmark.names.filter((name) => names.includes(name));
  if (chosen.length === 0) continue;
  const table = await benchmark.run(plan, workplace, chosen);
  tables.push(table);
  process.stdout.write(`${markdown(table)}\n`);
  if (values.write) writeTable(table, ranOn);
}
process.stdout.write(`${verdict(tables)}\n`);
