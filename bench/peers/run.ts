/**
 * S11, our reads against what a team might read its prompts from instead: `npm run bench:peers -- [--quick] [--write]`.
 *
 * Each contender and our service get the same core in turn, and the load generator gets the others. Requests per CPU second are compared,
 * because they leave out what other programs take from the core. On an idle core they are requests per second.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeTable } from '../document.ts';
import { compare } from '../measure.ts';
import { FULL, QUICK, type Plan } from '../plan.ts';
import { idleness } from '../reads-over-http.ts';
import { machine, markdown, percent, single, verdict, type Row, type Table } from '../report.ts';
import { PLACEMENT, raisePriority, SERVER_CORE } from '../support/cores.ts';
import { GENERATOR } from '../support/generators.ts';
import { load, type Target } from '../support/load.ts';
import { startService } from '../support/processes.ts';
import { openRegistry } from '../support/registry.ts';
import { Workplace } from '../support/workplace.ts';
import { CONTENDERS, isInstalled, type Contender, type Texts } from './contenders.ts';

/** Seconds of load before the first turn. */
const WARM_UP = 2;

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, write: { type: 'boolean', default: false } },
});
const plan = values.quick ? QUICK : FULL;
const workplace = new Workplace(plan);
process.on('exit', () => workplace.remove());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const ranOn = machine(raisePriority());

const table = await measured(plan);
process.stdout.write(`${ranOn}\n\n${markdown(table)}\n${verdict([table])}\n`);
if (values.write && !values.quick) writeTable(table, ranOn);

async function measured(plan: Plan): Promise<Table> {
  const dataDir = await workplace.small();
  const texts = await textsIn(dataDir);
  const service = await startService({ dataDir, packsDir: workplace.noPacks, cores: SERVER_CORE });
  const bodyBytes = Buffer.byteLength(texts.document);
  const ours: Target = {
    server: service,
    paths: ['/v1/packs/coach/active'],
    headers: service.headers,
    expected: { status: 200, bodyBytes },
  };
  const rows: Row[] = [];
  try {
    for (const contender of CONTENDERS) rows.push(await rowOf(plan, ours, contender, texts));
  } finally {
    await service.stop();
  }
  return {
    title: 'Compared with other places to read from',
    about:
      `getActivePack (${(bodyBytes / 1000).toFixed(1)} KB), with keys, limits, metrics and all headers, against other programs that serve the same texts. ${GENERATOR} ${PLACEMENT} ` +
      'All processes of a contender are on that core, its database included, and *per CPU second* counts the CPU time of all of them.',
    rows,
  };
}

/** What our service answers, so that the others serve the same. */
async function textsIn(dataDir: string): Promise<Texts> {
  const registry = await openRegistry(dataDir);
  try {
    const pack = registry.activePack();
    const styles = pack.styles.map(({ id, text }) => [`style-${id}`, text] as const);
    return { document: JSON.stringify(pack), prompts: Object.fromEntries([['system', pack.system], ...styles]) };
  } finally {
    await registry.close();
  }
}

async function rowOf(plan: Plan, ours: Target, contender: Contender, texts: Texts): Promise<Row> {
  const { what, goal, needs } = contender;
  if (needs !== undefined && !isInstalled(contender)) {
    const missing = `${needs.program} is not installed (Debian: apt-get install ${needs.package})`;
    return { what: `S11 getActivePack / ${what}: ${missing}`, figures: {}, doesNotCount: missing };
  }
  process.stderr.write(`S11 ${what}\n`);
  const endings: (() => unknown)[] = [];
  try {
    const theirs = await contender.start(texts, workplace.folder(join('peers', `${goal}`)), (stop) =>
      endings.unshift(stop),
    );
    if (!plan.quick) for (const side of [ours, theirs]) await load(side, WARM_UP);
    const { seconds } = plan.load;
    const compared = await compare(
      plan.pairs,
      () => load(ours, seconds),
      () => load(theirs, seconds),
    );
    const { perCpuSecond, rate, busy } = compared;
    return {
      what: `S11 getActivePack / ${what}`,
      figures: {
        'per CPU second': { spread: perCpuSecond.ratio, unit: '×', goal: { atLeast: goal } },
        'our requests/s': { spread: rate.ours, unit: '/s' },
        'their requests/s': { spread: rate.reference, unit: '/s' },
        'their response': { spread: single(theirs.expected.bodyBytes / 1000), unit: 'KB' },
        'we were busy': { spread: percent(busy.ours), unit: '%' },
        'they were busy': { spread: percent(busy.reference), unit: '%' },
      },
      ...idleness(busy),
    };
  } finally {
    for (const ending of endings) await ending();
  }
}
