/**
 * The systemd unit: systemd accepts it and finds it well protected, it fits the service, and the service makes no system call that it
 * forbids.
 *
 * systemd itself does not run here. The parts that could stop the service (system calls, address families) are checked with strace.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { SERVER } from '../../scripts/packages/server.ts';
import { ENV } from '../support/apps/packed.ts';
import { ROOT } from '../support/apps/server-process.ts';
import { exitCodes, settingNames, shutdownSeconds } from '../support/deployment/service-facts.ts';
import { newFolder } from '../support/process/folder.ts';
import { Lines } from '../support/process/lines.ts';

const run = promisify(execFile);
const UNIT = join(ROOT, 'deploy', 'systemd', 'prompt-registry.service');
const TEXT = readFileSync(UNIT, 'utf8');
/** The exposure that `systemd-analyze security` may find, in tenths: from 0 (protected) to 100. */
const MOST_EXPOSED = '20';
/** Exit codes of the command of the package: invalid usage, and a Node that is too old. */
const COMMAND_CODES = [2, 70];
const OTHER_USER = 65_534;

const installed = (command: string, flag: string) => spawnSync(command, [flag]).error === undefined;
const noSystemd = installed('systemd-analyze', '--version') ? false : 'systemd-analyze is not installed';
const noStrace = installed('strace', '-V') ? noSystemd : 'strace is not installed';

/** The values of a directive, e.g. `Environment`, in the order of the file. */
function valuesOf(directive: string): string[] {
  return [...TEXT.matchAll(new RegExp(`^${directive}=(.*)$`, 'gmu'))].map(([, value = '']) => value);
}

/** Runs systemd-analyze. @returns its exit code, and all that it says */
const analyze = (...args: readonly string[]) =>
  run('systemd-analyze', args, { env: ENV }).then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, said: stdout + stderr }),
  );

t.test('systemd accepts it', { skip: noSystemd }, async (t) => {
  t.strictSame(await analyze('verify', UNIT), { code: 0, said: '' });
  const broken = join(newFolder(t), 'prompt-registry.service');
  writeFileSync(broken, TEXT.replace('ProtectSystem=strict', 'ProtectSystems=strict'));
  t.match(await analyze('verify', broken), { said: /ProtectSystems/u }, 'control: a wrong name is found');
});

t.test('systemd finds it well protected', { skip: noSystemd }, async (t) => {
  const exposure = (unit: string) => analyze('security', '--offline=true', `--threshold=${MOST_EXPOSED}`, unit);
  const { code, said } = await exposure(UNIT);
  t.equal(code, 0, said);
  const open = join(newFolder(t), 'prompt-registry.service');
  writeFileSync(open, TEXT.replaceAll(/^(?:SystemCallFilter|CapabilityBoundingSet)=.*$/gmu, ''));
  t.not((await exposure(open)).code, 0, 'control: a less protected unit is above the limit');
});

t.test('it sets only settings of the service, and reads only secrets that it loads', async (t) => {
  const names = [...TEXT.matchAll(/^(?:# )?Environment=(\w+)=/gmu)].map(([, name = '']) => name);
  t.strictSame(names, ['DATA_DIR', 'SNAPSHOT_KEY_FILE', 'STORE_URL_FILE']);
  t.strictSame(
    names.filter((name) => !settingNames().includes(name)),
    [],
  );
  const loaded = [...TEXT.matchAll(/LoadCredential=([\w-]+):/gu)].map(([, name]) => name);
  const used = [...TEXT.matchAll(/=%d\/([\w-]+)/gu)].map(([, name]) => name);
  t.strictSame(used, loaded);
  const [stateDirectory] = valuesOf('StateDirectory');
  t.ok(valuesOf('Environment').includes(`DATA_DIR=%S/${stateDirectory}`), 'the data is in its folder');
});

t.test('it starts the command of the package', async (t) => {
  const [start = ''] = valuesOf('ExecStart');
  t.ok(
    Object.keys(SERVER.bin ?? {}).some((name) => start.endsWith(`/node_modules/.bin/${name}`)),
    start,
  );
});

t.test('it is started again after a crash, but not if nothing would change', async (t) => {
  t.strictSame(valuesOf('Restart'), ['on-failure']);
  const never = valuesOf('RestartPreventExitStatus').flatMap((codes) => codes.split(' ').map(Number));
  const codes = [...exitCodes()].filter(([, again]) => again === 'no').map(([code]) => code);
  t.ok(codes.length > 1, 'the page names exit codes');
  t.strictSame(
    never,
    [...codes, ...COMMAND_CODES].sort((a, b) => a - b),
  );
});

t.test('a shutdown has the time that it may take', async (t) => {
  const seconds = parseInt(valuesOf('TimeoutStopSec')[0] ?? '', 10);
  t.ok(seconds > shutdownSeconds(), `${seconds} s for ${shutdownSeconds()} s`);
});

t.test('the service needs no system call and no kind of socket that it forbids', { skip: noStrace }, async (t) => {
  const folder = newFolder(t);
  const trace = join(folder, 'trace');
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir, 0o700);
  writeFileSync(trace, '');
  // As any user but root, like DynamicUser: SQLite changes the owner of files if root runs it.
  const root = process.getuid?.() === 0;
  if (root) {
    chmodSync(folder, 0o755);
    for (const path of [dataDir, trace]) chownSync(path, OTHER_USER, OTHER_USER);
  }
  const service = spawn('strace', ['-f', '-qq', '-o', trace, process.execPath, join(ROOT, 'server.ts')], {
    cwd: ROOT,
    env: { PORT: '0', HOST: '0.0.0.0', DATA_DIR: dataDir, PATH: ENV['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(root && { uid: OTHER_USER, gid: OTHER_USER }),
  });
  const ended = once(service, 'close');
  t.teardown(() => service.kill('SIGKILL'));
  const lines = new Lines(service.stdout);
  void ended.then(() => lines.end('The service ended'));
  const [, address = ''] =
    /(http:\/\/127\.0\.0\.1:\d+)/u.exec(await lines.said((line) => line.includes('/docs'))) ?? [];
  const moved = await fetch(`${address}/v1/packs/coach/activations`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${readFileSync(join(dataDir, 'operator.key'), 'utf8').trim()}`,
      'content-type': 'application/json',
    },
    body: '{"version":"1.0.0","reason":"To trace a move"}',
  });
  t.equal(moved.status, 201);
  const pid = Number(/^\d+/u.exec(readFileSync(trace, 'utf8'))?.[0]); // strace passes no signal on
  process.kill(pid, 'SIGTERM');
  t.strictSame(await ended, [0, null]);

  const traced = readFileSync(trace, 'utf8');
  const calls = new Set([...traced.matchAll(/^\d+ +(\w+)\(/gmu)].map(([, name = '']) => name));
  const allowed = await callsOf('@system-service');
  const denied = await callsOf('@privileged');
  t.strictSame(valuesOf('SystemCallFilter'), ['@system-service', '~@privileged']);
  t.ok(calls.has('listen') && calls.has('pwrite64'), 'the trace holds what the service does');
  t.strictSame(
    [...calls].filter((name) => !allowed.has(name) || denied.has(name)),
    [],
  );
  const families = new Set([...traced.matchAll(/\bsocket\((AF_\w+)/gu)].map(([, name = '']) => name));
  t.ok(families.has('AF_NETLINK'), 'the trace holds the sockets');
  t.strictSame(
    [...families].filter((name) => !valuesOf('RestrictAddressFamilies').join(' ').split(' ').includes(name)),
    [],
  );
});

/** The system calls of a set of systemd, and of the sets in it. */
async function callsOf(set: string): Promise<Set<string>> {
  const { stdout } = await run('systemd-analyze', ['syscall-filter', set], { env: ENV });
  const names = [...stdout.matchAll(/^ +([@\w-]+)$/gmu)].map(([, name = '']) => name);
  const parts = await Promise.all(
    names.map(async (name) => (name.startsWith('@') ? [...(await callsOf(name))] : [name])),
  );
  return new Set(parts.flat());
}
