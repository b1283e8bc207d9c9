/**
 * Runs the suite: results as TAP on stdout, one subtest per operation; in the end what failed, and how many passed, to whoever listens.
 *
 * Problem: a run that was cut short, or in which nothing ran, has no failures either.
 * Rule: an operation whose checks did not run to their end has failed, and so has a run in which nothing passed. However the run ends, the
 * keys that were made are revoked.
 */
import { finished } from 'node:stream/promises';
import { Judge, readDocument } from './document.ts';
import type { Report } from './kit.ts';
import { LEAVES } from './leaves.ts';
import { Usage, type Options } from './options.ts';
import { openResults, say, UNWRITTEN } from './output.ts';
import { excerpt } from './raw-answer.ts';
import { namesIn, openSuite, type Group } from './suite.ts';
import { TapWriter } from './tap.ts';

/** A closed terminal, Ctrl-C, and who else wants an end. */
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** @returns the exit code: 0, 1, or 4 where the results could not be written @throws Usage for an operation that is none */
export async function run(options: Options & { readonly pack: string }): Promise<number> {
  const judge = new Judge(readDocument(), new URL(options.url).pathname.replace(/\/+$/u, ''));
  const names = namesIn(judge);
  const unknown = options.only.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new Usage(`--only ${unknown.join(', ')}: there is no such operation. There are: ${names.join(', ')}.`);

  const suite = openSuite(options, judge);
  let over: number | undefined;
  const end = (exitCode: number, why: string) => {
    over ??= exitCode;
    say(`${why}: revoking the keys that were made.`);
    void suite.stop();
  };
  // Not `once`: the next signal would end the process before the keys are revoked.
  const interrupt = (signal: NodeJS.Signals) => end(1, signal);
  for (const signal of SIGNALS) process.on(signal, interrupt);

  let told: Told;
  try {
    const { versions, keys, events } = LEAVES;
    say(
      `Checking ${options.url} with a pack of its own, ${options.pack}. The server keeps it for good: at most ${versions} versions, ${keys} keys (revoked at the end) and ${events} events.`,
    );
    told = await tell(
      suite.groups,
      () => over === undefined,
      (why) => end(UNWRITTEN, `The results cannot be written to stdout (${why})`),
    );
  } finally {
    for (const trouble of await suite.close()) say(trouble);
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }

  const { passed, failures, unchecked } = told;
  for (const failure of failures) say(`not ok: ${failure}`);
  if (unchecked.length > 0) say(`not ok: not checked to the end: ${unchecked.join(', ')}`);
  const failed = failures.length + unchecked.length;
  say(`${passed} passed, ${failed} failed`);
  return over ?? (failed === 0 && passed > 0 ? 0 : 1);
}

/** What became of the checks. */
interface Told {
  readonly passed: number;
  readonly failures: readonly string[];
  /** Operations whose checks did not run to their end. */
  readonly unchecked: readonly string[];
}

/** Runs groups while that is wanted, and writes down what they find. @param lost hears, once, why it cannot be written */
async function tell(groups: readonly Group[], wanted: () => boolean, lost: (why: string) => void): Promise<Told> {
  const results = openResults(lost);
  const tap = new TapWriter((text) => results.write(text));

  let passed = 0;
  const failures: string[] = [];
  const unchecked = new Set(groups.map(({ operation }) => operation));
  for (const group of groups) {
    const { operation } = group;
    if (!wanted()) break;
    const subtest = tap.group(operation);
    const report: Report = {
      pass: (text) => {
        passed += 1;
        subtest.pass(text);
      },
      fail: (text, details) => {
        failures.push(text + comparison(details));
        subtest.fail(text, details);
      },
    };
    await group.run(report);
    subtest.end();
    if (wanted()) unchecked.delete(operation);
  }
  for (const operation of unchecked) tap.fail(`${operation}: not checked to the end`);
  tap.end();
  results.end();
  await finished(results);
  return { passed, failures, unchecked: [...unchecked] };
}

/** What was compared, where something was. */
function comparison(details: Readonly<Record<string, unknown>>): string {
  if (!('expected' in details && 'found' in details)) return '';
  const [expected, found] = [details['expected'], details['found']].map((value) =>
    excerpt(JSON.stringify(value) ?? 'nothing'),
  );
  return `: expected ${expected}, found ${found}`;
}
