/**
 * Pack folders on this machine, read through the very door that the service reads them through.
 *
 * Problem: that door reads a whole folder of packs; one works on one version.
 * Rule: a version's or a pack's folder is copied into a folder of packs of its own and read there, so that nothing beside it is
 * looked at and nothing is judged otherwise than at the service's start. A policy that lies there and cannot be read is a fault.
 * Example: `validate packs/coach/1.2.0` checks this version, under `packs/coach/policy.yaml`.
 */
import { rmSync } from 'node:fs';
import { copyFile, cp, lstat, mkdir, mkdtemp, readdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import semver from 'semver';
import { messageOf, StartRefused } from '../../../registry/errors.ts';
import type { PackVersion, Violation } from '../../../registry/model.ts';
import { readPackFolders, readPolicies } from '../../../registry/pack-folder.ts';
import { violationsOf } from '../../../registry/policy.ts';
import { Complaint, EXIT, wrongUsage } from './exit.ts';

/** A version that could be read. */
export interface FoundVersion {
  readonly path: string;
  readonly version: PackVersion;
  /** Rules of the policy beside it that it breaks. */
  readonly violations: readonly Violation[];
}

export interface FoundFolder {
  /** By pack, the lowest version first; empty where there is a fault in any of them. */
  readonly versions: readonly FoundVersion[];
  /** What is wrong with the files, a line each. */
  readonly faults: readonly string[];
}

/** Reads the folder of a version, of a pack, or of packs. @throws Complaint where there is no such folder */
export async function readFolder(given: string, cwd: string): Promise<FoundFolder> {
  const folder = resolve(cwd, given);
  const kind = await kindOf(folder, given);
  if (kind === 'packs') return read(folder, (line) => line.replaceAll(folder, given));

  const own = await newFolder();
  const tidy = () => rmSync(own, { recursive: true, force: true });
  process.once('exit', tidy); // Ctrl-C waits for nothing
  try {
    const pack = basename(kind === 'version' ? dirname(folder) : folder);
    const copied = kind === 'version' ? join(own, pack, basename(folder)) : join(own, pack);
    const packFolder = kind === 'version' ? join(given, '..') : given;
    await mkdir(join(own, pack), { recursive: true });
    const faults = [...(await copyFolder(folder, copied, given)), ...(await copyPolicy(resolve(cwd, packFolder, 'policy.yaml'), join(own, pack, 'policy.yaml'), join(packFolder, 'policy.yaml')))];
    if (faults.length > 0) return { versions: [], faults };
    return await read(own, (line) => line.replaceAll(copied, given).replaceAll(join(own, pack), packFolder));
  } finally {
    process.off('exit', tidy);
    tidy();
  }
}

/** A folder of our own to copy into. @throws Complaint where none can be had */
async function newFolder(): Promise<string> {
  try {
    return await mkdtemp(join(await realpath(tmpdir()), 'prompt-registry-'));
  } catch (error) {
    throw noRoom(error);
  }
}

/** The copy cannot be written, which says nothing of the folder. */
function noRoom(error: unknown): Complaint {
  return new Complaint(`A folder is copied before it is read, and the copy could not be written: ${messageOf(error)}.`, { exit: EXIT.unwritten, code: 'unwritten', hint: `Make room in ${tmpdir()}, or name another folder in TMPDIR. Nothing was sent.`, cause: error });
}

/** What cannot be read of a folder, as a fault of it; but not where the disk of the copy is full or read-only. */
function unreadable(shown: string, error: unknown): string[] {
  if (['ENOSPC', 'EDQUOT', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw noRoom(error);
  return [`${shown}: cannot be read: ${messageOf(error)}`];
}

async function kindOf(folder: string, given: string): Promise<'version' | 'pack' | 'packs'> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw wrongUsage(`The folder "${given}" cannot be read: ${messageOf(error)}.`, 'Name the folder of a version (packs/coach/1.2.0), of a pack (packs/coach), or of packs (packs).');
  });
  if (names.includes('pack.yaml') || semver.valid(basename(folder)) !== null) return 'version';
  return names.some((name) => name === 'policy.yaml' || semver.valid(name) !== null) ? 'pack' : 'packs';
}

/** Copies what can be a part of a version; pipes and devices are told to be missing then. @returns what is wrong with it */
async function copyFolder(from: string, to: string, shown: string): Promise<string[]> {
  const filter = async (path: string) => {
    if (basename(path).startsWith('.') && path !== from) return false;
    if (dirname(path) === from && basename(path) === 'policy.yaml') return false; // is looked at by itself
    const found = await stat(path).catch(() => undefined);
    return found?.isFile() === true || found?.isDirectory() === true;
  };
  return cp(from, to, { recursive: true, dereference: true, filter }).then(
    () => [],
    (error: unknown) => unreadable(shown, error),
  );
}

/** Copies the policy of a pack, where there is one. @returns what is wrong with it: only where there is none is nothing demanded */
async function copyPolicy(from: string, to: string, shown: string): Promise<string[]> {
  try {
    await lstat(from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    return [`${shown}: cannot be read: ${messageOf(error)}`];
  }
  try {
    if (!(await stat(from)).isFile()) return [`${shown}: is no file.`];
    await copyFile(from, to);
    return [];
  } catch (error) {
    return unreadable(shown, error);
  }
}

async function read(packs: string, shown: (line: string) => string): Promise<FoundFolder> {
  const faults: string[] = [];
  const collect = (error: unknown) => {
    if (!(error instanceof StartRefused)) throw error;
    const [first = '', ...lines] = error.message.split('\n  ');
    faults.push(...(lines.length > 0 ? lines : [first]).map(shown));
    return [];
  };
  const shipped = await readPackFolders(packs).catch(collect);
  const policies = await readPolicies(packs).catch(collect);
  if (shipped.length === 0 && faults.length === 0) faults.push('There is no version in it: a version is a folder with pack.yaml, system.md and styles in it.');
  const versions = shipped.map(({ path, version }) => {
    const policy = policies.find(({ pack }) => pack === version.content.pack)?.policy;
    return { path: shown(path), version, violations: policy === undefined ? [] : violationsOf(version.content, policy) };
  });
  return { versions: versions.sort(byPackAndVersion), faults };
}

function byPackAndVersion({ version: { content: a } }: FoundVersion, { version: { content: b } }: FoundVersion): number {
  return a.pack === b.pack ? semver.compare(a.version, b.version) : a.pack < b.pack ? -1 : 1;
}
