/**
 * Makes a folder, with those above it.
 *
 * Problem: node's own way (`mkdir` with `recursive`) tries for ever where a parent is there and takes no folders (Linux: `/proc`).
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder that its owner alone may use, if there is none.
 * @returns the highest folder that was made; undefined where it was there already
 * @throws the error of the operating system
 */
export function makeFolder(path: string): string | undefined {
  const folder = resolve(path);
  if (isFolder(folder)) return undefined;
  const highest = makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
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
