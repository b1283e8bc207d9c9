/**
 * S12: reads for a subject while a rollout runs, against plain reads.
 *
 * The plain reads are those of another pack without a rollout, in the same process, because two processes that run the same code can differ
 * by a tenth.
 */
import { comparisonOf, spread } from './measure.ts';
import type { Plan } from './plan.ts';
import { KEYS, keys, readAt, readNothing, sink, turnsOf } from './reads-in-process.ts';
import { ACTIVE, HOW_READS_COUNT, measured, read, reread, STYLE, type Case } from './reads-over-http.ts';
import type { Goal, Table } from './report.ts';
import type { ReadOf, Registry } from '../registry/index.ts';
import { SERVER_CORE } from './support/cores.ts';
import { startService, type Served } from './support/processes.ts';
import { openRegistry } from './support/registry.ts';
import { AUDIENCE, people, queryOf, ROLLED_OUT, SHARE, type Person } from './support/rollout.ts';
import type { Workplace } from './support/workplace.ts';

/** How many people read over HTTP. */
const READERS = 200;
/** How much of the speed of plain reads is left. */
const OVER_HTTP: Goal = { atLeast: 0.9 };
/** How many nanoseconds more a read in process may take. */
const MOST_MORE = 250;

const WHAT =
  `Reads for one of many subjects with ${AUDIENCE.conditions.length} attributes each, while a rollout with a share of ${SHARE} % and an audience of as many conditions runs ` +
  '(`in`, `equals`, `startsWith`, `greaterThan`, `semver`; all hold, and are looked at if the bucket is below the share), against plain reads of a pack without a rollout';

export async function readsOfSubjects(plan: Plan, workplace: Workplace): Promise<Table> {
  const dataDir = await workplace.underRollout();
  const start = async () => {
    const service = await startService({ dataDir, packsDir: workplace.noPacks, cores: SERVER_CORE });
    return { ours: service, reference: service };
  };
  const [actives, styles] = [people(READERS).map(activeFor), people(READERS).map(styleFor)];
  const cases: readonly Case[] = [
    { what: 'S12 getActivePack 200', ours: read(...actives), reference: read(ACTIVE), goal: OVER_HTTP },
    { what: 'S12 getActivePack 304', ours: rereadCandidate(actives), reference: reread(ACTIVE), goal: OVER_HTTP },
    { what: 'S12 getStylePrompt 200', ours: read(...styles), reference: read(STYLE), goal: OVER_HTTP },
  ];
  return {
    title: 'Reads under a rollout over HTTP',
    about: `${WHAT} in the same process. The subject and the attributes are in the address. ${HOW_READS_COUNT}`,
    rows: await measured(plan, cases, start),
  };
}

function activeFor(person: Person): string {
  return `/v1/packs/${ROLLED_OUT}/active?${queryOf(person)}`;
}

function styleFor(person: Person): string {
  return `${STYLE}?pack=${ROLLED_OUT}&${queryOf(person)}`;
}

/** Reads again those of these paths that get the candidate: they have one ETag. */
function rereadCandidate(paths: readonly string[]): Case['ours'] {
  return async (server) => {
    const assignments = await Promise.all(paths.map((path) => assignmentAt(server, path)));
    return reread(...paths.filter((_, index) => assignments[index]?.endsWith('arm=candidate')))(server);
  };
}

async function assignmentAt({ url, headers }: Served, path: string): Promise<string> {
  const answer = await fetch(`${url}${path}`, { headers });
  await answer.body?.cancel();
  return answer.headers.get('registry-assignment') ?? '';
}

export async function readsOfSubjectsInProcess(plan: Plan, workplace: Workplace): Promise<Table> {
  const registry = await openRegistry(await workplace.underRollout());
  try {
    const ids = keys([...registry.view().stylePrompts.keys()]);
    const forPeople = people(KEYS).map((person): ReadOf => ({ pack: ROLLED_OUT, ...person }));
    const plain = keys([registry.defaultPack]).map((pack): ReadOf => ({ pack }));
    const turns = await turnsOf(
      plan,
      (reads) => readAt(registry, ids, forPeople, reads),
      (reads) => readPlain(registry, ids, plain, reads),
      (reads) => readNothing(ids, reads),
    );
    const { nanoseconds } = comparisonOf(turns);
    const more = spread(turns.map(({ ours, reference }) => ours.nanoseconds - reference.nanoseconds));
    return {
      title: 'Reads under a rollout in process',
      about: `${WHAT}. What the loop takes is taken off both.`,
      rows: [
        {
          what: 'S12 getStylePrompt(styleId, {pack, subject, attributes})',
          figures: {
            more: { spread: more, unit: 'ns', goal: { atMost: MOST_MORE } },
            'a read': { spread: nanoseconds.ours, unit: 'ns' },
            'a plain read': { spread: nanoseconds.reference, unit: 'ns' },
          },
        },
      ],
    };
  } finally {
    await registry.close();
  }
}

/** The same loop again, so that each is compiled for what it reads. */
function readPlain(registry: Registry, ids: readonly string[], plain: readonly ReadOf[], reads: number): void {
  for (let index = 0; index < reads; index += 1)
    sink.count += registry.getStylePrompt(ids[index % KEYS] ?? '', plain[index % KEYS]).revision;
}
