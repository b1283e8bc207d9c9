/**
 * The key of the last good snapshot's MAC (`SNAPSHOT_KEY_FILE`).
 *
 * Problem: a user who can write to the data folder can change the snapshot, and could read a key in the same folder.
 * Rule: the key is outside the data folder, has at least 32 bytes, and only its owner may read it. A file of another user, as systemd and
 * Kubernetes mount secrets, may also be readable by its group, because this process reads it by that. Anything else refuses the start, so
 * that nobody relies on a protection that does not work.
 * Example: `openssl rand -hex 32 > /etc/prompt-registry/snapshot.key` with mode 0400.
 */
import { realpathSync } from 'node:fs';
import { relative, sep, isAbsolute } from 'node:path';
import { messageOf, StartRefused } from '../errors.ts';
import { SHORTEST_KEY, type SealKey } from './seal.ts';
import { readSecretFile, type SecretFile } from './secret-file.ts';

/** The largest file that is read, in bytes: a larger one is not a key file. */
const LONGEST_KEY = 4096;

/**
 * Reads the key. A line end after it is not part of it.
 *
 * @param dataDir the folder that must not hold it
 * @throws StartRefused (78) with what is wrong with the file and how to fix it
 */
export function readSnapshotKey(path: string, dataDir: string): SealKey {
  const refused = (what: string, cause?: unknown) =>
    new StartRefused(
      78,
      `SNAPSHOT_KEY_FILE "${path}" ${what} Make one with: umask 077; openssl rand -hex 32 > FILE, in a folder outside DATA_DIR.`,
      { cause },
    );
  let file: SecretFile;
  try {
    file = readSecretFile(path, LONGEST_KEY);
  } catch (cause) {
    throw refused(`${messageOf(cause)}.`, cause);
  }
  const { bytes, mode, own } = file;
  if (process.platform !== 'win32' && (mode & (own ? 0o077 : 0o037)) !== 0)
    throw refused(`can be read by other users (mode 0${mode.toString(8)}). Fix it with: chmod 400 ${path}.`);
  if (isInside(path, dataDir))
    throw refused(`is inside DATA_DIR ${dataDir}: a user who can change the snapshot there could read the key too.`);
  const key = withoutLineEnd(bytes);
  if (key.length < SHORTEST_KEY) throw refused(`holds ${key.length} bytes; a key has at least ${SHORTEST_KEY}.`);
  return key;
}

/** Follows links: the real location of the file counts. */
function isInside(path: string, folder: string): boolean {
  const way = relative(realOr(folder), realpathSync(path));
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function realOr(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder; // the folder does not exist yet, so nothing is in it
  }
}

function withoutLineEnd(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return bytes.subarray(0, end);
}
