/**
 * The house rules, read from the source itself: who may import whom, who may read the environment, how files are called.
 *
 * Lint holds the same rules (scripts/eslint/house-imports.ts); this test states them again in its own words, as a list of what
 * is allowed, and shows on planted violations that it would notice.
 */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import ts from 'typescript';

const ROOT = new URL('..', import.meta.url);

/** Path from the root, with `/`, and text. */
type Sources = ReadonlyMap<string, string>;

interface Import {
  readonly from: string;
  /** A path from the root, a package's name, or a built-in with `node:`. */
  readonly to: string;
  readonly typeOnly: boolean;
}

interface Rule {
  /** The files that it is about. */
  readonly files: RegExp;
  /** All they may import; what matches none of these is a violation. */
  readonly allowed: readonly RegExp[];
}

/** The rooms of `registry/`, the lowest first. A file may import from its own room and from lower ones. */
const ROOMS = [
  ['model.ts', 'model/'],
  ['errors.ts'],
  ['values/'],
  ['machine/'],
  ['log/'],
  ['assignment/'],
  ['state/'],
  ['packs/'],
  ['requests.ts'],
  ['keys/'],
  ['moves/'],
  ['rollouts/'],
  ['sessions/'],
  ['transitions.ts', 'events.ts'],
  ['local/'],
  ['proof/'],
  ['writing/'],
  ['following/'],
  ['instance/'],
  ['streams/'],
  ['host/'],
  ['rollout-desk.ts'],
  ['registry.ts'],
  ['index.ts'],
].map((paths) => paths.map((path) => `registry/${path}`));

const BUILTIN = /^node:(?!sqlite$)/u;
const PACKAGE = /^npm:(?!pg$)/u;
const DOMAIN_PACKAGE = /^npm:(@sinclair\/typebox|yaml|semver|canonicalize|fast-jwt|lru-cache|diff|re2js)$/u;
const DOMAIN = /^registry\/(?!stores\/)/u;
const DOMAIN_DOOR = /^registry\/index\.ts$/u;
const SHARED_BY_STORES = /^registry\/stores\/[^/]+\.ts$/u;
const ENGINE_DOOR = /^registry\/stores\/[^/]+\/index\.ts$/u;
const PLUGINS = /^plugins\//u;
/** What a plugin shows to routes. A plugin with its own folder keeps the rest private. */
const PLUGIN_DOOR = /^plugins\/([^/]+(\/index)?|(access|connections|problems|revision)\/[^/]+)\.ts$/u;
const ROUTES = /^routes\//u;
const CONFIG = /^config\.ts$/u;
/** What only `config.ts` and scripts use. */
const SETTINGS = /^settings\//u;
const APP = /^app\.ts$/u;
const MANIFEST = /^package\.json$/u;

/**
 * What the command line takes from the domain, to check packs and plans and to explain assignments without a service: no door, no store,
 * nothing that is running.
 */
const OFFLINE =
  /^registry\/(errors|model|assignment\/explain|machine\/make-folder|packs\/(diff|floor|pack|pack-folder)|rollouts\/audience-faults|values\/durations)\.ts$/u;

/** What the TypeScript client takes from the domain, so that both decide alike for a subject or a session: pure, and without a library. */
const DECIDES = /^registry\/(assignment\/(assign|audience|plain)|sessions\/walk)\.ts$/u;

/** The first rule that is about a file is the one that counts. */
const RULES: readonly Rule[] = [
  {
    files: /^registry\/stores\/memory\//u,
    allowed: [BUILTIN, DOMAIN, SHARED_BY_STORES, /^registry\/stores\/memory\//u],
  },
  {
    files: /^registry\/stores\/sqlite\//u,
    allowed: [BUILTIN, /^node:sqlite$/u, DOMAIN, SHARED_BY_STORES, /^registry\/stores\/sqlite\//u],
  },
  {
    files: /^registry\/stores\/postgres\//u,
    allowed: [BUILTIN, /^npm:pg$/u, DOMAIN, SHARED_BY_STORES, /^registry\/stores\/postgres\//u],
  },
  { files: SHARED_BY_STORES, allowed: [BUILTIN, DOMAIN_PACKAGE, DOMAIN, SHARED_BY_STORES] },
  { files: DOMAIN, allowed: [BUILTIN, DOMAIN_PACKAGE, DOMAIN] },
  {
    files: /^plugins\/registry(\.ts$|\/)/u,
    allowed: [BUILTIN, PACKAGE, DOMAIN_DOOR, ENGINE_DOOR, PLUGINS, CONFIG, MANIFEST],
  },
  { files: PLUGINS, allowed: [BUILTIN, PACKAGE, DOMAIN_DOOR, PLUGINS, CONFIG, MANIFEST] },
  { files: ROUTES, allowed: [BUILTIN, PACKAGE, DOMAIN_DOOR, PLUGIN_DOOR, ROUTES, CONFIG, MANIFEST] },
  { files: SETTINGS, allowed: [BUILTIN, PACKAGE, DOMAIN_DOOR, SETTINGS] },
  { files: CONFIG, allowed: [BUILTIN, PACKAGE, DOMAIN_DOOR, SETTINGS, MANIFEST] },
  { files: APP, allowed: [BUILTIN, PACKAGE, DOMAIN_DOOR, PLUGINS, ROUTES, CONFIG, MANIFEST] },
  { files: /^clients\/typescript\/src\/disk\.ts$/u, allowed: [BUILTIN, /^clients\/typescript\/src\//u] },
  { files: /^clients\/typescript\//u, allowed: [PACKAGE, DECIDES, /^clients\/typescript\/src\//u] },
  { files: /^clients\/cli\//u, allowed: [BUILTIN, PACKAGE, OFFLINE, /^clients\/cli\/src\//u] },
  { files: /^clients\/contract\//u, allowed: [BUILTIN, PACKAGE, /^clients\/contract\/src\//u] },
  { files: /^server\.ts$/u, allowed: [BUILTIN, PACKAGE, DOMAIN_DOOR, ENGINE_DOOR, PLUGINS, CONFIG, APP, MANIFEST] },
];

/** The service: what the rules are about. */
function service(): Sources {
  return read(['registry/**/*.ts', 'plugins/**/*.ts', 'routes/**/*.ts', 'settings/**/*.ts', '*.ts']);
}

/** The sources of the published clients. */
function clients(): Sources {
  return read(['clients/*/src/**/*.ts']);
}

function read(patterns: readonly string[]): Sources {
  const paths = globSync(patterns, { cwd: fileURLToPath(ROOT), exclude: ['**/node_modules/**', '**/dist/**'] }).map(
    (path) => path.split(sep).join('/'),
  );
  return new Map(paths.sort().map((path) => [path, readFileSync(new URL(path, ROOT), 'utf8')]));
}

/** Every import of a file: static, dynamic, re-export, `require`, `import('…').Type`. */
function importsOf(from: string, text: string): Import[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName, pos }) => {
    const before = text.slice(0, pos);
    const statement = before.slice(Math.max(before.lastIndexOf('import'), before.lastIndexOf('export')));
    return { from, to: target(from, fileName), typeOnly: /^(import|export)\s+type\b/u.test(statement) };
  });
}

function target(from: string, specifier: string): string {
  if (isBuiltin(specifier)) return specifier.startsWith('node:') ? specifier : `node:${specifier}`;
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(from), specifier));
  const [scope = '', name = ''] = specifier.split('/');
  return `npm:${scope.startsWith('@') ? `${scope}/${name}` : scope}`;
}

/** `file → import` for each import that no rule allows. */
function violations(sources: Sources): string[] {
  return [...sources].flatMap(([from, text]) => {
    const rule = RULES.find(({ files }) => files.test(from));
    if (rule === undefined)
      return [`${from}: no rule is about this file; say in test/architecture.test.ts what it may import`];
    return importsOf(from, text)
      .filter(({ to }) => !rule.allowed.some((each) => each.test(to)))
      .map(({ to }) => `${from} → ${to}`);
  });
}

/** Which room a file of `registry/` is in; -1 for the stores, which are outside of the order. */
function roomOf(path: string): number {
  return ROOMS.findIndex((paths) => paths.some((room) => (room.endsWith('/') ? path.startsWith(room) : path === room)));
}

/** `file → import` for each import that leads to a higher room. */
function upwardImports(sources: Sources): string[] {
  return [...sources].flatMap(([from, text]) =>
    importsOf(from, text)
      .filter(({ to }) => to.startsWith('registry/') && roomOf(from) !== -1 && roomOf(from) < roomOf(to))
      .map(({ to }) => `${from} → ${to}`),
  );
}

/** Import circles, each as `a → b → a`. */
function circles(sources: Sources): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) found.push([...trail.slice(start), path].join(' → '));
    if (start !== -1 || done.has(path)) return;
    for (const { to } of importsOf(path, sources.get(path) ?? '')) if (sources.has(to)) visit(to, [...trail, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

/** Files that read the environment: `process.env`, `process['env']`, `const { env } = process`, `import { env } from 'process'`. */
function environmentReaders(sources: Sources): string[] {
  const isProcess = (node: ts.Node | undefined) =>
    node !== undefined && /^(globalThis\.)?process$/u.test(node.getText());
  const reads = (node: ts.Node): boolean => {
    if (ts.isPropertyAccessExpression(node) && node.name.text === 'env' && isProcess(node.expression)) return true;
    if (ts.isElementAccessExpression(node) && isProcess(node.expression)) return true;
    if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && isProcess(node.initializer)) {
      return node.name.elements.some((each) => (each.propertyName ?? each.name).getText() === 'env');
    }
    if (ts.isImportDeclaration(node) && /^['"](node:)?process['"]$/u.test(node.moduleSpecifier.getText())) {
      return /\benv\b/u.test(node.importClause?.namedBindings?.getText() ?? '');
    }
    return ts.forEachChild(node, (child) => reads(child) || undefined) ?? false;
  };
  return [...sources]
    .filter(([path, text]) => reads(ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true)))
    .map(([path]) => path);
}

t.test('dependencies point inward', async (t) => {
  const sources = service();
  t.ok(sources.has('registry/model.ts'), 'the scan finds the domain');
  t.same(violations(sources), []);
});

t.test('registry/ is built of rooms, each of which knows only lower ones', async (t) => {
  const sources = service();
  const files = [...sources.keys()].filter((path) => DOMAIN.test(path));
  t.same(
    files.filter((path) => roomOf(path) === -1),
    [],
    'every file is in a room',
  );
  t.same(
    ROOMS.flat().filter((room) => !files.some((path) => path.startsWith(room))),
    [],
    'every room is there',
  );
  t.same(upwardImports(sources), []);
  t.same(upwardImports(new Map([['registry/log/event.ts', `import type { Policy } from '../packs/policy.ts';`]])), [
    'registry/log/event.ts → registry/packs/policy.ts',
  ]);
});

t.test('no imports go round in a circle', async (t) => {
  for (const sources of [service(), clients()]) t.same(circles(sources), []);
  const planted = new Map([
    ['registry/packs/pack.ts', `import type { Policy } from './policy.ts';`],
    ['registry/packs/policy.ts', `export * from '../log/event.ts';`],
    ['registry/log/event.ts', `const pack = await import('../packs/pack.ts');`],
  ]);
  t.same(circles(planted), [
    'registry/packs/pack.ts → registry/packs/policy.ts → registry/log/event.ts → registry/packs/pack.ts',
  ]);
});

t.test(
  'clients know nothing of the service but what they are sent, the command line how packs and plans are checked, and the TypeScript client what decides',
  async (t) => {
    const sources = clients();
    t.ok(
      ['typescript', 'cli', 'contract'].every((name) =>
        [...sources.keys()].some((path) => path.startsWith(`clients/${name}/`)),
      ),
      'the scan finds them',
    );
    t.same(violations(sources), []);
    for (const name of ['typescript', 'cli', 'contract']) {
      const { dependencies } = JSON.parse(readFileSync(new URL(`clients/${name}/package.json`, ROOT), 'utf8')) as {
        dependencies: Record<string, string>;
      };
      const used = [...sources]
        .filter(([path]) => path.startsWith(`clients/${name}/`))
        .flatMap(([path, text]) => importsOf(path, text));
      t.same(
        used
          .filter(({ to }) => to.startsWith('npm:') && !(to.slice('npm:'.length) in dependencies))
          .map(({ from, to }) => `${from} → ${to}`),
        [],
        `clients/${name} imports what it names`,
      );
    }
  },
);

t.test('only server.ts reads the environment', async (t) => {
  t.same(
    environmentReaders(service()).filter((path) => path !== 'server.ts'),
    [],
  );
});

t.test('the service imports nothing that an installation without development tools lacks', async (t) => {
  const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const used = [...service()]
    .flatMap(([path, text]) => importsOf(path, text))
    .filter(({ to, typeOnly }) => to.startsWith('npm:') && !typeOnly);
  const missing = used.filter(({ to }) => !(to.slice('npm:'.length) in manifest.dependencies));
  t.same(
    missing.map(({ from, to }) => `${from} → ${to}`),
    [],
  );
});

t.test('files and folders are called in kebab-case', async (t) => {
  const all = read(['*.ts', '{registry,plugins,routes,scripts,bench,test,clients}/**/*.ts']);
  const kebab = /^([a-z0-9]+(-[a-z0-9]+)*\/)*[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.ts$/u;
  t.same(
    [...all.keys()].filter((path) => !kebab.test(path)),
    [],
  );
  t.notMatch('registry/packFolder.ts', kebab, 'the pattern refuses another case');
});

t.test('control: planted violations are found', async (t) => {
  const planted: readonly (readonly [path: string, text: string])[] = [
    ['registry/packs/pack.ts', `import fastify from 'fastify';`],
    ['registry/packs/pack.ts', `import type { FastifyInstance } from 'fastify';`],
    ['registry/packs/pack.ts', `const sqlite = await import('node:sqlite');`],
    ['registry/packs/pack.ts', `import { problem } from '../../plugins/problems/problem-details.ts';`],
    ['registry/packs/pack.ts', `export { open } from '../stores/sqlite/index.ts';`],
    ['registry/packs/pack.ts', `let rows: import('../stores/batch.ts').Rows;`],
    ['registry/stores/batch.ts', `import { DatabaseSync } from 'node:sqlite';`],
    ['registry/stores/memory/index.ts', `import { DatabaseSync } from 'node:sqlite';`],
    ['registry/stores/sqlite/index.ts', `import { Client } from 'pg';`],
    ['registry/stores/postgres/index.ts', `import { rows } from '../sqlite/rows.ts';`],
    ['registry/stores/postgres/index.ts', `import type { Config } from '../../../config.ts';`],
    ['plugins/auth.ts', `import { packs } from '../routes/packs/index.ts';`],
    ['plugins/auth.ts', `import { Fold } from '../registry/state/fold.ts';`],
    ['plugins/auth.ts', `import { memoryStore } from '../registry/stores/memory/index.ts';`],
    ['plugins/registry.ts', `import { follows } from '../registry/stores/batch.ts';`],
    ['routes/packs/index.ts', `import type { SqliteStore } from '../../registry/stores/sqlite/index.ts';`],
    ['routes/packs/index.ts', `import { hash } from '../../plugins/auth/hash.ts';`],
    ['routes/packs/index.ts', `import { buildApp } from '../../app.ts';`],
    ['app.ts', `import { SqliteStore } from './registry/stores/sqlite/index.ts';`],
    ['config.ts', `import { buildApp } from './app.ts';`],
    ['settings/texts.ts', `import type { Config } from '../config.ts';`],
    ['plugins/auth.ts', `import { escaped } from '../settings/texts.ts';`],
    ['server.ts', `import { Fold } from './registry/fold.ts';`],
    ['server.ts', `import { store } from './test/support/store.ts';`],
    ['cli.ts', `export const nothing = 0;`],
    ['clients/typescript/src/source.ts', `import { createHash } from 'node:crypto';`],
    ['clients/typescript/src/source.ts', `import { parsePack } from '../../../registry/packs/pack.ts';`],
    ['clients/cli/src/main.ts', `import { Registry } from '../../../registry/index.ts';`],
    ['clients/cli/src/main.ts', `import { createPromptSource } from '../../typescript/src/index.ts';`],
    ['clients/contract/src/main.ts', `import { parsePack } from '../../../registry/packs/pack.ts';`],
  ];
  for (const [path, text] of planted) t.equal(violations(new Map([[path, text]])).length, 1, `${path}: ${text}`);

  const fine: readonly (readonly [path: string, text: string])[] = [
    [
      'registry/packs/pack.ts',
      `import { Value } from '@sinclair/typebox/value';\nimport { sha256 } from './event.ts';`,
    ],
    [
      'registry/stores/sqlite/index.ts',
      `import { DatabaseSync } from 'node:sqlite';\nimport type { Store } from '../../store.ts';`,
    ],
    ['plugins/registry.ts', `import { openStore } from '../registry/stores/sqlite/index.ts';`],
    [
      'routes/packs/index.ts',
      `import { SCOPES } from '../../plugins/access/scopes.ts';\nimport { PackName } from '../../registry/index.ts';`,
    ],
    [
      'server.ts',
      `import { openStore } from './registry/stores/sqlite/index.ts';\nimport { buildApp } from './app.ts';`,
    ],
  ];
  for (const [path, text] of fine) t.same(violations(new Map([[path, text]])), [], `${path} may: ${text}`);

  const readers = [
    `const dir = process.env['DATA_DIR'];`,
    `const all = globalThis.process.env;`,
    `const all = process['env'];`,
    `const { env } = process;`,
    `const { env: all } = process;`,
    `import { env } from 'node:process';`,
    `import process, { env as all } from 'process';`,
  ];
  for (const text of readers) t.same(environmentReaders(new Map([['config.ts', text]])), ['config.ts'], text);
  t.same(
    environmentReaders(new Map([['config.ts', `// process.env\nconst env = 'process.env'; process.exitCode = 1;`]])),
    [],
  );
});
