/**
 * A script of `scripts/` as somebody runs it on the host: with arguments, an environment that holds nothing by accident, to its end.
 *
 * Example: `const { code, stdout } = await runScript(t, 'audit-verify', ['--json'], { DATA_DIR: dataDir })`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
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
