/** Packages as users get them: packed, and installed into an empty folder with only their dependencies. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { newFolder } from '../process/folder.ts';
import { ROOT } from './server-process.ts';

export const run = promisify(execFile);
const { NODE_OPTIONS: _, ...environment } = process.env;
/** The environment without the hooks of tap. */
export const ENV = environment;
export const NODE = process.execPath;
/** A PATH with the Node of this process first. */
export const PATH = `${join(NODE, '..')}:${process.env['PATH'] ?? ''}`;
const npm = (cwd: string, ...args: readonly string[]) =>
  run('npm', args, { cwd, env: { ...ENV, PATH }, maxBuffer: 64 * 1024 * 1024 });

/** Packs a folder of the repository. @returns the tarball, and the files in it */
export async function pack(
  folder: string,
  into: string,
): Promise<{ readonly tarball: string; readonly files: readonly string[] }> {
  const { stdout } = await npm(join(ROOT, folder), 'pack', '--json', '--pack-destination', into);
  const answer = JSON.parse(stdout.slice(stdout.search(/[[{]/u))) as unknown;
  const [packed] = Object.values(answer as object) as { filename: string; files: { path: string }[] }[];
  if (packed === undefined) throw new Error(`npm pack said nothing of ${folder}.`);
  return { tarball: join(into, packed.filename), files: packed.files.map(({ path }) => path) };
}

/** An empty folder with these packages in it. @param others by name and version, from npm */
export async function install(t: Test, tarballs: readonly string[], ...others: readonly string[]): Promise<string> {
  const folder = newFolder(t);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  await npm(
    folder,
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    ...tarballs,
    ...others,
  );
  return folder;
}
