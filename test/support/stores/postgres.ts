/**
 * A real PostgreSQL for tests, from npm, on 127.0.0.1, gone with the test that started it.
 *
 * Problem: a server that outlives its test holds memory, a port and a data folder; PostgreSQL is many processes, each of which leaves
 * the process group; and what a test wants to see is how it dies.
 * Rule: every process of a server has the data folder as its working directory, which names them all. A guard, whose stdin the test's
 * process holds, kills those and removes the folder when the test is over, even after a `kill -9` of the test's process.
 * Example: `const server = await startPostgres(t); const store = openPostgresStore({ url: await server.database('races') })`.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, type QueryResult } from 'pg';
import type { Test } from 'tap';
import { postgresHome, SERVER_USER, TEMPORARY } from './postgres-home.ts';

export interface PostgresOptions {
  /** Whether commits survive a loss of power; for tests that claim it. Default: false. */
  readonly fsync?: boolean;
  /** Files (PEM) that the server proves its name with; it then takes connections with and without TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** More settings, as in `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The port to listen on. Default: a free one. */
  readonly port?: number;
  /** Lines of `pg_hba.conf`, for passwords. Default: everybody is trusted. */
  readonly access?: string;
  /** The folder of an installed PostgreSQL's programs. Default: those from npm. */
  readonly programs?: string;
}

export type Row = Readonly<Record<string, unknown>>;

export interface TestPostgres {
  /** Of the database `postgres`, for STORE_URL. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Where its Unix socket `.s.PGSQL.<port>` lies. */
  readonly socketFolder: string;
  readonly dataDir: string;
  /** Makes an empty database; the name is made unique. @returns its URL */
  database(name?: string): Promise<string>;
  /** Runs SQL, one statement or several, in the database of `url`; default: the server's own. @returns the rows of the last statement that gave any */
  sql(text: string, url?: string): Promise<readonly Row[]>;
  /** `kill -9` for all of its processes; resolves when they are gone. */
  kill(): Promise<void>;
  /** An orderly end. */
  stop(): Promise<void>;
  /** Starts it again, on the same data and port, after `kill` or `stop` (or ends it first); resolves when it takes connections. */
  restart(): Promise<void>;
  /** Pauses all of its processes (SIGSTOP): connections stay open, and nothing answers. */
  pause(): void;
  resume(): void;
  /** Copies the data folder to a folder that is not there yet; the server must be down. */
  copyDataTo(folder: string): Promise<void>;
  /** Puts a copy in the data's place; the server must be down. */
  replaceDataFrom(folder: string): Promise<void>;
}

/** Kills what runs in the data folder as soon as stdin ends, gives back what `kill -9` leaves in the kernel, removes the folder. */
const GUARD = `
cat > /dev/null
for round in 1 2 3 4 5 6 7 8 9 10; do
  found=
  for process in /proc/[0-9]*; do
    if [ "$process/cwd" -ef "$1/data" ]; then found=1; kill -9 "\${process#/proc/}"; fi
  done
  [ -z "$found" ] && break
  [ "$round" -gt 1 ] && sleep 0.05
done
memory=$(sed -n '7s/.* //p' "$1/data/postmaster.pid" 2> /dev/null)
[ -n "$memory" ] && ipcrm -m "$memory" 2> /dev/null
rm -rf "$1"
`;

/** Starts a server of the test's own, on a copy of a fresh data folder. */
export async function startPostgres(t: Pick<Test, 'teardown'>, options: PostgresOptions = {}): Promise<TestPostgres> {
  const home = await postgresHome(options.programs);
  const folder = mkdtempSync(join(TEMPORARY, 'pg-'));
  const guard = spawn('sh', ['-c', GUARD, 'sh', folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  letGo(guard);
  t.teardown(async () => {
    guard.ref();
    const gone = once(guard, 'exit');
    guard.stdin.end();
    await gone;
  });
  chmodSync(folder, 0o755);
  own(folder);
  const dataDir = join(folder, 'data');
  await copyFolder(join(home, 'data'), dataDir);
  const server = new Server(join(home, 'bin', 'postgres'), folder, settingsOf(folder, dataDir, options));
  if (options.access !== undefined) server.writeAccess(options.access);
  await server.start(options.port);
  return server;
}

function settingsOf(
  folder: string,
  dataDir: string,
  { fsync = false, tls, settings = {} }: PostgresOptions,
): Record<string, string> {
  const all: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: fsync ? 'on' : 'off',
    full_page_writes: fsync ? 'on' : 'off',
    shared_buffers: '16MB',
    max_connections: '200',
    dynamic_shared_memory_type: 'mmap', // in the data folder, so that it goes with it
    jit: 'off',
    log_min_messages: 'fatal',
    timezone: 'UTC',
  };
  if (tls !== undefined) {
    const install = (from: string, name: string) => {
      copyFileSync(from, join(dataDir, name));
      chmodSync(join(dataDir, name), 0o600);
      own(join(dataDir, name));
      return name;
    };
    Object.assign(all, {
      ssl: 'on',
      ssl_cert_file: install(tls.certificate, 'server.crt'),
      ssl_key_file: install(tls.key, 'server.key'),
    });
  }
  return { ...all, ...settings };
}

class Server implements TestPostgres {
  readonly host = '127.0.0.1';
  readonly socketFolder: string;
  readonly dataDir: string;
  readonly #program: string;
  readonly #settings: Readonly<Record<string, string>>;
  #port = 0;
  #databases = 0;
  #running: ChildProcess | undefined;

  constructor(program: string, folder: string, settings: Readonly<Record<string, string>>) {
    this.#program = program;
    this.socketFolder = folder;
    this.dataDir = join(folder, 'data');
    this.#settings = settings;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `postgres://postgres@${this.host}:${this.#port}/postgres`;
  }

  writeAccess(lines: string): void {
    const file = join(this.dataDir, 'pg_hba.conf');
    writeFileSync(file, lines);
    own(file);
  }

  /** On a port that nobody has: below those that the kernel gives to outgoing connections, so that it is free again after a stop. */
  async start(port?: number): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.#port = port ?? 15_000 + Math.floor(Math.random() * 15_000);
      try {
        return await this.#launch();
      } catch (error) {
        if (
          port !== undefined ||
          attempt === 20 ||
          !/could not create any TCP\/IP sockets|lock file .* already exists/.test(String(error))
        )
          throw error;
      }
    }
  }

  async database(name = 'registry'): Promise<string> {
    this.#databases += 1;
    const unique = `${name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '_')
      .slice(0, 40)}_${this.#databases}`;
    await this.sql(`CREATE DATABASE ${unique} STRATEGY file_copy`);
    return `postgres://postgres@${this.host}:${this.#port}/${unique}`;
  }

  async sql(text: string, url = this.url): Promise<readonly Row[]> {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
    client.on('error', () => undefined); // a query that is under way reports it
    try {
      await client.connect();
      const results = [(await client.query<Row>(text)) as QueryResult<Row> | QueryResult<Row>[]].flat(); // several statements give several
      return results.findLast(({ rows }) => rows.length > 0)?.rows ?? [];
    } finally {
      await client.end();
    }
  }

  async kill(): Promise<void> {
    for (let found = this.#processes(); found.length > 0; found = this.#processes()) {
      for (const pid of found) signal(pid, 'SIGKILL');
      await pause(2);
    }
    await this.ended();
  }

  async stop(): Promise<void> {
    this.resume();
    this.#running?.kill('SIGINT');
    await this.ended();
  }

  async restart(): Promise<void> {
    if (this.#running !== undefined) await this.stop();
    rmSync(join(this.dataDir, 'postmaster.pid'), { force: true }); // it is gone for certain; its number may be another's by now
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#launch();
      } catch (error) {
        if (attempt === 20 || !String(error).includes('could not create any TCP/IP sockets')) throw error;
        await pause(100);
      }
    }
  }

  pause(): void {
    const stopped = new Set<number>();
    for (let found = this.#processes(); found.some((pid) => !stopped.has(pid)); found = this.#processes()) {
      for (const pid of found) {
        signal(pid, 'SIGSTOP');
        stopped.add(pid);
      }
    }
  }

  resume(): void {
    for (const pid of this.#processes()) signal(pid, 'SIGCONT');
  }

  async copyDataTo(folder: string): Promise<void> {
    this.#requireDown();
    await copyFolder(this.dataDir, folder);
  }

  async replaceDataFrom(folder: string): Promise<void> {
    this.#requireDown();
    rmSync(this.dataDir, { recursive: true });
    await copyFolder(folder, this.dataDir);
  }

  /** Waits for its end. */
  async ended(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.ref();
    if (running.exitCode === null && running.signalCode === null) await once(running, 'exit');
    this.#running = undefined;
  }

  /** Resolves when it takes connections; rejects with what it said where it ends before. */
  async #launch(): Promise<void> {
    const args = [
      '-D',
      this.dataDir,
      '-p',
      String(this.#port),
      ...Object.entries(this.#settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    const options = {
      ...SERVER_USER,
      cwd: this.dataDir,
      detached: true,
      env: { PATH: process.env['PATH'], TZ: 'UTC' },
    };
    const child = spawn(this.#program, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)));
    let over = false;
    child.once('exit', () => (over = true));
    this.#running = child;
    while (!this.#ready()) {
      if (over) {
        this.#running = undefined;
        throw new Error(`PostgreSQL did not start: ${said}`);
      }
      await pause(5);
    }
    letGo(child);
  }

  /** Its state in its lock file (line 8), which it writes last. */
  #ready(): boolean {
    const file = join(this.dataDir, 'postmaster.pid');
    return existsSync(file) && /^ready\b/.test(readFileSync(file, 'utf8').split('\n')[7] ?? '');
  }

  /** Its process numbers; first the one that would restart the others. */
  #processes(): number[] {
    const first = this.#running?.pid;
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && workingDirectory(name) === this.dataDir);
    return all.map(Number).sort((a, b) => Number(b === first) - Number(a === first));
  }

  #requireDown(): void {
    if (this.#processes().length > 0) throw new Error('PostgreSQL runs: stop or kill it before its data are copied.');
  }
}

function workingDirectory(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined; // gone, or another user's
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // already gone
  }
}

/** A test that is over must not wait for its server, nor for its guard. */
function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stderr]) (stream as { unref?: () => void } | null)?.unref?.();
}

function own(path: string): void {
  if (SERVER_USER.uid !== undefined && SERVER_USER.gid !== undefined) chownSync(path, SERVER_USER.uid, SERVER_USER.gid);
}

/** With owners and modes, which PostgreSQL looks at; Node's own copy takes ten times as long. */
async function copyFolder(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to]);
}
