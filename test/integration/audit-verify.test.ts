/**
 * `npm run audit:verify` with a stopped and a running service: exit code 0 if the log is whole, 1 if it is broken, 2 if it cannot tell. It
 * compares heads that were kept elsewhere with the log.
 */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import type { Event } from '../../registry/log/event.ts';
import { Registry } from '../../registry/registry.ts';
import { migrate, MIGRATIONS } from '../../registry/stores/sqlite/migrations.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { Attacker } from '../support/stores/attacker.ts';
import { readLog } from '../support/stores/events.ts';
import { newFolder } from '../support/process/folder.ts';
import { optionsOf } from '../support/apps/registries.ts';
import { resealed } from '../support/stores/snapshot-files.ts';
import { runHere, runScript, type Finished } from '../support/apps/script.ts';
import { entries, startServer } from '../support/apps/server-process.ts';

const dataDir = newFolder(t);
const events = await (async (): Promise<Event[]> => {
  const store = await openSqliteStore({ file: join(dataDir, 'registry.db') });
  const registry = await Registry.open(optionsOf({ store }));
  for (const version of ['1.0.0', '1.1.0', '1.0.0']) await registry.activate({ version, reason: 'Too blunt' });
  const log = await readLog(store);
  await registry.close();
  return log;
})();
const head = (revision: number) => `${revision}:${events[revision - 1]?.hash}`;
const last = events.length;
const wrong = 'f'.repeat(64);

const verify = (args: readonly string[], settings: Readonly<Record<string, string>> = { DATA_DIR: dataDir }) =>
  runScript(t, 'audit-verify', args, settings);
/** The same in this process, for messages. Each exit code, and a run next to a service, is tested with a process. */
const verifyHere = (args: readonly string[], settings: Readonly<Record<string, string>> = { DATA_DIR: dataDir }) =>
  runHere('scripts/audit-verify.ts', args, settings);
/** The same with another file of the last good snapshot. */
const verifyHereWith = (file: string, text: string, settings: Readonly<Record<string, string>>) => {
  writeFileSync(file, text);
  return verifyHere([], settings);
};
const heads = (...kept: readonly string[]) => kept.flatMap((text) => ['--head', text]);

/** Asserts the result of each call, two at a time. */
async function expect(
  t: Test,
  cases: readonly (readonly [title: string, run: () => Promise<Finished>, code: number, says: RegExp])[],
): Promise<void> {
  const left = [...cases];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [title, run, code, says] = next;
      const finished = await run();
      const { [code === 2 ? 'stderr' : 'stdout']: said, [code === 2 ? 'stdout' : 'stderr']: silent } = finished;
      t.same([finished.code, silent], [code, ''], `${title}: exit code`);
      t.match(said, says, title);
    }
  };
  await Promise.all([worker(), worker()]);
}

t.test('a whole log of a stopped service', async (t) => {
  const before = readFileSync(join(dataDir, 'registry.db'));
  const whole = new RegExp(`^Whole: ${last} events; the head is ${head(last)}`);
  await expect(t, [
    ['alone', () => verify([]), 0, new RegExp(`${whole.source}\\.\n$`)],
    [
      'with heads that were kept',
      () => verifyHere(heads(head(1), head(last))),
      0,
      new RegExp(`${whole.source}; 2 head\\(s\\) kept outside are in it\\.\n$`),
    ],
    ['named by STORE_URL', () => verifyHere([], { STORE_URL: `sqlite:${join(dataDir, 'registry.db')}` }), 0, whole],
    ['as JSON', () => verifyHere(['--json', ...heads(head(3))]), 0, /^\{.*\}\n$/],
  ]);
  t.strictSame(JSON.parse((await verifyHere(['--json'])).stdout), {
    valid: true,
    events: last,
    head: { revision: last, hash: events.at(-1)?.hash },
  });
  t.ok(readFileSync(join(dataDir, 'registry.db')).equals(before), 'it changed nothing');
  t.same(
    readdirSync(dataDir).filter(
      (name) => name.endsWith('-wal') || name.endsWith('-shm') || name.includes('.lock') || name.includes('holder'),
    ),
    ['registry.db.lock'],
    'and left nothing behind',
  );
});

t.test('a head that is not in the log', async (t) => {
  const other = `${last}:${wrong}`;
  await expect(t, [
    [
      'another hash',
      () => verify(heads(other)),
      1,
      new RegExp(
        `^BROKEN at revision ${last}: Revision ${last} has another hash than the one that was kept outside: the chain was rewritten\\. Whole up to ${head(last - 1)}\\.\n$`,
      ),
    ],
    [
      'a later revision',
      () => verifyHere(heads(`${last + 2}:${wrong}`)),
      1,
      new RegExp(
        `^BROKEN at revision ${last + 1}: The log ends at revision ${last}, but revision ${last + 2} was there: the tail was cut off`,
      ),
    ],
    ['one of several', () => verifyHere(heads(head(1), head(3), `2:${wrong}`)), 1, /^BROKEN at revision 2: /],
    [
      'another one of a revision whose first is in it',
      () => verifyHere(heads(head(last), other)),
      1,
      new RegExp(`^BROKEN at revision ${last}: `),
    ],
    [
      'as JSON',
      () => verifyHere(['--json', ...heads(other)]),
      1,
      new RegExp(`"valid":false.*"firstBroken":\\{"revision":${last},`),
    ],
  ]);
});

t.test('a log that was tampered with', async (t) => {
  const edited = join(dataDir, 'edited.db');
  copyFileSync(join(dataDir, 'registry.db'), edited);
  const attacker = new Attacker(edited, () => 0);
  attacker.write(4, { ...attacker.event(4), reason: 'What never happened' });
  attacker.close();
  await expect(t, [
    [
      'an edited event',
      () => verifyHere([], { STORE_URL: `sqlite:${edited}` }),
      1,
      new RegExp(
        `^BROKEN at revision 4: Revision 4 does not have its hash: it was changed\\. Whole up to ${head(3)}\\.\n$`,
      ),
    ],
    [
      'with a head before it',
      () => verifyHere(['--json', ...heads(head(2))], { STORE_URL: `sqlite:${edited}` }),
      1,
      /^\{"valid":false,"events":3,.*"firstBroken":\{"revision":4,"detail":"Revision 4 does not have its hash: it was changed\."\}\}\n$/,
    ],
  ]);
});

t.test('the last good snapshot in DATA_DIR says the same as the log, or does not', async (t) => {
  const dir = newFolder(t);
  const file = join(dir, 'snapshot.jsonl');
  copyFileSync(join(dataDir, 'registry.db'), join(dir, 'registry.db'));
  const registry = await Registry.open(
    optionsOf({ store: await openSqliteStore({ file: join(dir, 'registry.db') }), dataDir: dir }),
  );
  await registry.revoke({ pack: 'coach', version: '1.1.0', reason: 'Too blunt' });
  await registry.close();
  const good = readFileSync(file);
  const { revision } = registry.current;
  const settings = { DATA_DIR: dir };
  const edited = (change: (line: string) => string) => verifyHereWith(file, resealed(good, change), settings);
  await expect(t, [
    [
      'as it was left',
      () => verifyHere([], settings),
      0,
      /^Whole: .*; the last good snapshot in DATA_DIR says the same\.\n$/,
    ],
  ]);
  await expect(t, [
    [
      'a revocation left out',
      () => edited((line) => line.replace(/,"revocation":\{.*?\}(?=\}\}$)/u, '')),
      1,
      new RegExp(
        `^BROKEN at revision ${revision}: What is served at revision ${revision} is not what the log says\\. It differs in: version 1\\.1\\.0 of pack "coach"\\.`,
      ),
    ],
  ]);
  await expect(t, [
    [
      'another session key',
      () => edited((line) => line.replace(/("secret":")[^"]*/u, `$1${'A'.repeat(43)}`)),
      1,
      /It differs in: session key \w+\./,
    ],
  ]);
  await expect(t, [
    [
      'of another history',
      () => edited((line) => line.replace(/^(\{"format".*"hash":")\w+/u, `$1${wrong}`)),
      0,
      /was not compared: it is of another history/,
    ],
  ]);
});

t.test('a log that it cannot judge', async (t) => {
  const older = join(dataDir, 'older.db');
  const database = new DatabaseSync(older);
  migrate(database, older, MIGRATIONS.slice(0, 1));
  database.close();
  writeFileSync(join(dataDir, 'text.db'), 'no database at all, but long enough to be taken for one '.repeat(10));
  const noHead = /^The log could not be checked: --head ".*" is not valid; write REVISION:HASH/;
  await expect(t, [
    [
      'no database',
      () => verify([], { DATA_DIR: join(dataDir, 'nowhere') }),
      2,
      /^The log could not be checked: There is no registry database at /,
    ],
    [
      'in memory',
      () => verifyHere([], { STORE_URL: 'memory:' }),
      2,
      /^The log could not be checked: STORE_URL is "memory:"/,
    ],
    ['of an older build', () => verifyHere([], { STORE_URL: `sqlite:${older}` }), 2, /was made by an older build/],
    [
      'something else',
      () => verifyHere([], { STORE_URL: `sqlite:${join(dataDir, 'text.db')}` }),
      2,
      /is not a SQLite database/,
    ],
    ['a wrong setting', () => verifyHere([], { DATA_DIR: dataDir, PORT: 'x' }), 2, /The settings have a fault/],
    ['an unknown option', () => verifyHere(['--heads', head(1)]), 2, /--heads/],
    ['an argument too many', () => verifyHere([head(1)]), 2, /The log could not be checked: /],
    ...[
      `0:${wrong}`,
      '1:',
      `1:${wrong.slice(1)}`,
      `1:${wrong.toUpperCase()}`,
      `-1:${wrong}`,
      `1.5:${wrong}`,
      wrong,
    ].map((text) => [`--head ${text}`, () => verifyHere([`--head=${text}`]), 2, noHead] as const),
  ]);
});

t.test('--help works in any position', async (t) => {
  const { code, stdout, stderr } = await verify(['--help'], {});
  t.same([code, stderr], [0, '']);
  for (const word of ['Usage: npm run audit:verify', '--head REVISION:HASH', '--json', 'STORE_URL', 'DATA_DIR'])
    t.ok(stdout.includes(word), word);
});

t.test('with a running service, and the heads that it logged', async (t) => {
  const dir = join(newFolder(t), 'data');
  const server = await startServer(t, { DATA_DIR: dir });
  const authorization = `Bearer ${readFileSync(join(dir, 'operator.key'), 'utf8').trim()}`;
  const activate = async (version: string) => {
    const answer = await fetch(`${server.address}/v1/packs/coach/activations`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ version, reason: 'Too blunt' }),
    });
    return { status: answer.status, ...((await answer.json()) as { revision: number }) };
  };
  await activate('1.0.0');
  const [first, , , second] = await Promise.all([
    verify([], { DATA_DIR: dir }),
    activate('1.1.0'),
    activate('2.0.0'),
    verify([], { DATA_DIR: dir }),
  ]);
  for (const { code, stdout } of [first, second]) t.match([code, stdout], [0, /^Whole: /], 'while it writes');
  const { status, revision } = await activate('1.0.0');
  t.equal(status, 201, 'and it is not disturbed');
  const { valid, head: ended } = (await (
    await fetch(`${server.address}/v1/audit/verification`, { headers: { authorization } })
  ).json()) as { valid: boolean; head: { revision: number; hash: string } };
  t.same([valid, ended.revision], [true, revision]);

  const { lines } = await server.stop();
  const logged = entries(lines.filter((line) => line.startsWith('{'))).flatMap(
    ({ head: kept, type, revision: moved, hash }) =>
      typeof kept === 'string' ? [kept] : type === 'version-activated' ? [`${String(moved)}:${String(hash)}`] : [],
  );
  t.ok(logged.length >= 6, `the start, each move and the end: ${logged.length} heads`);
  t.equal(logged.at(-1), `${ended.revision}:${ended.hash}`);
  const { code, stdout } = await verifyHere(heads(...logged), { DATA_DIR: dir });
  t.match([code, stdout], [0, new RegExp(`${logged.length} head\\(s\\) kept outside are in it`)]);

  const attacker = new Attacker(join(dir, 'registry.db'), () => 0);
  attacker.cutTail(ended.revision - 1);
  attacker.close();
  t.match(await verifyHere([], { DATA_DIR: dir }), { code: 0 }, 'a cut tail is whole in itself');
  t.match(
    await verifyHere(heads(...logged), { DATA_DIR: dir }),
    { code: 1, stdout: /the tail was cut off/ },
    'but not if the service log was kept',
  );
});
