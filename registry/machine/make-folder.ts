/**
 * Makes a folder, with those above it.
 *
 * Problem: node's own way (`mkdir` with `recursive`) tries for ever where a parent is there and takes no folders (Linux: `/proc`).
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder, if there is none.
 * @param mode who may use it: its owner alone where not given
 * @returns the highest folder that was made; undefined where it was there already
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
    return false; // what cannot be looked at is made, or says why not
  }
}
