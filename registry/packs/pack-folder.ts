/**
 * Reads packs from folders: `<dir>/<pack>/<version>/{pack.yaml,system.md,styles/<style>.md}` and `<dir>/<pack>/policy.yaml`.
 *
 * Problem: people edit folders by hand, so a folder may hold anything: half a pack, duplicate keys, alias bombs, links elsewhere.
 * Rule (SPEC R1): a folder becomes a pack document and goes through `parsePack`, like an HTTP request. If there are faults, all of them
 * are listed by file, and nothing is registered. The service and the command line both read folders here, and nothing outside the folder
 * is read (`pack-files.ts`).
 * Example: `packs/coach/1.0.0/pack.yaml: /defaultStyle: "x" is not one of the version's styles: supportive, direct.`
 */
import { basename, dirname, join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { messageOf, RegistryError, StartRefused } from '../errors.ts';
import { PackManifest, PackName, Version, type InputFault, type PackVersion } from '../model.ts';
import { Folder, FolderFault } from './pack-files.ts';
import { parsePack } from './pack.ts';
import { parsePolicy, type CheckedPolicy } from './policy.ts';
import { parseYaml, YamlRefused } from './yaml.ts';
import { checked } from './faults.ts';

/** A version read from a folder; `path` is for messages. */
export interface ShippedVersion {
  readonly path: string;
  readonly version: PackVersion;
}

/** A policy read from a pack's folder; `path` is for messages. */
export interface ShippedPolicy extends CheckedPolicy {
  readonly path: string;
  readonly pack: string;
}

/** What a folder holds: one version, one pack, or packs. */
export type FolderKind = 'version' | 'pack' | 'packs';

/** Everything that could be read from a folder, and its faults, one line each. */
export interface FolderContents {
  readonly versions: readonly ShippedVersion[];
  readonly policies: readonly ShippedPolicy[];
  readonly faults: readonly string[];
}

/** Collects results during the read. */
interface Found {
  readonly versions: ShippedVersion[];
  readonly policies: ShippedPolicy[];
  readonly faults: string[];
}

/** Which parts of a folder to read. */
type Part = 'versions' | 'policies';
const ALL: readonly Part[] = ['versions', 'policies'];

const POLICY = 'policy.yaml';

/**
 * Reads and checks every pack folder.
 *
 * @param dir the packs folder
 * @returns the versions in order of path; empty if the folder is empty
 * @throws StartRefused (78) if the folder cannot be read, (65) with every fault of every version
 */
export async function readPackFolders(dir: string): Promise<ShippedVersion[]> {
  const { versions, faults } = await readPacks(await packsFolder(dir), ['versions']);
  refuseFaults('packs', dir, faults);
  return versions;
}

/**
 * Reads and checks `<dir>/<pack>/policy.yaml` of every pack folder that has one.
 * @throws StartRefused (78) if the folder cannot be read, (65) with every fault of every policy
 */
export async function readPolicies(dir: string): Promise<ShippedPolicy[]> {
  const { policies, faults } = await readPacks(await packsFolder(dir), ['policies']);
  refuseFaults('policies', dir, faults);
  return policies;
}

/**
 * Reads one folder and nothing outside it, except the policy next to a version. The folder of a version or pack may not be a link that
 * leads out of its parent folder: such a link could point anywhere.
 *
 * @param path the folder, absolute and normalised
 * @param shown the path to show in messages
 */
export async function readFolder(path: string, kind: FolderKind, shown = path): Promise<FolderContents> {
  const found: Found = { versions: [], policies: [], faults: [] };
  try {
    if (kind === 'packs') return await readPacks(await Folder.open(path, shown), ALL);
    const parent = dirname(path);
    const parentFolder = await Folder.open(parent, join(shown, '..'));
    const folder = await parentFolder.sub(basename(path), shown);
    if (kind === 'pack') await readPack({ folder, at: '', pack: basename(path) }, ALL, found);
    else if (isPackName(basename(parent), parentFolder.shown(''), found)) {
      await readVersion({ folder, at: '', pack: basename(parent), version: basename(path) }, found);
      await readPolicy({ folder: parentFolder, at: '', pack: basename(parent) }, found);
    }
  } catch (error) {
    found.faults.push(...faultsOf(error, shown));
  }
  return found;
}

function refuseFaults(what: string, dir: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new StartRefused(
    65,
    `The ${what} in "${dir}" have ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}; nothing was registered:\n  ${faults.join('\n  ')}`,
  );
}

async function packsFolder(dir: string): Promise<Folder> {
  try {
    const folder = await Folder.open(dir);
    await folder.names('');
    return folder;
  } catch (error) {
    throw new StartRefused(
      78,
      `PACKS_DIR "${dir}" cannot be read: ${messageOf(error)}. Set it to a folder of packs that this process can read.`,
      { cause: error },
    );
  }
}

/** @param path for faults that do not name a path themselves */
function faultsOf(error: unknown, path: string): string[] {
  if (error instanceof RegistryError && error.code === 'validation-failed') {
    return faultLines(error.members['errors'] as readonly InputFault[], path);
  }
  if (error instanceof FolderFault) return [...error.lines];
  if (error instanceof YamlRefused) return [`${path}: ${error.message}.`];
  return [`${path}: ${messageOf(error)}`];
}

function faultLines(faults: readonly InputFault[], path: string): string[] {
  return faults.map(({ pointer = '', detail }) => `${path}: ${pointer === '' ? '/' : pointer}: ${detail}`);
}

async function readPacks(folder: Folder, parts: readonly Part[]): Promise<Found> {
  const found: Found = { versions: [], policies: [], faults: [] };
  for (const pack of await foldersIn(folder, '', found)) {
    await readPack({ folder, at: pack, pack }, parts, found);
  }
  return found;
}

/** Where a pack's files are: in `at` within `folder`; nothing outside `folder` is read. */
interface PackLocation {
  readonly folder: Folder;
  readonly at: string;
  readonly pack: string;
}

interface VersionLocation extends PackLocation {
  readonly version: string;
}

function isPackName(pack: string, shown: string, { faults }: Found): boolean {
  if (Value.Check(PackName, pack)) return true;
  faults.push(`${shown}: "${pack}" is not a pack name; use lower-case letters, digits and hyphens, at most 63.`);
  return false;
}

async function readPack(location: PackLocation, parts: readonly Part[], found: Found): Promise<void> {
  const { folder, at, pack } = location;
  if (parts.includes('versions')) {
    if (!isPackName(pack, folder.shown(at), found)) return;
    for (const version of await foldersIn(folder, at, found))
      await readVersion({ folder, at: join(at, version), pack, version }, found);
  }
  if (parts.includes('policies')) await readPolicy(location, found);
}

async function readPolicy({ folder, at, pack }: PackLocation, { policies, faults }: Found): Promise<void> {
  const file = join(at, POLICY);
  const path = folder.shown(file);
  try {
    if (!(await folder.names(at)).includes(POLICY)) return;
    policies.push({ path, pack, ...parsePolicy(parseYaml(await folder.text(file))) });
  } catch (error) {
    faults.push(...faultsOf(error, path));
  }
}

/** Names of the folders in a folder, sorted. Skips plain files and dot names (a mounted volume has its own links). */
async function foldersIn(folder: Folder, at: string, { faults }: Found): Promise<string[]> {
  const names: string[] = [];
  for (const name of await folder.names(at)) {
    if (name.startsWith('.')) continue;
    const shown = folder.shown(join(at, name));
    try {
      if (await folder.isFolder(join(at, name))) names.push(name);
      else if (Value.Check(Version, name))
        faults.push(`${shown}: is not a folder; a version is a folder with pack.yaml, system.md and styles.`);
    } catch (error) {
      faults.push(...faultsOf(error, shown));
    }
  }
  return names;
}

async function readVersion(location: VersionLocation, { versions, faults }: Found): Promise<void> {
  const path = location.folder.shown(location.at);
  try {
    if (!Value.Check(Version, location.version))
      throw new FolderFault(
        `${path}: "${location.version}" is not a version; use SemVer without build metadata as the folder's name, e.g. 1.2.0.`,
      );
    versions.push({ path, version: await versionIn(location, path) });
  } catch (error) {
    faults.push(...faultsOf(error, path));
  }
}

async function versionIn(location: VersionLocation, shown: string): Promise<PackVersion> {
  const manifest = await readManifest(location);
  const faults: string[] = [];
  for (const field of ['pack', 'version'] as const) {
    if (manifest[field] !== location[field]) {
      faults.push(
        `${join(shown, 'pack.yaml')}: /${field}: is "${manifest[field]}", but the folder is named "${location[field]}"; make them agree.`,
      );
    }
  }
  const textOf = (file: string, ifMissing?: string) =>
    location.folder.text(join(location.at, file), ifMissing).catch((error: unknown) => {
      faults.push(...faultsOf(error, join(shown, file)));
      return '';
    });
  const { pack, ...members } = manifest;
  const system = await textOf('system.md');
  const styles = [];
  for (const { id, title } of manifest.styles) {
    const text = await textOf(`styles/${id}.md`, `is missing, but pack.yaml lists the style "${id}".`);
    styles.push({ id, title, text });
  }
  faults.push(...(await unlistedStyles(location, manifest)));
  if (faults.length > 0) throw new FolderFault(...faults);
  return parsePack(pack, { ...members, system, styles });
}

async function readManifest({ folder, at }: VersionLocation): Promise<PackManifest> {
  const file = join(at, 'pack.yaml');
  const shown = folder.shown(file);
  const text = await folder.text(file);
  let document: unknown;
  try {
    document = parseYaml(text);
  } catch (error) {
    throw new FolderFault(...faultsOf(error, shown));
  }
  const { value: manifest, faults } = checked(PackManifest, document);
  if (manifest === undefined) throw new FolderFault(...faultLines(faults, shown));
  return manifest;
}

/** A prompt file that is not listed would silently never be served. */
async function unlistedStyles({ folder, at }: VersionLocation, manifest: PackManifest): Promise<string[]> {
  const listed = new Set(manifest.styles.map(({ id }) => `${id}.md`));
  const styles = join(at, 'styles');
  // If the folder cannot be read, each listed style has been reported already.
  const names = await folder.names(styles).catch(() => []);
  return names
    .filter((name) => !name.startsWith('.') && !listed.has(name))
    .map(
      (name) => `${folder.shown(join(styles, name))}: is not listed in pack.yaml; list the style or remove the file.`,
    );
}
