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
  for (const stream of [process.stdout, process.stderr]) {
    // Whoever read it has seen enough.
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? (process.exitCode ?? EXIT.ok) : EXIT.fault));
  }
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  const { stdin, stdout, stderr, env } = process;
  const exit = await run(process.argv.slice(2), { stdin, stdout, stderr, env, cwd: process.cwd(), interrupted: interruption.signal });
  process.exitCode = exit;
  if (exit === EXIT.interrupted) process.exit(exit); // what was under way is given up
}

/** Runs a command line. Throws nothing. @param args without the program's name */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  let context: Context | undefined;
  let exit: ExitCode = EXIT.ok;
  const act: Act = <O, A extends readonly (string | undefined)[]>(handler: Handler<O, A>) => async (...given: unknown[]) => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals<CommonOptions>();
    context = new Context(io, new Output(io, { json: options.json === true, color: options.color }), options);
    exit = (await handler(context, command.opts() as O, ...(command.processedArgs as unknown as A))) ?? EXIT.ok;
  };
  const program = buildProgram(act);
  quiet(program, io);
  try {
    await orInterrupted(program.parseAsync(args, { from: 'user' }), io.interrupted);
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    if (error instanceof CommanderError && error.code === 'commander.help' && !args.includes('--json')) {
      io.stderr.write(helpFor(program, args));
      return EXIT.usage;
    }
    const out = context?.out ?? new Output(io, { json: args.includes('--json'), color: !args.includes('--no-color') });
    const complaint = asComplaint(error, context);
    if (complaint.exit !== EXIT.interrupted || context?.sending === true) out.complain(complaint);
    return complaint.exit;
  }
}

/** The help of the command that was named without saying what it should do. */
function helpFor(program: Command, args: readonly string[]): string {
  return (program.commands.find((each) => each.commands.length > 0 && args.includes(each.name())) ?? program).helpInformation();
}

/** Commander says nothing by itself and ends nothing by itself, but for help. */
function quiet(command: Command, io: Io): void {
  command.exitOverride().configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => undefined });
  for (const each of command.commands) quiet(each, io);
}

async function orInterrupted(work: Promise<unknown>, interrupted: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const interruption = new Promise<never>((_, reject) => {
    interrupted.addEventListener('abort', () => reject(new Complaint('Interrupted.', { exit: EXIT.interrupted, code: 'interrupted' })), { signal: stop.signal });
  });
  try {
    await Promise.race([work, interruption]);
  } finally {
    stop.abort();
  }
}

function asComplaint(error: unknown, context: Context | undefined): Complaint {
  if (error instanceof Complaint) {
    if (error.exit !== EXIT.interrupted || context?.sending !== true) return error;
    return new Complaint('Interrupted while a change was under way: it may have been made or not.', { exit: EXIT.interrupted, code: 'interrupted', hint: 'Look before you repeat it: prompt-registry status' });
  }
  if (error instanceof RegistryFailure) return complaintOf(error, context?.where);
  if (error instanceof CommanderError) return usageOf(error);
  if (error instanceof TypeError && context?.where !== undefined) return notUnderstood(error, context.where.url);
  return new Complaint(`This is a fault of the command line: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, { exit: EXIT.fault, code: 'fault' });
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
