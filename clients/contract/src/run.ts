/**
 * Runs the suite: TAP on stdout with one subtest per operation; the failures and a summary on stderr.
 *
 * Problem: a run that was interrupted, or in which nothing ran, has no failures either.
 * Rule: an operation whose checks did not finish has failed, and so has a run in which nothing passed. However the run ends, its keys are
 * revoked.
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

/** A closed terminal, Ctrl-C, and a request to terminate. */
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** @returns the exit code: 0, 1, or 4 if the results could not be written @throws Usage for an unknown operation */
export async function run(options: Options & { readonly pack: string }): Promise<number> {
  const judge = new Judge(readDocument(), new URL(options.url).pathname.replace(/\/+$/u, ''));
  const names = namesIn(judge);
  const unknown = options.only.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new Usage(`--only ${unknown.join(', ')}: no such operation. The operations are: ${names.join(', ')}.`);

  const suite = openSuite(options, judge);
  let over: number | undefined;
  const end = (exitCode: number, why: string) => {
    over ??= exitCode;
    say(`${why}: revoking the keys of this run.`);
    void suite.stop();
  };
  // Not `once`: the next signal would end the process before the keys are revoked.
  const interrupt = (signal: NodeJS.Signals) => end(1, signal);
  for (const signal of SIGNALS) process.on(signal, interrupt);

  let outcome: Outcome;
  try {
    const { versions, keys, events } = LEAVES;
    say(
      `Checking ${options.url} with the new pack ${options.pack}. The run leaves on the server at most ${versions} versions, ${keys} keys (revoked at the end) and ${events} events.`,
    );
    if (!options.moveDefaultPack)
      say('What moves do to sessions is not checked: that needs --move-default-pack, which moves the default pack.');
    outcome = await runGroups(
      suite.groups,
      () => over === undefined,
      (why) => end(UNWRITTEN, `The results cannot be written to stdout (${why})`),
    );
  } finally {
    for (const trouble of await suite.close()) say(trouble);
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }

  const { passed, failures, unchecked } = outcome;
  for (const failure of failures) say(`not ok: ${failure}`);
  if (unchecked.length > 0) say(`not ok: not fully checked: ${unchecked.join(', ')}`);
  const failed = failures.length + unchecked.length;
  say(`${passed} passed, ${failed} failed`);
  return over ?? (failed === 0 && passed > 0 ? 0 : 1);
}

/** The results of a run. */
interface Outcome {
  readonly passed: number;
  readonly failures: readonly string[];
  /** Operations whose checks did not finish. */
  readonly unchecked: readonly string[];
}

/** Runs groups and writes their results. @param wanted whether to go on @param lost called once with the reason if results cannot be written */
async function runGroups(
  groups: readonly Group[],
  wanted: () => boolean,
  lost: (why: string) => void,
): Promise<Outcome> {
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
  for (const operation of unchecked) tap.fail(`${operation}: not fully checked`);
  tap.end();
  results.end();
  await finished(results);
  return { passed, failures, unchecked: [...unchecked] };
}

/** What a failed comparison compared, and the request before it. */
function comparison(details: Readonly<Record<string, unknown>>): string {
  if (!('expected' in details && 'found' in details)) return '';
  const [expected, found] = [details['expected'], details['found']].map((value) =>
    excerpt(JSON.stringify(value) ?? 'nothing'),
  );
  return `: expected ${expected}, found ${found} (last request: ${String(details['lastRequest'])})`;
}
