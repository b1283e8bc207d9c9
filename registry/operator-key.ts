/**
 * The operator key on disk: `DATA_DIR/operator.key`, the token and a newline, for its owner's eyes only.
 *
 * Problem: somebody must hold the first key, and it must never stand in a log or on a screen.
 * Rule: written as a private file (`private-file.ts`), so that it is there as a whole before the key works.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, StartRefused } from './errors.ts';
import type { OperatorKeyFile } from './first-start.ts';
import { writePrivate } from './private-file.ts';

/** Where the operator key lies. */
export function operatorKeyPath(dataDir: string): string {
  return join(dataDir, 'operator.key');
}

/** @param dataDir an existing folder that only this process's user may read */
export function operatorKeyFile(dataDir: string): OperatorKeyFile {
  const path = operatorKeyPath(dataDir);
  return {
    async write(token) {
      try {
        await writePrivate(path, `${token}\n`);
      } catch (error) {
        throw new StartRefused(78, `The operator key cannot be written to ${path}: ${messageOf(error)}. DATA_DIR must be a folder that this process may write to.`, { cause: error });
      }
    },
    remove: () => rm(path, { force: true }),
  };
}
