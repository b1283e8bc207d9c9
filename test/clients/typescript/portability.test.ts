/**
 * What a browser or an edge runtime would load of the client has nothing of Node in it, but for the copy on disk, which is an import of
 * its own; and nothing of the service is in any of it.
 */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, relative } from 'node:path';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import ts from 'typescript';
import { ROOT } from '../../support/apps/server-process.ts';

const DIST = join(ROOT, 'clients', 'typescript', 'dist');
const MANIFEST = JSON.parse(readFileSync(join(DIST, '..', 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
  engines: object;
};

/** Every built file that an entry loads, with what it imports from elsewhere. */
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

t.test('the main entry imports its dependencies only', async (t) => {
  const files = loaded('index.js');
  t.ok(files.has(join(DIST, 'prompt-source.js')), 'the scan goes down');
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

t.test('it names nothing that only Node has', async (t) => {
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

t.test('the copy on disk is the one part that needs Node', async (t) => {
  t.ok([...loaded('disk.js').values()].flat().some((each) => isBuiltin(each)));
  const users = globSync('*.js', { cwd: DIST }).filter((name) =>
    [...loaded(name).values()].flat().some((each) => isBuiltin(each)),
  );
  t.strictSame(users, ['disk.js']);
});

t.test('timers that are numbers, as in a browser, do', async (t) => {
  const text = readFileSync(join(DIST, 'timers.js'), 'utf8').replaceAll(/^export /gmu, '');
  const timers: number[] = [];
  const result: unknown = runInNewContext(`${text}\nlater(5, () => undefined)`, {
    setTimeout: (_: unknown, ms: number) => timers.push(ms),
    clearTimeout: () => undefined,
  });
  t.equal(result, 1);
  t.strictSame(timers, [5]);
});
