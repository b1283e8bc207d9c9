/**
 * Has the package carry the document that it holds servers to: copies it to dist before packing, and takes it away after, so that a checkout
 * always reads the repository's own.
 */
import { copyFileSync, rmSync } from 'node:fs';
import { URL } from 'node:url';

const copy = new URL('../dist/openapi.yaml', import.meta.url);
if (process.argv[2] === 'remove') rmSync(copy, { force: true });
else copyFileSync(new URL('../../../openapi.yaml', import.meta.url), copy);
