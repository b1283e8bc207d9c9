/**
 * Runs the command line for tests: as a real process, in this process, or on a pseudo-terminal.
 *
 * Example: `const { code, stdout } = await spawnCli(t, ['status', '--json'], { PROMPT_REGISTRY_URL: server.address })`.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough, Writable, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { run } from '../../../clients/cli/src/main.ts';
import { ROOT } from '../apps/server-process.ts';

export const BIN = join(ROOT, 'clients', 'cli', 'bin', 'prompt-registry.js');

export type Environment = Readonly<Record<string, string>>;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the program with only this environment. It is killed when the test ends. @param node path of another Node */
export function startCli(
  t: Test,
  args: readonly string[],
  env: Environment,
  { cwd = ROOT, node = process.execPath, bin = BIN }: { cwd?: string; node?: string; bin?: string } = {},
): ChildProcessByStdio<null, Readable, Readable> {
  // Through env(1): tap adds its hooks to the environment of every child.
  const pairs = Object.entries({ NODE_COMPILE_CACHE: join(ROOT, '.tap', 'compile-cache'), ...env }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const child = spawn('/usr/bin/env', ['-i', ...pairs, node, bin, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

/** Runs the program and waits until it exits. */
export async function spawnCli(
  t: Test,
  args: readonly string[],
  env: Environment,
  options: Parameters<typeof startCli>[3] = {},
): Promise<Finished> {
  const child = startCli(t, args, env, options);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}

/** script(1) of util-linux, which provides a pseudo-terminal. */
export const SCRIPT = '/usr/bin/script';

/** Runs the program on a pseudo-terminal. @param answers what to type when each question appears */
export async function runInTerminal(
  t: Test,
  args: readonly string[],
  env: Environment,
  answers: readonly (readonly [question: RegExp, answer: string])[],
): Promise<{ readonly code: number | null; readonly screen: string }> {
  const command = [process.execPath, BIN, ...args].map((word) => `'${word}'`).join(' ');
  const pairs = Object.entries({ PATH: '/usr/bin:/bin', TERM: 'xterm', ...env }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const child = spawn('/usr/bin/env', ['-i', ...pairs, SCRIPT, '-qec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const waiting = [...answers];
  let screen = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    screen += chunk;
    const [next] = waiting;
    if (next?.[0].test(screen) !== true) return;
    waiting.shift();
    child.stdin.write(next[1]);
  });
  const [code] = await once(child, 'close');
  return { code: code as number | null, screen };
}

export interface TerminalOptions {
  readonly cwd?: string;
  /** Makes the streams terminals, and answers questions in this order. Ctrl-C is `\u0003`. */
  readonly answers?: readonly (readonly [question: RegExp, answer: string | (() => Promise<string>)])[];
  readonly interrupted?: AbortSignal;
  /** Called with the whole of stdout whenever it grows. */
  readonly onStdout?: (soFar: string) => void;
  readonly onStderr?: (soFar: string) => void;
  /** Replaces stdout; it is not part of the result. */
  readonly stdout?: Writable;
}

/** A stream on which every write fails. @param code e.g. `ENOSPC` */
export function brokenStream(code: string): Writable {
  return new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(`${code}: write failed`), { code })),
  });
}

/** Runs a command in this process; on a terminal if there are answers. */
export async function runCli(
  args: readonly string[],
  env: Environment,
  {
    cwd = ROOT,
    answers,
    interrupted = new AbortController().signal,
    onStdout,
    onStderr,
    stdout: other,
  }: TerminalOptions = {},
): Promise<Finished> {
  const isTTY = answers !== undefined;
  const stream = () => Object.assign(new PassThrough(), { isTTY });
  const [stdin, stdout, stderr] = [stream(), stream(), stream()];
  const said = { stdout: '', stderr: '' };
  const waiting = [...(answers ?? [])];
  stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said.stdout += chunk;
    onStdout?.(said.stdout);
  });
  stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said.stderr += chunk;
    onStderr?.(said.stderr);
    const [next] = waiting;
    if (next?.[0].test(said.stderr) !== true) return;
    waiting.shift();
    const [, answer] = next;
    if (typeof answer === 'string') stdin.write(answer);
    else void answer().then((typed) => stdin.write(typed));
  });
  const code = await run(args, { stdin, stdout: other ?? stdout, stderr, env, cwd, interrupted });
  const ends = Promise.all([once(stdout, 'end'), once(stderr, 'end')]);
  stdout.end();
  stderr.end();
  await ends;
  return { code, ...said };
}

/** The JSON value in an output. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test looks into answers of any shape
export function json(output: string): any {
  return JSON.parse(output);
}
