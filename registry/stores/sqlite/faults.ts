/**
 * What SQLite's result codes (https://sqlite.org/rescode.html) mean to us: who has to do what.
 */
import { messageOf, RegistryError, StartRefused } from '../../errors.ts';

export const SQLITE = Object.freeze({ PERM: 3, BUSY: 5, READONLY: 8, CORRUPT: 11, FULL: 13, CANTOPEN: 14, CONSTRAINT: 19, NOTADB: 26 });

/** The primary result code of what `node:sqlite` threw, undefined for anything else. */
export function resultCode(thrown: unknown): number | undefined {
  const code = thrown instanceof Error && 'errcode' in thrown ? thrown.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/** A call that could not be served; whoever asked may try again. */
export function unavailable(file: string, cause: unknown): RegistryError {
  const why = resultCode(cause) === SQLITE.FULL ? 'the disk is full' : messageOf(cause);
  return new RegistryError('store-unavailable', `The registry database ${file} cannot be used: ${why}.`, {}, { cause });
}

/**
 * What a failure to open comes down to: a refusal to start where a person has to put something right, `store-unavailable`
 * where it may pass (a full disk, another program's lock).
 */
export function openFault(file: string, cause: unknown): StartRefused | RegistryError {
  if (cause instanceof StartRefused || cause instanceof RegistryError) return cause;
  switch (resultCode(cause)) {
    case SQLITE.NOTADB:
      return new StartRefused(
        65,
        `${file} is not a SQLite database. It is left as it is. Name another file, or move this one away and restore the database from a backup.`,
        { cause },
      );
    case SQLITE.CORRUPT:
      return new StartRefused(65, `The registry database ${file} is damaged (${messageOf(cause)}). Keep a copy, and restore it from a backup.`, { cause });
    case SQLITE.PERM:
    case SQLITE.READONLY:
    case SQLITE.CANTOPEN:
      return new StartRefused(
        78,
        `The registry database ${file} cannot be opened for writing (${messageOf(cause)}). This user must be able to read and write the file and its folder.`,
        { cause },
      );
    default:
      return unavailable(file, cause);
  }
}
