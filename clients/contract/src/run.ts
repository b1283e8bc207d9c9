/**
 * Runs the suite through tap: results on stdout, one test per operation; in the end what failed, and how many passed, to whoever listens.
 *
 * The keys that were made are revoked also where the run is interrupted; such a run has not passed.
 */
import { Judge, readDocument } from './document.ts';
import type { Report } from './kit.ts';
import { Usage, type Options } from './options.ts';
import { excerpt } from './raw-answer.ts';
import { namesIn, openSuite } from './suite.ts';

/** @param say what is for people @returns the exit code: 0 or 1 @throws Usage for an operation that is none */
export async function run(options: Options & { readonly pack: string }, say: (text: string) => void): Promise<number> {
  const judge = new Judge(readDocument());
  const names = namesIn(judge);
  const unknown = options.only.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Usage(`--only ${unknown.join(', ')}: there is no such operation. There are: ${names.join(', ')}.`);

  process.env['TAP_TIMEOUT'] ??= '0'; // every request has an end of its own
  const { t } = await import('tap');
  t.setTimeout(0);
  const suite = openSuite(options, judge);
  let interrupted = false;
  // Not `once`: tap ends the process itself where no other listener is left.
  const interrupt = (signal: NodeJS.Signals) => {
    interrupted = true;
    say(`${signal}: revoking the keys that were made.`);
    void suite.stop();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);

  say(`Checking ${options.url} with a pack of its own, ${options.pack}.`);
  const failures: string[] = [];
  let passed = 0;
  for (const group of suite.groups) {
    if (interrupted) break;
    await t.test(group.operation, { timeout: 0 }, async (t) => {
      const report: Report = {
        pass: (text) => {
          passed += 1;
          t.pass(text);
        },
        fail: (text, details) => {
          failures.push(text + comparison(details));
          t.fail(text, { ...details, at: null, stack: '' });
        },
      };
      await group.run(report);
    });
  }
  for (const trouble of await suite.close()) say(trouble);
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  t.end();

  for (const failure of failures) say(`not ok: ${failure}`);
  say(`${passed} passed, ${failures.length} failed`);
  return failures.length === 0 && !interrupted ? 0 : 1;
}

/** What was compared, where something was. */
function comparison(details: Readonly<Record<string, unknown>>): string {
  if (!('expected' in details && 'found' in details)) return '';
  const [expected, found] = [details['expected'], details['found']].map((value) => excerpt(JSON.stringify(value) ?? 'nothing'));
  return `: expected ${expected}, found ${found}`;
}
