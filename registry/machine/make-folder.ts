/**
 * Creates a folder and its parents.
 *
 * Problem: `mkdir` with `recursive` never returns if a parent exists but accepts no folders (Linux: `/proc`).
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Creates a folder if it does not exist.
 * @param mode permissions. Default: only the owner
 * @returns the topmost folder that was created; undefined if the folder exists
 * @throws the error of the operating system
 */
export function makeFolder(path: string, mode = 0o700): string | undefined {
  const folder = resolve(path);
  if (isFolder(folder)) return undefined;
  const highest = makeFolder(dirname(folder), mode);
  try {
    mkdirSync(folder, { mode });
    return highest ?? folder;
  } catch (error) {
    if (isFolder(folder)) return highest; // another process was first
    throw error;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // `mkdir` will report the reason
  }
}
