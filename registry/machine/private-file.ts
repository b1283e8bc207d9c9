/**
 * Files that only their owner can read: written under a temporary name, synced, then renamed.
 *
 * Problem: the temporary name is predictable. A link planted there would be followed, and a file left by an interrupted write would keep
 * its permissions.
 * Rule: anything under the temporary name is removed first; then the file is created (`wx`, 0600). It gets its final name only after it is
 * on disk, and the folder is synced so that a power loss cannot undo the rename.
 * Example: `snapshot.jsonl.tmp -> /etc/passwd` is unlinked; `/etc/passwd` does not change.
 */
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Creates a file that only its owner can use; removes anything that has the name. @throws the error of the operating system */
export async function createPrivate(path: string): Promise<FileHandle> {
  await rm(path, { force: true });
  return open(path, 'wx', 0o600);
}

/** The name of a private file while it is written. */
export function temporaryOf(path: string): string {
  return `${path}.tmp`;
}

/**
 * Atomically replaces a private file.
 *
 * @param write fills the file
 * @returns the open file; the caller closes it
 * @throws the error of `write` or of the operating system; the old file is then unchanged
 */
export async function replacePrivate(path: string, write: (file: FileHandle) => Promise<void>): Promise<FileHandle> {
  const temporary = temporaryOf(path);
  const file = await createPrivate(temporary);
  try {
    await write(file);
    await file.sync();
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return file;
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Atomically replaces a private file with a text. @throws the error of the operating system */
export async function writePrivate(path: string, text: string): Promise<void> {
  const file = await replacePrivate(path, (opened) => opened.writeFile(text));
  await file.close();
}

/** Makes the names in a folder survive a power loss. @throws the error of the operating system */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
