/**
 * Formats the code with Prettier: `npm run format`. With `--check` it only names the files that are not formatted: `npm run format:check`.
 * The first run installs Prettier in tools/prettier.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTool } from './tools.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const mode = process.argv.includes('--check') ? '--check' : '--write';

try {
  const prettier = join(installTool('prettier'), 'node_modules', 'prettier', 'bin', 'prettier.cjs');
  const { status } = spawnSync(process.execPath, [prettier, mode, '--log-level', 'warn', '.'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
