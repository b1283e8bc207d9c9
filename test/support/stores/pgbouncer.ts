/**
 * A real PgBouncer in front of a test's PostgreSQL, on 127.0.0.1, gone with the test.
 *
 * Rule: Debian's (`apt-get install pgbouncer`), with its defaults except for what a test sets. It refuses to run as root, so it runs as the
 * user of PostgreSQL. If it is not installed, `notInstalled` says so, and tests are skipped with that reason.
 * Example: `const pooler = await startPgBouncer(t, postgres, { pool_mode: 'transaction' }); openPostgresStore({ url: pooler.urlOf(url) })`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { SERVER_USER, TEMPORARY } from './postgres-home.ts';
import type { TestPostgres } from './postgres.ts';

const PROGRAM = '/usr/sbin/pgbouncer';

/** Why PgBouncer is missing; undefined if it is installed. */
export const notInstalled = existsSync(PROGRAM) ? undefined : `${PROGRAM} is not installed (apt-get install pgbouncer)`;

export interface TestPooler {
  readonly host: string;
  readonly port: number;
  /** A database's URL, through the pooler. */
  urlOf(url: string): string;
}

/** @param settings as in `pgbouncer.ini`, in addition to the address */
export async function startPgBouncer(
  t: Pick<Test, 'teardown'>,
  postgres: TestPostgres,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPooler> {
  const folder = mkdtempSync(join(TEMPORARY, 'pgbouncer-'));
  chmodSync(folder, 0o755);
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'users.txt'), '"postgres" ""\n');
  for (let attempt = 1; ; attempt += 1) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const all = {
      listen_addr: '127.0.0.1',
      listen_port: String(port),
      unix_socket_dir: '',
      auth_type: 'trust',
      auth_file: join(folder, 'users.txt'),
      ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
    writeFileSync(
      join(folder, 'pgbouncer.ini'),
      `[databases]\n* = host=${postgres.host} port=${postgres.port}\n[pgbouncer]\n${lines.join('\n')}\n`,
    );
    const child = spawn(PROGRAM, [join(folder, 'pgbouncer.ini')], {
      ...SERVER_USER,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    let over = false;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)));
    child.once('exit', () => (over = true));
    while (!over && !(await listens(port))) await pause(10);
    if (!over) {
      child.unref();
      (child.stderr as unknown as { unref(): void }).unref();
      // Holds a pipe of the test's process, so it ends with it, even if that is killed.
      const guard = spawn('sh', ['-c', 'cat > /dev/null; kill -9 "$1"', 'sh', String(child.pid)], {
        ...SERVER_USER,
        stdio: ['pipe', 'ignore', 'ignore'],
        detached: true,
      });
      guard.unref();
      (guard.stdin as unknown as { unref(): void }).unref();
      t.teardown(async () => {
        guard.kill('SIGKILL');
        child.ref();
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      });
      const urlOf = (url: string) => Object.assign(new URL(url), { port: String(port) }).href;
      return { host: '127.0.0.1', port, urlOf };
    }
    if (attempt === 20 || !said.includes('Address already in use')) throw new Error(`PgBouncer did not start: ${said}`);
  }
}

/** A port that somebody else has answers as well, so its process must be alive too. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
