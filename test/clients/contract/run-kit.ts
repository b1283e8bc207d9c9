/** The contract kit as another team runs it: its command, with an environment that holds nothing by accident, to its end. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { LEAVES } from '../../../clients/contract/src/leaves.ts';
import { newFolder } from '../../support/process/folder.ts';
import {
  operatorKeyIn,
  ROOT,
  startServer,
  type ListeningServer,
  type Settings,
} from '../../support/apps/server-process.ts';

export const BIN = fileURLToPath(new URL('../../../clients/contract/bin/prompt-registry-contract.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Another copy of the command. */
  readonly bin?: string;
  /** Another Node. */
  readonly node?: string;
  /** Interrupts it once this resolves. */
  readonly until?: Promise<unknown>;
  /** The signal that interrupts it. Default: SIGTERM. */
  readonly signal?: NodeJS.Signals;
  /** What is behind stdout: a reader, one that goes away after the first lines, or a file on a disk that has room for so many bytes. */
  readonly stdout?: 'read' | 'left' | { readonly file: string; readonly room: number };
}

/** Has a command write files of so many blocks at most, of 512 bytes each as POSIX has it; beyond that a write fails. */
const SMALL_DISK = 'blocks=$1; shift; ulimit -f "$blocks"; exec "$@"';

/** Runs it and waits for its end. It is killed with the test. */
export async function runKit(
  t: Pick<Test, 'teardown'>,
  args: readonly string[],
  { env = {}, bin = BIN, node = process.execPath, until, signal = 'SIGTERM', stdout: behind = 'read' }: RunOptions = {},
): Promise<Finished> {
  const child =
    typeof behind === 'object'
      ? onSmallDisk(behind, [bin, ...args], env)
      : spawn(node, [bin, ...args], {
          env: { NODE_COMPILE_CACHE: join(ROOT, '.tap', 'compile-cache'), ...env },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
  t.teardown(() => child.kill('SIGKILL'));
  void until?.then(() => child.kill(signal));
  if (behind === 'left') child.stdout?.once('data', () => child.stdout?.destroy());
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout === null || behind === 'left' ? '' : text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: code as number | null, stdout, stderr };
}

/** Without a compile cache, as the limit would cut off its files, too. */
function onSmallDisk(
  { file, room }: { readonly file: string; readonly room: number },
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcessByStdio<null, null, Readable> {
  const stdout = openSync(file, 'w');
  try {
    return spawn('sh', ['-c', SMALL_DISK, 'sh', String(room / 512), process.execPath, ...args], {
      env,
      stdio: ['ignore', stdout, 'pipe'],
    }) as ChildProcessByStdio<null, null, Readable>;
  } finally {
    closeSync(stdout);
  }
}

interface PackAnswer {
  readonly pack: string;
  readonly channels: readonly object[];
}

async function json<T>(server: ListeningServer, path: string): Promise<T> {
  const response = await server.ask(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as T;
}

/** All that somebody else may rely on: every pack with its channels, what is active, and the keys that work. */
async function stateOf(server: ListeningServer): Promise<{ packs: PackAnswer[]; active: object; keys: string[] }> {
  const { packs } = await json<{ packs: PackAnswer[] }>(server, '/v1/packs');
  const { keys } = await json<{ keys: { keyId: string; revokedAt?: string }[] }>(server, '/v1/keys');
  return {
    packs,
    active: await json<object>(server, '/v1/packs/coach/active'),
    keys: keys.filter(({ revokedAt }) => revokedAt === undefined).map(({ keyId }) => keyId),
  };
}

/** What the kit left at the server. @param revision where the log was before */
async function leftBy(
  server: ListeningServer,
  revision: number,
): Promise<{ versions: number; keys: number; events: number }> {
  const { keys } = await json<{ keys: { label: string }[] }>(server, '/v1/keys');
  return {
    versions: (await json<{ versionCount: number }>(server, '/v1/packs/checked')).versionCount,
    keys: keys.filter(({ label }) => label.startsWith('checked ')).length,
    events: (await json<{ revision: number }>(server, '/v1/audit/head')).revision - revision,
  };
}

/** The kit also passes if it may move the default pack, and moves it back. */
async function sessionsPass(t: Test, server: ListeningServer, key: string): Promise<void> {
  const version = async () => (await json<{ version: string }>(server, '/v1/packs/coach/active')).version;
  const before = await version();
  const only = ['startCoachSession', 'getCoachSession'].flatMap((operation) => ['--only', operation]);
  const args = ['--url', server.address, '--move-default-pack', ...only];
  const { code, stderr } = await runKit(t, args, { env: { PROMPT_REGISTRY_KEY: key } });
  t.equal(code, 0, stderr);
  t.notMatch(stderr, /not checked/u, 'it says of nothing that it is not checked');
  t.equal(await version(), before, 'the default pack has the same active version as before');
}

/** Starts the project's own server, has the kit check it, and looks whether all that was there before is as it was. */
export async function ownServerPasses(t: Test, settings: Settings): Promise<void> {
  const dataDir = join(newFolder(t), 'data');
  const server = await startServer(t, { DATA_DIR: dataDir, RATE_LIMIT: '0', ...settings });
  const before = await stateOf(server);
  const { revision } = await json<{ revision: number }>(server, '/v1/audit/head');

  const key = operatorKeyIn(dataDir);
  const args = ['--url', server.address, '--pack', 'checked'];
  const { code, stdout, stderr } = await runKit(t, args, { env: { PROMPT_REGISTRY_KEY: key } });
  t.equal(code, 0, stderr);
  t.match(stdout, /^TAP version 14\n/u, 'TAP on stdout');
  t.strictSame(stdout.match(/^ *not ok.*$/gmu) ?? [], [], 'no result is "not ok"');
  const [, passed = '0'] = /^(\d+) passed, 0 failed$/mu.exec(stderr) ?? [];
  t.ok(Number(passed) > 3000, `${passed} passed`);
  t.notOk((stdout + stderr).includes(key), 'the key is told to nobody');

  t.match(
    stderr,
    new RegExp(
      `leaves on the server at most ${LEAVES.versions} versions, ${LEAVES.keys} keys .* and ${LEAVES.events} events`,
      'u',
    ),
    'it says beforehand what it leaves',
  );
  t.match(
    stderr,
    /^What moves do to sessions is not checked: that needs --move-default-pack/mu,
    'and what it leaves out',
  );
  const { versions, keys, events } = await leftBy(server, revision);
  t.ok(
    versions <= LEAVES.versions && keys <= LEAVES.keys && events <= LEAVES.events,
    `it leaves ${versions} versions, ${keys} keys, ${events} events`,
  );

  const after = await stateOf(server);
  t.strictSame(
    { ...after, packs: after.packs.filter(({ pack }) => pack !== 'checked') },
    before,
    'packs, channels, the active pack and the keys that work are as they were',
  );
  t.ok(
    after.packs.some(({ pack }) => pack === 'checked'),
    'only its own pack was added',
  );
  await sessionsPass(t, server, key);
}
