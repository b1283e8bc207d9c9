/**
 * Asks questions on a terminal.
 *
 * Rule: questions go to stderr, so stdout contains only the result. Without a terminal nothing is asked: the command fails and names the
 * options that answer the questions.
 */
import { createInterface } from 'node:readline';
import { CliError, EXIT, wrongUsage } from './exit.ts';
import type { Context } from './context.ts';
import { safeLines } from './output.ts';

/** The registry's limit, in characters. */
const MAX_REASON = 500;

/** Whether there is a terminal to ask on. */
function interactive({ io: { stdin, stderr } }: Context): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}

/** Options that answer the questions. */
interface GivenAnswers {
  readonly reason?: string | undefined;
  readonly yes?: boolean | undefined;
}

/** Fails if a question would be asked without a terminal, before any request is sent. */
export function requireAnswers(context: Context, { reason, yes }: GivenAnswers): void {
  if (reason !== undefined && !isReason(reason))
    throw wrongUsage(`A reason must have 1 to ${MAX_REASON} characters and must not be blank.`);
  if (interactive(context)) return;
  if (reason === undefined)
    throw wrongUsage(
      'A reason is required, and there is no terminal to ask for it. Nothing was changed.',
      'Pass --reason "…"; the log keeps it permanently.',
    );
  if (yes !== true)
    throw wrongUsage(
      'This needs confirmation, and there is no terminal to ask for it. Nothing was changed.',
      'Pass --yes to skip the confirmation.',
    );
}

function isReason(text: string): boolean {
  return text.trim() !== '' && text.length <= MAX_REASON;
}

/** The reason for the change: the given one, or asks for it. */
export async function reasonFor(context: Context, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  for (;;) {
    const reason = (await ask(context, 'Why? (kept in the log permanently) ')).trim();
    if (isReason(reason)) return reason;
    context.out.aside(`A reason must have 1 to ${MAX_REASON} characters.`);
  }
}

/** Asks for confirmation. @param yes whether `--yes` was given @throws CliError `declined` */
export async function confirm(context: Context, question: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  const answer = await ask(context, `${question} [y/N] `);
  if (!/^y(es)?$/iu.test(answer.trim()))
    throw new CliError('Nothing was changed.', { exit: EXIT.refused, code: 'declined' });
}

function ask({ io: { stdin, stderr } }: Context, question: string): Promise<string> {
  const reader = createInterface({ input: stdin, output: stderr, terminal: true });
  return new Promise<string>((resolve, reject) => {
    let open = true;
    const cancel = (exit: 1 | 130, code: string) => {
      if (open) stderr.write('\n'); // the next output starts on a new line
      open = false;
      reject(new CliError('Nothing was changed.', { exit, code }));
    };
    reader.once('SIGINT', () => cancel(EXIT.interrupted, 'interrupted'));
    reader.once('close', () => cancel(EXIT.refused, 'declined'));
    reader.question(safeLines(question), (answer) => {
      open = false;
      resolve(answer);
    });
  }).finally(() => reader.close());
}
