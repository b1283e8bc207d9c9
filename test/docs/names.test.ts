/**
 * What the pages and comments name exists: every link leads to a file and a heading, and every `*.ts` file named in prose is there.
 *
 * A file may be named by its path, by the end of its path (`stores/postgres/statements.ts`), by its bare name (`fold.ts`), or by a pattern
 * (`registry/stores/*.test.ts`).
 */
import { existsSync, globSync, readdirSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { ROOT } from '../support/apps/server-process.ts';
import { textOf } from '../support/docs/pages.ts';

const exclude = ['**/node_modules/**', '**/dist/**', 'test/fixtures/**', 'CHANGELOG.md', 'data/**', 'coverage/**'];
const filesOf = (...patterns: string[]) => globSync(patterns, { cwd: ROOT, exclude }).sort();

const PAGES = filesOf('**/*.md').filter((path) => !/(^|\/)packs\//u.test(path));
const SOURCES = filesOf('**/*.ts');

/** The comments of a source. */
function commentsOf(text: string): string {
  if (!/(?:\/\/|^\s*\/?\*).*\w\.ts\b/mu.test(text)) return ''; // parsing costs most of this test's time
  const ranges = new Map<number, string>();
  const visit = (node: ts.Node): void => {
    for (const { pos, end } of [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
    ])
      ranges.set(pos, text.slice(pos, end));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('', text, ts.ScriptTarget.ESNext));
  return [...ranges.values()].join('\n');
}

/** The files that a text names, e.g. `registry/state/fold.ts`, without those that its addresses lead to. */
function namedFiles(prose: string): string[] {
  const own = prose.replaceAll(/\bhttps?:\/\/\S+/gu, '');
  return [...own.matchAll(/(?<![\w.@>])[\w@./*-]*\w\.ts\b(?![\w.-]*\.\w)/gu)].map(([name]) =>
    name.replace(/^(\.\.?\/)+/u, ''),
  );
}

const isThere = (name: string) =>
  SOURCES.some(
    (path) => path === name || path.endsWith(`/${name}`) || (name.includes('*') && matchesGlob(path, `**/${name}`)),
  );

/** What GitHub makes of a heading. */
const anchorsOf = (page: string) =>
  [...page.matchAll(/^#+ (.*)$/gmu)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );

/** Links of a page that lead nowhere. */
function brokenLinks(path: string, text: string): string[] {
  const prose = text.replaceAll(/^( *)```[\s\S]*?^\1```$/gmu, '');
  return [...prose.matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)/gu)]
    .filter(([, target = '', anchor]) => {
      const file = target === '' ? path : join(dirname(path), target);
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && !anchorsOf(textOf(file)).includes(anchor);
    })
    .map(([link]) => `${path}: ${link}`);
}

t.test('every link of a page leads somewhere', async (t) => {
  t.ok(PAGES.length > 30, 'the pages are found');
  t.strictSame(
    PAGES.flatMap((path) => brokenLinks(path, textOf(path))),
    [],
  );
  t.strictSame(brokenLinks('README.md', '[a](nowhere.md) [b](LICENSE) [c](#nowhere) [d](https://example.com)'), [
    'README.md: ](nowhere.md)',
    'README.md: ](#nowhere)',
  ]);
});

t.test('every file that a page or a comment names is there', async (t) => {
  const missing = [
    ...PAGES.map((path) => [path, textOf(path)] as const),
    ...SOURCES.map((path) => [path, commentsOf(textOf(path))] as const),
  ].flatMap(([path, prose]) =>
    namedFiles(prose)
      .filter((name) => !isThere(name))
      .map((name) => `${path}: ${name}`),
  );
  t.strictSame(missing, []);
});

t.test('control: names are found, and missing ones noticed', async (t) => {
  const text = "/** See `fold.ts` and state/snapshot.ts. */\nconst name = 'no.ts'; // and gone.ts\n";
  t.strictSame(namedFiles(commentsOf(text)), ['fold.ts', 'state/snapshot.ts', 'gone.ts']);
  t.strictSame(['fold.ts', 'gone.ts', 'registry/stores/*.test.ts'].map(isThere), [true, false, true]);
});

t.test('every page of docs/ can be reached from the front page', async (t) => {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path) || !path.endsWith('.md') || !existsSync(join(ROOT, path))) return;
    reached.add(path);
    for (const [, target = ''] of textOf(path).matchAll(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/gu))
      visit(join(dirname(path), target));
  };
  visit('README.md');
  t.strictSame(
    PAGES.filter((path) => path.startsWith('docs/') && !reached.has(path)),
    [],
  );
});

t.test(
  'docs/architecture.md lists the rooms of registry/ in the order that test/architecture.test.ts holds',
  async (t) => {
    const namesIn = (text: string, mark: RegExp) => [...text.matchAll(mark)].map(([, name]) => name);
    const [, ordered = ''] = /^const ROOMS = \[\n([\s\S]*?)^\]/mu.exec(textOf('test/architecture.test.ts')) ?? [];
    const [, table = ''] = textOf('docs/architecture.md').split('\n| room |');
    const cells = [...table.matchAll(/^\| (`.+?`) \|/gmu)].map(([, cell = '']) => cell).join();
    t.strictSame(namesIn(cells, /`([^`]+)`/gu), [...namesIn(ordered, /'([^']+)'/gu), 'stores/']);
  },
);

t.test('docs/adr/README.md lists every decision, by its title', async (t) => {
  const listed = [...textOf('docs/adr/README.md').matchAll(/^\| \[(\d+)\]\((.+?)\) \| (.+) \| \w+ \|$/gmu)].map(
    ([, number = '', file = '', title = '']) => [file, `# ${number}. ${title}`],
  );
  const there = readdirSync(join(ROOT, 'docs', 'adr'))
    .filter((name) => name !== 'README.md')
    .map((name) => [name, textOf(join('docs', 'adr', name)).split('\n')[0]]);
  t.strictSame(listed, there.sort());
});
