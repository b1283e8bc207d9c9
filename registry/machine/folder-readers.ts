/**
 * Who else may look into the data folder?
 *
 * Problem: it holds prompts, key hashes and the secrets that sign session ids. A folder that was made by hand usually lets every user of
 * the machine in.
 * Rule: a start warns of it and says what to do. It does not change the mode: the operator may mean it.
 */
import { statSync } from 'node:fs';
import type { Logger } from './logger.ts';

/** The permissions of everybody but the owner. */
const OTHERS = 0o077;

/** Warns where others than the owner may use the folder. Windows has no such permissions, so nothing is said there. */
export function warnOfReaders(dataDir: string, logger: Logger): void {
  if (process.platform === 'win32') return;
  const mode = statSync(dataDir, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & OTHERS) === 0) return;
  logger.warn(
    { dataDir, mode: `0${(mode & 0o777).toString(8)}` },
    `Other users of this machine may read DATA_DIR ${dataDir}. It holds prompts and the secrets that sign session ids. Close it with: chmod 700 ${dataDir}`,
  );
}
