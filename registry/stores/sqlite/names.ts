/**
 * One name for one database file.
 *
 * Problem: the lock and the write-ahead log are files next to the database, named after it. A second server that opens the database by a
 * hard link, or by a bind mount of the file alone, finds neither. Both write, and each loses what the other has acknowledged
 * (https://sqlite.org/howtocorrupt.html, section 2.4).
 * Rule: the database and the files that SQLite keeps next to it each have one link and are not mount points. A folder may be mounted as
 * often as needed: the lock in it is one file, and the operating system knows it by its inode.
 * Example: `docker run -v /srv/registry.db:/data/registry.db` is refused; `-v /srv/registry:/data` is accepted.
 */
import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { StartRefused } from '../../errors.ts';

/** What SQLite keeps next to a database (https://sqlite.org/tempfiles.html). */
const COMPANIONS = ['-wal', '-shm', '-journal'];

/**
 * Checks that the database, and each file that SQLite keeps next to it, has only one name.
 * @param file the database's real path
 * @throws StartRefused (78) that names the file and the other way to it
 */
export function requireOneName(file: string): void {
  const mounts = mountPoints();
  for (const suffix of ['', ...COMPANIONS]) {
    const path = `${file}${suffix}`;
    const found = lstatSync(path, { throwIfNoEntry: false });
    const why = found && secondName(path, found, mounts);
    if (why !== undefined)
      throw new StartRefused(
        78,
        `The registry database ${file} cannot be used: ${why} Another server could open the same file by its other name, and this server's lock would not stop it.`,
      );
  }
}

function secondName(path: string, found: Stats, mounts: ReadonlySet<string>): string | undefined {
  if (found.isSymbolicLink())
    return `${path} is a symbolic link. Remove the link; put the file itself there if it belongs to this database.`;
  if (found.nlink > 1)
    return `${path} has ${found.nlink} hard links. Stop every server that uses it, then remove the other links, or copy the file and use the copy.`;
  if (mounts.has(path)) return `${path} is a mount point. Mount the folder that holds the file instead.`;
  return undefined;
}

/** Where something is mounted, as this process sees it; empty where the operating system does not list it. */
function mountPoints(): ReadonlySet<string> {
  try {
    const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    return new Set(lines.map((line) => unescaped(line.split(' ')[4] ?? '')));
  } catch {
    return new Set();
  }
}

/** Blanks, tabs, line ends and backslashes stand there as octal numbers (proc(5), proc_pid_mountinfo(5)). */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/gu, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
