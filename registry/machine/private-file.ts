/**
 * Files for their owner's eyes only: written aside, synced, then renamed.
 *
 * Problem: the name of a temporary file is known before it is written. A link that somebody put there would be followed, and what an
 * interrupted write left behind would keep its own mode.
 * Rule: whatever has the temporary name is removed first; the file is then made anew (`wx`, 0600). The new file takes its name only after
 * it is on the disk, and the folder is synced so that a loss of power cannot undo the rename.
 * Example: `snapshot.jsonl.tmp -> /etc/passwd` is unlinked; `/etc/passwd` stays as it was.
 */
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes a file that only its owner may use, in the place of whatever has the name. @throws the error of the operating system */
export async function createPrivate(path: string): Promise<FileHandle> {
  await rm(path, { force: true });
  return open(path, 'wx', 0o600);
}

/** The name under which a private file is written before it takes its own. */
export function temporaryOf(path: string): string {
  return `${path}.tmp`;
}

/**
 * Puts a private file in the place of another, whole or not at all.
 *
 * @param write fills the file
 * @returns the open file, which is the caller's to close
 * @throws what `write` throws; the error of the operating system. The file that was there before is then as it was
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

/** As `replacePrivate`, for a text at hand. @throws the error of the operating system */
export async function writePrivate(path: string, text: string): Promise<void> {
  const file = await replacePrivate(path, (opened) => opened.writeFile(text));
  await file.close();
}

/** Makes the names in a folder outlive a loss of power. @throws the error of the operating system */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
