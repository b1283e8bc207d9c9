/**
 * The benchmarks run: they print their table and their verdict, refuse a name that they do not know, and leave nothing behind. A leg of wrong
 * answers is refused, and a row whose server was idle does not count.
 *
 * No figure is asserted: on a shared machine the shortest run, which is the one that a test can wait for, says nothing.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { withTable } from '../bench/document.ts';
import { idleness } from '../bench/reads-over-http.ts';
import { markdown, single, verdict, type Row, type Table } from '../bench/report.ts';
import { load } from '../bench/support/load.ts';

const BODY = 'x'.repeat(10_000);
const RUN = fileURLToPath(new URL('../bench/run.ts', import.meta.url));

t.test('a quick run prints a table of ratios with its verdict', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'registry-bench-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { code, stdout, stderr } = await bench(['--quick', '--only', 'S1,S4,flip'], folder);

  t.equal(code, 0, stderr);
  t.match(stdout, /^Machine: \d+ cores, .+; Node v\d+/, 'says on what it ran');
  t.match(stdout, '\nCommand: node bench/run.ts --quick --only S1,S4,flip\n', 'and how');
  t.match(stdout, 'Its figures are no measurement.', 'a quick run says that it is one');
  t.match(
    stdout,
    /^\| S4 getStylePrompt\(styleId\) \/ clock \+ 3 × Map\.get \| \d+\.\d+× \(.+–.+\) ≤ 1 \|.+\| (yes|\*\*no\*\*) +\|$/m,
    'the row, with its goal and whether it is met',
  );
  t.match(stdout, /^\| done → visible/m, 'the row of a table without goals');
  t.match(
    stdout,
    /^\| S1 getActivePack 200 \| \d+\.\d+× ≥ 0\.9 +\|.+ % +\| \d.+ % +\|/m,
    'reads over HTTP, with how busy both servers were',
  );
  t.match(stdout, /\d goals met, \d missed/, 'the verdict');
  t.same(await readdir(folder), [], 'its temporary folder is gone');
});

t.test('a quick run cannot be written into the document', async (t) => {
  const { code, stderr } = await bench(['--quick', '--write']);
  t.equal(code, 2);
  t.match(stderr, '--write needs a full run');
});

t.test('a leg counts only the answers that it expects', async (t) => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/refused' ? 429 : request.url === '/same' ? 304 : 200;
    response.end(response.statusCode === 304 ? undefined : BODY);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const usage = () => Promise.resolve({ cpu: process.cpuUsage().user + process.cpuUsage().system });
  const leg = (path: string, status: 200 | 304) =>
    load({ server: { url, usage }, paths: [path], expected: { status, bodyBytes: BODY.length } }, 1);

  t.match(await leg('/whole', 200), { rate: Number, perCpuSecond: Number, busy: Number });
  await t.rejects(leg('/refused', 200), /responses of \d+ bytes, [1-9]\d* failures; expected 200/);
  await t.rejects(leg('/same', 200), /0 failures; expected 200/, 'a 304 where the body is expected');
  await t.rejects(leg('/whole', 304), /0 failures; expected 304/, 'and the other way round');
});

t.test('a row below 90 % of busy time does not count, whatever its figures', async (t) => {
  const row = (busy: number): Row => ({
    what: 'reads',
    figures: { speed: { spread: single(2), unit: '×', goal: { atLeast: 1 } } },
    ...idleness({ ours: single(0.99), reference: single(busy) }),
  });
  const table = (busy: number) => ({ title: 'Reads', about: 'Us, against them.', rows: [row(busy)] });
  t.match(markdown(table(0.9)), '| reads | 2.00× ≥ 1 | yes      |');
  t.match(verdict([table(0.9)]), '1 goals met, 0 missed, 0 not counted');
  t.match(markdown(table(0.89)), '| reads | 2.00× ≥ 1 | **does not count** |');
  t.match(verdict([table(0.89)]), '0 goals met, 0 missed, 1 not counted');
  t.match(verdict([table(0.89)]), '- does not count: Reads: reads: a server was busy only 89 % of the time');
});

t.test('a table replaces the section of its title in the document, and nothing else', async (t) => {
  const table: Table = { title: 'Reads', about: 'New.', rows: [{ what: 'reads', figures: {} }] };
  const document = '# Performance\n\nBy people.\n\n## Reads\n\nOld.\n\n## Reads of others\n\nStays.\n';
  t.equal(
    withTable(document, table, 'A machine.'),
    `# Performance\n\nBy people.\n\n${markdown(table)}\nA machine.\n\n## Reads of others\n\nStays.\n`,
  );
  t.equal(withTable('# P\n\n## Reads\n\nOld.\n', table, 'M.'), `# P\n\n${markdown(table)}\nM.\n`, 'the last section');
  t.throws(() => withTable('# P\n\n## Reads of others\n', table, 'M.'), { message: /has no section "Reads"/ });
});

t.test('a name that there is not is refused, with those that there are', async (t) => {
  const { code, stderr } = await bench(['--only', 'S4,S99']);
  t.equal(code, 2);
  t.match(
    stderr,
    '--only S99: there is no such benchmark; use S1, S2, S3, S4, client, S5, flip, S6, S7, busy-store, S8, S9, S12, S13, S15, large-pack, S10.',
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
