/**
 * Writes `openapi.yaml` from the routes' schemas. With `--check`, reports where the committed file differs from them.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { buildApp } from '../app.ts';
import { openapiYaml } from '../plugins/openapi/index.ts';
import { readPackFolders } from '../registry/index.ts';
import { MemoryStore } from '../registry/stores/memory/index.ts';

const FILE = new URL('../openapi.yaml', import.meta.url);
const PACKS = new URL('../packs', import.meta.url).pathname;

const app = await buildApp({
  registry: {
    store: new MemoryStore(),
    shipped: await readPackFolders(PACKS),
    channels: ['production', 'staging'],
    defaultPack: 'coach',
    sessionTtl: 86_400_000,
  },
});
const generated = openapiYaml(app);
await app.close();

if (!process.argv.includes('--check')) {
  await writeFile(FILE, generated);
  console.log('Wrote openapi.yaml.');
} else {
  const committed = await readFile(FILE, 'utf8').catch(() => '');
  if (committed === generated) {
    console.log('openapi.yaml matches the routes.');
  } else {
    const theirs = committed.split('\n');
    const line = generated.split('\n').findIndex((text, index) => text !== theirs[index]);
    console.error(
      `openapi.yaml differs from the routes from line ${line + 1} on; run "npm run openapi" and commit the file.`,
    );
    process.exitCode = 1;
  }
}
