/**
 * S8: a flip, sent to ten thousand watchers of one process.
 *
 * The watchers of each side are in a separate process, so that no process holds more than half of the sockets: together they would use
 * up a descriptor limit of 20,000. Node itself raises the soft limit (`ulimit -n`) to the hard one.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { comparisonOf, spread, takeTurns, type Leg } from './measure.ts';
import type { Plan } from './plan.ts';
import { single, type Table } from './report.ts';
import { startService, type Served } from './support/processes.ts';
import type { Usage } from './support/probe.ts';
import type { Answer, Order } from './support/stream-watchers.ts';
import { PACKS_DIR, type Workplace } from './support/workplace.ts';

const BARE = fileURLToPath(new URL('./support/bare-stream.ts', import.meta.url));
const CLIENT = fileURLToPath(new URL('./support/stream-watchers.ts', import.meta.url));
const PROBE = new URL('./support/probe.ts', import.meta.url).href;

/** How many watchers there are, how many pairs, and flips in each leg. */
const SIZE = { full: { watchers: 10_000, pairs: 7, flips: 5 }, quick: { watchers: 200, pairs: 3, flips: 2 } } as const;
/** Reads that measure how long a read takes while nothing is sent. */
const IDLE_READS = 300;
/** Milliseconds for the after-effects of connecting to end. */
const SETTLE = { full: 3000, quick: 0 } as const;
const KB = 1024;
const MB = 1024 * KB;
/** What a watcher may take more than one of bare node:http, in KB. */
const MOST_ABOVE = 3;

/** A server with its watchers. */
interface Side {
  /** One flip. @returns milliseconds from its sending until the last watcher has it */
  flip(): Promise<number>;
  /** Bytes that the server takes more with them than without. */
  readonly memory: number;
  stop(): Promise<void>;
}

/** S8. */
export async function fanOut(plan: Plan, workplace: Workplace): Promise<Table> {
  const { watchers, pairs, flips } = plan.quick ? SIZE.quick : SIZE.full;
  const settle = plan.quick ? SETTLE.quick : SETTLE.full;
  process.stderr.write(`S8 with ${watchers} watchers on each side\n`);
  const service = await startService({ dataDir: workplace.folder('streams'), packsDir: PACKS_DIR });
  const ours = await sideOf(service, watchers, settle, activations(service.headers['authorization'] ?? ''));
  const bare = await startBareStream();
  const reference = await sideOf(
    bare,
    watchers,
    settle,
    (revision) => `POST /flip?id=${revision} HTTP/1.1\r\nHost: bare\r\nContent-Length: 0\r\n\r\n`,
  );
  const reads: { readonly idle: number; readonly during: number }[] = [];
  try {
    const legs = await takeTurns(
      pairs,
      async () => {
        const leg = await legOf(ours, flips)();
        // Reads are a load of their own, which the reference does not have: they are taken over other flips.
        const idle = await readsFor(service, (count) => count < IDLE_READS);
        let over = false;
        const during = readsFor(service, () => !over);
        await legOf(ours, flips)();
        over = true;
        reads.push({ idle: p99(idle), during: p99(await during) });
        return leg;
      },
      legOf(reference, flips),
    );
    reads.shift(); // of the turn that does not count
    const { milliseconds } = comparisonOf(legs);
    return {
      title: `A flip, sent to ${watchers.toLocaleString('en')} watchers`,
      about:
        'From the sending of `activateVersion` until the last of the watchers has the message, durable write included, against a bare node:http server that writes the same chunk to as many ' +
        'answers in one loop. Memory is what the server takes more with its watchers than without. Reads are `getActivePack` over one connection, one after the other, while nothing is told and while flips are.',
      rows: [
        {
          what: 'S8 flip → last has it',
          figures: {
            time: { spread: milliseconds.ratio, unit: '×', goal: { atMost: 1.2 } },
            ours: { spread: milliseconds.ours, unit: 'ms' },
            bare: { spread: milliseconds.reference, unit: 'ms' },
          },
        },
        {
          what: 'S8 read p99 while it is told / idle',
          figures: {
            time: { spread: spread(reads.map(({ idle, during }) => during / idle)), unit: '×', goal: { atMost: 5 } },
            'while told': { spread: spread(reads.map(({ during }) => during)), unit: 'ms' },
            idle: { spread: spread(reads.map(({ idle }) => idle)), unit: 'ms' },
          },
        },
        {
          what: `S8 memory of ${watchers.toLocaleString('en')} watchers`,
          figures: {
            ours: {
              spread: single(ours.memory / MB),
              unit: 'MB',
            },
            bare: { spread: single(reference.memory / MB), unit: 'MB' },
            'each above bare': {
              spread: single((ours.memory - reference.memory) / watchers / KB),
              unit: 'KB',
              goal: { atMost: MOST_ABOVE },
            },
          },
        },
      ],
    };
  } finally {
    await Promise.all([ours.stop(), reference.stop()]);
  }
}

function p99(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? NaN;
}

function legOf(side: Side, flips: number): Leg<'milliseconds'> {
  return async () => {
    const times: number[] = [];
    for (let count = 0; count < flips; count += 1) times.push(await side.flip());
    return { milliseconds: spread(times).median };
  };
}

/** Two versions in turn. */
function activations(authorization: string): (revision: number) => string {
  return (revision) => {
    const body = JSON.stringify({ version: revision % 2 === 0 ? '1.0.0' : '1.1.0', reason: 'Benchmark' });
    return `POST /v1/packs/coach/activations HTTP/1.1\r\nHost: service\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  };
}

/** Has a process open so many streams of a server. @param flip the request that makes the event of a revision */
async function sideOf(
  server: Served,
  watchers: number,
  settle: number,
  flip: (revision: number) => string,
): Promise<Side> {
  const client = fork(CLIENT, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const before = (await server.usage()).rss;
  const opened = await told(client, {
    order: 'open',
    url: server.url,
    authorization: server.headers['authorization'] ?? 'none',
    watchers,
  });
  await new Promise((resolve) => setTimeout(resolve, settle));
  const after = (await server.usage()).rss;
  let { revision } = opened;
  return {
    memory: after - before,
    flip: async () => {
      revision += 1;
      return (await told(client, { order: 'flip', revision, request: flip(revision) })).milliseconds;
    },
    stop: async () => {
      client.kill('SIGKILL');
      await server.stop();
    },
  };
}

function told(client: ChildProcess, order: Order): Promise<Answer> {
  client.send(order);
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`The watchers ended with ${code}.`));
    client.once('exit', onExit);
    client.once('message', (answer: Answer) => {
      client.off('exit', onExit);
      resolve(answer);
    });
  });
}

async function startBareStream(): Promise<Served> {
  const child = fork(BARE, { execArgv: ['--import', PROBE], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return {
    url,
    pid: child.pid ?? NaN,
    headers: {},
    usage: async () => {
      const answer = once(child, 'message') as Promise<[Usage]>;
      child.send('usage');
      return (await answer)[0];
    },
    stop: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** Reads one after the other. @returns what each took, in milliseconds */
async function readsFor(server: Served, goOn: (count: number) => boolean): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  while (goOn(times.length)) {
    const start = performance.now();
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${server.url}/v1/packs/coach/active`, { agent, headers: server.headers }, (response) =>
        response.resume().once('end', () => resolve(response.statusCode)),
      );
      asked.once('error', reject).end();
    });
    if (status !== 200) throw new Error(`A read got ${String(status)}.`);
    times.push(performance.now() - start);
  }
  agent.destroy();
  return times;
}
