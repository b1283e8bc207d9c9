/** Checks `openapi.yaml` against the rules of `redocly.yaml`: `npm run openapi:lint`. The first run installs Redocly in tools/openapi-lint. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installTool } from './tools.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

let redocly: string | undefined;
try {
  redocly = join(installTool('openapi-lint'), 'node_modules', '@redocly', 'cli', 'bin', 'cli.js');
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
if (redocly !== undefined) {
  // Without these settings Redocly sends telemetry and looks for updates. A check needs no network.
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  process.exitCode =
    spawnSync(process.execPath, [redocly, 'lint', 'openapi.yaml', '--config', 'redocly.yaml'], {
      cwd: ROOT,
      env,
      stdio: 'inherit',
    }).status ?? 1;
}
