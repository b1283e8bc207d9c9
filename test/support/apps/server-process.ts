/**
 * The service as a process of its own, started as a user starts it, with an environment that holds nothing by accident.
 *
 * Tests wait for what it says and for its end, never for time. It is killed with the test that started it, and dies with the
 * test's process, however that ends (die-with-parent.ts).
 * Example: `const server = await startServer(t, { DATA_DIR: join(t.testdir(), 'data') }); await fetch(`${server.address}/readyz`)`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { Lines } from '../process/lines.ts';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SERVER = fileURLToPath(new URL('../../../server.ts', import.meta.url));
/** Compiled code, kept between starts: it halves what a start costs, and changes nothing else. */
const COMPILE_CACHE = fileURLToPath(new URL('../../../.tap/compile-cache', import.meta.url));
const DIE_WITH_PARENT = new URL('../process/die-with-parent.ts', import.meta.url).href;

/** Environment variables of the service. `PORT` is 0 where not given. */
export type Settings = Readonly<Record<string, string>>;

export interface SpawnServerOptions {
  /** Another script in place of `server.ts`. */
  readonly script?: string;
  /** What the script is given. */
  readonly args?: readonly string[];
  /** As which user. */
  readonly uid?: number;
  /** The most files and connections that it may open (`ulimit -n`); as many as this process where not given. */
  readonly descriptors?: number;
}

/** How a server ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Lines of stdout. */
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** A line of the log. */
export interface Entry {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface ServerProcess {
  readonly pid: number;
  /** What it said on stdout so far. */
  readonly lines: readonly string[];
  /** Resolves with the first line on stdout, of all it ever said, that fits; rejects where it ends before. */
  said(fits: (line: string) => boolean): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Waits for its end and for the last it said. */
  ended(): Promise<Ended>;
  /** SIGTERM, and its end. */
  stop(): Promise<Ended>;
  /** SIGKILL, and its end. */
  kill(): Promise<Ended>;
}

/** A server that can be asked. */
export interface ListeningServer extends ServerProcess {
  readonly address: string;
  /** Sends a request with the operator key: a GET, or with a body (JSON, or a text as it is) a POST. */
  ask(path: string, body?: object | string): Promise<Response>;
}

const LISTENING = /Listening at (http:\/\/[\w.:[\]]+)/u;

/** The operator key that a server put into its data folder. */
export function operatorKeyIn(dataDir: string): string {
  return readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
}

/** Starts a server without waiting for anything. It is killed with the test. */
export function spawnServer(
  t: Test,
  settings: Settings,
  { script = SERVER, args = [], uid, descriptors }: SpawnServerOptions = {},
): ServerProcess {
  // By env(1), as tap adds its own hooks to the environment of every child, which change how a process ends.
  const env = Object.entries({ NODE_COMPILE_CACHE: COMPILE_CACHE, PORT: '0', ...settings }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const limit = descriptors === undefined ? '' : `ulimit -n ${descriptors} && `;
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      `${limit}exec "$@"`,
      'sh',
      '/usr/bin/env',
      '-i',
      ...env,
      process.execPath,
      '--import',
      DIE_WITH_PARENT,
      script,
      ...args,
    ],
    {
      cwd: ROOT,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid, gid: uid }),
    },
  );
  const lines = new Lines(child.stdout);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = Promise.all([once(child, 'close'), lines.closed]).then(([[code, signal]]): Ended => {
    lines.end(`The server ended (${String(signal ?? code)})`, `\n${stderr}`);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, lines: lines.all, stderr };
  });
  const kill = () => {
    child.kill('SIGKILL');
    return ended;
  };
  t.teardown(kill);
  return {
    pid: child.pid ?? 0,
    lines: lines.all,
    signal: (name) => void child.kill(name),
    ended: () => ended,
    kill,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
    said: (fits) => lines.said(fits),
  };
}

/** Starts a server and waits until it says where it listens. @throws where it ends before, with what it said */
export async function startServer(
  t: Test,
  settings: Settings,
  options: SpawnServerOptions = {},
): Promise<ListeningServer> {
  const server = spawnServer(t, settings, options);
  const line = await server.said((said) => LISTENING.test(said));
  const address = LISTENING.exec(line)?.[1] ?? '';
  const authorization = () => `Bearer ${operatorKeyIn(settings['DATA_DIR'] ?? '')}`;
  return {
    ...server,
    address,
    ask: (path, body) =>
      fetch(address + path, {
        ...(body !== undefined && { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
        headers: { authorization: authorization(), ...(body !== undefined && { 'content-type': 'application/json' }) },
      }),
  };
}

/** Starts a server that is expected to end by itself, and waits for that; one that listens instead is killed. */
export async function runServer(t: Test, settings: Settings, options: SpawnServerOptions = {}): Promise<Ended> {
  const server = spawnServer(t, settings, options);
  const listens = await server
    .said((line) => LISTENING.test(line))
    .then(
      () => true,
      () => false,
    );
  return listens ? server.kill() : server.ended();
}

/** The lines that are entries of the log. */
export function entries(lines: readonly string[]): Entry[] {
  return lines.map((line) => JSON.parse(line) as Entry);
}
