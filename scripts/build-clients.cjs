/**
 * Builds the clients after an installation: they are packages, and Node runs no TypeScript below node_modules.
 *
 * Plain JavaScript, as an older Node may be the one that runs it. An installation without development tools has nothing to build
 * with, and the service itself needs no build.
 */
'use strict';
const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { spawnSync } = require('node:child_process');

const root = join(__dirname, '..');
const tsc = join(root, 'node_modules', 'typescript', 'lib', 'tsc.js');

if (existsSync(tsc)) {
  const { status } = spawnSync(process.execPath, [tsc, '-b', 'clients'], { cwd: root, stdio: 'inherit' });
  process.exitCode = status === null ? 1 : status;
} else {
  console.log('The clients are not built: the development tools are not installed. The service runs without.');
}
