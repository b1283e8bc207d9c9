/**
 * Tools that one check, test or benchmark needs, each in its own folder below tools/.
 *
 * Problem: installed by `npm ci` in the root, they would be two fifths of what everybody downloads.
 * Rule: each folder has its own package.json and lock. A tool is installed when it is first needed, once for each lock; that needs the network.
 * Example: `const redocly = join(installTool('openapi-lint'), 'node_modules', '.bin', 'redocly')`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOOLS = fileURLToPath(new URL('../tools/', import.meta.url));
/** The time limit of an installation, in milliseconds: a hanging network must not hang the caller. */
const LIMIT = 300_000;

/**
 * Installs a tool as its lock says, unless that is done already.
 * @param name a folder below tools/
 * @returns the folder; what was installed is in its node_modules
 * @throws Error with npm's output if it cannot be installed
 */
export function installTool(name: string): string {
  const folder = join(TOOLS, name);
  const stamp = join(folder, 'node_modules', '.installed');
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (contentOf(stamp) === lock) return folder;
  // NODE_OPTIONS may hold tap's hooks, which must not run in npm.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { status, stderr, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: LIMIT,
    shell: process.platform === 'win32',
  });
  if (status !== 0)
    throw new Error(
      `tools/${name} cannot be installed. It needs the npm registry: check the network, then run "npm ci" in tools/${name}. ${error?.message ?? stderr.trim()}`,
    );
  writeFileSync(stamp, lock);
  return folder;
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // not installed, or not completely
  }
}
