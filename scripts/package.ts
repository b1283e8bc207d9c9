/**
 * Makes the package `prompt-registry` in dist/package: the plugin, for applications that have the registry in-process.
 *
 * Problem: Node runs no TypeScript below node_modules, and an application that embeds the registry wants neither the server's own
 * dependencies nor its Node.
 * Rule: tsc builds what the entries import, and nothing else; the manifest names the packages that this imports, and no others, at the
 * versions that the service is tested with.
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

/** What an application brings itself: Fastify, and the driver of a store that it may not use. */
const PEERS = new Map([
  ['fastify', '^5.12.8'],
  ['postgres', '^3.4.9'],
]);
const OPTIONAL_PEERS = ['postgres'];

/** Below docs/, and at the same place in the package. */
const EXAMPLE = 'examples/embedded';
const MADE_BY_RUNNING = ['node_modules', 'package-lock.json', 'data'];

interface Manifest {
  readonly [name: string]: unknown;
  readonly dependencies: Readonly<Record<string, string>>;
}
const {
  name,
  version,
  description,
  license,
  type,
  engines,
  dependencies: known,
} = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as Manifest;

rmSync(PACKAGE, { recursive: true, force: true });
execFileSync(process.execPath, [`${ROOT}node_modules/typescript/lib/tsc.js`, '-p', 'tsconfig.package.json'], {
  cwd: ROOT,
  stdio: 'inherit',
});

const used = importedPackages();
const unknown = used.filter((each) => !(each in known) && !PEERS.has(each));
if (unknown.length > 0)
  throw new Error(`The plugin imports ${unknown.join(', ')}, which package.json does not name as a dependency.`);

const entry = (path: string) => ({ types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` });
const manifest = {
  name,
  version,
  description,
  license,
  type,
  engines,
  exports: {
    './plugin': entry('plugins/package'),
    './stores/memory': entry('registry/stores/memory/index'),
    './stores/sqlite': entry('registry/stores/sqlite/index'),
    './stores/postgres': entry('registry/stores/postgres/index'),
    './package.json': './package.json',
  },
  files: ['dist', EXAMPLE],
  dependencies: Object.fromEntries(used.filter((each) => !PEERS.has(each)).map((each) => [each, known[each]])),
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
console.log(`The package ${String(name)} ${String(version)} is in dist/package.`);

/** Copies a page; its links lead to what is in the package, and of those to the rest of the repository the text is left. */
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
