/**
 * The operator key on disk: `DATA_DIR/operator.key`, the token and a newline, for its owner's eyes only.
 *
 * Problem: somebody must hold the first key, and it must never stand in a log or on a screen. A key that does not get into the log must
 * not take the place of one that works.
 * Rule: a token waits in a private file of its own (`private-file.ts`), synced, before its event is appended. It takes its place, by a
 * rename, once the event is in the log. What a process leaves behind that dies in between, the next one settles by the log.
 * Example: `operator.key.new` is there, revision 9 makes its key, `operator.key.new` becomes `operator.key`.
 */
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, StartRefused } from '../errors.ts';

import { syncFolder, writePrivate } from '../machine/private-file.ts';

/** Where the operator key lies. */
export function operatorKeyPath(dataDir: string): string {
  return join(dataDir, 'operator.key');
}

/** @param dataDir an existing folder that only this process's user may read */
export function operatorKeyFile(dataDir: string): OperatorKeyFile {
  const path = operatorKeyPath(dataDir);
  const waiting = `${path}.new`;
  return {
    async write(token) {
      try {
        if (await isFolder(path)) throw new Error('a folder is in its place'); // the rename would fail once the key is in the log
        await writePrivate(waiting, `${token}\n`);
      } catch (error) {
        throw new StartRefused(
          78,
          `The operator key cannot be written to ${path}: ${messageOf(error)}. DATA_DIR must be a folder that this process may write to.`,
          { cause: error },
        );
      }
    },
    async settle(isInLog) {
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
          `The operator key cannot be moved to ${path}: ${messageOf(error)}. It is in ${waiting}. Move it by hand, or put right what is wrong and start the service.`,
          { cause: error },
        );
      }
    },
  };
}

/** The text of a file of ours, without its line end; undefined where there is none. */
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

/** Where the operator finds the key that can do everything. */
export interface OperatorKeyFile {
  /** Keeps the token aside, durably, for its owner's eyes only. The key that lies there stays as it is. @throws StartRefused (78) */
  write(token: string): Promise<void>;
  /**
   * Ends what `write` began, in this process or in one that died: the token takes its place where its key is in the log; else it is taken away.
   * @returns whether a token took its place
   * @throws StartRefused (78)
   */
  settle(isInLog: (token: string) => boolean): Promise<boolean>;
}
