/**
 * The output of the log: no line is lost or out of order, however the process exits and however slow the reader is. Only a reader that takes
 * nothing loses lines, and then the memory stays bounded and the lines that are lost are counted.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { Lines } from '../support/process/lines.ts';
import { numbered } from '../support/logging/numbered-lines.ts';

const WRITER = fileURLToPath(new URL('../support/logging/log-writer.ts', import.meta.url));

/** Starts a process that writes so many lines. Nobody reads them yet. */
function startWriter(t: Test, count: number, then: string) {
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, WRITER, String(count), then], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const steps = new Lines(child.stderr);
  const exit = once(child, 'exit').then(([code, signal]) => {
    steps.end('The writer ended');
    return (signal ?? code) as number | string;
  });
  return {
    child,
    exit,
    said: (step: RegExp) => steps.said((line) => step.test(line)),
    /** Reads all lines, a piece at a time. */
    read: async () => {
      let text = '';
      for await (const piece of child.stdout.setEncoding('utf8')) text += String(piece);
      return text.split('\n').slice(0, -1);
    },
  };
}

/** Whether these are the lines from 0 on, each once and in order. */
function areNumbered(t: Test, lines: readonly string[], count: number): void {
  t.equal(lines.length, count, 'how many lines');
  t.equal(
    lines.findIndex((line, index) => `${line}\n` !== numbered(index)),
    -1,
    'the first line out of order',
  );
}

for (const [then, code] of [
  ['return', 0],
  ['exit', 3],
  ['throw', 1],
] as const) {
  t.test(`10,000 lines into a pipe that is read late, then ${then}: all of them arrive, in order`, async (t) => {
    const writer = startWriter(t, 10_000, then);
    await writer.said(/^written$/u); // far more than a pipe holds, and nobody has read anything
    areNumbered(t, await writer.read(), 10_000);
    t.equal(await writer.exit, code);
  });
}

t.test('a single line arrives after a signal ends the process', async (t) => {
  const writer = startWriter(t, 1, 'signal');
  await writer.said(/^ready$/u);
  writer.child.kill('SIGTERM');
  areNumbered(t, await writer.read(), 1);
  t.equal(await writer.exit, 0);
});

t.test('beyond the limit lines are dropped and counted, and what was taken still arrives in order', async (t) => {
  const writer = startWriter(t, 100_000, 'wait'); // 30 MB
  await writer.said(/^written$/u);
  const reading = writer.read();
  const dropped = Number((await writer.said(/^dropped /u)).split(' ')[1]);
  const lines = await reading;
  t.equal(lines.at(-1), 'the last line', 'the report is written after what waited');
  areNumbered(t, lines.slice(0, -1), 100_000 - dropped);
  t.ok((100_000 - dropped) * numbered(0).length < 9 * 1024 * 1024, `${dropped} lines were dropped`);
});

t.test('a process whose reader has gone goes on', async (t) => {
  const writer = startWriter(t, 1, 'go on');
  writer.child.stdout.destroy();
  await writer.said(/^alive$/u);
  t.equal(await writer.exit, 0);
  await t.rejects(writer.said(/^waited/u), 'its exit waits for nobody');
});

t.test('a process whose reader takes nothing still ends', async (t) => {
  const writer = startWriter(t, 10_000, 'exit');
  t.equal(await writer.exit, 3);
});
