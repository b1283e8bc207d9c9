/**
 * Runs one command line and returns its exit code.
 *
 * Rule: the exit code is always one of `EXIT`. An error is reported once, on stderr, as text or as JSON.
 */
import { RegistryFailure } from '@prompt-registry/client';
import { CommanderError, type Command } from 'commander';
import { Context, type Act, type CommonOptions, type Handler } from './context.ts';
import { CliError, EXIT, wrongUsage, type ExitCode } from './exit.ts';
import { toCliError } from './explain.ts';
import { Output, type Io } from './output.ts';
import { buildProgram } from './program.ts';

/** Entry point: connects `run` to the arguments, streams and signals of this process. */
export async function main(): Promise<void> {
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  const { stdin, stdout, stderr, env } = process;
  let stdoutBroken = false;
  stdout.once('error', () => {
    stdoutBroken = true;
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
  if (exit === EXIT.interrupted || stdoutBroken) process.exit(exit); // drop pending requests
}

/** Runs a command line. Never throws. @param args the arguments after the program name */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  let context: Context | undefined;
  let exit: ExitCode = EXIT.ok;
  const act: Act =
    <O, A extends readonly (string | number | undefined)[]>(handler: Handler<O, A>) =>
    async (...given: unknown[]) => {
      const command = given.at(-1) as Command;
      const options = command.optsWithGlobals<CommonOptions>();
      context = new Context(io, new Output(io, { json: options.json === true, color: options.color }), options);
      requireValues(command);
      exit = (await handler(context, command.opts() as O, ...(command.processedArgs as unknown as A))) ?? EXIT.ok;
    };
  const program = buildProgram(act);
  configureOutput(program, io);
  io.stderr.on('error', () => undefined); // a closed stderr must not end the command
  try {
    rejectVersionOption(program, args);
    await untilEnded(program.parseAsync(args, { from: 'user' }).catch(ignoreHelp), io, () => context?.sending === true);
    return exit;
  } catch (error) {
    if (error instanceof Unwritten && error.unread && context?.unwrittenError === undefined) return exit; // e.g. `| head`
    if (error instanceof CommanderError && error.code === 'commander.help' && !args.includes('--json')) {
      io.stderr.write(helpFor(program, args));
      return EXIT.usage;
    }
    const out = context?.out ?? new Output(io, { json: args.includes('--json'), color: !args.includes('--no-color') });
    const cliError = describe(error, context);
    if (cliError.exit !== EXIT.interrupted || context?.runsUntilInterrupted !== true) out.printError(cliError);
    return cliError.exit;
  }
}

/** An empty value is usually an unset shell variable. Treating it as "not given" could make the command act on something else. */
function requireValues(command: Command): void {
  const optionValues = Object.entries(command.optsWithGlobals<Record<string, unknown>>()).map(([name, value]) => [
    `--${name.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`,
    value,
  ]);
  const argumentValues = command.registeredArguments.map((argument, index) => [
    `<${argument.name()}>`,
    (command.processedArgs as unknown[])[index],
  ]);
  for (const [name, value] of [...optionValues, ...argumentValues]) {
    if ([value].flat().some((each) => typeof each === 'string' && each.trim() === ''))
      throw wrongUsage(
        `The value of ${String(name)} is empty or blank.`,
        'Give it a value. Is a shell variable unset?',
      );
  }
}

/** `activate --version 1.0.0` means a pack version. Printing our own version with exit code 0 would look like success. */
function rejectVersionOption({ commands }: Command, args: readonly string[]): void {
  if (
    !args.some((arg) => arg === '--version' || arg === '-V') ||
    !commands.some((command) => args.includes(command.name()))
  )
    return;
  throw wrongUsage(
    '--version prints the version of this program and takes no command.',
    'To name a pack version, write "activate 1.2.0", "show 1.2.0" or "rollback --to 1.2.0".',
  );
}

/** Help for a command group such as `keys`, or for the program. */
function helpFor(program: Command, args: readonly string[]): string {
  return (
    program.commands.find((each) => each.commands.length > 0 && args.includes(each.name())) ?? program
  ).helpInformation();
}

/** Stops Commander from writing errors or exiting; it still prints help. */
function configureOutput(command: Command, io: Io): void {
  command.exitOverride().configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => undefined });
  for (const each of command.commands) configureOutput(each, io);
}

/** Commander reports `--help` and `--version` as errors with exit code 0. */
function ignoreHelp(error: unknown): void {
  if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
}

/** Writing to stdout failed. */
class Unwritten extends Error {
  readonly unread: boolean;

  constructor(cause: NodeJS.ErrnoException) {
    super(cause.message, { cause });
    this.unread = cause.code === 'EPIPE';
  }
}

/** Waits until the command has finished and its output is written. Ctrl-C or a broken stdout end it early, but never while a change is being sent. */
async function untilEnded(work: Promise<unknown>, { interrupted, stdout }: Io, sending: () => boolean): Promise<void> {
  const stop = new AbortController();
  let failed: Unwritten | undefined;
  const end = new Promise<never>((_, reject) => {
    interrupted.addEventListener(
      'abort',
      () => reject(new CliError('Interrupted.', { exit: EXIT.interrupted, code: 'interrupted' })),
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
    ]); // the empty write is flushed after all others
    if (failed !== undefined) throw failed;
  } finally {
    stop.abort();
  }
}

/** Turns anything that was thrown into an error to print. Never throws itself. */
function describe(error: unknown, context: Context | undefined): CliError {
  try {
    return cliErrorFor(error, context);
  } catch (again) {
    return cliErrorFor(
      again instanceof TypeError ? again : new Error('The error could not be described.', { cause: again }),
      context,
    );
  }
}

function cliErrorFor(error: unknown, context: Context | undefined): CliError {
  if (error instanceof CliError) {
    if (error.exit !== EXIT.interrupted || context?.sending !== true) return error;
    return new CliError('Interrupted while sending a change. It may or may not have been made.', {
      exit: EXIT.interrupted,
      code: 'interrupted',
      hint: `Check before you retry: prompt-registry ${context.checkCommand}`,
    });
  }
  if (error instanceof Unwritten) return context?.unwrittenError ?? unwritten(error, context);
  if (error instanceof RegistryFailure) return toCliError(error, context?.target);
  if (error instanceof CommanderError) return usageOf(error);
  if (error instanceof TypeError && context?.target !== undefined) return unexpectedResponse(error, context.target.url);
  return new CliError(
    `Bug in the command line: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    { exit: EXIT.fault, code: 'fault' },
  );
}

function unwritten(
  { message }: Unwritten,
  { changed = false, checkCommand = '' }: Partial<Pick<Context, 'changed' | 'checkCommand'>> = {},
): CliError {
  return new CliError(`The output could not be written: ${message}.${changed ? ' The change itself was made.' : ''}`, {
    exit: EXIT.unwritten,
    code: 'unwritten',
    ...(changed && { hint: `Check the result: prompt-registry ${checkCommand}` }),
  });
}

/** The response was JSON, but reading it failed: it lacks fields that the registry sends. */
function unexpectedResponse(error: TypeError, url: string): CliError {
  return new CliError(`${url} sent a response that this command line does not understand (${error.message}).`, {
    exit: EXIT.unavailable,
    code: 'not-understood',
    hint: 'It may be a different service, or an incompatible version of the registry. Check --url or PROMPT_REGISTRY_URL.',
    cause: error,
  });
}

function usageOf({ code, message }: CommanderError): CliError {
  if (code === 'commander.help')
    return wrongUsage('No command given.', 'Run "prompt-registry --help" to list the commands.');
  const [, command] = /^error: too many arguments for '(activate|rollback|revoke|confirm)'/u.exec(message) ?? [];
  const hint = command === undefined ? '' : `Name the pack with --pack, e.g. prompt-registry ${command} --pack coach. `;
  return wrongUsage(message.replace(/^error: /u, ''), `${hint}Run "prompt-registry <command> --help" for usage.`);
}
