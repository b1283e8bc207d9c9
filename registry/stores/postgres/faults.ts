/**
 * What a failure means: was the statement sent, and who has to act?
 *
 * Problem: a commit whose response was lost has usually happened. If it were reported as a refusal, the caller would write it twice.
 * Rule: `NotSent` is only thrown before the first byte of a statement reaches the driver. `RolledBack` is only thrown if the server reported
 * an error and is ready for the next statement
 * (https://www.postgresql.org/docs/current/protocol-flow.html: a FATAL error ends the connection, and may replace a response). Its severity
 * would say the same, but in the server's language. After anything else the outcome is unknown.
 */
import { messageOf, RegistryError } from '../../errors.ts';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const CODES = Object.freeze({
  undefinedTable: '42P01',
  undefinedColumn: '42703',
  duplicateTable: '42P07',
  unknownStatement: '26000',
  changedResult: '0A000',
});

/** There was no connection, so nothing was sent. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** A call reached its time limit. */
export class TimeLimit extends Error {
  override readonly name = 'TimeLimit';

  constructor() {
    super('it did not answer in time');
  }
}

/** The server has reported that the statement failed, and rolled it back completely. It has no cause: the driver's error holds values. */
export class RolledBack extends Error {
  override readonly name = 'RolledBack';
  /** SQLSTATE. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

/** Whether the server has reported that the statement failed and was rolled back completely. */
export function isRolledBack(thrown: unknown): boolean {
  return thrown instanceof RolledBack;
}

/** Whether the connection's prepared statements are lost or outdated: the error says that a call failed, and the next one would fail too. */
export function isOutdated(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === CODES.unknownStatement || code === CODES.changedResult;
}

/** The server's code of an error (SQLSTATE), or the driver's. */
export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** The error of a call that failed; the caller may retry. */
export function unavailable(shown: string, cause: unknown): RegistryError {
  return new RegistryError(
    'store-unavailable',
    `The registry database ${shown} cannot be used: ${messageOf(cause)}.`,
    {},
    { cause: plain(cause) },
  );
}

/** Drops everything but message and code: the driver's errors carry the statement's values, and the server's the failing row, with prompts and secrets. */
function plain(cause: unknown): Error {
  const code = codeOf(cause);
  return Object.assign(new Error(messageOf(cause)), code === undefined ? {} : { code });
}
