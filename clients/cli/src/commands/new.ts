/** `new`: creates the folder of a new pack or version. */
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import semver from 'semver';
import type { Act, Context } from '../context.ts';
import { CliError, EXIT, wrongUsage } from '../exit.ts';
import type { Files, NewVersion } from '../template.ts';

interface NewOptions {
  readonly from?: string;
  readonly author?: string;
  readonly summary?: string;
}

/** The first version of a new pack. */
const FIRST_VERSION = '1.0.0';

export function addNew(program: Command, act: Act): void {
  program
    .command('new')
    .description('Create the folder of a new pack (packs/coach) or version (packs/coach/1.1.0); overwrites nothing')
    .argument('<folder>', 'Folder of the pack or version')
    .option('--from <folder>', 'Copy the version in this folder (default: use a template)')
    .option('--author <name>', 'The author')
    .option('--summary <text>', 'One sentence about the version')
    .action(act<NewOptions, [string]>(make));
}

async function make({ out, io }: Context, { from, author, summary }: NewOptions, given: string) {
  const isVersion = semver.valid(basename(resolve(io.cwd, given))) !== null;
  const shown = isVersion ? given : join(given, FIRST_VERSION);
  const folder = resolve(io.cwd, shown);
  const packFolder = dirname(folder);
  const named = { pack: basename(packFolder), version: basename(folder), author, summary };
  const newPack = !isTaken(packFolder);
  if (isVersion ? isTaken(folder) : !newPack) {
    throw wrongUsage(
      `"${given}" already exists; nothing is overwritten.`,
      isVersion
        ? 'Name the folder of a version that does not exist yet.'
        : `To add a version, name its folder, e.g. ${join(given, '1.1.0')}.`,
    );
  }
  const { copyOf, POLICY, templateOf } = await import('../template.ts');
  await check(named);
  // The policy fits the template; a copied version may violate it.
  const files: Files =
    from === undefined
      ? { ...templateOf(named), ...(newPack && { '../policy.yaml': POLICY }) }
      : copyOf(await versionIn(from, io.cwd), named);
  await write(folder, files, shown);
  const paths = Object.keys(files).map((file) => join(shown, file));
  out.result({ folder: shown, ...named, files: paths }, () => {
    out.say(`Created ${named.pack} ${named.version}:`);
    for (const path of paths) out.say(`  ${path}`);
    out.say(`Edit these files, then run: prompt-registry validate ${shown}`);
  });
  return EXIT.ok;
}

/** Whether the path exists and is not an empty folder. */
function isTaken(path: string): boolean {
  try {
    return readdirSync(path).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw wrongUsage(
      `Cannot use "${path}": ${(error as Error).message}.`,
      'Name a folder that does not exist yet, in a folder that you may write to.',
    );
  }
}

/** Checks the names before any folder is created. */
async function check({ pack, version, author, summary }: NewVersion): Promise<void> {
  const [{ Value }, { PackManifest, PackName, Version }] = await Promise.all([
    import('@sinclair/typebox/value'),
    import('../../../../registry/model.ts'),
  ]);
  if (!Value.Check(PackName, pack))
    throw wrongUsage(
      `"${pack}" is not a valid pack name.`,
      'Use at most 63 lower-case letters, digits and hyphens, e.g. packs/coach.',
    );
  if (!Value.Check(Version, version))
    throw wrongUsage(
      `"${version}" is not a valid version.`,
      'Use SemVer without build metadata, e.g. packs/coach/1.1.0.',
    );
  for (const [option, value] of Object.entries({ author, summary }) as ['author' | 'summary', string | undefined][]) {
    const schema = PackManifest.properties[option];
    if (value !== undefined && !Value.Check(schema, value))
      throw wrongUsage(`The value of --${option} is too long.`, `Use at most ${schema.maxLength ?? 0} characters.`);
  }
}

async function versionIn(from: string, cwd: string) {
  const { readFolder } = await import('../folders.ts');
  const { versions, faults } = await readFolder(from, cwd);
  if (faults.length > 0)
    throw new CliError(`Cannot copy ${from}:${faults.map((line) => `\n  ${line}`).join('')}`, {
      exit: EXIT.invalid,
      code: 'invalid-folder',
      members: { faults },
    });
  const [found, second] = versions;
  if (found === undefined || second !== undefined)
    throw wrongUsage(
      `${from} contains ${versions.length} versions; --from copies one.`,
      `Name the folder of one version, e.g. ${found?.path ?? join(from, FIRST_VERSION)}.`,
    );
  return found.version;
}

async function write(folder: string, files: Files, shown: string): Promise<void> {
  const { makeFolder } = await import('../../../../registry/machine/make-folder.ts');
  try {
    for (const [file, text] of Object.entries(files)) {
      const path = join(folder, file);
      makeFolder(dirname(path), 0o777);
      writeFileSync(path, text, { flag: 'wx' });
    }
  } catch (error) {
    throw new CliError(`Cannot write ${shown}: ${(error as Error).message}.`, {
      exit: EXIT.unwritten,
      code: 'unwritten',
      hint: 'Files already written were not removed.',
      cause: error,
    });
  }
}
