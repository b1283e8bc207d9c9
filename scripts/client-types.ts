/**
 * Writes the types of the TypeScript client from `openapi.yaml`. With `--check`, reports whether the committed file differs from them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import { parse } from 'yaml';

const DOCUMENT = new URL('../openapi.yaml', import.meta.url);
const FILE = new URL('../clients/typescript/src/api.ts', import.meta.url);
const HEADER = '/** The types of the API, generated from openapi.yaml by "npm run client:types". Do not edit. */\n\n';

type Document = Parameters<typeof openapiTS>[0];
const generated = `${HEADER}${astToString(await openapiTS(parse(await readFile(DOCUMENT, 'utf8')) as Document, { defaultNonNullable: false }))}`;

if (!process.argv.includes('--check')) {
  await writeFile(FILE, generated);
  console.log('Wrote the types of the TypeScript client.');
} else if ((await readFile(FILE, 'utf8').catch(() => '')) === generated) {
  console.log('The types of the TypeScript client match openapi.yaml.');
} else {
  console.error(
    'The types of the TypeScript client differ from openapi.yaml; run "npm run client:types" and commit clients/typescript/src/api.ts.',
  );
  process.exitCode = 1;
}
