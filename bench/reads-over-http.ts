/**
 * S1, S2, S3, and the HTTP rows of S9: reads of what a pointer points at, over real connections, as many as one core can answer.
 *
 * Problem: a server that waits for its load generator shows how fast the generator is. And two processes that run the same code can differ
 * by a tenth for their whole life, because of how code and memory happened to be laid out.
 * Rule: a row shows how busy both servers were, and does not count below `BUSY`. Both sides are started several times, and the turns of all
 * of them count.
 */
import { comparisonOf, takeTurns, type Comparison, type Pair, type Spread } from './measure.ts';
import { versionsOf, type Plan } from './plan.ts';
import { percent, type Goal, type Row, type Table } from './report.ts';
import { PLACEMENT, SERVER_CORE } from './support/cores.ts';
import { packNames } from './support/fill.ts';
import { GENERATOR } from './support/generators.ts';
import { load, type Rates, type Target } from './support/load.ts';
import { startBare, startService, type BareAnswer, type Served } from './support/processes.ts';
import type { Workplace } from './support/workplace.ts';

/** One row: the requests to each side. */
export interface Case {
  readonly what: string;
  readonly ours: (server: Served) => Promise<Target>;
  readonly reference: (server: Served) => Promise<Target>;
  readonly goal?: Goal;
}

interface Sides {
  readonly ours: Served;
  readonly reference: Served;
}

export const ACTIVE = '/v1/packs/coach/active';
const SYSTEM = '/v1/prompts/system';
export const STYLE = '/v1/prompts/styles/supportive';

/** Seconds of load on each side before the first turn. */
const WARM_UP = 2;
/** How busy both servers must be, as a share of one core. */
export const BUSY = 0.9;

const AGAINST_BARE: Readonly<Record<string, readonly Case[]>> = {
  S1: [{ what: 'S1 getActivePack 200', ours: read(ACTIVE), reference: read(ACTIVE), goal: { atLeast: 0.9 } }],
  S2: [
    { what: 'S2 getActivePack 304 / bare 200', ours: reread(ACTIVE), reference: read(ACTIVE), goal: { atLeast: 1 } },
    { what: 'S2 getActivePack 304 / bare 304 (an aside)', ours: reread(ACTIVE), reference: reread(ACTIVE) },
  ],
  S3: [
    { what: 'S3 getSystemPrompt 200', ours: read(SYSTEM), reference: read(SYSTEM), goal: { atLeast: 0.85 } },
    { what: 'S3 getStylePrompt 200', ours: read(STYLE), reference: read(STYLE), goal: { atLeast: 0.85 } },
  ],
};

/** @param names which of S1, S2, S3 */
export async function readsAgainstBare(plan: Plan, workplace: Workplace, names: readonly string[]): Promise<Table> {
  const dataDir = await workplace.small();
  let size = 0;
  const rows = await measured(
    plan,
    names.flatMap((name) => AGAINST_BARE[name] ?? []),
    async () => {
      const service = await startService({ dataDir, packsDir: workplace.noPacks, cores: SERVER_CORE });
      const answers = await Promise.all([ACTIVE, SYSTEM, STYLE].map((path) => answerAt(service, path)));
      size = Buffer.byteLength(answers[0]?.body ?? '');
      return { ours: service, reference: await startBare(answers, SERVER_CORE) };
    },
  );
  return {
    title: 'Reads over HTTP',
    about:
      `The service as \`npm start\` runs it, against a bare Fastify route that sends the same bytes with the same ETag. The active pack has ${(size / 1000).toFixed(1)} KB. ` +
      `${GENERATOR} ${PLACEMENT} ${HOW_READS_COUNT}`,
    rows,
  };
}

/** S9 for S1 to S3. */
export async function readsAmongMany(plan: Plan, workplace: Workplace): Promise<Table> {
  const goal: Goal = { atLeast: 0.95 };
  const same = (what: string, ask: Case['ours']): Case => ({ what: `S9 ${what}`, ours: ask, reference: ask, goal });
  const paths = shuffled(packNames(plan.packs)).map((pack) => `/v1/packs/${pack}/active`);
  const cases: readonly Case[] = [
    same('getActivePack 200', read(ACTIVE)),
    same('getActivePack 304', reread(ACTIVE)),
    same('getSystemPrompt 200', read(SYSTEM)),
    same('getStylePrompt 200', read(STYLE)),
    {
      what: 'S9 getActivePack 200, packs at random',
      ours: read(...paths),
      reference: read(...paths.map(() => ACTIVE)),
      goal,
    },
  ];
  const [small, large] = [await workplace.small(), await workplace.large()];
  const rows = await measured(plan, cases, async () => ({
    reference: await startService({ dataDir: small, packsDir: workplace.noPacks, cores: SERVER_CORE }),
    ours: await startService({ dataDir: large, packsDir: workplace.noPacks, cores: SERVER_CORE }),
  }));
  return {
    title: `Reads over HTTP among ${versionsOf(plan)} versions in ${plan.packs} packs`,
    about: `The service with that many versions, against the service with three versions of one pack. ${HOW_READS_COUNT}`,
    rows,
  };
}

export const HOW_READS_COUNT =
  '*Per CPU second* counts only the CPU time of the server, so that the load generator and the neighbours are not in it. *Busy* is that CPU time as a share of the wall time. ' +
  `A row in which a server was busy less than ${BUSY * 100} % of the time does not count.`;

export async function measured(plan: Plan, cases: readonly Case[], start: () => Promise<Sides>): Promise<Row[]> {
  const { processes, pairs, seconds } = plan.load;
  const taken = cases.map((): Pair<keyof Rates>[] => []);
  for (let round = 1; round <= processes; round += 1) {
    const sides = await start();
    try {
      for (const [index, { what, ours, reference }] of cases.entries()) {
        process.stderr.write(`${what}, processes ${round} of ${processes}\n`);
        const [left, right] = [await ours(sides.ours), await reference(sides.reference)];
        if (index === 0 && !plan.quick) await warmUp([left, right]);
        taken[index]?.push(
          ...(await takeTurns(
            pairs,
            () => load(left, seconds),
            () => load(right, seconds),
          )),
        );
      }
    } finally {
      await Promise.all([sides.ours.stop(), sides.reference.stop()]);
    }
  }
  return cases.map(({ what, goal }, index) => rowOfReads(what, comparisonOf(taken[index] ?? []), goal));
}

/** One after the other: both may be the same server, which answers one question about its CPU time at a time. */
async function warmUp(sides: readonly Target[]): Promise<void> {
  for (const side of sides) await load(side, WARM_UP);
}

/** The row of reads that were compared, which does not count if a server was idle. */
export function rowOfReads(what: string, compared: Record<keyof Rates, Comparison>, goal?: Goal): Row {
  const { rate, perCpuSecond, busy } = compared;
  return {
    what,
    figures: {
      'per CPU second': { spread: perCpuSecond.ratio, unit: '×', ...(goal && { goal }) },
      'requests/s': { spread: rate.ratio, unit: '×' },
      'our CPU a request': { spread: microsecondsEach(perCpuSecond.ours), unit: 'µs' },
      'we were busy': { spread: percent(busy.ours), unit: '%' },
      'the other was busy': { spread: percent(busy.reference), unit: '%' },
    },
    ...idleness(busy),
  };
}

/** Marks a row whose servers were not busy enough. */
export function idleness({ ours, reference }: Pick<Comparison, 'ours' | 'reference'>): Pick<Row, 'doesNotCount'> {
  const least = Math.min(ours.median, reference.median);
  return least >= BUSY ? {} : { doesNotCount: `a server was busy only ${(least * 100).toFixed(0)} % of the time` };
}

function microsecondsEach({ median, min, max }: Spread): Spread {
  return { median: 1e6 / median, min: 1e6 / max, max: 1e6 / min };
}

/** Reads these paths in turn, and gets 200. */
export function read(...paths: readonly string[]): Case['ours'] {
  return async (server) => {
    const { body } = await answerAt(server, paths[0] ?? '');
    return {
      server,
      paths,
      headers: server.headers,
      expected: { status: 200, bodyBytes: Buffer.byteLength(body) },
    };
  };
}

/** Reads these paths in turn with the ETag of the first, and gets 304. */
export function reread(...paths: readonly string[]): Case['ours'] {
  return async (server) => {
    const { body, etag } = await answerAt(server, paths[0] ?? '');
    return {
      server,
      paths,
      headers: { ...server.headers, 'if-none-match': etag },
      expected: { status: 304, bodyBytes: Buffer.byteLength(body) },
    };
  };
}

async function answerAt({ url, headers }: Served, path: string): Promise<BareAnswer> {
  const answer = await fetch(`${url}${path}`, { headers });
  const etag = answer.headers.get('etag');
  const contentType = answer.headers.get('content-type');
  if (answer.status !== 200 || etag === null || contentType === null)
    throw new Error(`${url}${path} answered ${answer.status}: ${await answer.text()}`);
  return { path, etag, contentType, body: await answer.text() };
}

/** In a scattered order, which is the same in each run. */
function shuffled(names: readonly string[]): string[] {
  const order = names.map((name, index) => [Math.imul(index + 1, 0x9e3779b1) >>> 0, name] as const);
  return order.sort(([a], [b]) => a - b).map(([, name]) => name);
}
