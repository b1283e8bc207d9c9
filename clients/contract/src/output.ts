/**
 * What is said: results on stdout, what is for people on stderr.
 *
 * Problem: a full disk behind one of them must not end the process in the middle, with keys left behind, nor pass for a success.
 * Rule: neither ends anything by itself. What stdout does not take is told to whoever wrote it; a reader that goes away (`| head -1`) has
 * read what it wanted, and the run goes on. Where stderr takes nothing there is nobody left to tell: the exit code says it all.
 * Example: `if ((await print('1..0\n')) !== undefined) return UNWRITTEN`.
 */
import { Writable } from 'node:stream';

/** The exit code where stdout could not be written. */
export const UNWRITTEN = 4;

// Each write hears of its own fault; without a listener the first one would end the process.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** Says something to people. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Writes to stdout. @returns why that was not possible; undefined where it was, or where nobody reads any more */
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

/** Stdout as a place for results; it takes whatever comes. @param lost hears, once, why they cannot be written */
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
