#!/usr/bin/env node
/**
 * Starts the command of the package, or explains why it cannot.
 *
 * Plain JavaScript with old syntax: an outdated Node must be able to run it.
 */
import { fileURLToPath, URL } from 'url';

const OLDEST = 24;

if (!(parseInt(process.versions.node, 10) >= OLDEST)) {
  console.error(
    `prompt-registry-server needs Node ${OLDEST} or later; this is Node ${process.versions.node} (${process.execPath}).`,
  );
  process.exitCode = 70;
} else {
  import(new URL('../dist/deploy/npm/command.js', import.meta.url).href).then(({ main }) =>
    main(fileURLToPath(new URL('../packs', import.meta.url))),
  );
}
