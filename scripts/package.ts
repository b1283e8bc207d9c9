/**
 * Makes the package `@prompt-registry/fastify` in dist/package: the plugin, for applications that run the registry in-process.
 *
 * Problem: Node does not run TypeScript below node_modules, and an application that embeds the registry needs neither the dependencies of
 * the server nor its Node.
 * Rule: tsc builds only what the entries import. The manifest names only the packages that the built files import, at the versions that the
 * service is tested with.
 * Example: `npm run package && npm pack ./dist/package`.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGE = `${ROOT}dist/package`;
const NAME = '@prompt-registry/fastify';
const DESCRIPTION =
  'The prompt registry as a Fastify plugin: versioned prompts, activation and rollback inside your application.';

/** What an application installs itself: Fastify, and the driver of a store that it may not use. */
const PEERS = new Map([
  ['fastify', '^5.12.8'],
  ['pg', '^8.23.1'],
]);
const OPTIONAL_PEERS = ['pg'];

/** The folder of the example, below docs/ and in the package. */
const EXAMPLE = 'examples/embedded';
const MADE_BY_RUNNING = ['node_modules', 'package-lock.json', 'data'];

interface Manifest {
  readonly [name: string]: unknown;
  readonly dependencies: Readonly<Record<string, string>>;
}
const root = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as Manifest;

rmSync(PACKAGE, { recursive: true, force: true });
execFileSync(process.execPath, [`${ROOT}node_modules/typescript/lib/tsc.js`, '-p', 'tsconfig.package.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});

const used = importedPackages();
const unknown = used.filter((each) => !(each in root.dependencies) && !PEERS.has(each));
if (unknown.length > 0)
  throw new Error(`The plugin imports ${unknown.join(', ')}, but package.json does not list them as dependencies.`);

const entry = (path: string) => ({ types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` });
const manifest = {
  name: NAME,
  version: root['version'],
  description: DESCRIPTION,
  license: root['license'],
  type: root['type'],
  engines: root['engines'],
  exports: {
    '.': entry('plugins/embedding'),
    './stores/memory': entry('registry/stores/memory/index'),
    './stores/sqlite': entry('registry/stores/sqlite/index'),
    './stores/postgres': entry('registry/stores/postgres/index'),
    './package.json': './package.json',
  },
  files: ['dist', EXAMPLE],
  dependencies: Object.fromEntries(
    used.filter((each) => !PEERS.has(each)).map((each) => [each, root.dependencies[each]]),
  ),
  peerDependencies: Object.fromEntries(PEERS),
  peerDependenciesMeta: Object.fromEntries(OPTIONAL_PEERS.map((each) => [each, { optional: true }])),
};
writeFileSync(`${PACKAGE}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
copyFileSync(`${ROOT}LICENSE`, `${PACKAGE}/LICENSE`);
cpSync(`${ROOT}docs/${EXAMPLE}`, `${PACKAGE}/${EXAMPLE}`, {
  recursive: true,
  filter: (path) => !MADE_BY_RUNNING.includes(basename(path)),
});
copyPage('docs/embedding.md', 'README.md');
copyPage(`docs/${EXAMPLE}/README.md`, `${EXAMPLE}/README.md`);
console.log(`${NAME} ${String(root['version'])} is in dist/package.`);

/** Copies a page. Links to files outside the package become plain text. */
function copyPage(from: string, to: string): void {
  const text = readFileSync(`${ROOT}${from}`, 'utf8').replaceAll('(../../embedding.md)', '(../../README.md)');
  const led = text.replaceAll(/\[([^\]]+)\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/gu, (link, label: string, target: string) =>
    existsSync(join(PACKAGE, to, '..', target)) ? link : label,
  );
  writeFileSync(`${PACKAGE}/${to}`, led);
}

/** The packages that the built files import. */
function importedPackages(): string[] {
  const packages = new Set<string>();
  for (const file of globSync('dist/**/*.js', { cwd: PACKAGE })) {
    for (const { fileName } of ts.preProcessFile(readFileSync(`${PACKAGE}/${file}`, 'utf8'), true, true)
      .importedFiles) {
      if (fileName.startsWith('.') || isBuiltin(fileName)) continue;
      const [scope = '', name = ''] = fileName.split('/');
      packages.add(scope.startsWith('@') ? `${scope}/${name}` : scope);
    }
  }
  return [...packages].sort();
}
