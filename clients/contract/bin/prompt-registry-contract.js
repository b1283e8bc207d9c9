#!/usr/bin/env node
/** Starts the suite. Plain JavaScript, so that it can say what is missing on an older Node, and where the package was not built. */
import { existsSync } from 'node:fs';
import { URL } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`prompt-registry-contract needs Node 22.12 or later; this is ${process.versions.node}.\n`);
  process.exitCode = 2;
} else if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write(
    'prompt-registry-contract is not built: dist/main.js is missing. In a checkout of the repository run "npm run build"; elsewhere install the package again.\n',
  );
  process.exitCode = 2;
}
