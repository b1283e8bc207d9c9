/** S1, S2, S3, and the HTTP rows of S9: reads of what hangs on a pointer, over real connections. */
import { compare, type Leg } from './measure.ts';
import type { Plan } from './plan.ts';
import type { Goal, Row, Table } from './report.ts';
import { load, type Rates, type Target } from './support/load.ts';
import { packNames } from './support/fill.ts';
import { startBare, startService, type BareAnswer, type Served } from './support/processes.ts';
import { PACKS_DIR, type Workplace } from './support/workplace.ts';

interface Read {
  readonly what: string;
  readonly path: string;
  /** What each side answers. */
  readonly ours: 200 | 304;
  readonly bare: 200 | 304;
  readonly goal?: Goal;
}

const ACTIVE = '/v1/packs/coach/active';
const SYSTEM = '/v1/prompts/system';
const STYLE = '/v1/prompts/styles/supportive';

const READS: Readonly<Record<string, readonly Read[]>> = {
  S1: [{ what: 'getActivePack 200', path: ACTIVE, ours: 200, bare: 200, goal: { atLeast: 0.75 } }],
  S2: [
    { what: 'getActivePack 304 / bare 200', path: ACTIVE, ours: 304, bare: 200, goal: { atLeast: 1 } },
    { what: 'getActivePack 304 / bare 304 (an aside)', path: ACTIVE, ours: 304, bare: 304 },
  ],
  S3: [
    { what: 'getSystemPrompt 200', path: SYSTEM, ours: 200, bare: 200, goal: { atLeast: 0.75 } },
    { what: 'getStylePrompt 200', path: STYLE, ours: 200, bare: 200, goal: { atLeast: 0.75 } },
  ],
};

const ABOUT =
  'The service as `npm start` runs it, against a bare Fastify route that sends the same bytes with the same ETag. Both are processes of their own; ' +
  'the load comes from a third. *requests/s* is what the client sees; *per CPU second* counts the CPU time of the server alone, so that neither the ' +
  'load generator nor the neighbours are in it. The goal holds for both.';

/** @param names which of S1, S2, S3 */
export async function readsAgainstBare(plan: Plan, place: Workplace, names: readonly string[]): Promise<Table> {
  const service = await startService({ dataDir: place.folder('shipped'), packsDir: PACKS_DIR });
  let bare: Served | undefined;
  try {
    bare = await startBare([await answerAt(service, ACTIVE), await answerAt(service, SYSTEM), await answerAt(service, STYLE)]);
    const rows: Row[] = [];
    for (const name of names) {
      for (const { what, path, ours, bare: theirs, goal } of READS[name] ?? []) {
        const left = await target(service, path, ours);
        rows.push(await row(plan, `${name} ${what}`, left, await target(bare, path, theirs), goal));
      }
    }
    return { title: 'Reads over HTTP', about: ABOUT, rows };
  } finally {
    await Promise.all([service.stop(), bare?.stop()]);
  }
}

/** S9 for S1 to S3: the same service with many versions, against itself with three. */
export async function readsAmongMany(plan: Plan, place: Workplace): Promise<Table> {
  const goal: Goal = { atLeast: 0.95 };
  const small = await startService({ dataDir: await place.small(), packsDir: place.noPacks });
  let large: Served | undefined;
  try {
    large = await startService({ dataDir: await place.large(), packsDir: place.noPacks });
    const rows: Row[] = [];
    for (const { what, path, ours } of Object.values(READS).flat().filter(({ bare, ours }) => bare === ours)) {
      rows.push(await row(plan, `S9 ${what.replace(/ \/.*/u, '')}`, await target(large, path, ours), await target(small, path, ours), goal));
    }
    const anyPack = { server: large, status: 200, paths: shuffled(packNames(plan.packs)).map((pack) => `/v1/packs/${pack}/active`) } as const;
    const onePack = { server: small, status: 200, paths: anyPack.paths.map(() => ACTIVE) } as const;
    rows.push(await row(plan, 'S9 getActivePack 200, packs at random', anyPack, onePack, goal));
    return {
      title: `Reads over HTTP among ${plan.packs * plan.versionsPerPack} versions in ${plan.packs} packs`,
      about: 'The service with that many versions, against the service with three versions of one pack.',
      rows,
    };
  } finally {
    await Promise.all([small.stop(), large?.stop()]);
  }
}

async function row(plan: Plan, what: string, ours: Target, reference: Target, goal: Goal | undefined): Promise<Row> {
  process.stderr.write(`${what}\n`);
  const leg = (side: Target): Leg<keyof Rates> => () => load(side, plan.load.seconds);
  const { rate, perCpuSecond } = await compare(plan.load.pairs, leg(ours), leg(reference));
  const withGoal = goal && { goal };
  return { what, figures: { 'requests/s': { spread: rate.ratio, unit: '×', ...withGoal }, 'per CPU second': { spread: perCpuSecond.ratio, unit: '×', ...withGoal }, 'our CPU a request': { spread: inverse(perCpuSecond.ours), unit: 'µs' } } };
}

/** Microseconds of CPU time a request. */
function inverse({ median, min, max }: { readonly median: number; readonly min: number; readonly max: number }) {
  return { median: 1e6 / median, min: 1e6 / max, max: 1e6 / min };
}

async function target(server: Served, path: string, status: 200 | 304): Promise<Target> {
  const headers = status === 304 ? { 'if-none-match': (await answerAt(server, path)).etag } : {};
  return { server, paths: [path], headers, status };
}

async function answerAt({ url }: Served, path: string): Promise<BareAnswer> {
  const answer = await fetch(`${url}${path}`);
  const etag = answer.headers.get('etag');
  const contentType = answer.headers.get('content-type');
  if (answer.status !== 200 || etag === null || contentType === null) throw new Error(`${url}${path} answered ${answer.status}: ${await answer.text()}`);
  return { path, etag, contentType, body: await answer.text() };
}

/** In an order that is no order, and the same in each run. */
function shuffled(names: readonly string[]): string[] {
  const order = names.map((name, index) => [Math.imul(index + 1, 0x9e3779b1) >>> 0, name] as const);
  return order.sort(([a], [b]) => a - b).map(([, name]) => name);
}
