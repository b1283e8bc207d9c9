/**
 * One name for one database file.
 *
 * Problem: the lock and the write-ahead log lie beside the database, under its name. Through a hard link, or a bind mount of the file
 * alone, a second server finds neither: both write, and each loses what the other has acknowledged
 * (https://sqlite.org/howtocorrupt.html, section 2.4).
 * Rule: the database and the files that SQLite keeps beside it each have one link and are no mount points. A folder may be mounted as
 * often as one likes: the lock in it is one file, and the operating system knows it by its inode.
 * Example: `docker run -v /srv/registry.db:/data/registry.db` is refused; `-v /srv/registry:/data` is right.
 */
import { lstatSync, readFileSync, type Stats } from 'node:fs';
import { StartRefused } from '../../errors.ts';

/** What SQLite keeps beside a database (https://sqlite.org/tempfiles.html). */
const BESIDE = ['-wal', '-shm', '-journal'];

/**
 * Checks that no other name leads to the database, nor to a file that SQLite keeps beside it.
 * @param file the database's real path
 * @throws StartRefused (78) that names the file and the other way to it
 */
export function requireOneName(file: string): void {
  const mounts = mountPoints();
  for (const suffix of ['', ...BESIDE]) {
    const path = `${file}${suffix}`;
    const found = lstatSync(path, { throwIfNoEntry: false });
    const why = found && secondName(path, found, mounts);
    if (why !== undefined)
      throw new StartRefused(
        78,
        `The registry database ${file} cannot be used: ${why} Another server could open the same file there and would not meet this server's lock.`,
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
