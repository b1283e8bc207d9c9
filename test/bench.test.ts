/**
 * The benchmarks run: they print their table and their verdict, refuse a name that they do not know, and leave nothing behind.
 *
 * No figure is asserted: on a shared machine the shortest run, which is the one that a test can wait for, says nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const RUN = fileURLToPath(new URL('../bench/run.ts', import.meta.url));

t.test('a quick run prints a table of ratios with its verdict', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'registry-bench-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { code, stdout, stderr } = await bench(['--quick', '--only', 'S4,flip'], folder);

  t.equal(code, 0, stderr);
  t.match(stdout, /^Machine: \d+ cores, .+; Node v\d+/, 'says on what it ran');
  t.match(stdout, '\nCommand: node bench/run.ts --quick --only S4,flip\n', 'and how');
  t.match(stdout, 'Its figures are no measurement.', 'a quick run says that it is one');
  t.match(
    stdout,
    /^\| S4 getStylePrompt\(styleId\) \/ clock \+ 3 × Map\.get \| \d+\.\d+× \(.+–.+\) ≤ 1 \|.+\| (yes|\*\*no\*\*) +\|$/m,
    'the row, with its goal and whether it is met',
  );
  t.match(stdout, /^\| done → visible/m, 'the other row');
  t.match(stdout, /\d goals met, \d missed/, 'the verdict');
  t.same(await readdir(folder), [], 'its temporary folder is gone');
});

t.test('a name that there is not is refused, with those that there are', async (t) => {
  const { code, stderr } = await bench(['--only', 'S4,S99']);
  t.equal(code, 2);
  t.match(
    stderr,
    '--only S99: there is no such benchmark; use S1, S2, S3, S4, client, S5, flip, S6, S7, busy-store, S8, S9, S15, large-pack, S10.',
  );
});

/** Runs the benchmarks to their end. @param temporary where their temporary folder is made */
async function bench(
  args: readonly string[],
  temporary?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env; // tap's own hooks
  const child = spawn(process.execPath, [RUN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, ...(temporary !== undefined && { TMPDIR: temporary }) },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
