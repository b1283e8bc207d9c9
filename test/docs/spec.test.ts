/**
 * The checklist at the end of registry/SPEC.md: every rule has a line, every line names what enforces it and which tests hold it, and every
 * file and name in it exists.
 */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from '../support/apps/server-process.ts';
import { sectionOf, textOf } from '../support/docs/pages.ts';

const SPEC = textOf('registry/SPEC.md');

interface Line {
  readonly rule: string;
  readonly enforcement: string;
  readonly where: readonly string[];
  readonly tests: readonly string[];
}

const codesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/gu)].map(([, code = '']) => code);

/** The lines of the checklist. */
function linesOf(spec: string): Line[] {
  return [...sectionOf(spec, 'Checklist').matchAll(/^\| (R\d+) \| (.+) \| (.+) \| (.+) \|$/gmu)].map(
    ([, rule = '', enforcement = '', where = '', tests = '']) => ({
      rule,
      enforcement,
      where: codesIn(where),
      tests: codesIn(tests),
    }),
  );
}

const pathOf = (file: string) => (/^(plugins|routes)\//u.test(file) ? file : join('registry', file));

/** What a line names that does not exist: files, and names that the file before them does not have. */
function missingIn({ where, tests }: Pick<Line, 'where' | 'tests'>): string[] {
  const missing = tests.filter((test) => globSync(join('test', test), { cwd: ROOT }).length === 0);
  let source = '';
  for (const code of where) {
    if (code.endsWith('.ts')) {
      const path = pathOf(code);
      source = existsSync(join(ROOT, path)) ? textOf(path) : '';
      if (source === '') missing.push(code);
    } else if (!new RegExp(`(?<![\\w#])${code}\\b`, 'u').test(source)) missing.push(code);
  }
  return missing;
}

const LINES = linesOf(SPEC);

t.test('every rule has a line, with where it is enforced and what tests it', async (t) => {
  const rules = [...SPEC.matchAll(/^### (R\d+) /gmu)].map(([, rule]) => rule);
  t.equal(rules.length, 16);
  t.strictSame([...new Set(LINES.map(({ rule }) => rule))], rules);
  for (const { rule, enforcement, where, tests } of LINES) {
    t.ok(where.some((code) => code.endsWith('.ts')) && tests.length > 0, `${rule} ${enforcement}`);
  }
});

t.test('every file and name in it exists', async (t) => {
  for (const line of LINES) t.strictSame(missingIn(line), [], `${line.rule} ${line.enforcement}`);
});

t.test('control: what does not exist is found', async (t) => {
  t.strictSame(
    missingIn({
      where: ['state/fold.ts', 'Fold', 'Unfold', 'no.ts', 'x'],
      tests: ['registry/no.test.ts', 'fault/*.test.ts'],
    }),
    ['registry/no.test.ts', 'Unfold', 'no.ts', 'x'],
  );
});
