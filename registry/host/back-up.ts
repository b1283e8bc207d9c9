/**
 * A backup in one file: complete, checked and on disk, or none at all.
 *
 * Problem: nobody looks at a backup before it is needed. A copy can be torn, cut off by a full disk or a `kill -9`, lost with the power, or a
 * copy of a log that is broken.
 * Rule: the copy is made in a new folder next to its place, which only the owner can read. Each event in it is checked. It is synced, and only
 * then gets its name. Whatever fails before removes the folder.
 * Example: `/backup/registry-2026-11-30.db` is made in `/backup/.registry-2026-11-30.db.partial-x7Kq2f/`. A killed run leaves that folder.
 */
import { mkdtemp, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LogBroken, messageOf } from '../errors.ts';
import type { Head } from '../log/event.ts';
import type { Store } from '../log/store.ts';
import { syncFolder } from '../machine/private-file.ts';
import { verifyLog } from '../proof/verify.ts';

export interface Backup {
  /** The absolute path. */
  readonly file: string;
  readonly bytes: number;
  /** The last event in it. Kept outside, it proves later that the backup is whole. */
  readonly head: Head;
}

/**
 * Makes a backup.
 *
 * @param file the path of the backup; it gets mode 0600, and its folder must exist
 * @param copyTo copies the store to a file that does not exist yet, and opens the copy
 * @param options.overwrite whether a file that is there is replaced; it stays as it is until the new one is complete
 * @param options.signal stops it; then there is no backup
 * @throws LogBroken if the log is not whole; the errors of `copyTo`; Error if the file is there or cannot be written
 */
export async function backUp(
  file: string,
  copyTo: (path: string) => Promise<Store>,
  { overwrite = false, signal }: { readonly overwrite?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Backup> {
  const target = resolve(file);
  if (!overwrite && (await isThere(target))) throw alreadyThere(target);
  const folder = await folderFor(target);
  try {
    const path = join(folder, basename(target));
    const head = await verified(await copyTo(path), signal);
    const bytes = await sync(path);
    await put(path, target, overwrite);
    return { file: target, bytes, head };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function alreadyThere(target: string): Error {
  return new Error(`${target} exists. Name another file, or replace an older backup with --overwrite.`);
}

async function folderFor(target: string): Promise<string> {
  try {
    return await mkdtemp(join(dirname(target), `.${basename(target)}.partial-`));
  } catch (cause) {
    throw new Error(
      `The folder ${dirname(target)} cannot be written to (${messageOf(cause)}). Name a file in a folder that exists and that this user can write to.`,
      { cause },
    );
  }
}

/** The head of a copy whose every event and content was checked; closes the copy. */
async function verified(copy: Store, signal: AbortSignal | undefined): Promise<Head> {
  try {
    const { valid, head, firstBroken } = await verifyLog(copy, [], () => signal?.throwIfAborted());
    if (!valid)
      throw new LogBroken(
        `The log is broken at revision ${firstBroken?.revision}: ${firstBroken?.detail} It is whole up to ${head.revision}:${head.hash}.`,
      );
    return head;
  } finally {
    await copy.close();
  }
}

/** Writes a file to the disk. @returns its size in bytes */
async function sync(path: string): Promise<number> {
  const opened = await open(path, 'r+');
  try {
    await opened.sync();
    return (await opened.stat()).size;
  } finally {
    await opened.close();
  }
}

/** Gives the copy its name, and makes that survive a power loss. */
async function put(path: string, target: string, overwrite: boolean): Promise<void> {
  if (!overwrite) await claim(target);
  await rename(path, target);
  await syncFolder(dirname(target));
}

/** Takes a name that nobody else has: `rename` would replace what another process has put there meanwhile. */
async function claim(target: string): Promise<void> {
  try {
    await (await open(target, 'wx', 0o600)).close();
  } catch (cause) {
    throw cause instanceof Error && 'code' in cause && cause.code === 'EEXIST' ? alreadyThere(target) : cause;
  }
}
