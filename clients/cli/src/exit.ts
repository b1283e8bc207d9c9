/** How a command ends: its exit code, and an error that people and programs can act on. */

/** Stable; scripts depend on them. */
export const EXIT = {
  ok: 0,
  /** The registry refused it, or you did when asked. */
  refused: 1,
  /** The command line is wrong, or nobody is there to answer a question. */
  usage: 2,
  /** No answer, one that is no registry's, or one that says to try again later. */
  unavailable: 3,
  /** No key, a wrong one, or one that may not do this. */
  key: 4,
  /** What was checked is not right: a folder, the log. */
  invalid: 5,
  /** A fault of the command line itself. */
  fault: 70,
  /** The answer could not be written: a full disk. */
  unwritten: 74,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `Exit codes:
  0    done
  1    the registry refused it, or you answered no
  2    wrong usage; also where a question must be asked and there is no terminal
  3    no answer, none of a registry, or one that says to try again later (429, 503)
  4    no key, a wrong one, or one without the scope that is needed
  5    what was checked is not right: validate, publish, audit verify
  70   a fault of the command line itself
  74   the answer could not be written (a full disk); a change was made all the same
  130  interrupted (Ctrl-C); the usual end of watch`;

export interface ComplaintDetails {
  readonly exit: ExitCode;
  /** Stable; for programs. */
  readonly code: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** More for programs, as it came. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Why a command could not do what was asked. */
export class Complaint extends Error {
  override readonly name = 'Complaint';
  readonly exit: ExitCode;
  readonly code: string;
  readonly hint: string | undefined;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(message: string, { exit, code, hint, members = {}, cause }: ComplaintDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.exit = exit;
    this.code = code;
    this.hint = hint;
    this.members = members;
  }
}

/** The command line is wrong. */
export function wrongUsage(message: string, hint?: string): Complaint {
  return new Complaint(message, { exit: EXIT.usage, code: 'wrong-usage', hint });
}
