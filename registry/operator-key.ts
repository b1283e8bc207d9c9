/**
 * The operator key on disk: `DATA_DIR/operator.key`, the token and a newline, for its owner's eyes only.
 *
 * Problem: somebody must hold the first key, and it must never stand in a log or on a screen.
 * Rule: written to a temporary file that is synced and then renamed, so that it is there as a whole before the key works.
 */
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, StartRefused } from './errors.ts';
import type { OperatorKeyFile } from './first-start.ts';

/** Where the operator key lies. */
export function operatorKeyPath(dataDir: string): string {
  return join(dataDir, 'operator.key');
}

/** @param dataDir an existing folder that only this process's user may read */
export function operatorKeyFile(dataDir: string): OperatorKeyFile {
  const path = operatorKeyPath(dataDir);
  return {
    async write(token) {
      const temporary = `${path}.tmp`;
      try {
        await rm(temporary, { force: true }); // what an interrupted write left behind would keep its own mode, and a link would be followed
        const file = await open(temporary, 'wx', 0o600);
        try {
          await file.writeFile(`${token}\n`);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
        await syncFolder(dataDir);
      } catch (error) {
        throw new StartRefused(78, `The operator key cannot be written to ${path}: ${messageOf(error)}. DATA_DIR must be a folder that this process may write to.`, { cause: error });
      }
    },
    remove: () => rm(path, { force: true }),
  };
}

/** A loss of power must not take the new name away: the key that it names is in the log by then. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
