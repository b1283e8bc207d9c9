/**
 * Runs a command: from what was typed to an exit code.
 *
 * Rule: every end is one of `EXIT`; what went wrong is told once, on stderr, for people or as JSON.
 */
import { RegistryFailure } from '@prompt-registry/client';
import { CommanderError, type Command } from 'commander';
import { Context, type Act, type CommonOptions, type Handler } from './context.ts';
import { Complaint, EXIT, wrongUsage, type ExitCode } from './exit.ts';
import { complaintOf } from './explain.ts';
import { Output, type Io } from './output.ts';
import { buildProgram } from './program.ts';

/** The process: its arguments, its streams, its end. */
export async function main(): Promise<void> {
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  const { stdin, stdout, stderr, env } = process;
  let broken = false;
  stdout.once('error', () => {
    broken = true;
  });
  const exit = await run(process.argv.slice(2), {
    stdin,
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    interrupted: interruption.signal,
  });
  process.exitCode = exit;
  if (exit === EXIT.interrupted || broken) process.exit(exit); // what was under way is given up
}

/** Runs a command line. Throws nothing. @param args without the program's name */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  let context: Context | undefined;
  let exit: ExitCode = EXIT.ok;
  const act: Act =
    <O, A extends readonly (string | undefined)[]>(handler: Handler<O, A>) =>
    async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      const options = command.optsWithGlobals<CommonOptions>();
      context = new Context(io, new Output(io, { json: options.json === true, color: options.color }), options);
      demandValues(command);
      exit = (await handler(context, command.opts() as O, ...(command.processedArgs as unknown as A))) ?? EXIT.ok;
    };
  const program = buildProgram(act);
  quiet(program, io);
  io.stderr.on('error', () => undefined); // nobody reads what is said there; that ends nothing
  try {
    demandNoCommand(program, args);
    await untilEnded(program.parseAsync(args, { from: 'user' }).catch(exceptHelp), io, () => context?.sending === true);
    return exit;
  } catch (error) {
    if (error instanceof Unwritten && error.unread && context?.onceOnly === undefined) return exit; // whoever read it has seen enough
    if (error instanceof CommanderError && error.code === 'commander.help' && !args.includes('--json')) {
      io.stderr.write(helpFor(program, args));
      return EXIT.usage;
    }
    const out = context?.out ?? new Output(io, { json: args.includes('--json'), color: !args.includes('--no-color') });
    const complaint = explained(error, context);
    if (complaint.exit !== EXIT.interrupted || context?.endless !== true) out.complain(complaint);
    return complaint.exit;
  }
}

/** An empty value is mostly a shell variable that is not set; taken for "not given" it would change what the command is about. */
function demandValues(command: Command): void {
  const named = Object.entries(command.optsWithGlobals<Record<string, unknown>>()).map(([name, value]) => [
    `--${name.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`,
    value,
  ]);
  const placed = command.registeredArguments.map((argument, index) => [
    `<${argument.name()}>`,
    (command.processedArgs as unknown[])[index],
  ]);
  for (const [name, value] of [...named, ...placed]) {
    if ([value].flat().some((each) => typeof each === 'string' && each.trim() === ''))
      throw wrongUsage(
        `The value of ${String(name)} is empty or blank, and must be not blank.`,
        'Leave it out where none is meant.',
      );
  }
}

/** `activate --version 1.0.0` means another version than ours; answered with ours it would end well and do nothing. */
function demandNoCommand({ commands }: Command, args: readonly string[]): void {
  if (
    !args.some((arg) => arg === '--version' || arg === '-V') ||
    !commands.some((command) => args.includes(command.name()))
  )
    return;
  throw wrongUsage(
    '--version is that of the command line, and stands alone.',
    'A version of a pack is said as in "activate 1.2.0", "show 1.2.0", "rollback --to 1.2.0".',
  );
}

/** The help of the command that was named without saying what it should do. */
function helpFor(program: Command, args: readonly string[]): string {
  return (
    program.commands.find((each) => each.commands.length > 0 && args.includes(each.name())) ?? program
  ).helpInformation();
}

/** Commander says nothing by itself and ends nothing by itself, but for help. */
function quiet(command: Command, io: Io): void {
  command.exitOverride().configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => undefined });
  for (const each of command.commands) quiet(each, io);
}

/** Commander ends what shows help by an error. */
function exceptHelp(error: unknown): void {
  if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
}

/** The answer could not be written. */
class Unwritten extends Error {
  readonly unread: boolean;

  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause });
    this.unread = cause.code === 'EPIPE';
  }
}

/** Waits until the work is done and its answer written, or for what ends it before; a change that is being sent is waited for, whoever reads its answer. */
async function untilEnded(work: Promise<unknown>, { interrupted, stdout }: Io, sending: () => boolean): Promise<void> {
  const stop = new AbortController();
  let failed: Unwritten | undefined;
  const end = new Promise<never>((_, reject) => {
    interrupted.addEventListener(
      'abort',
      () => reject(new Complaint('Interrupted.', { exit: EXIT.interrupted, code: 'interrupted' })),
      { signal: stop.signal },
    );
    stdout.on('error', (error) => {
      failed ??= new Unwritten(error);
      if (!sending()) reject(failed);
    });
  });
  try {
    await Promise.race([
      work.then(() => stop.signal.aborted || new Promise((resolve) => stdout.write('', resolve))),
      end,
    ]); // what is written last comes last
    if (failed !== undefined) throw failed;
  } finally {
    stop.abort();
  }
}

/** Throws nothing, whatever was thrown. */
function explained(error: unknown, context: Context | undefined): Complaint {
  try {
    return asComplaint(error, context);
  } catch (again) {
    return asComplaint(
      again instanceof TypeError ? again : new Error('What went wrong cannot be told.', { cause: again }),
      context,
    );
  }
}

function asComplaint(error: unknown, context: Context | undefined): Complaint {
  if (error instanceof Complaint) {
    if (error.exit !== EXIT.interrupted || context?.sending !== true) return error;
    return new Complaint('Interrupted while a change was under way: it may have been made or not.', {
      exit: EXIT.interrupted,
      code: 'interrupted',
      hint: `Look before you repeat it: prompt-registry ${context.look}`,
    });
  }
  if (error instanceof Unwritten) return context?.onceOnly ?? unwritten(error, context);
  if (error instanceof RegistryFailure) return complaintOf(error, context?.where);
  if (error instanceof CommanderError) return usageOf(error);
  if (error instanceof TypeError && context?.where !== undefined) return notUnderstood(error, context.where.url);
  return new Complaint(
    `This is a fault of the command line: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    { exit: EXIT.fault, code: 'fault' },
  );
}

function unwritten(
  { message }: Unwritten,
  { changed = false, look = '' }: Partial<Pick<Context, 'changed' | 'look'>> = {},
): Complaint {
  return new Complaint(
    `The answer could not be written: ${message}.${changed ? ' The change was made all the same.' : ''}`,
    {
      exit: EXIT.unwritten,
      code: 'unwritten',
      ...(changed && { hint: `Look at what was done: prompt-registry ${look}` }),
    },
  );
}

/** An answer of JSON that lacks what an answer of the registry has. */
function notUnderstood(error: TypeError, url: string): Complaint {
  return new Complaint(`${url} answered with what this command line does not understand (${error.message}).`, {
    exit: EXIT.unavailable,
    code: 'not-understood',
    hint: 'It is another service, or a registry of another age. Check --url or PROMPT_REGISTRY_URL.',
    cause: error,
  });
}

function usageOf({ code, message }: CommanderError): Complaint {
  if (code === 'commander.help') return wrongUsage('Say what to do.', 'prompt-registry --help lists the commands.');
  return wrongUsage(message.replace(/^error: /u, ''), 'prompt-registry <command> --help says what it takes.');
}
