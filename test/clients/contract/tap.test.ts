// What the kit writes is TAP 14 to a reader that is not ours, whatever texts and details hold.
import t from 'tap';
import { Parser } from 'tap-parser';
import { TapWriter } from '../../../clients/contract/src/tap.ts';

t.test('groups, results and details are read as they were written', async (t) => {
  const lines: string[] = [];
  const tap = new TapWriter((text) => void lines.push(text));
  const good = tap.group('listPacks');
  good.pass('a # SKIP in a name, and a \\ as well');
  good.end();
  const bad = tap.group('getPack');
  const details = {
    expected: ['1.0.0', '---\n...\nnot ok 3'],
    found: null,
    request: 'GET /v1/packs/coach',
    text: 'two\nlines: # \t"',
  };
  bad.pass('before it');
  bad.fail('over two\n  lines', details);
  bad.end();
  tap.fail('live: not fully checked');
  tap.end();

  const said = Parser.parse(lines.join(''));
  t.strictSame(
    said.filter(([event]) => event === 'extra'),
    [],
    'every line follows the format',
  );
  const results = said.flatMap((event) => resultsIn(event));
  t.strictSame(
    results.map(({ ok, name }) => [ok, name]),
    [
      [true, 'a # SKIP in a name, and a \\ as well'],
      [true, 'listPacks'],
      [true, 'before it'],
      [false, 'over two lines'],
      [false, 'getPack'],
      [false, 'live: not fully checked'],
    ],
  );
  t.notOk(results.some(({ skip }) => skip));
  t.strictSame(results[3]?.diag, details);
  t.match(
    said.find(([event]) => event === 'complete'),
    ['complete', { ok: false, count: 3, pass: 1, fail: 2, plan: { start: 1, end: 3 } }],
  );
  t.ok(
    lines.every((line) => line.endsWith('\n') && line.trim().split('\n').length === 1),
    'a line at a time',
  );
});

interface Said {
  readonly ok: boolean;
  readonly name: string;
  readonly skip?: boolean | string;
  readonly diag?: unknown;
}

/** The results in an event of the parser, at any depth. */
function resultsIn([event, ...rest]: readonly unknown[]): Said[] {
  if (event === 'assert') return [rest[0] as Said];
  return event === 'child' ? (rest[0] as readonly unknown[][]).flatMap(resultsIn) : [];
}
