/**
 * What makes the load: `wrk` if it is installed, else two processes with autocannon.
 *
 * Problem: a generator in JavaScript costs more per request than the server does. It then measures itself, while the server waits.
 * Rule: `wrk` (a Debian package, written in C) keeps a server busy and needs less than one core itself. Two processes with autocannon do so
 * only on a machine of three cores or more. Either way each row shows how busy the server was.
 */
import { execFile, fork, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GENERATOR_CORES, onCores } from './cores.ts';

/** What to ask, over how many connections, and for how long. */
export interface Order {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Requested in turn. */
  readonly paths: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections: number;
  /** Whole seconds: wrk takes no fractions. */
  readonly seconds: number;
}

/** What a generator saw in one leg. */
export interface Seen {
  readonly requests: number;
  /** Received, heads included. */
  readonly bytes: number;
  /** From the first request to the last response. */
  readonly seconds: number;
  /** Connection errors, timeouts, and statuses of 400 or more. */
  readonly failures: number;
}

const SCRIPT = fileURLToPath(new URL('./wrk.lua', import.meta.url));
const AUTOCANNON = fileURLToPath(new URL('./autocannon.ts', import.meta.url));
const PROCESSES = 2;

const hasWrk = spawnSync('wrk', ['-v']).error === undefined;

/** The generator, in a sentence for the output. */
export const GENERATOR = hasWrk
  ? 'Load: wrk.'
  : 'Load: two processes with autocannon, because wrk is not installed (Debian: apt-get install wrk).';

/** Makes load until the time is over. */
export const generate: (order: Order) => Promise<Seen> = hasWrk ? withWrk : withAutocannon;

async function withWrk({ url, method, paths, headers, body, connections, seconds }: Order): Promise<Seen> {
  const [program, args] = onCores(GENERATOR_CORES, 'wrk', [
    ...['--threads', '1', '--connections', `${connections}`, '--duration', `${seconds}s`, '--script', SCRIPT],
    ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
    ...[url, '--', method, body, ...paths],
  ]);
  const { stdout } = await promisify(execFile)(program, args);
  const report = /^\{.+\}$/mu.exec(stdout)?.[0];
  if (report === undefined) throw new Error(`wrk did not report: ${stdout}`);
  return JSON.parse(report) as Seen;
}

async function withAutocannon(order: Order): Promise<Seen> {
  const share: Order = { ...order, connections: order.connections / PROCESSES };
  const seen = await Promise.all(Array.from({ length: PROCESSES }, () => autocannonProcess(share)));
  const sum = (pick: (each: Seen) => number) => seen.reduce((total, each) => total + pick(each), 0);
  return {
    requests: sum(({ requests }) => requests),
    bytes: sum(({ bytes }) => bytes),
    seconds: Math.max(...seen.map(({ seconds }) => seconds)),
    failures: sum(({ failures }) => failures),
  };
}

async function autocannonProcess(order: Order): Promise<Seen> {
  const [execPath, execArgv] = onCores(GENERATOR_CORES, process.execPath, []);
  const child = fork(AUTOCANNON, { execPath, execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  child.send(order);
  return new Promise((resolve, reject) => {
    child.once('message', (seen) => resolve(seen as Seen));
    child.once('exit', (code) => reject(new Error(`A load generator ended with ${code} instead of reporting.`)));
  });
}
