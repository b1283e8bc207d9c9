/**
 * Makes a package in a folder below dist/, from sources of the service.
 *
 * Problem: Node does not run TypeScript below node_modules, and who installs the service or the plugin needs neither the development tools
 * nor the Node that the repository brings.
 * Rule: only what the entries import is built. The manifest names only the packages that the built files import, at the versions that the
 * service is tested with.
 * Example: `makePackage(FASTIFY)` fills dist/fastify.
 */
import { copyFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** What is in a package. All paths are relative to the root of the repository, or to the folder of the package. */
export interface PackageContent {
  readonly name: string;
  /** Below dist/. */
  readonly folder: string;
  readonly description: string;
  /** What others import, and its source. Its types are built too. */
  readonly exports?: Readonly<Record<string, string>>;
  /** The sources of programs, which nobody imports. */
  readonly programs?: readonly string[];
  /** The commands, and their files in the package. */
  readonly bin?: Readonly<Record<string, string>>;
  /** Packages that users install themselves, with their versions. */
  readonly peers?: Readonly<Record<string, string>>;
  /** The peers that only some users need. */
  readonly optionalPeers?: readonly string[];
  /** Packages that the code loads without an import. */
  readonly loadedByName?: readonly string[];
  /** Files and folders that are copied as they are: from where, and to where. */
  readonly copies: Readonly<Record<string, string>>;
  /** Pages, copied without the links that lead out of the package: from where, and to where. */
  readonly pages: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly [name: string]: unknown;
  readonly dependencies: Readonly<Record<string, string>>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MADE_BY_RUNNING = ['node_modules', 'package-lock.json', 'data'];
const root = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

/** Empties the folder of the package and fills it again. @throws Error if the sources do not compile, or import what is not a dependency */
export function makePackage(content: PackageContent): void {
  const target = join(ROOT, 'dist', content.folder);
  rmSync(target, { recursive: true, force: true });
  build(content, join(target, 'dist'));
  for (const [from, to] of Object.entries(content.copies)) copy(join(ROOT, from), join(target, to));
  copyFileSync(join(ROOT, 'LICENSE'), join(target, 'LICENSE'));
  for (const [from, to] of Object.entries(content.pages)) copyPage(join(ROOT, from), join(target, to));
  writeJson(join(target, 'package.json'), manifestOf(content, importedPackages(target)));
  console.log(`${content.name} ${String(root['version'])} is in dist/${content.folder}.`);
}

/** Compiles what the entries import, with the options of the repository. */
function build({ exports = {}, programs = [] }: PackageContent, outDir: string): void {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)).config,
    ts.sys,
    ROOT,
  );
  const sources = [...Object.values(exports), ...programs].map((path) => join(ROOT, path));
  const declaration = Object.keys(exports).length > 0;
  const program = ts.createProgram(sources, { ...options, noEmit: false, declaration, rootDir: ROOT, outDir });
  const faults = [...ts.getPreEmitDiagnostics(program), ...program.emit().diagnostics];
  if (faults.length > 0)
    throw new Error(
      ts.formatDiagnostics(faults, {
        getCurrentDirectory: () => ROOT,
        getCanonicalFileName: (path) => path,
        getNewLine: () => '\n',
      }),
    );
  const copied = join(outDir, 'package.json'); // the code imports the manifest of the repository, for its name and version
  if (existsSync(copied)) writeJson(copied, pick(root, ['name', 'version', 'private', 'type']));
}

function manifestOf(content: PackageContent, imported: readonly string[]): object {
  const { exports = {}, bin, peers = {}, optionalPeers = [], loadedByName = [], copies } = content;
  const own = [...new Set([...imported, ...loadedByName])].filter((each) => !(each in peers)).sort();
  const unknown = own.filter((each) => !(each in root.dependencies));
  if (unknown.length > 0)
    throw new Error(
      `${content.name} imports ${unknown.join(', ')}, but package.json does not list them as dependencies.`,
    );
  const built = Object.entries(exports).map(([name, source]) => [name, entryOf(source)] as const);
  return {
    name: content.name,
    version: root['version'],
    description: content.description,
    license: root['license'],
    type: root['type'],
    engines: root['engines'],
    ...(bin !== undefined && { bin }),
    exports: { ...Object.fromEntries(built), './package.json': './package.json' },
    files: ['dist', ...new Set(Object.values(copies))],
    dependencies: pick(root.dependencies, own),
    ...(Object.keys(peers).length > 0 && {
      peerDependencies: peers,
      peerDependenciesMeta: Object.fromEntries(optionalPeers.map((each) => [each, { optional: true }])),
    }),
  };
}

/** What a source is built into. */
function entryOf(source: string) {
  const path = `./dist/${source.replace(/\.ts$/u, '')}`;
  return { types: `${path}.d.ts`, default: `${path}.js` };
}

/** The packages that the built files import, or whose files they look for. */
function importedPackages(target: string): string[] {
  const packages = new Set<string>();
  for (const file of globSync('dist/**/*.js', { cwd: target })) {
    const text = readFileSync(join(target, file), 'utf8');
    const imported = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
    const resolved = [...text.matchAll(/import\.meta\.resolve\('([^']+)'\)/gu)].map(([, name = '']) => name);
    for (const name of [...imported, ...resolved]) {
      if (name.startsWith('.') || isBuiltin(name)) continue;
      const [scope = '', rest = ''] = name.split('/');
      packages.add(scope.startsWith('@') ? `${scope}/${rest}` : scope);
    }
  }
  return [...packages];
}

function copy(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !MADE_BY_RUNNING.includes(basename(path)) });
}

/** Copies a page. Links to other pages of the package lead there; links out of the package become plain text. */
function copyPage(from: string, to: string): void {
  const text = readFileSync(from, 'utf8').replaceAll('(../../embedding.md)', '(../../README.md)');
  const led = text.replaceAll(/\[([^\]]+)\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/gu, (link, label: string, target: string) =>
    existsSync(join(dirname(to), target)) ? link : label,
  );
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, led);
}

function pick<T>(from: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T | undefined> {
  return Object.fromEntries(names.map((name) => [name, from[name]]));
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}
