/**
 * Reads pack folders with the same code as the service.
 *
 * Rule: nothing outside the given folder is read, except the `policy.yaml` next to a version. A policy that exists but cannot be read is an
 * error. So a build can safely check and publish the folders of a pull request.
 * Example: `validate packs/coach/1.2.0` checks this version against `packs/coach/policy.yaml`.
 */
import { readdir } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import semver from 'semver';
import { messageOf } from '../../../registry/errors.ts';
import type { PackVersion, Violation, InputFault } from '../../../registry/model.ts';
import { readFolder as readContents, type FolderKind } from '../../../registry/packs/pack-folder.ts';
import { violationsOf } from '../../../registry/packs/floor.ts';
import { wrongUsage } from './exit.ts';

/** A version that was read. */
export interface FoundVersion {
  readonly path: string;
  readonly version: PackVersion;
  /** How it violates the policy next to it. */
  readonly violations: readonly Violation[];
}

export interface FoundFolder {
  /** By pack, lowest version first. Empty if there is any fault: an unreadable policy might reject them. */
  readonly versions: readonly FoundVersion[];
  /** Problems with the files, a line each. */
  readonly faults: readonly string[];
  /** Problems that make the registry refuse a new version or policy, but not one it already has; a line each. */
  readonly faultsIfNew: readonly string[];
  /** The packs of the versions for which there is no policy. */
  readonly packsWithoutPolicy: readonly string[];
}

/** Reads the folder of a version, of a pack, or of several packs. @throws CliError if the folder cannot be read */
export async function readFolder(given: string, cwd: string): Promise<FoundFolder> {
  const folder = resolve(cwd, given);
  const { versions, policies, faults } = await readContents(folder, await kindOf(folder, given), given);
  const found = versions.map(({ path, version }) => {
    const policy = policies.find(({ pack }) => pack === version.content.pack)?.policy;
    return { path, version, violations: policy === undefined ? [] : violationsOf(version.content, policy) };
  });
  const none = { versions: [], faultsIfNew: [], packsWithoutPolicy: [] };
  if (faults.length > 0) return { ...none, faults };
  if (found.length === 0)
    return {
      ...none,
      faults: ['The folder contains no version. A version is a folder with pack.yaml, system.md and styles.'],
    };
  const linesOf = (path: string, list: readonly InputFault[]) =>
    list.map(({ pointer = '', detail }) => `${path}: ${pointer}: ${detail}`);
  const faultsIfNew = [
    ...policies.flatMap(({ path, faultsIfNew: list }) => linesOf(path, list)),
    ...versions.flatMap(({ path, version }) => linesOf(path, version.invisible)),
  ];
  const packs = new Set(found.map(({ version }) => version.content.pack));
  const packsWithoutPolicy = [...packs].filter((name) => !policies.some(({ pack }) => pack === name)).sort();
  return { versions: found.sort(byPackAndVersion), faults: [], faultsIfNew, packsWithoutPolicy };
}

async function kindOf(folder: string, given: string): Promise<FolderKind> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw wrongUsage(
      `Cannot read the folder "${given}": ${messageOf(error)}.`,
      'Name the folder of a version (packs/coach/1.2.0), of a pack (packs/coach), or of several packs (packs).',
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
