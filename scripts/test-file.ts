/**
 * Runs one test file as a separate process, and writes its result as one subtest of a TAP stream.
 *
 * Problem: `tap run` starts each file under hooks that record what it loads, for coverage. They double the time to load the service, which
 * a hundred files do, and nobody reads what they record.
 * Rule: a tap test file is a program that prints TAP, so it is started directly. Its time limit works as in tap, so that `t.setTimeout` at
 * the top of a file still counts (the messages are those of @tapjs/core's `Spawn`). `npx tap <file>` still works.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

export interface TestFileOptions {
  /** Relative to the root, with `/`. */
  readonly file: string;
  /** The working directory. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The time limit in milliseconds, unless the file sets another. */
  readonly timeout: number;
  /** Receives the process, so that the caller can end it. */
  readonly onStart: (child: ChildProcess) => void;
}

/** Milliseconds between the message to end, SIGTERM and SIGKILL. */
const GRACE = 2000;
/** How long, in milliseconds, the children of an ended file may keep its output open. */
const LEFTOVERS = 5000;

/** Runs a file to its end. @returns its lines of the stream, as the n-th file */
export async function runTestFile({
  file,
  cwd,
  env,
  timeout,
  onStart,
}: TestFileOptions): Promise<(n: number) => string> {
  const from = performance.now();
  const [key, id] = [randomUUID(), randomUUID()];
  // stderr is inherited, so that the last words of a crashing process are not lost.
  const child = spawn(process.execPath, [file], {
    cwd,
    env: { ...env, TAP: '1', TAP_CHILD_ID: id, TAP_CHILD_KEY: key },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  onStart(child);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));

  let expired = false;
  let timer: NodeJS.Timeout | undefined;
  const limit = (milliseconds: number) => {
    clearTimeout(timer);
    if (milliseconds > 0) timer = setTimeout(expire, milliseconds);
  };
  const expire = () => {
    expired = true;
    child.send({ tapAbort: 'timeout', key, child: id }, () => undefined); // it prints what it was waiting for
    timer = setTimeout(() => {
      child.kill('SIGTERM');
      timer = setTimeout(() => child.kill('SIGKILL'), GRACE);
    }, GRACE);
  };
  limit(timeout);
  child.on('message', (message: { key?: string; setTimeout?: number }) => {
    if (message.key === key && typeof message.setTimeout === 'number' && !expired) limit(message.setTimeout);
  });
  child.once('exit', () => setTimeout(() => child.stdout?.destroy(), LEFTOVERS).unref());

  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  const failure =
    code === 0 && !expired
      ? undefined
      : `  ---\n  exitCode: ${code ?? 'null'}\n  signal: ${signal ?? 'null'}\n${expired ? '  expired: true\n' : ''}  ...\n`;
  const skipped = /^1\.\.0(?: # (?:SKIP )?(.*))?$/mu.exec(output);
  const took = `time=${(performance.now() - from).toFixed(3)}ms`;
  const remark = failure === undefined && skipped !== null ? `SKIP ${skipped[1] ?? 'no tests found'}` : took;
  const lines = output
    .replace(/^TAP version \d+\n/u, '')
    .replace(/(?<=[^\n])$/u, '\n')
    .replaceAll(/^(?=.)/gmu, '    ');
  return (n) =>
    `# Subtest: ${file}\n${lines}${failure === undefined ? 'ok' : 'not ok'} ${n} - ${file} # ${remark}\n${failure ?? ''}`;
}
