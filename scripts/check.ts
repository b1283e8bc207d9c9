/**
 * Everything that is checked without running the service: `npm run check`.
 *
 * Types, lint, form, docs, and that openapi.yaml is what the code says and is well made. Two checks run at a time, the longest first.
 * A check that passes takes one line; one that fails is shown in full. Exit code 0 only if all pass.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';

interface Result {
  readonly passed: boolean;
  readonly output: string;
  readonly seconds: number;
}

/** Scripts of package.json, so that each check is written down once and can be run alone. */
const CHECKS = [
  'lint',
  'typecheck',
  'format:check',
  'openapi:check',
  'client:check',
  'openapi:lint',
  'lint:docs',
  'phrases',
];
const AT_A_TIME = 2;

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** One check, with standard output and standard error in the order in which they came. */
async function run(script: string): Promise<Result> {
  const start = performance.now();
  const check = spawn('npm', ['run', '--silent', script], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let output = '';
  for (const stream of [check.stdout, check.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  let passed = false;
  try {
    const [code] = (await once(check, 'close')) as [number | null];
    passed = code === 0;
  } catch (error) {
    output += `npm could not be started: ${error instanceof Error ? error.message : String(error)}\n`;
  }
  return { passed, output, seconds: (performance.now() - start) / 1000 };
}

const waiting = [...CHECKS];
const failed: string[] = [];

async function work(): Promise<void> {
  for (let script = waiting.shift(); script !== undefined; script = waiting.shift()) {
    const { passed, output, seconds } = await run(script);
    if (!passed) failed.push(script);
    const verdict = passed ? styleText('green', 'ok  ') : styleText('red', 'FAIL');
    const details = passed || output.trim() === '' ? '' : `\n${output.trimEnd()}\n\n`;
    process.stdout.write(`${verdict}  ${script} (${seconds.toFixed(1)} s)\n${details}`);
  }
}

await Promise.all(Array.from({ length: AT_A_TIME }, work));
process.stdout.write(
  failed.length === 0
    ? `\nall ${CHECKS.length} checks passed\n`
    : `\n${failed.length} of ${CHECKS.length} checks failed: ${failed.join(', ')}\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
