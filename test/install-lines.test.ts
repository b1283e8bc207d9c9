/**
 * What the pages tell people to install. The packages are not on a registry yet, so anybody can publish under their names: people who
 * install them by name, or let npx fetch them, would run a stranger's code.
 */
import { globSync, readFileSync } from 'node:fs';
import t from 'tap';

const ROOT = new URL('..', import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
interface Manifest {
  readonly name: string;
  readonly version: string;
}
const manifestOf = (path: string) => JSON.parse(textOf(path)) as Manifest;
const PROJECT = manifestOf('package.json');
/** What can be packed: the clients, and what `npm run package` makes. */
const PACKAGES: readonly Manifest[] = [
  ...globSync('clients/*/package.json', { cwd: ROOT }).map(manifestOf),
  ...['fastify', 'server'].map((name) => ({ name: `@prompt-registry/${name}`, version: PROJECT.version })),
];
/** The files that `npm pack` makes of them. */
const FILES = PACKAGES.map(({ name, version }) => `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
/** Names that nobody may install by: the packages', the project's, and the commands', which npm takes for packages. */
const NAMES = [...PACKAGES.map(({ name }) => name), PROJECT.name, 'prompt-registry-contract', 'prompt-registry-server'];
const PAGES = globSync(['*.md', 'docs/**/*.md', 'clients/*/README.md', 'deploy/*/README.md'], {
  cwd: ROOT,
  exclude: (path) => /node_modules|CHANGELOG|^docs\/adr/u.test(path),
});

/** The lines of a page that install a package by its name, or a file that no package has. */
function faultsOf(text: string): string[] {
  return text.split('\n').filter((line) => {
    const words = line.split('#')[0]?.match(/[^\s`"]+/gu) ?? [];
    const ours = (word: string) => NAMES.some((name) => word === name || word.startsWith(`${name}@`));
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

t.test('no page installs a package by its name', async (t) => {
  t.ok(PAGES.length > 10);
  for (const page of PAGES) t.strictSame(faultsOf(textOf(page)), [], page);
});

t.test('lines that do are found', async (t) => {
  for (const line of [
    'npm install prompt-registry fastify',
    'npm i @prompt-registry/client',
    'npm install --global @prompt-registry/server',
    'npm install @prompt-registry/fastify fastify',
    'npm install /tmp/prompt-registry-0.1.0.tgz fastify',
    'npm install -D prompt-registry-contract',
    '- run: npx --yes prompt-registry-contract',
    'npm install /tmp/prompt-registry-client-9.9.9.tgz',
  ])
    t.strictSame(faultsOf(line), [line]);
  for (const line of [
    'npx prompt-registry status',
    'npm install /tmp/prompt-registry-client-0.1.0.tgz',
    'npm install /tmp/prompt-registry-fastify-0.1.0.tgz fastify',
    'npx --no-install prompt-registry-contract',
  ])
    t.strictSame(faultsOf(line), []);
});
