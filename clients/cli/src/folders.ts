/**
 * Pack folders on this machine, read through the very door that the service reads them through.
 *
 * Rule: nothing outside the given folder is read, but for the policy beside a version; a policy that is there and cannot be read is a
 * fault. So a build may check and publish the folder of a pull request.
 * Example: `validate packs/coach/1.2.0` checks this version, under `packs/coach/policy.yaml`.
 */
import { readdir } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import semver from 'semver';
import { messageOf } from '../../../registry/errors.ts';
import type { PackVersion, Violation, InputFault } from '../../../registry/model.ts';
import { readFolder as readContents, type FolderKind } from '../../../registry/packs/pack-folder.ts';
import { violationsOf } from '../../../registry/packs/floor.ts';
import { wrongUsage } from './exit.ts';

/** A version that could be read. */
export interface FoundVersion {
  readonly path: string;
  readonly version: PackVersion;
  /** Rules of the policy beside it that it breaks. */
  readonly violations: readonly Violation[];
}

export interface FoundFolder {
  /** By pack, the lowest version first; empty if there is any fault, as a policy that cannot be read might judge them otherwise. */
  readonly versions: readonly FoundVersion[];
  /** What is wrong with the files, a line each. */
  readonly faults: readonly string[];
  /** What the registry refuses a new version or policy for, a line each; one that it has already stays. */
  readonly faultsIfNew: readonly string[];
}

/** Reads the folder of a version, of a pack, or of packs. @throws Complaint where there is no such folder */
export async function readFolder(given: string, cwd: string): Promise<FoundFolder> {
  const folder = resolve(cwd, given);
  const { versions, policies, faults } = await readContents(folder, await kindOf(folder, given), given);
  const found = versions.map(({ path, version }) => {
    const policy = policies.find(({ pack }) => pack === version.content.pack)?.policy;
    return { path, version, violations: policy === undefined ? [] : violationsOf(version.content, policy) };
  });
  if (faults.length > 0) return { versions: [], faults, faultsIfNew: [] };
  if (found.length === 0)
    return {
      versions: [],
      faults: ['There is no version in it: a version is a folder with pack.yaml, system.md and styles in it.'],
      faultsIfNew: [],
    };
  const linesOf = (path: string, list: readonly InputFault[]) =>
    list.map(({ pointer = '', detail }) => `${path}: ${pointer}: ${detail}`);
  const faultsIfNew = [
    ...policies.flatMap(({ path, faultsIfNew: list }) => linesOf(path, list)),
    ...versions.flatMap(({ path, version }) => linesOf(path, version.invisible)),
  ];
  return { versions: found.sort(byPackAndVersion), faults: [], faultsIfNew };
}

async function kindOf(folder: string, given: string): Promise<FolderKind> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw wrongUsage(
      `The folder "${given}" cannot be read: ${messageOf(error)}.`,
      'Name the folder of a version (packs/coach/1.2.0), of a pack (packs/coach), or of packs (packs).',
    );
  });
  if (names.includes('pack.yaml') || semver.valid(basename(folder)) !== null) return 'version';
  return names.some((name) => name === 'policy.yaml' || semver.valid(name) !== null) ? 'pack' : 'packs';
}

function byPackAndVersion(
  { version: { content: a } }: FoundVersion,
  { version: { content: b } }: FoundVersion,
): number {
  return a.pack === b.pack ? semver.compare(a.version, b.version) : a.pack < b.pack ? -1 : 1;
}
