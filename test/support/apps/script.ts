/**
 * Runs a script of `scripts/` as on a host: with arguments and a clean environment, until it ends.
 *
 * Example: `const { code, stdout } = await runScript(t, 'audit-verify', ['--json'], { DATA_DIR: dataDir })`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { Test } from 'tap';
import { ROOT, type Settings } from './server-process.ts';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it and waits for its end. It is killed with the test. @param name without folder and extension */
export async function runScript(t: Test, name: string, args: readonly string[], settings: Settings): Promise<Finished> {
  const child = spawn(process.execPath, [join(ROOT, 'scripts', `${name}.ts`), ...args], {
    cwd: ROOT,
    env: { NODE_COMPILE_CACHE: join(ROOT, '.tap', 'compile-cache'), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}

let turn: Promise<unknown> = Promise.resolve();
let runs = 0;

/**
 * Runs a program of this repository in this process, one at a time, and returns how it would have ended. A process would take half a second
 * to load the same code, so only a few cases start one. Not for programs that keep running.
 * @param path from the root, e.g. `server.ts`
 */
export function runHere(path: string, args: readonly string[], settings: Settings): Promise<Finished> {
  const result = turn.then(() => run(join(ROOT, path), args, settings));
  turn = result.catch(() => undefined);
  return result;
}

async function run(path: string, args: readonly string[], settings: Settings): Promise<Finished> {
  const { argv, env, exitCode } = process;
  const { log } = console;
  const exit = process.exit.bind(process);
  const write = process.stderr.write.bind(process.stderr);
  const said = { stdout: '', stderr: '' };
  let ended: number | undefined;
  Object.assign(process, {
    argv: [process.execPath, path, ...args],
    env: { ...settings },
    exitCode: undefined,
    exit: (code = 0) => void (ended ??= code),
  });
  console.log = (text: string) => void (said.stdout += `${text}\n`); // not by the stream below it, which is the test's own
  process.stderr.write = (text: string | Uint8Array) => {
    said.stderr += String(text);
    return true;
  };
  try {
    await import(`${pathToFileURL(path).href}?run=${(runs += 1)}`); // a module is run once for each name
    return { code: ended ?? Number(process.exitCode ?? 0), ...said };
  } finally {
    Object.assign(process, { argv, env, exit, exitCode });
    process.stderr.write = write;
    console.log = log;
  }
}
