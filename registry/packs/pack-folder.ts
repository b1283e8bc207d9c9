/**
 * Reading packs from folders: `<dir>/<pack>/<version>/{pack.yaml,system.md,styles/<style>.md}` and `<dir>/<pack>/policy.yaml`.
 *
 * Problem: a folder is edited by hand, so it may hold anything: half a pack, duplicate keys, alias bombs, links elsewhere.
 * Rule (SPEC R1): a folder is read into a pack document and takes the same door as HTTP (`parsePack`); all faults of all
 * folders are told at once, by file, and then nothing is registered at all. The service and the command line read folders here and
 * nowhere else, and nothing outside the folder is read (`pack-files.ts`).
 * Example: `packs/coach/1.0.0/pack.yaml: /defaultStyle: "x" is none of the version's styles: supportive, direct.`
 */
import { basename, dirname, join } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { messageOf, RegistryError, StartRefused } from '../errors.ts';
import { PackManifest, PackName, Version, type InputFault, type PackVersion } from '../model.ts';
import { Fault, Folder } from './pack-files.ts';
import { parsePack } from './pack.ts';
import { parsePolicy, type CheckedPolicy } from './policy.ts';
import { parseYaml, YamlRefused } from './yaml.ts';
import { checked } from './faults.ts';

/** A version as it lies in a folder; `path` is for messages. */
export interface ShippedVersion {
  readonly path: string;
  readonly version: PackVersion;
}

/** A policy as it lies in a pack's folder; `path` is for messages. */
export interface ShippedPolicy extends CheckedPolicy {
  readonly path: string;
  readonly pack: string;
}

/** What a folder may be: of a version, of a pack, or of packs. */
export type FolderKind = 'version' | 'pack' | 'packs';

/** All that could be read of a folder, and all that is wrong with it, a line each. */
export interface FolderContents {
  readonly versions: readonly ShippedVersion[];
  readonly policies: readonly ShippedPolicy[];
  readonly faults: readonly string[];
}

/** What is collected while folders are read. */
interface Found {
  readonly versions: ShippedVersion[];
  readonly policies: ShippedPolicy[];
  readonly faults: string[];
}

/** Which parts of a folder of packs are read. */
type Part = 'versions' | 'policies';
const ALL: readonly Part[] = ['versions', 'policies'];

const POLICY = 'policy.yaml';

/**
 * Reads and checks every pack folder.
 *
 * @param dir the packs folder
 * @returns the versions, in order of path; empty where the folder is empty
 * @throws StartRefused (78) where the folder cannot be read, (65) with every fault of every version found in it
 */
export async function readPackFolders(dir: string): Promise<ShippedVersion[]> {
  const { versions, faults } = await readPacks(await packsFolder(dir), ['versions']);
  refuseFaults('packs', dir, faults);
  return versions;
}

/**
 * Reads and checks `<dir>/<pack>/policy.yaml` of every pack folder that has one.
 * @throws StartRefused (78) where the folder cannot be read, (65) with every fault of every policy
 */
export async function readPolicies(dir: string): Promise<ShippedPolicy[]> {
  const { policies, faults } = await readPacks(await packsFolder(dir), ['policies']);
  refuseFaults('policies', dir, faults);
  return policies;
}

/**
 * Reads one folder as it is given: nothing outside it is read, but for the policy beside a version. A version's or pack's folder may not
 * be a link that leads out of the folder it lies in: who gives a link could be led anywhere.
 *
 * @param path the folder, absolute and normalised
 * @param shown how messages name it
 */
export async function readFolder(path: string, kind: FolderKind, shown = path): Promise<FolderContents> {
  const found: Found = { versions: [], policies: [], faults: [] };
  try {
    if (kind === 'packs') return await readPacks(await Folder.open(path, shown), ALL);
    const parent = dirname(path);
    const around = await Folder.open(parent, join(shown, '..'));
    const folder = await around.sub(basename(path), shown);
    if (kind === 'pack') await readPack({ folder, at: '', pack: basename(path) }, ALL, found);
    else if (isPackName(basename(parent), around.shown(''), found)) {
      await readVersion({ folder, at: '', pack: basename(parent), version: basename(path) }, found);
      await readPolicy({ folder: around, at: '', pack: basename(parent) }, found);
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
    `The ${what} in "${dir}" have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}; nothing was registered:\n  ${faults.join('\n  ')}`,
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
      `PACKS_DIR "${dir}" cannot be read: ${messageOf(error)}. Name a folder of packs that this process may read.`,
      { cause: error },
    );
  }
}

/** @param path names the place where the fault itself does not */
function faultsOf(error: unknown, path: string): string[] {
  if (error instanceof RegistryError && error.code === 'validation-failed') {
    return faultLines(error.members['errors'] as readonly InputFault[], path);
  }
  if (error instanceof Fault) return [...error.lines];
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

/** Where a pack's files are: in `at` below `folder`, of which nothing outside is read. */
interface PackSource {
  readonly folder: Folder;
  readonly at: string;
  readonly pack: string;
}

interface VersionSource extends PackSource {
  readonly version: string;
}

function isPackName(pack: string, shown: string, { faults }: Found): boolean {
  if (Value.Check(PackName, pack)) return true;
  faults.push(`${shown}: "${pack}" is no pack name; use lower-case letters, digits and hyphens, at most 63.`);
  return false;
}

async function readPack(source: PackSource, parts: readonly Part[], found: Found): Promise<void> {
  const { folder, at, pack } = source;
  if (parts.includes('versions')) {
    if (!isPackName(pack, folder.shown(at), found)) return;
    for (const version of await foldersIn(folder, at, found))
      await readVersion({ folder, at: join(at, version), pack, version }, found);
  }
  if (parts.includes('policies')) await readPolicy(source, found);
}

async function readPolicy({ folder, at, pack }: PackSource, { policies, faults }: Found): Promise<void> {
  const file = join(at, POLICY);
  const path = folder.shown(file);
  try {
    if (!(await folder.names(at)).includes(POLICY)) return;
    policies.push({ path, pack, ...parsePolicy(parseYaml(await folder.text(file))) });
  } catch (error) {
    faults.push(...faultsOf(error, path));
  }
}

/** Names of the folders in a folder, sorted; dot names (a mounted volume's own links) and plain files are no packs. */
async function foldersIn(folder: Folder, at: string, { faults }: Found): Promise<string[]> {
  const names: string[] = [];
  for (const name of await folder.names(at)) {
    if (name.startsWith('.')) continue;
    const shown = folder.shown(join(at, name));
    try {
      if (await folder.isFolder(join(at, name))) names.push(name);
      else if (Value.Check(Version, name))
        faults.push(`${shown}: is no folder; a version is a folder with pack.yaml, system.md and styles in it.`);
    } catch (error) {
      faults.push(...faultsOf(error, shown));
    }
  }
  return names;
}

async function readVersion(source: VersionSource, { versions, faults }: Found): Promise<void> {
  const path = source.folder.shown(source.at);
  try {
    if (!Value.Check(Version, source.version))
      throw new Fault(
        `${path}: "${source.version}" is no version; name the folder by SemVer without build metadata, e.g. 1.2.0.`,
      );
    versions.push({ path, version: await versionIn(source, path) });
  } catch (error) {
    faults.push(...faultsOf(error, path));
  }
}

async function versionIn(source: VersionSource, shown: string): Promise<PackVersion> {
  const manifest = await readManifest(source);
  const faults: string[] = [];
  for (const field of ['pack', 'version'] as const) {
    if (manifest[field] !== source[field]) {
      faults.push(
        `${join(shown, 'pack.yaml')}: /${field}: says "${manifest[field]}" but lies in the folder of "${source[field]}"; make them agree.`,
      );
    }
  }
  const textOf = (file: string) =>
    source.folder.text(join(source.at, file)).catch((error: unknown) => {
      faults.push(...faultsOf(error, join(shown, file)));
      return '';
    });
  const { pack, ...members } = manifest;
  const system = await textOf('system.md');
  const styles = [];
  for (const { id, title } of manifest.styles) styles.push({ id, title, text: await textOf(`styles/${id}.md`) });
  faults.push(...(await unlistedStyles(source, manifest)));
  if (faults.length > 0) throw new Fault(...faults);
  return parsePack(pack, { ...members, system, styles });
}

async function readManifest({ folder, at }: VersionSource): Promise<PackManifest> {
  const file = join(at, 'pack.yaml');
  const shown = folder.shown(file);
  const text = await folder.text(file);
  let document: unknown;
  try {
    document = parseYaml(text);
  } catch (error) {
    throw new Fault(...faultsOf(error, shown));
  }
  const { value: manifest, faults } = checked(PackManifest, document);
  if (manifest === undefined) throw new Fault(...faultLines(faults, shown));
  return manifest;
}

/** A prompt that lies there but is not listed would silently never be served. */
async function unlistedStyles({ folder, at }: VersionSource, manifest: PackManifest): Promise<string[]> {
  const listed = new Set(manifest.styles.map(({ id }) => `${id}.md`));
  const styles = join(at, 'styles');
  // Where the folder itself cannot be read, each listed style was told to be missing already.
  const names = await folder.names(styles).catch(() => []);
  return names
    .filter((name) => !name.startsWith('.') && !listed.has(name))
    .map(
      (name) => `${folder.shown(join(styles, name))}: is not listed in pack.yaml; list the style or remove the file.`,
    );
}
