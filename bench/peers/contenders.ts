/**
 * The programs that a team might read its prompts from instead, each serving the same texts on one core.
 *
 * Problem: a route that asks a database costs more than its own process shows.
 * Rule: all processes of a contender share one core, its database included, and their CPU time is added up.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { installTool } from '../../scripts/tools.ts';
import { startPostgres, type TestPostgres } from '../../test/support/stores/postgres.ts';
import { moveToServerCore, onCores, SERVER_CORE } from '../support/cores.ts';
import { cpuTimeOf, descendants } from '../support/cpu-time.ts';
import type { Target } from '../support/load.ts';
import { startServer, type Served } from '../support/processes.ts';

/** What each contender serves. */
export interface Texts {
  /** The answer of our getActivePack. */
  readonly document: string;
  /** The prompts in it, by name. */
  readonly prompts: Readonly<Record<string, string>>;
}

export interface Contender {
  readonly what: string;
  /** How many times as fast we want to be. */
  readonly goal: number;
  /** A program that must be installed, and Debian's package for it. */
  readonly needs?: { readonly program: string; readonly package: string };
  /** @param folder an empty one. @param atEnd is given what stops the contender's processes */
  readonly start: (texts: Texts, folder: string, atEnd: AtEnd) => Promise<Target>;
}

type AtEnd = (stop: () => unknown) => void;

/** How long a program may take to answer for the first time, in milliseconds. */
const PATIENCE = 30_000;
const PATH = '/pack';

export const CONTENDERS: readonly Contender[] = [
  { what: 'Unleash /api/client/features', goal: 17, start: unleash },
  {
    what: 'etcd, JSON gateway',
    goal: 8,
    needs: { program: 'etcd', package: 'etcd-server' },
    start: etcd,
  },
  { what: 'Fastify with one SELECT of PostgreSQL', goal: 5, start: postgresRoute },
  {
    what: 'Fastify with one GET of Redis',
    goal: 2,
    needs: { program: 'redis-server', package: 'redis-server' },
    start: redisRoute,
  },
];

/** Whether its program is installed. */
export function isInstalled({ needs }: Contender): boolean {
  return needs === undefined || spawnSync(needs.program, ['--version']).error === undefined;
}

async function unleash({ prompts }: Texts, _folder: string, atEnd: AtEnd): Promise<Target> {
  const database = await postgres(atEnd);
  const token = 'default:development.benchmark';
  const served = await node('unleash.ts', { database: await database.server.database(), token, prompts }, atEnd);
  return target(served, [database.pid], { paths: ['/api/client/features'], headers: { authorization: token } });
}

async function etcd({ document }: Texts, folder: string, atEnd: AtEnd): Promise<Target> {
  const [clients, peers] = [await freeAddress(), await freeAddress()];
  const url = `http://${clients}`;
  const addresses = [
    '--listen-client-urls',
    url,
    '--advertise-client-urls',
    url,
    '--listen-peer-urls',
    `http://${peers}`,
  ];
  const pid = run('etcd', ['--data-dir', folder, '--log-level', 'error', ...addresses], atEnd);
  const key = base64('pack');
  await untilAnswered(`${url}/v3/kv/put`, JSON.stringify({ key, value: base64(document) }));
  // A serializable range is answered by one member from what it has, as our reads are.
  const body = JSON.stringify({ key, serializable: true });
  return target({ url }, [pid], { paths: ['/v3/kv/range'], method: 'POST', body });
}

async function postgresRoute({ document }: Texts, _folder: string, atEnd: AtEnd): Promise<Target> {
  const { server, pid } = await postgres(atEnd);
  const served = await node('postgres-route.ts', { path: PATH, database: await server.database(), document }, atEnd);
  return target(served, [pid], { paths: [PATH] });
}

async function redisRoute({ document }: Texts, folder: string, atEnd: AtEnd): Promise<Target> {
  const address = await freeAddress();
  const port = address.split(':')[1] ?? '';
  const pid = run('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', folder], atEnd);
  const served = await node('redis-route.ts', { path: PATH, port: Number(port), document }, atEnd);
  return target(served, [pid], { paths: [PATH] });
}

/** What the load generator asks. @param others processes whose CPU time counts as the contender's, too */
async function target(
  { url, pid }: Pick<Served, 'url'> & { readonly pid?: number },
  others: readonly number[],
  asked: Omit<Target, 'server' | 'expected'>,
): Promise<Target> {
  const pids = [...others, ...(pid === undefined ? [] : [pid])];
  const { method = 'GET', headers = {}, body, paths } = asked;
  const answer = await fetch(`${url}${paths[0]}`, { method, headers, ...(body !== undefined && { body }) });
  const bodyBytes = (await answer.arrayBuffer()).byteLength;
  if (answer.status !== 200) throw new Error(`${url}${paths[0]} answered ${answer.status}.`);
  return {
    ...asked,
    server: { url, usage: () => Promise.resolve({ cpu: cpuTimeOf(pids) }) },
    expected: { status: 200, bodyBytes },
  };
}

async function postgres(atEnd: AtEnd): Promise<{ readonly server: TestPostgres; readonly pid: number }> {
  const server = await startPostgres({ teardown: atEnd }, { fsync: true });
  const pid = Number.parseInt(await readFile(join(server.dataDir, 'postmaster.pid'), 'utf8'), 10);
  moveToServerCore(pid, descendants([pid]));
  return { server, pid };
}

/** Starts a script of this folder, which reads what it needs to know on stdin. */
async function node(file: string, told: object, atEnd: AtEnd): Promise<Served> {
  const modules = join(installTool('bench-peers'), 'package.json');
  const served = await startServer(join(import.meta.dirname, file), {}, SERVER_CORE, { ...told, modules });
  atEnd(() => served.stop());
  return served;
}

/** Starts a program. @returns its process id */
function run(program: string, args: readonly string[], atEnd: AtEnd): number {
  const child = spawn(...onCores(SERVER_CORE, program, args), { stdio: 'ignore' });
  atEnd(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  if (child.pid === undefined) throw new Error(`${program} did not start.`);
  return child.pid;
}

/** Repeats a request until the program has started and answers 200. */
async function untilAnswered(url: string, body: string): Promise<void> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const answer = await fetch(url, { method: 'POST', body }).catch(() => undefined);
    if (answer?.ok === true) return;
    if (Date.now() > end) throw new Error(`${url} did not answer within ${PATIENCE / 1000} s.`);
    await pause(50);
  }
}

/** `127.0.0.1:<port>` with a port that is free. */
async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
