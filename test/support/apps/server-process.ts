/**
 * The service as a separate process, started as a user starts it, with a clean environment.
 *
 * Tests wait for its output and for its end, never for time. It is killed with its test, and with the test's process, however that ends
 * (die-with-parent.ts).
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
/** Compiled code, kept between starts; it halves the time of a start. */
const COMPILE_CACHE = fileURLToPath(new URL('../../../.tap/compile-cache', import.meta.url));
const DIE_WITH_PARENT = new URL('../process/die-with-parent.ts', import.meta.url).href;

/** Environment variables of the service. Default of `PORT`: 0. */
export type Settings = Readonly<Record<string, string>>;

export interface SpawnServerOptions {
  /** Default: `server.ts`. */
  readonly script?: string;
  /** Arguments of the script. */
  readonly args?: readonly string[];
  /** The working directory. Default: the root of the repository. */
  readonly cwd?: string;
  /** The user to run as. */
  readonly uid?: number;
  /** The most files and connections it may open (`ulimit -n`). Default: as this process. */
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
  /** The lines on stdout so far. */
  readonly lines: readonly string[];
  /** Resolves with the first line on stdout that fits, also an earlier one; rejects if the process ends before. */
  said(fits: (line: string) => boolean): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Waits until it has ended and all its output was read. */
  ended(): Promise<Ended>;
  /** Sends SIGTERM and waits for its end. */
  stop(): Promise<Ended>;
  /** Sends SIGKILL and waits for its end. */
  kill(): Promise<Ended>;
}

/** A server that can be asked. */
export interface ListeningServer extends ServerProcess {
  readonly address: string;
  /** Sends a request with the operator key: a GET, or with a body (JSON, or a text as it is) a POST. */
  ask(path: string, body?: object | string): Promise<Response>;
}

const LISTENING = /Listening at (http:\/\/[\w.:[\]]+)/u;

/** The operator key in a data folder. */
export function operatorKeyIn(dataDir: string): string {
  return readFileSync(join(dataDir, 'operator.key'), 'utf8').trim();
}

/** Starts a server without waiting for anything. It is killed with the test. */
export function spawnServer(
  t: Test,
  settings: Settings,
  { script = SERVER, args = [], cwd = ROOT, uid, descriptors }: SpawnServerOptions = {},
): ServerProcess {
  // Through env(1), because tap adds its own hooks to the environment of every child, and they change how a process ends.
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
      cwd,
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

/** Starts a server and waits until it listens. @throws Error with its output, if it ends before */
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

/** Starts a server that should refuse to start, and waits for its end; if it listens, it is killed. */
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

/** Lines parsed as entries of the log. */
export function entries(lines: readonly string[]): Entry[] {
  return lines.map((line) => JSON.parse(line) as Entry);
}
