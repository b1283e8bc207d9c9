/** The processes under measurement: the service and a bare Fastify server, each on its own event loop. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onCores, type Cores } from './cores.ts';
import type { Usage } from './probe.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROBE = new URL('./probe.ts', import.meta.url).href;
const BARE = fileURLToPath(new URL('./bare-server.ts', import.meta.url));
const SERVICE = fileURLToPath(new URL('../../server.ts', import.meta.url));

export interface Served {
  readonly url: string;
  readonly pid: number;
  /** The headers of every request to it: the key, if it needs one. */
  readonly headers: Readonly<Record<string, string>>;
  usage(): Promise<Usage>;
  /** Asks it to close, and waits until it is gone. */
  stop(): Promise<void>;
}

/** An answer that the bare server gives, byte for byte. */
export interface BareAnswer {
  readonly path: string;
  readonly etag: string;
  readonly contentType: string;
  readonly body: string;
}

/**
 * Starts the service as `npm start` does, on a free port. Its rate limit counts as always, but is too high to be reached.
 * @param options.cores the cores that it may use; default: all
 */
export async function startService(options: {
  readonly dataDir: string;
  readonly packsDir: string;
  readonly storeUrl?: string;
  readonly cores?: Cores;
}): Promise<Served> {
  const store = options.storeUrl === undefined ? {} : { STORE_URL: options.storeUrl };
  const settings = {
    ...store,
    DATA_DIR: options.dataDir,
    PACKS_DIR: options.packsDir,
    PORT: '0',
    LOG_LEVEL: 'info',
    RATE_LIMIT: '99999999',
  };
  const served = await startServer(SERVICE, settings, options.cores);
  const key = await readFile(join(options.dataDir, 'operator.key'), 'utf8');
  return { ...served, headers: { authorization: `Bearer ${key.trim()}` } };
}

/** Starts a Fastify server that gives the same answers and does nothing else. */
export async function startBare(answers: readonly BareAnswer[], cores?: Cores): Promise<Served> {
  return startServer(BARE, {}, cores, answers);
}

/**
 * Starts a Node process that reports `Listening at <url>`.
 * @param told what it reads on stdin, as JSON
 */
export async function startServer(
  file: string,
  settings: Readonly<Record<string, string>>,
  cores: Cores,
  told: object = [],
): Promise<Served> {
  const [execPath, execArgv] = onCores(cores, process.execPath, ['--import', PROBE]);
  const child = fork(file, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...settings },
    execPath,
    execArgv,
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint = `${complaint}${text}`.slice(-2000)));
  child.stdin?.end(JSON.stringify(told));
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code} instead of listening. ${complaint}`)));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /Listening at (http:\/\/[^"\s]+)/u.exec(line);
      if (found?.[1] !== undefined) resolve(found[1]);
    });
  });
  return {
    url,
    pid: child.pid ?? NaN,
    headers: {},
    usage: () => usageOf(child),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function usageOf(child: ChildProcess): Promise<Usage> {
  const answer = once(child, 'message') as Promise<[Usage]>;
  child.send('usage');
  return (await answer)[0];
}
