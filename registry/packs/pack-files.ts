/**
 * Reading a folder and nothing outside it.
 *
 * Problem: a folder may come from somebody else (a pull request that a build publishes); a link in it can lead to a private key, a pipe
 * can make a reader wait for ever, a device or a dump can fill memory.
 * Rule: links are followed as long as they stay in the folder. What is opened is a regular file of bounded size whose real path lies
 * in the folder's real path; it is opened without following a link and without waiting for a writer.
 * Example: `styles/direct.md -> /home/me/.ssh/id_rsa` is refused, `styles/direct.md -> ../system.md` is read.
 * Not covered: a hard link cannot be told from a file, and whoever changes the folder while it is read can win the race.
 */
import { constants } from 'node:fs';
import { open, readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { messageOf } from '../errors.ts';

/** The largest file read, in bytes: a prompt is far smaller. */
const LARGEST_FILE = 1_048_576;

/** What is wrong with a folder or a file, a line each. */
export class Fault extends Error {
  readonly lines: readonly string[];

  constructor(...lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** An open folder. Names are relative to it; messages name files as the caller named the folder. */
export class Folder {
  readonly #root: string;
  readonly #shown: string;

  private constructor(root: string, shown: string) {
    this.#root = root;
    this.#shown = shown;
  }

  /**
   * @param path the folder; it may be a link itself
   * @param shown how messages name it
   * @throws what the file system throws
   */
  static async open(path: string, shown = path): Promise<Folder> {
    return new Folder(await realpath(path), shown);
  }

  /** How messages name a file or folder in this one. */
  shown(name: string): string {
    return join(this.#shown, name);
  }

  /** A folder in this one, of which then nothing outside is read. @throws Fault; what the file system throws */
  async sub(name: string, shown = this.shown(name)): Promise<Folder> {
    return Folder.open(await this.#inside(name), shown);
  }

  /** What lies in a folder in this one, sorted. @throws Fault; what the file system throws */
  async names(name: string): Promise<string[]> {
    return (await readdir(await this.#inside(name))).sort();
  }

  /** Whether that is a folder. @throws Fault; what the file system throws */
  async isFolder(name: string): Promise<boolean> {
    return (await stat(await this.#inside(name))).isDirectory();
  }

  /** The text of a file, with the BOM if it has one. @throws Fault, also for what the file system throws */
  async text(name: string): Promise<string> {
    const shown = this.shown(name);
    let bytes: Buffer;
    try {
      bytes = await readRegular(await this.#inside(name), shown);
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw new Fault(`${shown}: cannot be read: ${messageOf(error)}`);
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Fault(`${shown}: is not UTF-8; save it as UTF-8.`);
    }
  }

  /** The real path of something in the folder, refused where a link leads out of it. */
  async #inside(name: string): Promise<string> {
    const real = await realpath(join(this.#root, name));
    if (real !== this.#root && !real.startsWith(this.#root.endsWith(sep) ? this.#root : this.#root + sep)) {
      throw new Fault(
        `${this.shown(name)}: is a link that leads out of the folder "${this.#shown}"; nothing outside it is read. Copy the file into it instead.`,
      );
    }
    return real;
  }
}

/** @param path a real path */
async function readRegular(path: string, shown: string): Promise<Buffer> {
  // Looked at before it is opened: opening a device can already do something.
  if (!(await stat(path)).isFile()) throw new Fault(`${shown}: is not a regular file.`);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Fault(`${shown}: is not a regular file.`);
    if (found.size > LARGEST_FILE)
      throw new Fault(`${shown}: has ${found.size} bytes; at most ${LARGEST_FILE} are read.`);
    return await readAtMost(file, found.size, shown);
  } finally {
    await file.close();
  }
}

/** Not `readFile`, which reads on for as long as the file grows. */
async function readAtMost(file: FileHandle, size: number, shown: string): Promise<Buffer> {
  const buffer = Buffer.alloc(size + 1);
  let length = 0;
  while (length <= size) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw new Fault(`${shown}: grew while it was read; try again when it is finished.`);
}
