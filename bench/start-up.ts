/** S10: from starting the process to `/readyz` 200, and the memory it takes. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { spread } from './measure.ts';
import { versionsOf, type Plan } from './plan.ts';
import type { Figure, Row, Table } from './report.ts';
import { startService } from './support/processes.ts';
import { PACKS_DIR, type Workplace } from './support/workplace.ts';

interface Start {
  readonly what: string;
  readonly dataDir: string;
  /** Whether the last good snapshot is there. */
  readonly snapshot: boolean;
  readonly goals: { readonly ms?: number; readonly megabytes?: number };
}

/** What one start took. */
interface Taken {
  readonly ms: number;
  /** Milliseconds of CPU time, all threads. */
  readonly cpu: number;
  readonly rss: number;
  readonly peak: number;
}

const MEGABYTE = 1e6;

export async function startUp(plan: Plan, workplace: Workplace): Promise<Table> {
  const versions = versionsOf(plan);
  const events = plan.events.toLocaleString('en');
  const [shipped, large, long] = [workplace.folder('started'), await workplace.large(), await workplace.long()];
  const starts: readonly Start[] = [
    { what: 'the shipped packs only', dataDir: shipped, snapshot: true, goals: {} },
    {
      what: `${versions} versions, with the last good snapshot`,
      dataDir: large,
      snapshot: true,
      goals: { ms: 2000, megabytes: 250 },
    },
    { what: `${versions} versions, without it`, dataDir: large, snapshot: false, goals: { ms: 2000, megabytes: 250 } },
    {
      what: `a log of ${events} events, with the last good snapshot`,
      dataDir: long,
      snapshot: true,
      goals: { ms: 5000 },
    },
    { what: `a log of ${events} events, without it`, dataDir: long, snapshot: false, goals: { ms: 5000 } },
  ];
  // A first start registers the shipped packs and leaves a snapshot behind; it is not counted.
  for (const dataDir of new Set(starts.map((each) => each.dataDir))) await taken({ dataDir, snapshot: true });

  const all = starts.map((): Taken[] => []);
  for (let turn = 0; turn < plan.starts; turn += 1) {
    for (const [index, start] of starts.entries()) {
      process.stderr.write(`S10 start ${turn + 1} of ${plan.starts}: ${start.what}\n`);
      all[index]?.push(await taken(start));
    }
  }
  const rows = starts.map(({ what, goals }, index): Row => {
    const own = all[index] ?? [];
    const figure = (pick: (taken: Taken) => number, unit: Figure['unit'], atMost?: number): Figure => ({
      spread: spread(own.map(pick)),
      unit,
      ...(atMost !== undefined && { goal: { atMost } }),
    });
    return {
      what: `S10 ${what}`,
      figures: {
        'to ready': figure(({ ms }) => ms, 'ms', goals.ms),
        'against the shipped packs only': {
          spread: spread(own.map(({ ms }, turn) => ms / (all[0]?.[turn]?.ms ?? NaN))),
          unit: '×',
        },
        'CPU time': figure(({ cpu }) => cpu, 'ms'),
        'RSS at ready': figure(({ rss }) => rss / MEGABYTE, 'MB', goals.megabytes),
        'peak RSS': figure(({ peak }) => peak / MEGABYTE, 'MB'),
      },
    };
  });
  return {
    title: 'Start-up',
    about: 'From starting `node server.ts` to the first 200 of `/readyz`. The cases take turns.',
    rows,
  };
}

/** Starts the service, waits until it is ready, and ends it. */
async function taken({ dataDir, snapshot }: Pick<Start, 'dataDir' | 'snapshot'>): Promise<Taken> {
  if (!snapshot) rmSync(join(dataDir, 'snapshot.jsonl'), { force: true });
  const start = performance.now();
  const service = await startService({ dataDir, packsDir: PACKS_DIR });
  try {
    const answer = await fetch(`${service.url}/readyz`);
    const ms = performance.now() - start;
    if (answer.status !== 200) throw new Error(`/readyz answered ${answer.status}.`);
    const { cpu, rss, peakRss } = await service.usage();
    return { ms, cpu: cpu / 1000, rss, peak: peakRss };
  } finally {
    await service.stop();
  }
}
