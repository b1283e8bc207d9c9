/** `new`: a folder to begin a pack or a version with. */
import { readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import semver from 'semver';
import type { Act, Context } from '../context.ts';
import { Complaint, EXIT, wrongUsage } from '../exit.ts';
import type { Files, NewVersion } from '../template.ts';

interface NewOptions {
  readonly from?: string;
  readonly author?: string;
  readonly summary?: string;
}

/** What a new pack begins with. */
const FIRST = '1.0.0';

export function addNew(program: Command, act: Act): void {
  program
    .command('new')
    .description(
      'make a folder for a new pack (packs/coach), or for a version of one (packs/coach/1.1.0); nothing is overwritten',
    )
    .argument('<folder>', 'of the pack, or of the version')
    .option('--from <folder>', 'copy the version in this folder; a template where it is not given')
    .option('--author <name>', 'who writes it')
    .option('--summary <text>', 'what the version is, in a sentence')
    .action(act<NewOptions, [string]>(make));
}

async function make({ out, io }: Context, { from, author, summary }: NewOptions, given: string) {
  const isVersion = semver.valid(basename(resolve(io.cwd, given))) !== null;
  const shown = isVersion ? given : join(given, FIRST);
  const folder = resolve(io.cwd, shown);
  const packFolder = dirname(folder);
  const named = { pack: basename(packFolder), version: basename(folder), author, summary };
  const newPack = !isTaken(packFolder);
  if (isVersion ? isTaken(folder) : !newPack) {
    throw wrongUsage(
      `"${given}" is there already, and nothing is overwritten.`,
      isVersion
        ? 'Name the folder of a version that is not there yet.'
        : `Name the folder of a new version in it, e.g. ${join(given, '1.1.0')}.`,
    );
  }
  const { copyOf, POLICY, templateOf } = await import('../template.ts');
  await check(named);
  // The policy is the floor of the template; a copy may be under it.
  const files: Files =
    from === undefined
      ? { ...templateOf(named), ...(newPack && { '../policy.yaml': POLICY }) }
      : copyOf(await versionIn(from, io.cwd), named);
  await write(folder, files, shown);
  const paths = Object.keys(files).map((file) => join(shown, file));
  out.answer({ folder: shown, ...named, files: paths }, () => {
    out.say(`Made ${named.pack} ${named.version}:`);
    for (const path of paths) out.say(`  ${path}`);
    out.say(`Edit them, then: prompt-registry validate ${shown}`);
  });
  return EXIT.ok;
}

/** Whether something is there that is not an empty folder. */
function isTaken(path: string): boolean {
  try {
    return readdirSync(path).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw wrongUsage(
      `"${path}" cannot be used: ${(error as Error).message}.`,
      'Name a folder that is not there yet, below folders that you may write to.',
    );
  }
}

/** Names are checked before a folder is made under them. */
async function check({ pack, version, author, summary }: NewVersion): Promise<void> {
  const [{ Value }, { PackManifest, PackName, Version }] = await Promise.all([
    import('@sinclair/typebox/value'),
    import('../../../../registry/model.ts'),
  ]);
  if (!Value.Check(PackName, pack))
    throw wrongUsage(
      `"${pack}" is not a pack name.`,
      'Use lower-case letters, digits and hyphens, at most 63, e.g. packs/coach.',
    );
  if (!Value.Check(Version, version))
    throw wrongUsage(
      `"${version}" is not a version.`,
      'Name the folder by SemVer without build metadata, e.g. packs/coach/1.1.0.',
    );
  for (const [option, value] of Object.entries({ author, summary }) as ['author' | 'summary', string | undefined][]) {
    const schema = PackManifest.properties[option];
    if (value !== undefined && !Value.Check(schema, value))
      throw wrongUsage(
        `The value of --${option} is too long.`,
        `At most ${schema.maxLength ?? 0} characters are taken.`,
      );
  }
}

async function versionIn(from: string, cwd: string) {
  const { readFolder } = await import('../folders.ts');
  const { versions, faults } = await readFolder(from, cwd);
  if (faults.length > 0)
    throw new Complaint(`${from} cannot be copied:${faults.map((line) => `\n  ${line}`).join('')}`, {
      exit: EXIT.invalid,
      code: 'invalid-folder',
      members: { faults },
    });
  const [found, second] = versions;
  if (found === undefined || second !== undefined)
    throw wrongUsage(
      `${from} holds ${versions.length} versions; --from takes one.`,
      `Name the folder of a version, e.g. ${found?.path ?? join(from, FIRST)}.`,
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
    throw new Complaint(`${shown} could not be written: ${(error as Error).message}.`, {
      exit: EXIT.unwritten,
      code: 'unwritten',
      hint: 'What was written so far is left as it is.',
      cause: error,
    });
  }
}
