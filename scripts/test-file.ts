/**
 * Runs one test file as a process of its own, and tells its result as one subtest of a TAP stream.
 *
 * Problem: `tap run` starts each file under hooks that record what it loads, for coverage; they cost as much again as loading the service,
 * which a hundred files do. Nobody reads what they record.
 * Rule: a test file of tap's is a program that prints TAP; it is started as that, and limited in time as tap does it, so that `t.setTimeout`
 * at the top of a file holds (the messages are those of @tapjs/core's `Spawn`). `npx tap <file>` works as ever.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';

export interface TestFileOptions {
  /** Relative to the root, with `/`. */
  readonly file: string;
  /** Where it is run. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds, unless the file asks for others. */
  readonly timeout: number;
  /** Hears of the process, so that it can be ended. */
  readonly onStart: (child: ChildProcess) => void;
}

/** Between being asked to end, being told to, and being ended, in milliseconds. */
const GRACE = 2000;
/** For how long what a dead file left behind may hold its output open, in milliseconds. */
const LEFTOVERS = 5000;

/** Runs a file to its end. @returns its lines of the stream, in which it is the n-th */
export async function runTestFile({
  file,
  cwd,
  env,
  timeout,
  onStart,
}: TestFileOptions): Promise<(n: number) => string> {
  const from = performance.now();
  const [key, id] = [randomUUID(), randomUUID()];
  // stderr goes straight through: what a crashing process says last must not be lost in between.
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
    child.send({ tapAbort: 'timeout', key, child: id }, () => undefined); // it says what it was waiting for
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
