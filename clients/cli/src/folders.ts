/**
 * Pack folders on this machine, read through the very door that the service reads them through.
 *
 * Problem: that door reads a whole folder of packs; one works on one version.
 * Rule: a version's or a pack's folder is copied into a folder of packs of its own and read there, so that nothing beside it is
 * looked at and nothing is judged otherwise than at the service's start.
 * Example: `validate packs/coach/1.2.0` checks this version, under `packs/coach/policy.yaml`.
 */
import { cp, mkdir, mkdtemp, readdir, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import semver from 'semver';
import { messageOf, StartRefused } from '../../../registry/errors.ts';
import type { PackVersion, Violation } from '../../../registry/model.ts';
import { readPackFolders, readPolicies } from '../../../registry/pack-folder.ts';
import { violationsOf } from '../../../registry/policy.ts';
import { wrongUsage } from './exit.ts';

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

  const own = await mkdtemp(join(await realpath(tmpdir()), 'prompt-registry-'));
  try {
    const pack = basename(kind === 'version' ? dirname(folder) : folder);
    const copied = kind === 'version' ? join(own, pack, basename(folder)) : join(own, pack);
    await mkdir(join(own, pack), { recursive: true });
    await copy(folder, copied);
    if (kind === 'version') await copy(join(dirname(folder), 'policy.yaml'), join(own, pack, 'policy.yaml')).catch(() => undefined);
    return await read(own, (line) => line.replaceAll(copied, given).replaceAll(join(own, pack), dirname(given)));
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function kindOf(folder: string, given: string): Promise<'version' | 'pack' | 'packs'> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw wrongUsage(`The folder "${given}" cannot be read: ${messageOf(error)}.`, 'Name the folder of a version (packs/coach/1.2.0), of a pack (packs/coach), or of packs (packs).');
  });
  if (names.includes('pack.yaml') || semver.valid(basename(folder)) !== null) return 'version';
  return names.some((name) => name === 'policy.yaml' || semver.valid(name) !== null) ? 'pack' : 'packs';
}

/** Copies what can be a part of a pack; pipes and devices are told to be missing then. */
async function copy(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    dereference: true,
    filter: async (path) => {
      if (basename(path).startsWith('.')) return false;
      const found = await stat(path).catch(() => undefined);
      return found?.isFile() === true || found?.isDirectory() === true;
    },
  });
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
