/**
 * Reads a folder and nothing outside it.
 *
 * Problem: a folder may come from a stranger (e.g. a pull request that a build publishes). A link in it can point to a private key, a pipe
 * can block a reader, a device or a huge file can fill memory.
 * Rule: links are followed if they stay in the folder. Only regular files of limited size are opened, only if their real path is inside the
 * folder's real path, without following a link and without waiting for a writer.
 * Example: `styles/direct.md -> /home/me/.ssh/id_rsa` is refused, `styles/direct.md -> ../system.md` is read.
 * Not covered: hard links look like files, and someone who changes the folder during the read can win the race.
 */
import { constants } from 'node:fs';
import { lstat, open, readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { messageOf } from '../errors.ts';

/** In bytes; prompts are far smaller. */
const MAX_FILE_SIZE = 1_048_576;

/** What is wrong with a folder or its files; one line for each fault. */
export class FolderFault extends Error {
  readonly lines: readonly string[];

  constructor(...lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** An open folder. Names are relative to it. Messages show paths as the caller wrote them. */
export class Folder {
  readonly #root: string;
  readonly #shown: string;

  private constructor(root: string, shown: string) {
    this.#root = root;
    this.#shown = shown;
  }

  /**
   * @param path the folder; may itself be a link
   * @param shown the path to show in messages
   * @throws the error of the file system
   */
  static async open(path: string, shown = path): Promise<Folder> {
    return new Folder(await realpath(path), shown);
  }

  /** The path to show in messages for something in this folder. */
  shown(name: string): string {
    return join(this.#shown, name);
  }

  /** A subfolder; reads through it are limited to it. @throws FolderFault, the error of the file system */
  async sub(name: string, shown = this.shown(name)): Promise<Folder> {
    return Folder.open(await this.#inside(name), shown);
  }

  /** The names in a subfolder, sorted. @throws FolderFault, the error of the file system */
  async names(name: string): Promise<string[]> {
    return (await readdir(await this.#inside(name))).sort();
  }

  /** @throws FolderFault, the error of the file system */
  async isFolder(name: string): Promise<boolean> {
    return (await stat(await this.#inside(name))).isDirectory();
  }

  /**
   * The text of a file, with its BOM if any.
   * @param ifMissing what to say of a file that does not exist
   * @throws FolderFault, also for errors of the file system
   */
  async text(name: string, ifMissing = 'is missing.'): Promise<string> {
    const shown = this.shown(name);
    let bytes: Buffer;
    try {
      bytes = await readRegular(await this.#inside(name), shown);
    } catch (error) {
      if (error instanceof FolderFault) throw error;
      if (await isMissing(join(this.#root, name))) throw new FolderFault(`${shown}: ${ifMissing}`);
      throw new FolderFault(`${shown}: cannot be read: ${messageOf(error)}`);
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new FolderFault(`${shown}: is not UTF-8; save it as UTF-8.`);
    }
  }

  /** The real path of something in the folder. @throws FolderFault if a link leads out of the folder */
  async #inside(name: string): Promise<string> {
    const real = await realpath(join(this.#root, name));
    if (real !== this.#root && !real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)) {
      throw new FolderFault(
        `${this.shown(name)}: is a link that leads out of the folder "${this.#shown}". Copy the file into the folder instead.`,
      );
    }
    return real;
  }
}

/** Whether there is nothing at a path; a link that leads nowhere is something. */
function isMissing(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
  );
}

/** @param path a real path */
async function readRegular(path: string, shown: string): Promise<Buffer> {
  // Checked before it is opened: opening a device can have side effects.
  if (!(await stat(path)).isFile()) throw new FolderFault(`${shown}: is not a regular file.`);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new FolderFault(`${shown}: is not a regular file.`);
    if (found.size > MAX_FILE_SIZE)
      throw new FolderFault(`${shown}: has ${found.size} bytes; the limit is ${MAX_FILE_SIZE}.`);
    return await readAtMost(file, found.size, shown);
  } finally {
    await file.close();
  }
}

/** Not `readFile`: it would keep reading while the file grows. */
async function readAtMost(file: FileHandle, size: number, shown: string): Promise<Buffer> {
  const buffer = Buffer.alloc(size + 1);
  let length = 0;
  while (length <= size) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw new FolderFault(`${shown}: grew during the read; try again when it is complete.`);
}
