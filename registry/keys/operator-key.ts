/**
 * The operator key on disk: `DATA_DIR/operator.key` holds the token and a newline, readable by its owner only.
 *
 * Problem: the operator needs the first key, and it must never appear in logs or on a screen. A key that does not reach the log must not
 * replace one that works.
 * Rule: the token is first written and synced to a private file (`private-file.ts`). Then its event is appended. Once the event is in the
 * log, a rename puts the file in place. If the process dies in between, the next start checks the log and finishes the job.
 * Example: `operator.key.new` exists, revision 9 creates its key, `operator.key.new` becomes `operator.key`.
 */
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, StartRefused } from '../errors.ts';
import { syncFolder, writePrivate } from '../machine/private-file.ts';

export function operatorKeyPath(dataDir: string): string {
  return join(dataDir, 'operator.key');
}

/** @param dataDir an existing folder that only this process's user can read */
export function operatorKeyFile(dataDir: string): OperatorKeyFile {
  const path = operatorKeyPath(dataDir);
  const waiting = `${path}.new`;
  return {
    async write(token) {
      try {
        if (await isFolder(path)) throw new Error('it is a folder'); // the rename would fail after the key is in the log
        await writePrivate(waiting, `${token}\n`);
      } catch (error) {
        throw new StartRefused(
          78,
          `The operator key cannot be written to ${path}: ${messageOf(error)}. DATA_DIR must be a folder that this process can write to.`,
          { cause: error },
        );
      }
    },
    async finishWrite(isInLog) {
      try {
        const token = await tokenIn(waiting);
        if (token === undefined) return false;
        if (!isInLog(token)) {
          await rm(waiting, { force: true });
          return false;
        }
        await rename(waiting, path);
        await syncFolder(dataDir);
        return true;
      } catch (error) {
        throw new StartRefused(
          78,
          `The operator key cannot be moved to ${path}: ${messageOf(error)}. It is in ${waiting}. Move it by hand, or fix the problem and start the service again.`,
          { cause: error },
        );
      }
    },
  };
}

/** The text of a key file without its line end; undefined if the file is missing. */
async function tokenIn(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trimEnd();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Where the operator finds the key with all scopes. */
export interface OperatorKeyFile {
  /** Writes the token to a file next to the current one, durably and privately. The current key does not change. @throws StartRefused (78) */
  write(token: string): Promise<void>;
  /**
   * Finishes a `write` of this process or of one that died: puts the token in place if its key is in the log, else removes it.
   * @returns whether it put a token in place
   * @throws StartRefused (78)
   */
  finishWrite(isInLog: (token: string) => boolean): Promise<boolean>;
}
