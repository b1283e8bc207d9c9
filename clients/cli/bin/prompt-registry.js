#!/usr/bin/env node
/**
 * Starts the command line, or says why it cannot.
 *
 * Plain JavaScript, and nothing that an older Node could not read: it may be the one that runs this.
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
  console.error('prompt-registry is not built yet: run "npm run build" in the folder of the registry.');
  process.exitCode = 70;
} else {
  module.enableCompileCache(); // a command is over before it would have been compiled anew
  import(main.href).then(({ main: start }) => start());
}
