/**
 * Builds the clients after an installation: they are packages, and Node runs no TypeScript below node_modules.
 *
 * Plain JavaScript, as an older Node may be the one that runs it. An installation without development tools (`npm ci --omit=dev`,
 * NODE_ENV=production) has nothing to build with, and the service itself needs no build: that is no failure. A compiler that some
 * package brings along is not enough, as the types are missing then.
 */
'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { spawnSync } = require('node:child_process');

const root = join(__dirname, '..');
const installed = (path) => existsSync(join(root, 'node_modules', path));
const missing = ['typescript', '@types/node', '@types/semver'].filter((name) => !installed(name));

if (missing.length === 0) {
  const tsc = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js');
  const { status } = spawnSync(process.execPath, [tsc, '-b', 'clients'], { cwd: root, stdio: 'inherit' });
  process.exitCode = status === null ? 1 : status;
} else {
  console.log(
    `The clients are not built: the development tools are not installed (${missing.join(', ')}). The service does not need them.`,
  );
}
