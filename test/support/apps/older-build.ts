/**
 * The last build before rollouts, as an operator still runs it during a deploy: to run next to this build, on one database.
 *
 * Problem: what an older build does with new events shows only if that build runs.
 * Rule: its files come from the history of the repository, and run with the packages of this build. The few that this build no longer has
 * are installed in tools/older-build.
 * Example: `await startInstances(t, { count: 2, build: (index) => (index === 0 ? olderBuild(t) : undefined) })`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { installTool } from '../../../scripts/tools.ts';
import { newFolder } from '../process/folder.ts';
import type { Build } from './instances.ts';
import { ROOT } from './server-process.ts';

const COMMIT = 'ab56df980fa41110f9bcbdc77ff5f56fd4869bea';

/** Why it cannot run here; undefined if it can. */
export function noOlderBuild(): string | undefined {
  const { status } = spawnSync('git', ['cat-file', '-e', `${COMMIT}^{commit}`], { cwd: ROOT });
  return status === 0
    ? undefined
    : `The history of this checkout does not reach back to ${COMMIT.slice(0, 7)}: run "git fetch --unshallow".`;
}

/** Puts its files into a folder of the test. @throws Error if a package cannot be installed */
export function olderBuild(t: Test): Build {
  const folder = newFolder(t);
  const cwd = join(folder, 'build');
  mkdirSync(cwd);
  const archive = execFileSync('git', ['archive', COMMIT], { cwd: ROOT, maxBuffer: 2 ** 28 });
  execFileSync('tar', ['-x', '-C', cwd], { input: archive });
  symlinkSync(join(ROOT, 'node_modules'), join(cwd, 'node_modules'));
  // Node looks for a package in the folders above too.
  symlinkSync(join(installTool('older-build'), 'node_modules'), join(folder, 'node_modules'));
  return { script: join(cwd, 'server.ts'), cwd };
}
