/** Exit codes, and errors that people and programs can act on. */

/** Stable: scripts depend on these. */
export const EXIT = {
  ok: 0,
  /** The registry refused it, or you answered no. */
  refused: 1,
  /** Invalid usage, or a question with no terminal to ask it on. */
  usage: 2,
  /** No response from a registry, or one that says to try again later. */
  unavailable: 3,
  /** The key is missing, invalid or lacks a scope. */
  key: 4,
  /** A check failed: a folder or the log is invalid. */
  invalid: 5,
  /** A bug in the command line. */
  fault: 70,
  /** The output could not be written, e.g. the disk is full. */
  unwritten: 74,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `Exit codes:
  0    success
  1    refused by the registry, or you answered no
  2    invalid usage, or a question with no terminal to ask it on
  3    no response from a registry, or it said to try again later (429, 503)
  4    the key is missing, invalid or lacks a scope
  5    a check failed: validate, publish, audit verify
  70   bug in the command line
  74   the output could not be written (disk full); any change was still made
  130  interrupted (Ctrl-C); the normal end of watch`;

export interface CliErrorOptions {
  readonly exit: ExitCode;
  /** Stable, for programs. */
  readonly code: string;
  /** How to fix it. */
  readonly hint?: string | undefined;
  /** Further JSON members, for programs. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Why a command failed. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: ExitCode;
  readonly code: string;
  readonly hint: string | undefined;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(message: string, { exit, code, hint, members = {}, cause }: CliErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.exit = exit;
    this.code = code;
    this.hint = hint;
    this.members = members;
  }
}

/** An error for invalid usage. */
export function wrongUsage(message: string, hint?: string): CliError {
  return new CliError(message, { exit: EXIT.usage, code: 'wrong-usage', hint });
}
