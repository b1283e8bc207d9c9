/**
 * A running container: Debian's runc starts what an image says, as its user, in separate namespaces, without capabilities.
 *
 * It shares the machine's network, so the test chooses HOST and PORT. It ends with its test, and with the test's process: runc passes on the
 * SIGTERM that it then gets.
 * Example: `const container = startContainer(t, { root, config, env: { PORT: '3000' }, readOnly: true }); await container.said(…)`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { newFolder } from '../process/folder.ts';
import { Lines } from '../process/lines.ts';
import { RUNC, type ImageConfig, type Root } from './images.ts';

export interface ContainerOptions {
  readonly root: Root;
  readonly config: ImageConfig;
  /** Over the environment that the image sets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of the image's command. */
  readonly command?: readonly string[];
  /** A read-only root, with an empty file system in /tmp. */
  readonly readOnly: boolean;
  /** Folders of this machine, by their place in the container. */
  readonly mounts?: Readonly<Record<string, string>>;
}

export interface ContainerEnd {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

export interface Container {
  /** Resolves with the first line on stdout that fits; rejects if the container ends before. */
  said(fits: (line: string) => boolean): Promise<string>;
  /** The process id, on this machine, of its first process. */
  pid(): number;
  /** Runs a command in it, as its user. */
  execute(command: readonly string[]): {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  };
  /** Sends SIGTERM to its first process and waits for its end. */
  stop(): Promise<ContainerEnd>;
  ended(): Promise<ContainerEnd>;
}

/** Starts a container without waiting for anything. */
export function startContainer(t: Test, options: ContainerOptions): Container {
  const bundle = newFolder(t);
  const id = `registry-test-${randomBytes(4).toString('hex')}`;
  const runc = ['--root', join(bundle, 'state')];
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(specificationOf(options)));
  const ask = (...args: string[]) => spawnSync(RUNC, [...runc, ...args], { encoding: 'utf8' });

  const child = spawn('setpriv', ['--pdeathsig', 'TERM', RUNC, ...runc, 'run', '--bundle', bundle, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = new Lines(child.stdout);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = Promise.all([once(child, 'close'), lines.closed]).then(([[code]]): ContainerEnd => {
    lines.end(`The container ended (${String(code)})`, `\n${stderr}`);
    return { code: code as number | null, lines: lines.all, stderr };
  });
  t.teardown(async () => {
    ask('delete', '--force', id);
    await ended;
  });
  return {
    said: (fits) => lines.said(fits),
    pid: () => (JSON.parse(ask('state', id).stdout) as { pid: number }).pid,
    execute: (command) => {
      const { status, stdout, stderr } = ask('exec', id, ...command);
      return { code: status, stdout, stderr };
    },
    stop: () => {
      ask('kill', id, 'TERM');
      return ended;
    },
    ended: () => ended,
  };
}

/** https://github.com/opencontainers/runtime-spec/blob/v1.0.2/config.md */
function specificationOf({ root, config, env = {}, command, readOnly, mounts = {} }: ContainerOptions): object {
  const [uid, gid] = config.User.split(':').map(Number);
  const own = [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
  ];
  const tmp = { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] };
  const given = Object.entries(mounts).map(([destination, source]) => ({
    destination,
    source,
    type: 'bind',
    options: ['bind', 'rw'],
  }));
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const kept = config.Env.filter((each) => env[each.replace(/=.*/su, '')] === undefined);
  return {
    ociVersion: '1.0.2',
    hostname: 'container',
    root: { path: root.path, readonly: readOnly },
    process: {
      user: { uid, gid },
      args: [...config.Entrypoint, ...(command ?? config.Cmd)],
      env: [...kept, ...set],
      cwd: config.WorkingDir,
      noNewPrivileges: true,
    },
    mounts: [...own, ...(readOnly ? [tmp] : []), ...given],
    linux: { namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  };
}
