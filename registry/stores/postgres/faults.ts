/**
 * What a failure means: was anything sent, and who has to do what.
 *
 * Problem: a commit whose answer was lost has happened most of the time. Told as a refusal, it would be made twice.
 * Rule: `NotSent` is thrown before the first byte of a statement is given to the driver, and by nobody else. An error of severity
 * ERROR is the server's own word that the statement was rolled back
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html: FATAL ends the connection, and may come in place of an
 * answer). After anything else the outcome is unknown.
 */
import { messageOf, RegistryError } from '../../errors.ts';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const CODES = Object.freeze({ undefinedTable: '42P01', undefinedColumn: '42703', duplicateTable: '42P07' });

/** There was no connection to send on. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** The time limit of a call. */
export class TimeLimit extends Error {
  override readonly name = 'TimeLimit';

  constructor() {
    super('it did not answer in time');
  }
}

/** Whether the server has said that the statement failed, and was rolled back as a whole. */
export function isRolledBack(thrown: unknown): boolean {
  return thrown instanceof Error && 'severity' in thrown && thrown.severity === 'ERROR';
}

/** The server's code of an error (SQLSTATE), or the driver's. */
export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** A call that could not be served; whoever asked may try again. */
export function unavailable(shown: string, cause: unknown): RegistryError {
  return new RegistryError(
    'store-unavailable',
    `The registry database ${shown} cannot be used: ${messageOf(cause)}.`,
    {},
    { cause: plain(cause) },
  );
}

/** The driver's errors carry the statement's values, and the server's the failing row: prompts and secrets. Those stay here. */
function plain(cause: unknown): Error {
  const code = codeOf(cause);
  return Object.assign(new Error(messageOf(cause)), code === undefined ? {} : { code });
}
