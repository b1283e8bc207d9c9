/**
 * A copy in a file. This is the one part of the client that needs Node, so it is an import of its own.
 *
 * Rule: the file is written beside its place, flushed, and renamed, so that there is a whole one at any time; its first line is the SHA-256
 * of the rest. Only its owner can read it, since prompts are in it.
 * Example: `createPromptSource({ …, copy: diskCopy({ folder: '/var/lib/coach' }) })`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { PackCopy } from './copy.ts';

export interface DiskCopyOptions {
  /** A folder of this process's own; made if missing. */
  readonly folder: string;
  /** Name of the file, one for each source; `prompts.json` where not given. */
  readonly name?: string;
}

/** Milliseconds after which a file that is being written is written by nobody any more. */
const LEFT_BEHIND = 3_600_000;

/** A copy in a file of a folder. Two processes that share the file overwrite each other's copies, each of them whole. */
export function diskCopy({ folder, name = 'prompts.json' }: DiskCopyOptions): PackCopy {
  const path = join(folder, name);
  return {
    load: async () => {
      await sweep(folder, name);
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (text === undefined) return undefined;
      const end = text.indexOf('\n');
      const body = text.slice(end + 1);
      if (text.slice(0, end) !== sha256(body))
        throw new Error(`${path} is not what was written: it was cut or changed`);
      return JSON.parse(body) as unknown;
    },
    save: async (saved) => {
      const body = JSON.stringify(saved);
      const beside = `${path}.${randomUUID()}.tmp`;
      await makeFolder(resolve(folder));
      try {
        await write(beside, `${sha256(body)}\n${body}`);
        await rename(beside, path);
        await flush(dirname(path));
      } catch (error) {
        await rm(beside, { force: true });
        throw error;
      }
    },
    clear: () => rm(path, { force: true }),
  };
}

/** Removes what processes that were killed while they wrote have left behind. */
async function sweep(folder: string, name: string): Promise<void> {
  const left = (await readdir(folder).catch(() => [])).filter(
    (each) => each.startsWith(`${name}.`) && each.endsWith('.tmp'),
  );
  for (const each of left) {
    const path = join(folder, each);
    const file = await stat(path).catch(() => undefined);
    if (file !== undefined && Date.now() - file.mtimeMs > LEFT_BEHIND)
      await rm(path, { force: true }).catch(() => undefined); // the next start tries again
  }
}

/**
 * Makes a folder and those above it where they are missing. Only their owner may use them.
 *
 * Problem: `mkdir` with `recursive` says ENOENT for a read-only file system, and tries for ever where a parent takes no folders (`/proc`).
 * @throws the error of the operating system
 */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  await makeFolder(dirname(path));
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (!(await isFolder(path))) throw error; // else another process was first
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  ); // what cannot be looked at is made, or says why not
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename last; a file system that cannot flush a folder does that by itself. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
