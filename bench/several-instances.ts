/** S6 and S7: durable activations on PostgreSQL, and how soon another instance has them. The server is from npm, with fsync on. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Client } from 'pg';
import { readPackFolders, Registry, SYSTEM_CLOCK } from '../registry/index.ts';
import { seal, type Event, type EventDraft, type Head } from '../registry/log/event.ts';
import { SYSTEM_ACTOR } from '../registry/model.ts';
import { openPostgresStore } from '../registry/stores/postgres/index.ts';
import { medianOf } from './activation.ts';
import { HOW_READS_COUNT, rowOfReads } from './reads-over-http.ts';
import { SERVER_CORE } from './support/cores.ts';
import { compare, spread, type Spread } from './measure.ts';
import type { Plan } from './plan.ts';
import type { Row, Table } from './report.ts';
import type { Reachable, Sighting } from './support/peer.ts';
import type { Order, Report } from './support/steady-reads.ts';
import { load, type Target } from './support/load.ts';
import { withPostgres } from './support/postgres.ts';
import { startService } from './support/processes.ts';
import { PACKS_DIR, type Workplace } from './support/workplace.ts';

const STEADY_READS = fileURLToPath(new URL('./support/steady-reads.ts', import.meta.url));
const reason = 'Benchmark';
const CHANNEL = 'bare';
/** What the other instance answers meanwhile, and the share of it that it must reach. */
const READS_PER_SECOND = 3000;
const ENOUGH = 0.95;
/** What a program without a registry would write: the same event as a row with its number, and the notification, in one round trip. */
const NOTIFY = `WITH written AS (INSERT INTO bare (number, body) VALUES ($1, $2) RETURNING number) SELECT pg_notify('${CHANNEL}', number::text) FROM written`;

/** S6. */
export async function activationOnPostgres(plan: Plan, _workplace: Workplace): Promise<Table> {
  return withPostgres(async (server) => {
    const registry = await openRegistry(await server.database());
    const bare = await bareWriter(await server.database());
    try {
      const next = nextVersion(registry);
      const { milliseconds } = await compare(
        plan.writes.pairs,
        medianOf(plan, () => registry.activate({ version: next(), reason })),
        medianOf(plan, () => bare.write()),
      );
      return {
        title: 'Durable activation on PostgreSQL',
        about:
          '`registry.activate()` (p50 of each leg), against BEGIN … COMMIT with the same statements one by one (p50) in another database of the same server.',
        rows: [
          {
            what: 'S6 activate / BEGIN … COMMIT',
            figures: {
              time: { spread: milliseconds.ratio, unit: '×', goal: { atMost: 0.7 } },
              'an activation': { spread: milliseconds.ours, unit: 'ms' },
              'BEGIN … COMMIT': { spread: milliseconds.reference, unit: 'ms' },
            },
          },
        ],
      };
    } finally {
      await registry.close();
      await bare.end();
    }
  });
}

/** S7. */
export async function commitToPeer(plan: Plan, _workplace: Workplace): Promise<Table> {
  return withPostgres(async (server) => {
    const url = await server.database();
    const registry = await openRegistry(url);
    const bare = await connected(url);
    const peer = new Worker(new URL('./support/peer.ts', import.meta.url), { workerData: { url, channel: CHANNEL } });
    try {
      const [reachable] = (await once(peer, 'message')) as [Reachable];
      await bare.query('CREATE TABLE bare (number bigint PRIMARY KEY, body text NOT NULL)');
      const body = JSON.stringify(sealed({ revision: 0, hash: '0'.repeat(64) }));
      const next = nextVersion(registry);
      let sent = 0;
      const activated = async () => {
        const sighted = sighting(peer, 'revision', registry.current.revision + 1);
        const asked = process.hrtime.bigint();
        await registry.activate({ version: next(), reason });
        return since(asked, await sighted);
      };
      const notified = async () => {
        const number = (sent += 1);
        const sighted = sighting(peer, 'notification', number);
        const asked = process.hrtime.bigint();
        await bare.query({ name: 'notify', text: NOTIFY, values: [number, body] });
        return since(asked, await sighted);
      };
      const idle = await lags(plan, 'idle', activated, notified);
      const reads = await steadyReads(reachable);
      const busy = await lags(plan, 'busy', activated, notified);
      const rows: Row[] = [idle, { ...busy, ...(await reads.stop()) }];
      return {
        title: 'From commit to another instance',
        about:
          'From the request for an activation until another instance, on its own event loop, serves it; compared with a bare NOTIFY, from its statement until it is ' +
          'received there. Both include a durable commit of the same event (for the NOTIFY a plain row with a primary key), because a notification often arrives before the response to the writer. ' +
          `Busy: meanwhile the other instance answers ${READS_PER_SECOND.toLocaleString('en')} reads of the active pack a second. If it answers fewer, the row does not count.`,
        rows,
      };
    } finally {
      peer.postMessage('end');
      await once(peer, 'exit');
      await bare.end();
      await registry.close();
    }
  });
}

/** Reads while the store has other things to do: none of them asks it. */
export async function readsWithBusyStore(plan: Plan, workplace: Workplace): Promise<Table> {
  return withPostgres(async (server) => {
    const url = await server.database();
    const service = await startService({
      dataDir: workplace.folder('busy-store'),
      packsDir: PACKS_DIR,
      storeUrl: url,
      cores: SERVER_CORE,
    });
    const sessions = await Promise.all(Array.from({ length: 8 }, () => connected(url)));
    try {
      const target: Target = {
        server: service,
        paths: ['/v1/packs/coach/active'],
        headers: service.headers,
        expected: { status: 200, bodyBytes: 1 },
      };
      const reads = () => load(target, plan.load.seconds);
      const busy = async () => {
        let over = false;
        const asking = Promise.all(
          sessions.map(async (session) => {
            while (!over) await session.query('SELECT pg_sleep(0.005), count(*) FROM events, generate_series(1, 20)'); // never idle, and little CPU
          }),
        );
        const rates = await reads();
        over = true;
        await asking;
        return rates;
      };
      const compared = await compare(plan.load.processes * plan.load.pairs, busy, reads);
      return {
        title: 'Reads over HTTP while PostgreSQL is busy',
        about: `\`getActivePack\` of one service, while eight sessions of others keep its PostgreSQL busy, compared with an idle PostgreSQL. ${HOW_READS_COUNT}`,
        rows: [rowOfReads('busy / idle', compared)],
      };
    } finally {
      await Promise.all(sessions.map((session) => session.end()));
      await service.stop();
    }
  });
}

/** Starts a fixed rate of reads. @returns what stops them, and says whether they were enough. @throws Error if one fails */
async function steadyReads({ url, headers }: Reachable): Promise<{ stop(): Promise<Pick<Row, 'doesNotCount'>> }> {
  const child = fork(STEADY_READS, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  await once(child, 'spawn');
  child.send({ url: `${url}/v1/packs/coach/active`, headers, perSecond: READS_PER_SECOND } satisfies Order);
  return {
    stop: async () => {
      const reported = once(child, 'message') as Promise<[Report]>;
      child.send('stop');
      const [{ read, failed, seconds }] = await reported;
      if (failed > 0) throw new Error(`${failed} of ${read + failed} reads failed.`);
      const rate = read / seconds;
      return rate >= ENOUGH * READS_PER_SECOND ? {} : { doesNotCount: `only ${rate.toFixed(0)} reads a second` };
    },
  };
}

async function lags(
  plan: Plan,
  state: 'idle' | 'busy',
  activated: () => Promise<number>,
  notified: () => Promise<number>,
): Promise<Row> {
  const pairs: { ours: number[]; bare: number[] }[] = [];
  for (let pair = 0; pair <= plan.writes.pairs; pair += 1) {
    const legs = { ours: [] as number[], bare: [] as number[] };
    for (let count = 0; count < plan.writes.each; count += 1) {
      legs.bare.push(await notified());
      legs.ours.push(await activated());
    }
    if (pair > 0) pairs.push(legs); // the first one warms up
  }
  const p50 = ({ ours, bare }: { ours: number[]; bare: number[] }) => spread(ours).median / spread(bare).median;
  const ours = pairs.flatMap((legs) => legs.ours);
  const bare = pairs.flatMap((legs) => legs.bare);
  return {
    what: `S7 commit → visible on another instance, ${state}`,
    figures: {
      'p50 / NOTIFY’s': { spread: spread(pairs.map(p50)), unit: '×', goal: { atMost: 2 } },
      p50: { spread: spread(ours), unit: 'ms' },
      p99: { spread: percentile(ours, 0.99), unit: 'ms', ...(state === 'busy' && { goal: { atMost: 250 } }) },
      'NOTIFY p50': { spread: spread(bare), unit: 'ms' },
      'NOTIFY p99': { spread: percentile(bare, 0.99), unit: 'ms' },
    },
  };
}

function percentile(figures: readonly number[], share: number): Spread {
  const sorted = [...figures].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { median: value, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

function sighting(peer: Worker, what: Sighting['what'], number: number): Promise<bigint> {
  return new Promise((resolve) => {
    const look = (seen: Sighting) => {
      if (seen.what !== what || seen.number < number) return;
      peer.off('message', look);
      resolve(seen.at);
    };
    peer.on('message', look);
  });
}

/** Milliseconds. */
function since(asked: bigint, seen: bigint): number {
  return Number(seen - asked) / 1e6;
}

function sealed(head: Head): Event {
  const draft: EventDraft = {
    type: 'version-activated',
    actor: SYSTEM_ACTOR,
    reason,
    pack: 'coach',
    channel: 'production',
    version: '1.0.0',
    data: { digest: `sha256:${'0'.repeat(64)}`, previousVersion: '1.1.0' },
  };
  const [event] = seal([draft], head, { ...SYSTEM_CLOCK, notBefore: '' });
  if (event === undefined) throw new Error('A draft gave no event.');
  return event;
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

async function openRegistry(url: string): Promise<Registry> {
  return Registry.open({
    store: openPostgresStore({ url }),
    channels: ['production'],
    defaultPack: 'coach',
    sessionTtl: 86_400_000,
    shipped: await readPackFolders(PACKS_DIR),
  });
}

function nextVersion(registry: Registry): () => string {
  return () => (registry.activePack().version === '1.0.0' ? '1.1.0' : '1.0.0');
}

/** The same event, written one statement after the other. */
async function bareWriter(url: string): Promise<{ write(): Promise<void>; end(): Promise<void> }> {
  const store = openPostgresStore({ url });
  await store.head(); // makes the tables
  await store.close();
  const client = await connected(url);
  let head: Head = { revision: 0, hash: '0'.repeat(64) };
  return {
    async write() {
      const event = sealed(head);
      const said = async (name: string, text: string, values: readonly unknown[] = []) =>
        client.query({ name, text, values: [...values] });
      await client.query('BEGIN');
      await said('look', 'SELECT revision, hash FROM log_head FOR UPDATE');
      await said('insert', 'INSERT INTO events (revision, body) VALUES ($1, $2)', [
        event.revision,
        JSON.stringify(event),
      ]);
      await said('move', 'UPDATE log_head SET revision = $1, hash = $2', [event.revision, event.hash]);
      await said('notify', "SELECT pg_notify('prompt_registry', $1)", [String(event.revision)]);
      await client.query('COMMIT');
      head = event;
    },
    end: () => client.end(),
  };
}
