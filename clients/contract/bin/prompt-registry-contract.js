#!/usr/bin/env node
/** Starts the suite. Plain JavaScript, so that it can say what is missing where the package was not built. */
import { existsSync } from 'node:fs';
import { URL } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);

if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('prompt-registry-contract is not built: dist/main.js is missing. In a checkout of the repository run "npm run build"; elsewhere install the package again.\n');
  process.exitCode = 2;
}
