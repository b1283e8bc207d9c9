/**
 * What SQLite's result codes (https://sqlite.org/rescode.html) mean for the registry, and who has to act.
 */
import { messageOf, RegistryError, StartRefused, StoreDamaged } from '../../errors.ts';

export const SQLITE = Object.freeze({
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  NOMEM: 7,
  READONLY: 8,
  INTERRUPT: 9,
  IOERR: 10,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  CONSTRAINT: 19,
  AUTH: 23,
  NOTADB: 26,
});

/** The file cannot be used at the moment; these codes say nothing about its content. */
const NO_ACCESS: ReadonlySet<number> = new Set([
  SQLITE.PERM,
  SQLITE.BUSY,
  SQLITE.LOCKED,
  SQLITE.NOMEM,
  SQLITE.READONLY,
  SQLITE.INTERRUPT,
  SQLITE.IOERR,
  SQLITE.FULL,
  SQLITE.CANTOPEN,
  SQLITE.PROTOCOL,
  SQLITE.AUTH,
]);
/** The file ends where a page should be. */
const SHORT_READ = 522;

/** The primary result code of what `node:sqlite` threw, undefined for anything else. */
export function resultCode(thrown: unknown): number | undefined {
  const code = thrown instanceof Error && 'errcode' in thrown ? thrown.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : undefined;
}

/**
 * Whether an error means that the file is damaged. Our statements are valid for an intact file, so every error that is not about access
 * means damage: an unreadable page, a table missing from the schema, a value that is not a number.
 */
function isDamage(thrown: unknown): boolean {
  const code = resultCode(thrown);
  if (code === undefined) return thrown instanceof Error && !('errno' in thrown); // else the operating system's word
  return (
    (thrown as { readonly errcode: number }).errcode === SHORT_READ ||
    !(NO_ACCESS.has(code) || code === SQLITE.CONSTRAINT)
  );
}

function damaged(file: string, cause: unknown): string {
  return `The registry database ${file} is damaged (${messageOf(cause)}). Keep a copy, and restore it from a backup.`;
}

/** The error of a call that failed: StoreDamaged if the file is damaged; after anything else the caller may retry. */
export function unavailable(file: string, cause: unknown): RegistryError {
  if (cause instanceof StartRefused)
    return cause.exitCode === 65
      ? new StoreDamaged(cause.message, {}, { cause })
      : new RegistryError('store-unavailable', cause.message, {}, { cause });
  if (isDamage(cause)) return new StoreDamaged(damaged(file, cause), {}, { cause });
  const why = resultCode(cause) === SQLITE.FULL ? 'the disk is full' : messageOf(cause);
  return new RegistryError('store-unavailable', `The registry database ${file} cannot be used: ${why}.`, {}, { cause });
}

/**
 * The error of an opening that failed: StartRefused if a person has to fix something, `store-unavailable` if it may pass
 * (a full disk, another program's lock).
 */
export function openFault(file: string, cause: unknown): StartRefused | RegistryError {
  if (cause instanceof StartRefused || cause instanceof RegistryError) return cause;
  switch (resultCode(cause)) {
    case SQLITE.NOTADB:
      return new StartRefused(
        65,
        `${file} is not a SQLite database. It was not changed. Name another file, or move this one away and restore the database from a backup.`,
        { cause },
      );
    case SQLITE.PERM:
    case SQLITE.READONLY:
    case SQLITE.CANTOPEN:
      return new StartRefused(
        78,
        `The registry database ${file} cannot be opened for writing (${messageOf(cause)}). This user must be able to read and write the file and its folder.`,
        { cause },
      );
    default:
      return isDamage(cause) ? new StartRefused(65, damaged(file, cause), { cause }) : unavailable(file, cause);
  }
}

/** The error of a copy that failed: of the database, or of the place where the copy was written. */
export function copyFault(file: string, cause: unknown): StartRefused | RegistryError {
  if (isDamage(cause)) return new StartRefused(65, damaged(file, cause), { cause });
  const why = resultCode(cause) === SQLITE.FULL ? 'the disk of the copy is full' : messageOf(cause);
  return new RegistryError(
    'store-unavailable',
    `The registry database ${file} could not be copied: ${why}.`,
    {},
    { cause },
  );
}
