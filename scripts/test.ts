/**
 * Runs the tests: `npm test`, `npm run test:faults`, `npm run soak`.
 *
 *     node scripts/test.ts [--length short|faults|packages|soak] [file or folder …]
 *
 * Problem: the same tests must run in seconds during work, in minutes before a release and for days in a soak.
 * Rule: a length says which files run, and how long a file may take; the tests read it as TEST_LENGTH and choose their number
 * of runs from it.
 *   - `short` (the default): every test file but the longest, and those of `packages`;
 *   - `faults`: the files under test/fault and test/linearizability, each with more runs;
 *   - `packages`: what others install and deploy: packages, packed and installed from the npm registry, clients that generators make, Swagger UI and the
 *     client in a browser, the client in workerd, the container image, the files for deployment;
 *   - `soak`: as `faults`, again and again until something fails or until Ctrl-C.
 * Files or folders named on the command line run instead.
 *
 * The last line is `N passed, N failed`, with `, N skipped` if there are any, whatever happens. Exit code: 0 if something passed
 * and nothing failed; 130 after an interrupt that left a run unfinished; otherwise 1. A file that times out, crashes, or runs no
 * test is a failure, and so is a run in which no test ran.
 */
import type { ChildProcess } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import { closingLine, TapReport, type Counts } from './tap-report.ts';
import { runTestFile } from './test-file.ts';

interface Length {
  /** The folders of its files. */
  readonly folders: readonly string[];
  /** Files and folders in them that do not run. */
  readonly except?: readonly string[];
  /** Seconds that one file may take. */
  readonly timeout: number;
  /** Files that run at the same time: one if they assert bounds on time. */
  readonly jobs: number;
  readonly endless: boolean;
}

/**
 * They start many processes, wait for many timeouts, or cause many faults, which takes too long for a short run; `faults` runs them. Shorter
 * tests check the same things on a smaller scale, e.g. `registry/follower` for `follow`, `clients/contract` for `contract-kit`.
 */
const LONG = [
  'backup',
  'cluster-kill',
  'cold-start',
  'contract-kit',
  'due-once',
  'first-start-together',
  'follow',
  'mixed-builds',
  'no-descriptors',
  'one-effect',
  'ordinary-user',
  'pin-version',
  'restored-database',
  'rolling-restart',
  'server-kill',
  'streams',
].map((name) => `test/fault/${name}.test.ts`);

/** They pack and install, generate and compile, drive a browser, or build an image: half a minute each. */
const PACKAGES = ['test/packages', 'test/deployment'];

const LENGTHS: Readonly<Record<string, Length>> = {
  // More than there are cores: half of them wait for a timeout, or for a process to start.
  short: { folders: ['test'], except: [...LONG, ...PACKAGES], timeout: 120, jobs: 3, endless: false },
  faults: { folders: ['test/fault', 'test/linearizability'], timeout: 900, jobs: 1, endless: false },
  packages: { folders: PACKAGES, timeout: 600, jobs: 1, endless: false },
  soak: { folders: ['test/fault', 'test/linearizability'], timeout: 3600, jobs: 1, endless: true },
};

/** Milliseconds that an interrupted run has to end on its own; a second signal ends it at once. */
const GRACE = 10_000;
/** Signals within this many milliseconds count as one: npm passes on a signal that the whole process group received. */
const SAME_SIGNAL = 1000;

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const print = (text: string) => process.stdout.write(text);

/** Set by the first SIGINT or SIGTERM. */
let interrupted = false;
let interruptedAt = 0;

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
try {
  process.exitCode = await main();
} catch (error) {
  total.failed += 1;
  process.exitCode = 1;
  print(`${error instanceof Error ? error.message : String(error)}\n`);
}
print(`\n${closingLine(total)}\n`);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { length: { type: 'string', default: 'short' } },
    allowPositionals: true,
  });
  const length = LENGTHS[values.length];
  if (length === undefined)
    throw new Error(`--length ${values.length}: there is no such length; use ${Object.keys(LENGTHS).join(', ')}.`);

  const files =
    positionals.length > 0
      ? named(positionals)
      : filesUnder(length.folders).filter(
          (file) => length.except?.some((each) => file === each || file.startsWith(`${each}/`)) !== true,
        );
  if (files.length === 0) throw new Error(`No test ran: there is no *.test.ts under ${length.folders.join(' or ')}.`);

  let clean = true;
  for (let round = 1; ; round += 1) {
    if (length.endless) print(`round ${round}, ${new Date().toISOString()}\n`);
    const report = await run(files, values.length, length);
    total.passed += report.counts.passed;
    total.failed += report.counts.failed;
    total.skipped += report.counts.skipped;
    clean &&= report.counts.failed === 0;
    recapitulate(report);
    if (!length.endless || !clean || interrupted) break;
    print(`round ${round}: ${closingLine(report.counts)}\n\n`);
  }
  // An interrupt is the normal end of a soak; any other run is then unfinished.
  if (interrupted && clean && !(length.endless && total.passed > 0)) return 130;
  if (clean && total.passed === 0) throw new Error('No test ran: everything was skipped.');
  return clean ? 0 : 1;
}

/** The test files in folders (relative to the root), as far as the folders exist, in a stable order. */
function filesUnder(folders: readonly string[]): string[] {
  const patterns = folders.map((folder) => `${folder}/**/*.test.ts`);
  return globSync(patterns, { cwd: ROOT, exclude: ['**/node_modules/**'] })
    .map(posix)
    .sort();
}

/** The test files that the command line names, those in named folders included. */
function named(paths: readonly string[]): string[] {
  const files = paths.flatMap((path) => {
    const inside = posix(relative(ROOT, resolve(path)));
    const found = statSync(resolve(path), { throwIfNoEntry: false });
    if (found === undefined) throw new Error(`${path}: there is no such file.`);
    if (!found.isDirectory()) return [inside];
    const files = filesUnder([inside || '.']);
    if (files.length === 0) throw new Error(`${path}: there is no *.test.ts in this folder.`);
    return files;
  });
  return [...new Set(files)];
}

function posix(path: string): string {
  return path.split(sep).join('/');
}

/** Runs the files, `jobs` at a time, and reports each when it ends. */
async function run(files: readonly string[], length: string, { timeout, jobs }: Length): Promise<TapReport> {
  const report = new TapReport(print);
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const env = {
    NODE_COMPILE_CACHE: join(ROOT, '.tap', 'compile-cache'),
    ...inherited,
    TEST_LENGTH: length,
    TAP_TIMEOUT: String(timeout),
  };
  const running = new Set<ChildProcess>();

  const stop = (signal: NodeJS.Signals) => {
    if (interrupted) return performance.now() - interruptedAt > SAME_SIGNAL ? endAll('SIGKILL') : undefined;
    interrupted = true;
    interruptedAt = performance.now();
    report.mute();
    print(`\n${signal}: stopping\n`);
    endAll(signal);
    setTimeout(() => endAll('SIGKILL'), GRACE).unref();
  };
  const endAll = (signal: NodeJS.Signals) => {
    for (const child of running) child.kill(signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);

  const waiting = [...files];
  let ended = 0;
  report.write('TAP version 14\n');
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined && !interrupted && !report.bailed; file = waiting.shift()) {
      let own: ChildProcess | undefined;
      const onStart = (child: ChildProcess) => running.add((own = child));
      const result = await runTestFile({ file, cwd: ROOT, env, timeout: timeout * 1000, onStart });
      if (own !== undefined) running.delete(own);
      report.write(result((ended += 1)));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  process.off('SIGINT', stop).off('SIGTERM', stop);
  report.write(`1..${ended}\n`);
  report.end();

  if (!report.bailed)
    for (const file of files.filter((each) => !report.files.has(each)))
      report.fail(file, 'There is no result for this file: the run ended before it did.');
  return report;
}

/** Repeats at the end what failed, and what was skipped and why, so that nobody has to scroll. */
function recapitulate({ failures, skips }: TapReport): void {
  if (skips.length > 0) print(`\nskipped:\n${skips.map((each) => `  ${each}\n`).join('')}`);
  if (failures.length > 0) print(`\n${styleText('red', 'failed:')}\n${failures.map((each) => `  ${each}\n`).join('')}`);
}
