/**
 * Writes numbered lines to its stdout through a `LogOutput`, as the service does, then does what its argument says. It reports its steps on
 * stderr: `written` after the last line, `dropped <n>` if lines were dropped, `alive` if it still runs after the reader has gone.
 */
import { writeSync } from 'node:fs';
import { LogOutput } from '../../../plugins/log-output.ts';
import { numbered } from './numbered-lines.ts';

const [, , count = '0', then = 'return'] = process.argv;
const say = (text: string) => writeSync(2, `${text}\n`);

/** Keeps the process alive. */
let alive: NodeJS.Timeout | undefined;
const stayAlive = () => {
  alive = setInterval(() => undefined, 1000);
};

const output = new LogOutput(process.stdout.fd, (lines) => {
  say(`dropped ${lines}`);
  output.write('the last line\n');
  clearInterval(alive);
});
process.on('exit', () => output.flushSync());
process.stdin.on('end', () => process.kill(process.pid, 'SIGKILL')).resume(); // the test is gone
process.stdin.unref();

for (let line = 0; line < Number(count); line += 1) output.write(numbered(line));
say('written');
if (then === 'exit') process.exit(3);
if (then === 'throw') throw new Error('Nobody catches this');
if (then === 'wait') stayAlive();
if (then === 'signal') {
  stayAlive();
  process.once('SIGTERM', () => clearInterval(alive));
  say('ready');
}
if (then === 'go on') {
  // One write in each timer, so there are many after the reader has gone.
  for (let line = 0; line < 20; line += 1) {
    output.write(numbered(line));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  say('alive');
  Atomics.wait = () => {
    say('waited for the reader');
    return 'timed-out';
  };
}
