/**
 * Output: results on stdout, messages for people on stderr.
 *
 * Problem: a full disk behind stdout must not kill the process in the middle of a run, with its keys still valid. It must not look like success
 * either.
 * Rule: a failed write never ends the process. The caller of `print` learns why it failed. A reader that closes stdout early (`| head -1`) is
 * not a failure: the run goes on. If stderr fails, only the exit code is left.
 * Example: `if ((await print('1..0\n')) !== undefined) return UNWRITTEN`.
 */
import { Writable } from 'node:stream';

/** The exit code if stdout could not be written. */
export const UNWRITTEN = 4;

// Each write has its own callback; without a listener the first error would end the process.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** Writes a line to stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Writes to stdout. @returns why that failed; undefined if it succeeded, or if the reader has closed stdout */
export function print(text: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    process.stdout.write(text, (error) =>
      resolve(error === null || error === undefined || isGone(error) ? undefined : error.message),
    );
  });
}

function isGone({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}

/** Stdout as a stream for results that never fails. @param lost called once with the reason if a write fails */
export function openResults(lost: (why: string) => void): Writable {
  let told = false;
  const write = async (text: string, done: () => void) => {
    const why = told ? undefined : await print(text);
    if (why !== undefined) lost(why);
    told ||= why !== undefined;
    done();
  };
  return new Writable({ decodeStrings: false, write: (text, _, done) => void write(String(text), done) });
}
