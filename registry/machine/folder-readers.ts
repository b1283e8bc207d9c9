/**
 * Warns if other users can read the data folder.
 *
 * Problem: the folder holds prompts, key hashes and the secrets that sign session ids. A folder that was created by hand is usually
 * readable by every user of the machine.
 * Rule: a start warns and says how to fix it. It does not change the permissions, because they may be intended.
 */
import { statSync } from 'node:fs';
import type { Logger } from './logger.ts';

/** All permissions of group and others. */
const OTHERS = 0o077;

/** Does nothing on Windows, which has no such permissions. */
export function warnOfReaders(dataDir: string, logger: Logger): void {
  if (process.platform === 'win32') return;
  const mode = statSync(dataDir, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & OTHERS) === 0) return;
  logger.warn(
    { dataDir, mode: `0${(mode & 0o777).toString(8)}` },
    `Other users of this machine can read DATA_DIR ${dataDir}. It holds prompts and the secrets that sign session ids. Restrict it with: chmod 700 ${dataDir}`,
  );
}
