/**
 * What the pages tell people to install: the project's packages are on no registry, so their names are anybody's to publish, and whoever
 * installs them by name, or has npx fetch them, runs the code of somebody else.
 */
import { globSync, readFileSync } from 'node:fs';
import t from 'tap';

const ROOT = new URL('..', import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const MANIFESTS = ['package.json', ...globSync('clients/*/package.json', { cwd: ROOT })].map(
  (path) => JSON.parse(textOf(path)) as { name: string; version: string },
);
/** As `npm pack` calls them. */
const FILES = MANIFESTS.map(({ name, version }) => `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
const PAGES = globSync(['*.md', 'docs/**/*.md', 'clients/*/README.md'], {
  cwd: ROOT,
  exclude: (path) => /node_modules|CHANGELOG|^docs\/adr/u.test(path),
});

/** What is wrong with the commands of a page, each with its line. */
function faultsOf(text: string): string[] {
  return text.split('\n').filter((line) => {
    const words = line.split('#')[0]?.match(/[^\s`"]+/gu) ?? [];
    const ours = (word: string) => MANIFESTS.some(({ name }) => word === name || word.startsWith(`${name}@`));
    if (/\bnpx (?:.*\s)?(?:--yes|-y)\s.*prompt-registry/u.test(line)) return true;
    if (!/\bnpm (?:install|i|add|exec)\b/u.test(line)) return false;
    return (
      words.some(ours) ||
      words.some(
        (word) =>
          word.endsWith('.tgz') && word.includes('prompt-registry') && !FILES.includes(word.split('/').at(-1) ?? ''),
      )
    );
  });
}

t.test('no page has one of the packages installed by its name', async (t) => {
  t.ok(PAGES.length > 10);
  for (const page of PAGES) t.strictSame(faultsOf(textOf(page)), [], page);
});

t.test('such lines are found', async (t) => {
  for (const line of [
    'npm install prompt-registry fastify',
    'npm i @prompt-registry/client',
    '- run: npx --yes prompt-registry-contract',
    'npm install /tmp/prompt-registry-client-9.9.9.tgz',
  ])
    t.strictSame(faultsOf(line), [line]);
  for (const line of [
    'npx prompt-registry status',
    'npm install /tmp/prompt-registry-client-0.1.0.tgz',
    'npx --no-install prompt-registry-contract',
  ])
    t.strictSame(faultsOf(line), []);
});
