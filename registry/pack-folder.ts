/**
 * Reading shipped packs: `<dir>/<pack>/<version>/{pack.yaml,system.md,styles/<style>.md}`.
 *
 * Problem: a folder is edited by hand, so it may hold anything: half a pack, duplicate keys, alias bombs, links elsewhere.
 * Rule (SPEC R1): a folder is read into a pack document and takes the same door as HTTP (`parsePack`); all faults of all
 * folders are told at once, by file, and then nothing is registered at all.
 * Example: `packs/coach/1.0.0/pack.yaml: /defaultStyle: "x" is none of the version's styles: supportive, direct.`
 */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { Value } from '@sinclair/typebox/value';
import { parseDocument } from 'yaml';
import { messageOf, RegistryError, StartRefused } from './errors.ts';
import { PackManifest, PackName, Version, type PackVersion } from './model.ts';
import { conforms, parsePack, schemaFaults } from './pack.ts';
import { parsePolicy, type CheckedPolicy } from './policy.ts';

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

/** The largest file read, in bytes; a prompt is far smaller, and a FIFO or a dump must not fill memory. */
const LARGEST_FILE = 1_048_576;

/** What is wrong with a folder or a file, a line each. */
class Fault extends Error {
  readonly lines: readonly string[];

  constructor(...lines: readonly string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/**
 * Reads and checks every pack folder.
 *
 * @param dir the packs folder
 * @returns the versions, in order of path; empty where the folder is empty
 * @throws StartRefused (78) where the folder cannot be read, (65) with every fault of every version found in it
 */
export async function readPackFolders(dir: string): Promise<ShippedVersion[]> {
  const root = await rootOf(dir);
  const shipped: ShippedVersion[] = [];
  const faults: string[] = [];
  for (const pack of await folders(root, dir, faults)) {
    const packPath = join(dir, pack);
    if (!Value.Check(PackName, pack)) {
      faults.push(`${packPath}: "${pack}" is no pack name; use lower-case letters, digits and hyphens, at most 63.`);
      continue;
    }
    for (const version of await folders(join(root, pack), packPath, faults, root)) {
      const path = join(packPath, version);
      try {
        if (!Value.Check(Version, version)) throw new Fault(`${path}: "${version}" is no version; name the folder by SemVer without build metadata, e.g. 1.2.0.`);
        shipped.push({ path, version: await readVersion({ root, dir, pack, version }) });
      } catch (error) {
        faults.push(...faultsOf(error, path));
      }
    }
  }
  refuseFaults('packs', dir, faults);
  return shipped;
}

/**
 * Reads and checks `<dir>/<pack>/policy.yaml` of every pack folder that has one.
 * @throws StartRefused (78) where the folder cannot be read, (65) with every fault of every policy
 */
export async function readPolicies(dir: string): Promise<ShippedPolicy[]> {
  const root = await rootOf(dir);
  const policies: ShippedPolicy[] = [];
  const faults: string[] = [];
  for (const pack of await folders(root, dir, faults)) {
    if (!(await readdir(join(root, pack))).includes('policy.yaml')) continue;
    const path = join(dir, pack, 'policy.yaml');
    try {
      policies.push({ path, pack, ...parsePolicy(parsedYaml(await readText(root, join(pack, 'policy.yaml'), path), path)) });
    } catch (error) {
      faults.push(...faultsOf(error, path));
    }
  }
  refuseFaults('policies', dir, faults);
  return policies;
}

function refuseFaults(what: string, dir: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  throw new StartRefused(65, `The ${what} in "${dir}" have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}; nothing was registered:\n  ${faults.join('\n  ')}`);
}

async function rootOf(dir: string): Promise<string> {
  try {
    const root = await realpath(dir);
    await readdir(root);
    return root;
  } catch (error) {
    throw new StartRefused(78, `PACKS_DIR "${dir}" cannot be read: ${messageOf(error)}. Name a folder of packs that this process may read.`, { cause: error });
  }
}

function faultsOf(error: unknown, path: string): string[] {
  if (error instanceof RegistryError && error.code === 'validation-failed') {
    return (error.members['errors'] as { pointer: string; detail: string }[]).map(({ pointer, detail }) => `${path}: ${pointer}: ${detail}`);
  }
  if (error instanceof Fault) return [...error.lines];
  return [`${path}: ${messageOf(error)}`];
}

/** Names of the folders in a folder, sorted; dot names (a mounted volume's own links) and plain files are no packs. */
async function folders(real: string, shown: string, faults: string[], root = real): Promise<string[]> {
  const names: string[] = [];
  for (const name of (await readdir(real)).sort()) {
    if (name.startsWith('.')) continue;
    try {
      const path = await inside(root, join(real, name), join(shown, name));
      if ((await stat(path)).isDirectory()) names.push(name);
      else if (Value.Check(Version, name)) faults.push(`${join(shown, name)}: is no folder; a version is a folder with pack.yaml, system.md and styles in it.`);
    } catch (error) {
      faults.push(...faultsOf(error, join(shown, name)));
    }
  }
  return names;
}

/** The real path of a file, refused where a link leads out of the packs folder. */
async function inside(root: string, path: string, shown: string): Promise<string> {
  const real = await realpath(path);
  if (!real.startsWith(root + sep)) throw new Fault(`${shown}: leads out of the packs folder; copy the file into it instead of linking it.`);
  return real;
}

interface VersionFolder {
  readonly root: string;
  readonly dir: string;
  readonly pack: string;
  readonly version: string;
}

async function readVersion(folder: VersionFolder): Promise<PackVersion> {
  const manifest = await readManifest(folder);
  const shown = join(folder.dir, folder.pack, folder.version);
  const faults: string[] = [];
  for (const field of ['pack', 'version'] as const) {
    if (manifest[field] !== folder[field]) {
      faults.push(`${shown}/pack.yaml: /${field}: says "${manifest[field]}" but lies in the folder of "${folder[field]}"; make them agree.`);
    }
  }
  const textOf = (file: string) =>
    readText(folder.root, join(folder.pack, folder.version, file), join(shown, file)).catch((error: unknown) => {
      faults.push(...faultsOf(error, join(shown, file)));
      return '';
    });
  const { pack, ...members } = manifest;
  const system = await textOf('system.md');
  const styles = [];
  for (const { id, title } of manifest.styles) styles.push({ id, title, text: await textOf(`styles/${id}.md`) });
  faults.push(...(await unlistedStyles(folder, manifest)));
  if (faults.length > 0) throw new Fault(...faults);
  return parsePack(pack, { ...members, system, styles });
}

async function readManifest(folder: VersionFolder): Promise<PackManifest> {
  const shown = join(folder.dir, folder.pack, folder.version, 'pack.yaml');
  const manifest = parsedYaml(await readText(folder.root, join(folder.pack, folder.version, 'pack.yaml'), shown), shown);
  if (!conforms(PackManifest, manifest)) {
    throw new Fault(...schemaFaults(PackManifest, manifest).map(({ pointer, detail }) => `${shown}: ${pointer === '' ? '/' : pointer}: ${detail}`));
  }
  return manifest;
}

/** @param shown the file, for messages */
function parsedYaml(text: string, shown: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true, strict: true, version: '1.2' });
  const [broken] = document.errors;
  if (broken !== undefined) throw new Fault(`${shown}: is no valid YAML: ${broken.message.replace(/:?\n.*$/su, '')}`); // an excerpt of the file follows
  try {
    // No alias is expanded: these files have no use for them, and a few of them can stand for gigabytes.
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw new Fault(`${shown}: YAML aliases (&name, *name) are not taken here; write the values out. (${messageOf(error)})`);
  }
}

/** A prompt that lies there but is not listed would silently never be served. */
async function unlistedStyles({ root, dir, pack, version }: VersionFolder, manifest: PackManifest): Promise<string[]> {
  const listed = new Set(manifest.styles.map(({ id }) => `${id}.md`));
  const shown = join(dir, pack, version, 'styles');
  // Where the folder itself cannot be read, each listed style was told to be missing already.
  const names = await inside(root, join(root, pack, version, 'styles'), shown).then((path) => readdir(path)).catch(() => []);
  return names
    .filter((name) => !name.startsWith('.') && !listed.has(name))
    .sort()
    .map((name) => `${join(shown, name)}: is not listed in pack.yaml; list the style or remove the file.`);
}

/**
 * @param file relative to the packs folder
 * @param shown the same, for messages
 */
async function readText(root: string, file: string, shown: string): Promise<string> {
  let bytes: Buffer;
  try {
    const path = await inside(root, join(root, file), shown);
    const { size, isFile } = await stat(path).then((found) => ({ size: found.size, isFile: found.isFile() }));
    if (!isFile) throw new Fault(`${shown}: is no file.`);
    if (size > LARGEST_FILE) throw new Fault(`${shown}: has ${size} bytes; at most ${LARGEST_FILE} are taken.`);
    bytes = await readFile(path);
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
