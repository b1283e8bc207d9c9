/**
 * Questions, where somebody is there to answer them.
 *
 * Rule: asked on stderr, so that stdout holds the answer of the command alone; without a terminal nothing is asked, and the command
 * ends with what to say on its command line instead.
 */
import { createInterface } from 'node:readline';
import { Complaint, EXIT, wrongUsage } from './exit.ts';
import type { Context } from './context.ts';
import { safeLines } from './output.ts';

/** Longest reason that the registry takes. */
const LONGEST_REASON = 500;

/** Whether questions can be asked. */
function interactive({ io: { stdin, stderr } }: Context): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}

/** What of a change can be said on the command line. */
interface Said {
  readonly reason?: string | undefined;
  readonly yes?: boolean | undefined;
}

/** Ends a change that would have to ask, where nobody is there to answer: before anything is looked at or sent. */
export function demandAnswers(context: Context, { reason, yes }: Said): void {
  if (reason !== undefined && !isReason(reason))
    throw wrongUsage(`A reason has 1 to ${LONGEST_REASON} characters, and is not blank.`);
  if (interactive(context)) return;
  if (reason === undefined)
    throw wrongUsage(
      'There is no terminal to ask for a reason on; nothing was changed.',
      'Say it with --reason "…"; it is kept in the log for good.',
    );
  if (yes !== true)
    throw wrongUsage(
      'There is no terminal to confirm this on; nothing was changed.',
      'Say --yes to do it without being asked.',
    );
}

function isReason(text: string): boolean {
  return text.trim() !== '' && text.length <= LONGEST_REASON;
}

/** Why the change is made: as given, or asked for. */
export async function reasonFor(context: Context, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  for (;;) {
    const reason = (await ask(context, 'Why? (kept in the log for good) ')).trim();
    if (isReason(reason)) return reason;
    context.out.aside(`A reason has 1 to ${LONGEST_REASON} characters.`);
  }
}

/** Goes on only with a yes. @param yes it was given on the command line */
export async function confirm(context: Context, question: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  const answer = await ask(context, `${question} [y/N] `);
  if (!/^y(es)?$/iu.test(answer.trim()))
    throw new Complaint('Nothing was changed.', { exit: EXIT.refused, code: 'declined' });
}

function ask({ io: { stdin, stderr } }: Context, question: string): Promise<string> {
  const reader = createInterface({ input: stdin, output: stderr, terminal: true });
  return new Promise<string>((resolve, reject) => {
    let open = true;
    const gone = (exit: 1 | 130, code: string) => {
      if (open) stderr.write('\n'); // what follows does not stand behind the question
      open = false;
      reject(new Complaint('Nothing was changed.', { exit, code }));
    };
    reader.once('SIGINT', () => gone(EXIT.interrupted, 'interrupted'));
    reader.once('close', () => gone(EXIT.refused, 'declined'));
    reader.question(safeLines(question), (answer) => {
      open = false;
      resolve(answer);
    });
  }).finally(() => reader.close());
}
