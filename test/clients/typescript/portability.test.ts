/**
 * The main entry works in browsers and edge runtimes: it uses nothing of Node. Only the copy on disk does, in its own entry. Of the service
 * they contain what decides for a subject or a session, and nothing else.
 */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative, sep } from 'node:path';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import ts from 'typescript';
import { ROOT } from '../../support/apps/server-process.ts';

const PACKAGE = join(ROOT, 'clients', 'typescript');
/** The package has its own files and some of the service, so its folders are those of the repository. */
const DIST = join(PACKAGE, 'dist', 'clients', 'typescript', 'src');
const MANIFEST = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  engines: object;
};

/** All built files that an entry loads, with their external imports. */
function loaded(entry: string, files = new Map<string, string[]>()): Map<string, string[]> {
  const path = join(DIST, entry);
  if (files.has(path)) return files;
  const specifiers = ts
    .preProcessFile(readFileSync(path, 'utf8'), true, true)
    .importedFiles.map(({ fileName }) => fileName);
  files.set(
    path,
    specifiers.filter((each) => !each.startsWith('.')),
  );
  for (const each of specifiers.filter((each) => each.startsWith('.')))
    loaded(relative(DIST, join(path, '..', each)), files);
  return files;
}

t.test('the main entry only imports its dependencies', async (t) => {
  const files = loaded('index.js');
  t.ok(files.has(join(DIST, 'prompt-source.js')), 'the scan is recursive');
  const imports = [...new Set([...files.values()].flat())];
  t.strictSame(
    imports.filter((each) => isBuiltin(each)),
    [],
  );
  t.strictSame(
    imports.filter((each) => !(each in MANIFEST.dependencies)),
    [],
  );
});

t.test('of the service the main entry has only what is listed as shared', async (t) => {
  const { config } = ts.readConfigFile(join(PACKAGE, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')) as {
    config: { files: string[] };
  };
  const shared = [...loaded('index.js').keys()].map((path) =>
    relative(join(PACKAGE, 'dist'), path).split(sep).join('/'),
  );
  t.strictSame(
    shared.filter((path) => path.startsWith('registry/')).sort(),
    config.files.map((path) => path.replace('../../', '').replace(/\.ts$/u, '.js')).sort(),
  );
});

t.test('the main entry uses no globals of Node', async (t) => {
  for (const [path] of loaded('index.js')) {
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ESNext, true);
    const found: string[] = [];
    const look = (node: ts.Node): void => {
      const isName =
        ts.isIdentifier(node) &&
        ['process', 'Buffer', 'require', 'global', '__dirname', 'setImmediate'].includes(node.text);
      if (isName && !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node)) found.push(node.text);
      ts.forEachChild(node, look);
    };
    look(source);
    t.strictSame(found, [], relative(DIST, path));
  }
});

t.test('only the copy on disk needs Node', async (t) => {
  t.ok([...loaded('disk.js').values()].flat().some((each) => isBuiltin(each)));
  const users = globSync('*.js', { cwd: DIST }).filter((name) =>
    [...loaded(name).values()].flat().some((each) => isBuiltin(each)),
  );
  t.strictSame(users, ['disk.js']);
});

t.test('timers may be numbers, as in a browser', async (t) => {
  const text = readFileSync(join(DIST, 'timers.js'), 'utf8').replaceAll(/^export /gmu, '');
  const timers: number[] = [];
  const result: unknown = runInNewContext(`${text}\nlater(5, () => undefined)`, {
    setTimeout: (_: unknown, ms: number) => timers.push(ms),
    clearTimeout: () => undefined,
  });
  t.equal(result, 1);
  t.strictSame(timers, [5]);
});
