#!/usr/bin/env node
/**
 * Starts the command line, or explains why it cannot.
 *
 * Plain JavaScript with old syntax: an outdated Node must be able to run it.
 */
import { existsSync } from 'fs';
import module from 'module';
import { fileURLToPath, URL } from 'url';

const OLDEST = [22, 12];
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const main = new URL('../dist/clients/cli/src/main.js', import.meta.url);

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(`prompt-registry needs Node ${OLDEST.join('.')} or later; this is ${process.versions.node}.`);
  process.exitCode = 70;
} else if (!existsSync(fileURLToPath(main))) {
  console.error('prompt-registry is not built. Run "npm run build" in the folder of the registry.');
  process.exitCode = 70;
} else {
  module.enableCompileCache(); // compiling takes longer than running most commands
  import(main.href).then(({ main: start }) => start());
}
