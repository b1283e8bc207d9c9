/**
 * Reads tap's raw output (TAP 14), counts it, and prints it for people.
 *
 * Problem: tap's own reporters redraw a terminal, which makes a log unreadable. Its exit code and totals are wrong in the awkward cases: a
 * file that crashes does not count as a failure, one that runs no test counts as skipped, and when a file times out, another one's result
 * is dropped.
 * Rule: each assertion counts, at any depth. The line that closes a subtest or a file counts only if it says more than the assertions
 * inside did: it failed although none of them had, or it passed and held none. A file without a test is a failure.
 * Example: `ok    test/registry/packs/pack.test.ts  31 passed (412 ms)`. A failure is printed in full: its path, place, difference, stack,
 * and its message, which for a property holds fast-check's seed.
 */
import { styleText } from 'node:util';
import { Parser, type Result } from 'tap-parser';
import { stringify } from 'yaml';

/** How many assertions passed, failed and were skipped (todo counts as skipped). */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The closing line of a run: a plain count, the same for people and programs. */
export function closingLine({ passed, failed, skipped }: Readonly<Counts>): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

const noCounts = (): Counts => ({ passed: 0, failed: 0, skipped: 0 });

/** tap's reason for an empty file or subtest. */
const NO_TESTS = 'no tests found';

/** Comments that tap adds; the others are from the tests and worth showing. */
const TAP_COMMENT = /^# (Subtest\b|time=|test count\(|No coverage generated|\{ total: )/u;

/** How tap started a failed file: nobody needs to read that. */
const SPAWN_DETAIL = new Set(['stdio', 'cwd', 'externalID', 'command', 'args', 'jobId', 'timeout']);

const indent = (text: string, by: number) => text.trimEnd().replaceAll(/^(?=.)/gmu, ' '.repeat(by));

export class TapReport {
  /** Over everything read so far. */
  readonly counts = noCounts();
  /** Files that have a result. */
  readonly files = new Set<string>();
  /** The path of each failure, for the summary. */
  readonly failures: string[] = [];
  /** What was skipped, and why. */
  readonly skips: string[] = [];
  readonly #root = new Parser();
  readonly #print: (text: string) => void;
  #bailed = false;
  #muted = false;
  /** Output of the file under way: shown when it ends; `output` only if it failed. */
  #notes: string[] = [];
  #details: string[] = [];
  #output = '';

  constructor(print: (text: string) => void) {
    this.#print = print;
    this.#watch(this.#root, [], [this.counts]);
    this.#root.on('extra', (text: string) => (this.#output += text));
    this.#root.on('bailout', (reason: string) => {
      this.#bailed = true;
      this.fail('the run was bailed out', reason || 'no reason given');
    });
  }

  /** Whether a test has stopped the whole run: then files without a result are expected. */
  get bailed(): boolean {
    return this.#bailed;
  }

  write(chunk: string): void {
    this.#root.write(chunk);
  }

  end(): void {
    this.#root.end();
  }

  /** Ignores the rest of the output, because the run was stopped on purpose. */
  mute(): void {
    this.#muted = true;
  }

  /** Counts and prints a failure that is not of an assertion. */
  fail(what: string, detail: string): void {
    if (this.#muted) return;
    this.counts.failed += 1;
    this.failures.push(what);
    this.#print(`${styleText('red', 'FAIL')}  ${what}\n${indent(detail, 6)}\n\n`);
  }

  /** Follows one level of subtests. `tallies` are those of this level and of all above it, from the run's own down. */
  #watch(parser: Parser, path: readonly string[], tallies: readonly Counts[]): void {
    let inner: Counts | undefined;
    parser.on('child', (child: Parser) => {
      inner = noCounts();
      this.#watch(child, [...path, child.name], [...tallies, inner]);
    });
    parser.on('comment', (text: string) => {
      if (!TAP_COMMENT.test(text.trim())) this.#notes.push(text.trim());
    });
    parser.on('assert', (result: Result) => {
      if (this.#muted) return;
      const inside = result.closingTestPoint ? (inner ?? noCounts()) : undefined;
      inner = undefined;
      if (path.length === 0) this.#closeFile(result, inside);
      else this.#count(result, inside, path, tallies);
    });
  }

  /** Counts one line of results. `inside` is what the subtest held that this line closes, if it closes one. */
  #count(result: Result, inside: Counts | undefined, path: readonly string[], tallies: readonly Counts[]): void {
    const [file = '', ...subtests] = path;
    const name = [...subtests, result.name || '(without a name)'].join(' > ');
    const { failed, ran } = sum(inside);
    if (result.skip || result.todo) {
      const reason = result.skip || result.todo;
      bump(tallies, 'skipped');
      this.skips.push(`${file}: ${name}${typeof reason === 'string' ? ` (${reason})` : ''}`);
    } else if (!result.ok && failed === 0) {
      bump(tallies, 'failed');
      this.failures.push(`${file}: ${name}`);
      this.#details.push(`${styleText('red', `✗ ${name}`)}\n${indent(diagnosis(result.diag), 2)}`);
    } else if (result.ok && ran === 0) {
      bump(tallies, 'passed');
    }
  }

  #closeFile(result: Result, inside = noCounts()): void {
    const file = result.name;
    // After a timeout tap adds a line without a file instead of another file's; that file is then reported as missing.
    if (file === 'timeout!') return;
    this.files.add(file);
    const tallies = [this.counts, inside];
    const { failed, ran } = sum(inside);
    if (result.skip && result.skip !== NO_TESTS) {
      bump(tallies, 'skipped');
      this.skips.push(`${file}${typeof result.skip === 'string' ? ` (${result.skip})` : ''}`);
    } else if (result.ok && ran === 0) {
      bump(tallies, 'failed');
      this.failures.push(file);
      this.#details.push('No test ran in this file. A file that has to skip says so: t.plan(0, reason).');
    } else if (!result.ok && failed === 0) {
      bump(tallies, 'failed');
      this.failures.push(file);
      this.#details.push(`The file failed outside of its tests:\n${indent(diagnosis(result.diag), 2)}`);
    } else if (!result.ok && endedBySignal(result.diag)) {
      this.#details.push(`The file did not finish:\n${indent(diagnosis(result.diag), 2)}`);
    }
    this.#printFile(file, inside, result.time);
  }

  #printFile(file: string, counts: Counts, time: number | null): void {
    const ok = counts.failed === 0;
    const told =
      ok && counts.passed === 0 ? `${counts.skipped} skipped` : closingLine(counts).replace(', 0 failed', '');
    const took = time === null ? '' : ` (${Math.round(time)} ms)`;
    this.#print(`${ok ? styleText('green', 'ok  ') : styleText('red', 'FAIL')}  ${file}  ${told}${took}\n`);
    for (const note of this.#notes) this.#print(`${indent(note, 6)}\n`);
    for (const detail of this.#details) this.#print(`\n${indent(detail, 6)}\n`);
    if (!ok && this.#output.trim() !== '')
      this.#print(`\n      standard output of the file:\n${indent(this.#output, 6)}\n`);
    if (!ok) this.#print('\n');
    this.#notes = [];
    this.#details = [];
    this.#output = '';
  }
}

function bump(tallies: readonly Counts[], what: keyof Counts): void {
  for (const tally of tallies) tally[what] += 1;
}

function sum({ passed, failed, skipped }: Readonly<Counts> = noCounts()): { failed: number; ran: number } {
  return { failed, ran: passed + failed + skipped };
}

function endedBySignal(diag: unknown): boolean {
  return typeof diag === 'object' && diag !== null && 'signal' in diag && diag.signal !== null;
}

/** tap's diagnostics for people: the place first, then the difference, then the rest as YAML. */
function diagnosis(diag: unknown): string {
  if (typeof diag !== 'object' || diag === null) return '';
  const { at, diff, stack, source, ...rest } = diag as Record<string, unknown>;
  const others = Object.fromEntries(
    Object.entries(rest).filter(([key, value]) => !SPAWN_DETAIL.has(key) && value !== null),
  );
  const parts: string[] = [];
  if (typeof at === 'object' && at !== null) {
    const { fileName, lineNumber, columnNumber } = at as {
      fileName?: string;
      lineNumber?: number;
      columnNumber?: number;
    };
    parts.push(`at ${fileName ?? '?'}:${lineNumber ?? '?'}:${columnNumber ?? '?'}`);
  }
  if (typeof diff === 'string') parts.push(diff.trimEnd());
  if (Object.keys(others).length > 0) parts.push(stringify(others, { lineWidth: 0 }).trimEnd());
  if (typeof source === 'string') parts.push(source.trimEnd());
  if (typeof stack === 'string' && stack.trim() !== '') parts.push(`stack:\n${indent(stack, 2)}`);
  return parts.join('\n');
}
