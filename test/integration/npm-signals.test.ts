/**
 * What npm starts shuts down cleanly when npm gets a signal. npm passes SIGTERM and SIGINT only to the shell that it started.
 *
 * A supervisor works in one of three ways: it signals npm alone (a container, a script), it signals the whole process group (Ctrl-C, systemd), or
 * npm is PID 1, whose end ends everything.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { newFolder } from '../support/process/folder.ts';
import { freePort } from '../support/http/free-port.ts';
import { operatorKeyIn, ROOT, startServer } from '../support/apps/server-process.ts';
import { until } from '../support/process/until.ts';

const DIE_WITH_PARENT = new URL('../support/process/die-with-parent.ts', import.meta.url).href;

type Signalled = 'npm alone' | 'the process group' | 'npm as PID 1';

/** `unshare` with the options for a PID namespace. */
const AS_PID_1 = [
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
];
const noNamespaces =
  spawnSync('unshare', [...AS_PID_1, 'true'], { encoding: 'utf8' }).status === 0
    ? false
    : 'unshare(1) may not make a PID namespace here';

interface Started {
  /** The lines on stdout so far. */
  output(): string;
  tell(signal: NodeJS.Signals): Promise<void>;
  /** Exit code and signal of npm, or of what started it. */
  readonly closed: Promise<unknown[]>;
}

/** Runs an npm script until it prints a line. It ends with the test. */
async function npmRun(
  t: Test,
  script: readonly string[],
  ready: RegExp,
  settings: Readonly<Record<string, string>>,
  how: Signalled,
): Promise<Started> {
  const home = newFolder(t);
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: home,
    npm_config_update_notifier: 'false',
    NODE_OPTIONS: `--import ${DIE_WITH_PARENT}`,
    ...settings,
  };
  const command = [...(how === 'npm as PID 1' ? ['unshare', ...AS_PID_1] : []), 'npm', 'run', ...script];
  // Through env(1), because tap adds its own hooks to the environment of every child.
  const child = spawn(
    '/usr/bin/env',
    ['-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...command],
    { cwd: ROOT, stdio: ['pipe', 'pipe', 'inherit'], detached: true },
  );
  const closed = once(child, 'close');
  const group = -(child.pid ?? 0);
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(group, 'SIGKILL');
    child.stdin.end(); // what has left the group dies with it
    await closed;
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  let over = false;
  void closed.then(() => (over = true));
  await until(() => ready.test(output) || over);
  return {
    output: () => output,
    closed,
    tell: async (signal) => {
      if (how === 'npm alone') child.kill(signal);
      else if (how === 'the process group') process.kill(group, signal);
      else process.kill(Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')), signal);
      await closed;
    },
  };
}

/** Whether nothing listens there. */
const isDeaf = (address: string) =>
  fetch(`${address}/livez`).then(
    () => false,
    () => true,
  );

const CASES: readonly (readonly [script: string, signal: NodeJS.Signals, how: Signalled])[] = [
  ['start', 'SIGTERM', 'npm alone'],
  ['start', 'SIGINT', 'the process group'],
  ['start', 'SIGTERM', 'npm as PID 1'],
  ['dev', 'SIGTERM', 'npm alone'],
];

t.jobs = CASES.length + 2;

for (const [script, signal, how] of CASES) {
  t.test(
    `npm run ${script}: ${signal} to ${how}`,
    { skip: how === 'npm as PID 1' ? noNamespaces : false },
    async (t) => {
      const dataDir = join(newFolder(t), 'data');
      const service = await npmRun(t, [script], /API documentation at http/u, { DATA_DIR: dataDir, PORT: '0' }, how);
      const address = /Listening at (http:[^"\s]+)/u.exec(service.output())?.[1] ?? '';
      await service.tell(signal);
      t.strictSame(await service.closed, [0, null], 'npm ends with the exit code of a graceful close');
      t.match(service.output(), new RegExp(`"signal":"${signal}","msg":"Closing`, 'u'));
      t.match(service.output(), 'The head of the log', 'the close went to its end');
      t.ok(await isDeaf(address), 'the port is free');
      const store = await openSqliteStore({ file: join(dataDir, 'registry.db') });
      await store.close(); // with a service that holds it, it would not have opened
    },
  );
}

t.test('npm run postgres: SIGINT to the process group', async (t) => {
  const postgres = await npmRun(
    t,
    ['postgres', '--', '--port', String(await freePort())],
    /PostgreSQL is running: /u,
    {},
    'the process group',
  );
  await postgres.tell('SIGINT');
  t.strictSame(await postgres.closed, [0, null]);
});

t.test('two signals at once count as one; a later one ends the service immediately', async (t) => {
  const quiet = await startServer(t, { DATA_DIR: join(newFolder(t), 'data') });
  quiet.signal('SIGINT');
  await quiet.said((line) => line.includes('Closing'));
  quiet.signal('SIGINT');
  t.equal((await quiet.ended()).code, 0);

  const dataDir = join(newFolder(t), 'data');
  const busy = await startServer(t, { DATA_DIR: dataDir });
  const socket = connect({ port: Number(new URL(busy.address).port), host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  socket.write(
    `POST /v1/coach/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${operatorKeyIn(dataDir)}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{`,
  );
  await once(socket, 'data'); // a request that never ends is under way
  const impatient = setInterval(() => busy.signal('SIGINT'), 200);
  t.teardown(() => clearInterval(impatient));
  t.equal((await busy.ended()).code, 1);
});
