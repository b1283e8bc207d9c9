/**
 * The path of the database: one path for one file, whatever name was configured.
 *
 * Problem: the same file through a symlink or a relative path must meet the same lock. With the usual umask everybody can read a new
 * file. SQLite silently opens a file that it may not write, and fails at the first write.
 * Rule: everything that a person has to repair is found before SQLite opens anything, and is reported with its path. A file that has a
 * second name (`names.ts`) is refused.
 * Example: `data/registry.db` becomes `/srv/registry/data/registry.db`. If it is missing, an empty file is created with mode 0600.
 */
import { accessSync, closeSync, constants, fsyncSync, lstatSync, openSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { messageOf, StartRefused } from '../../errors.ts';
import { makeFolder } from '../../machine/make-folder.ts';
import { requireOneName } from './names.ts';

/**
 * Returns the file's real, absolute path. Missing parent folders (0700) and a missing file (0600, empty) are created and synced, so
 * they survive a loss of power. Modes of existing files and folders do not change.
 * @throws StartRefused (78) if there cannot be a database
 */
export function prepareDatabaseFile(file: string): string {
  if (typeof file !== 'string')
    throw new StartRefused(
      78,
      `The registry database has no path. Pass one: openSqliteStore({ file: './data/registry.db' }).`,
    );
  if (basename(file) === ':memory:')
    throw new StartRefused(
      78,
      `The registry database ${file} would be a file of that name. Name another file, or use the in-memory store (STORE_URL=memory:, or new MemoryStore()).`,
    );
  // eslint-disable-next-line no-control-regex -- these are what it looks for
  if (file === '' || /[\u0000-\u001f\u007f]|^\s|\s$/.test(file)) {
    throw new StartRefused(
      78,
      `${JSON.stringify(file)} is not a valid path for a registry database: it is empty, begins or ends with a space, or contains a control character.`,
    );
  }
  if (/[/\\]\.{0,2}$/.test(file))
    throw new StartRefused(
      78,
      `The registry database ${file} names a folder. Name a file in it, such as ${join(file, 'registry.db')}.`,
    );

  const folder = prepareFolder(dirname(resolve(file)));
  const path = realFile(join(folder, basename(file)));
  requireAccess(dirname(path), constants.R_OK | constants.W_OK | constants.X_OK, path);
  requireAccess(path, constants.R_OK | constants.W_OK, path);
  requireOneName(path);
  return path;
}

function prepareFolder(folder: string): string {
  try {
    const firstMade = makeFolder(folder);
    if (firstMade !== undefined)
      for (let made = folder; ; made = dirname(made)) {
        syncFolder(dirname(made));
        if (made === firstMade) break;
      }
    return realpathSync(folder);
  } catch (cause) {
    throw new StartRefused(
      78,
      `The folder ${folder} of the registry database cannot be created or read (${messageOf(cause)}). It must be a folder that this user can read and write, or a path where this user can create one.`,
      { cause },
    );
  }
}

function realFile(path: string): string {
  try {
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there === undefined) makeEmpty(path);
    const real = realpathSync(path);
    const found = statSync(real);
    if (found.isFile()) return real;
    const what = found.isDirectory() ? 'a folder' : 'not a regular file';
    throw new StartRefused(
      78,
      `The registry database ${path} is ${what}. Name a file, such as ${join(path, 'registry.db')}.`,
    );
  } catch (cause) {
    if (cause instanceof StartRefused) throw cause;
    throw new StartRefused(
      78,
      `The registry database ${path} cannot be created or read (${messageOf(cause)}). It must be a file in a folder that this user can write to.`,
      { cause },
    );
  }
}

/**
 * Only ever opens a file that did not exist: closing a descriptor of a database releases every lock that this process holds on
 * it (https://sqlite.org/howtocorrupt.html, section 2.2).
 */
function makeEmpty(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause; // another process was quicker
  }
  syncFolder(dirname(path));
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function requireAccess(path: string, mode: number, database: string): void {
  try {
    accessSync(path, mode);
  } catch (cause) {
    throw new StartRefused(
      78,
      `The registry database ${database} cannot be used: ${messageOf(cause)}. This user must be able to read and write ${path}.`,
      { cause },
    );
  }
}
