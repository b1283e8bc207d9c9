/**
 * Stores the local copy in a file. Only this part of the client needs Node, so it has its own entry point.
 *
 * Rule: the file is written under a temporary name, flushed and renamed, so there is always a complete one. Its first line is the SHA-256
 * of the rest. It contains prompts, so only its owner can read it.
 * Example: `createPromptSource({ …, copy: diskCopy({ folder: '/var/lib/coach' }) })`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { PackCopy } from './copy.ts';

export interface DiskCopyOptions {
  /** A folder that only this process uses; created if missing. */
  readonly folder: string;
  /** File name, different for each source; default: `prompts.json`. */
  readonly name?: string;
}

/** Milliseconds after which a temporary file counts as abandoned. */
const ABANDONED_AFTER = 3_600_000;

/** Stores the local copy in a file. Processes that share the file overwrite each other's copies, but never damage them. */
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
      if (text.slice(0, end) !== sha256(body)) throw new Error(`${path} was truncated or modified`);
      return JSON.parse(body) as unknown;
    },
    save: async (saved) => {
      const body = JSON.stringify(saved);
      const temporary = `${path}.${randomUUID()}.tmp`;
      await makeFolder(resolve(folder));
      try {
        await write(temporary, `${sha256(body)}\n${body}`);
        await rename(temporary, path);
        await flush(dirname(path));
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    clear: () => rm(path, { force: true }),
  };
}

/** Removes temporary files of processes that were killed while writing. */
async function sweep(folder: string, name: string): Promise<void> {
  const left = (await readdir(folder).catch(() => [])).filter(
    (each) => each.startsWith(`${name}.`) && each.endsWith('.tmp'),
  );
  for (const each of left) {
    const path = join(folder, each);
    const file = await stat(path).catch(() => undefined);
    if (file !== undefined && Date.now() - file.mtimeMs > ABANDONED_AFTER)
      await rm(path, { force: true }).catch(() => undefined); // the next start tries again
  }
}

/**
 * Creates a folder and missing parents, accessible only to their owner.
 *
 * Problem: `mkdir` with `recursive` reports ENOENT for a read-only file system, and never ends if a parent cannot hold folders (`/proc`).
 * @throws the error of the operating system
 */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  await makeFolder(dirname(path));
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (!(await isFolder(path))) throw error; // otherwise another process created it
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  ); // if it cannot be inspected, mkdir reports why
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

/** Makes a rename durable. File systems that cannot flush a folder do this themselves. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
