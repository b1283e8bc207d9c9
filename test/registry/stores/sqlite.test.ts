/** The SQLite store: what every store must do, and what only a file on a disk can do wrong. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import type { EventType } from '../../../registry/log/event.ts';
import { openDatabase } from '../../../registry/stores/sqlite/database.ts';
import { eventStatement } from '../../../registry/stores/sqlite/events.ts';
import { attachSqliteStore, openSqliteStore, SqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { migrate, MIGRATIONS } from '../../../registry/stores/sqlite/migrations.ts';
import { APPEND_CHILD, appendChild } from '../../support/process/child.ts';
import { activation, batchAfter, contentOf, drafts, EMPTY, headOf } from '../../support/stores/events.ts';
import { storeSuite } from './store-suite.ts';

const refused = (exitCode: 65 | 75 | 78, message: RegExp) => ({ name: 'StartRefused', exitCode, message });
const quoted = (text: string) => text.replace(/[.\\/+()]/g, '\\$&');

storeSuite(t, 'sqlite', (t) => openSqliteStore({ file: join(t.testdir(), 'registry.db') }));

t.test('appended events are there after it is opened again', async (t) => {
  const file = join(t.testdir(), 'registry.db');
  const batch = batchAfter(EMPTY, drafts(), {
    contents: [contentOf('1.0.0')],
    sessionKeys: [{ keyId: 'k', secret: 's', createdAt: '2026-01-01' }],
  });
  const first = await openSqliteStore({ file });
  await first.append(batch, 0);
  await first.close();

  const second = await openSqliteStore({ file });
  t.teardown(() => second.close());
  t.strictSame(await second.events({ order: 'ascending', limit: 100 }), batch.events);
  t.strictSame(await second.content(contentOf('1.0.0').digest), contentOf('1.0.0').content);
  t.strictSame(await second.sessionKeys(), batch.sessionKeys);
  t.equal(await second.append(batchAfter(headOf(batch), [activation()]), batch.events.length), 'done');
});

t.test('a connection has the settings that the promises rest on', async (t) => {
  const database = openDatabase(join(t.testdir({ 'registry.db': '' }), 'registry.db'));
  t.teardown(() => database.close());
  const settings = { journal_mode: 'wal', synchronous: 2, foreign_keys: 1, trusted_schema: 0 };
  for (const [name, value] of Object.entries(settings))
    t.equal(database.prepare(`PRAGMA ${name}`).get()?.[name], value, name);
  t.equal(database.prepare('PRAGMA busy_timeout').get()?.['timeout'], 250);
});

t.test('files are for their owner only, folders as well; what was there keeps its mode', async (t) => {
  const root = t.testdir({ mine: { 'registry.db': '' } });
  const mode = (path: string) => statSync(path).mode & 0o777;
  const file = join(root, 'made', 'deep', 'registry.db');
  const store = await openSqliteStore({ file });
  t.teardown(() => store.close());
  await store.append(batchAfter(EMPTY, [activation()]), 0);
  for (const suffix of ['', '-wal', '-shm', '.lock', '.holder.json'])
    t.equal(mode(file + suffix), 0o600, `registry.db${suffix}`);
  for (const folder of ['made', 'made/deep']) t.equal(mode(join(root, folder)), 0o700, folder);

  chmodSync(join(root, 'mine'), 0o750);
  chmodSync(join(root, 'mine', 'registry.db'), 0o640);
  const other = await openSqliteStore({ file: join(root, 'mine', 'registry.db') });
  await other.close();
  t.equal(mode(join(root, 'mine')), 0o750);
  t.equal(mode(join(root, 'mine', 'registry.db')), 0o640);
});

t.test('migrations', async (t) => {
  const applied = (database: DatabaseSync) =>
    database.prepare('SELECT number, name, at FROM migrations ORDER BY number').all();
  const open = (t: Test) => {
    const database = new DatabaseSync(join(t.testdir(), 'registry.db'));
    t.teardown(() => database.close());
    return database;
  };

  t.test('run once, in order, each with its row', async (t) => {
    const database = open(t);
    migrate(database, 'x');
    const before = applied(database);
    t.equal(before.length, MIGRATIONS.length);
    migrate(database, 'x');
    t.same(applied(database), before);
    migrate(database, 'x', [...MIGRATIONS, { name: 'next', sql: 'CREATE TABLE next (a TEXT) STRICT' }]);
    t.match(applied(database).at(-1), { number: MIGRATIONS.length + 1, name: 'next', at: /^\d{4}-.*Z$/ });
  });

  t.test('one that fails leaves nothing of itself, and is run again at the next start', async (t) => {
    const database = open(t);
    const [good, bad] = [
      { name: 'good', sql: 'CREATE TABLE good (a TEXT) STRICT' },
      { name: 'bad', sql: 'CREATE TABLE bad (a TEXT) STRICT; CREATE TABLE good (a TEXT) STRICT' },
    ];
    t.throws(() => migrate(database, 'x', [...MIGRATIONS, good, bad]), /good already exists/);
    t.same(
      applied(database).map(({ name }) => name),
      [...MIGRATIONS.map(({ name }) => name), 'good'],
    );
    t.same(database.prepare("SELECT name FROM sqlite_schema WHERE name = 'bad'").all(), []);
    migrate(database, 'x', [...MIGRATIONS, good, { name: 'bad', sql: 'CREATE TABLE bad (a TEXT) STRICT' }]);
    t.equal(applied(database).length, MIGRATIONS.length + 2);
  });
});

t.test('a foreign, newer or damaged file is refused and not changed', async (t) => {
  const root = t.testdir({
    'text.db': 'not a database, but a text that is long enough to be taken for a header of one hundred bytes'.repeat(3),
    'short.db': 'ab',
  });
  const newer = join(root, 'newer.db');
  await (await openSqliteStore({ file: newer })).close();
  execute(newer, "INSERT INTO migrations VALUES (99, 'from the future', '2030-01-01')");
  const foreign = join(root, 'foreign.db');
  execute(foreign, 'CREATE TABLE migrations (id TEXT); CREATE TABLE songs (title TEXT)');
  const damaged = join(root, 'damaged.db');
  await (await openSqliteStore({ file: damaged })).close();
  writeFileSync(damaged, Buffer.concat([readFileSync(damaged).subarray(0, 100), Buffer.alloc(65_436, 7)]));

  const cases: [string, RegExp][] = [
    [newer, /newer\.db is at migration 99; this build knows \d+\. A newer build/],
    [foreign, /foreign\.db is the SQLite database of another program/],
    [join(root, 'text.db'), /text\.db is not a SQLite database/],
    [join(root, 'short.db'), /short\.db is not a SQLite database/],
    [damaged, /damaged\.db is damaged/],
  ];
  for (const [file, message] of cases) {
    const before = readFileSync(file);
    await t.rejects(openSqliteStore({ file }), refused(65, message));
    t.ok(readFileSync(file).equals(before), `${file} is as it was`);
    t.notOk(existsSync(`${file}.holder.json`), 'the lock is given back');
  }
  renameSync(join(root, 'text.db'), join(root, 'kept'));
  await (await openSqliteStore({ file: join(root, 'text.db') })).close();
});

t.test('bytes behind the end of the database do no harm', async (t) => {
  const file = join(t.testdir(), 'registry.db');
  const batch = batchAfter(EMPTY, drafts());
  const first = await openSqliteStore({ file });
  await first.append(batch, 0);
  await first.close();
  appendFileSync(file, 'garbage that a broken copy left');
  const store = await openSqliteStore({ file });
  t.teardown(() => store.close());
  t.strictSame(await store.events({ order: 'ascending', limit: 100 }), batch.events);
  t.equal(await store.append(batchAfter(headOf(batch), [activation()]), batch.events.length), 'done');
});

t.test('one server per file', async (t) => {
  t.test('a second opener in this process, by whatever path, is refused and named the first', async (t) => {
    const root = t.testdir({ real: {} });
    const file = join(root, 'real', 'registry.db');
    symlinkSync(join(root, 'real'), join(root, 'folder-link'));
    const first = await openSqliteStore({ file, holder: 'instance a' });
    symlinkSync(file, join(root, 'file-link.db'));
    const who = new RegExp(
      `${quoted(file)} is in use by process ${process.pid} \\(instance a\\) on ${quoted(hostname())}, started \\d{4}-\\d\\d-\\d\\dT`,
    );
    const paths = [
      file,
      relative(process.cwd(), file),
      join(root, 'folder-link', 'registry.db'),
      join(root, 'file-link.db'),
      join(root, 'real', '..', 'real', 'registry.db'),
    ];
    for (const path of paths) await t.rejects(openSqliteStore({ file: path }), refused(75, who), path);
    t.equal(await first.append(batchAfter(EMPTY, [activation()]), 0), 'done', 'the first is not disturbed');
    const child = appendChild(['hold', file]);
    t.teardown(() => child.kill());
    t.match(await child.said(() => true), who, 'and is still locked for others');

    await first.close();
    const second = await openSqliteStore({ file: join(root, 'file-link.db') });
    t.equal(second.file, first.file);
    await second.close();
  });

  t.test('another process is refused; it can read; kill -9 frees the file', async (t) => {
    const file = join(t.testdir(), 'registry.db');
    const child = appendChild(['hold', file]);
    t.teardown(() => child.kill());
    await child.said((line) => line === 'ready');
    await t.rejects(
      openSqliteStore({ file }),
      refused(
        75,
        new RegExp(
          `in use by process ${child.pid} \\(the child\\) on ${quoted(hostname())}, started .*Stop that server`,
        ),
      ),
    );
    const auditor = new DatabaseSync(file, { readOnly: true });
    t.same(auditor.prepare('SELECT count(*) AS events FROM events').get(), { events: 0 });
    auditor.close();

    t.equal((await child.kill()).how, 'SIGKILL');
    t.ok(existsSync(`${file}.holder.json`), 'its leftover file');
    const store = await openSqliteStore({ file });
    t.match(JSON.parse(readFileSync(`${file}.holder.json`, 'utf8')), { pid: process.pid });
    await store.close();
    t.notOk(existsSync(`${file}.holder.json`));
  });

  t.test('a holder that nobody can read is "another process"', async (t) => {
    const file = join(t.testdir(), 'registry.db');
    const store = await openSqliteStore({ file });
    t.teardown(() => store.close());
    for (const text of ['', '{"pid":"x"}', 'null']) {
      writeFileSync(`${file}.holder.json`, text);
      await t.rejects(openSqliteStore({ file }), refused(75, /in use by another process/));
    }
  });

  t.test('a file with a second hard link is refused by either name; the server that runs goes on', async (t) => {
    const root = t.testdir({ first: {}, second: {} });
    const [file, link] = [join(root, 'first', 'registry.db'), join(root, 'second', 'registry.db')];
    const store = await openSqliteStore({ file });
    await store.append(batchAfter(EMPTY, [activation()]), 0);
    linkSync(file, link);
    const linked = refused(78, new RegExp(`${quoted(link)} has 2 hard links\\. Stop every server .* copy the file`));
    await t.rejects(openSqliteStore({ file: link }), linked);
    await t.rejects(attachSqliteStore({ file: link }), linked, 'a tool on the host is refused as well');
    t.notOk(existsSync(`${link}.lock`), 'no lock file was made');
    t.equal(await store.append(batchAfter((await store.head()) ?? EMPTY, [activation()]), 1), 'done');
    await store.close();
    await t.rejects(openSqliteStore({ file }), refused(78, /first\/registry\.db has 2 hard links/));
    rmSync(link);
    const again = await openSqliteStore({ file });
    t.equal((await again.head())?.revision, 2);
    await again.close();
  });

  t.test('so is a second path to the files of SQLite next to it, and to the lock', async (t) => {
    const root = t.testdir({ elsewhere: '' });
    for (const suffix of ['-wal', '-shm', '-journal', '.lock']) {
      const file = join(root, `registry${suffix}.db`);
      await (await openSqliteStore({ file })).close();
      rmSync(`${file}${suffix}`, { force: true });
      linkSync(join(root, 'elsewhere'), `${file}${suffix}`);
      await t.rejects(openSqliteStore({ file }), refused(78, new RegExp(`${quoted(file + suffix)} has 2 hard links`)));
      rmSync(`${file}${suffix}`);
      if (suffix === '.lock') continue; // a lock behind a symbolic link is the one that the link leads to
      symlinkSync(join(root, 'elsewhere'), `${file}${suffix}`);
      await t.rejects(
        openSqliteStore({ file }),
        refused(78, new RegExp(`${quoted(file + suffix)} is a symbolic link`)),
      );
    }
  });

  t.test('a file that is a mount point is refused; a folder that is mounted twice has one lock', async (t) => {
    const mounted = (script: string, ...args: string[]) =>
      spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', ...args], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] },
      });
    const root = t.testdir({ 'real one': {}, twice: {}, 'file.db': '' });
    if (mounted('mount --bind "$1" "$2"', join(root, 'real one'), join(root, 'twice')).status !== 0)
      return void t.pass('', { skip: 'this user cannot mount' });
    const file = join(root, 'real one', 'registry.db');
    const store = await openSqliteStore({ file, holder: 'the first' });
    t.teardown(() => store.close());
    const open = 'exec "$3" "$4" hold "$5"';
    const said = (from: string, to: string, database: string) =>
      mounted(`mount --bind "$1" "$2" && ${open}`, from, to, process.execPath, APPEND_CHILD, database).stdout;
    t.match(
      said(file, join(root, 'file.db'), join(root, 'file.db')),
      /^refused 78 .*file\.db is a mount point\. Mount the folder/,
    );
    t.match(said(file, file, file), /^refused 78 .*real one\/registry\.db is a mount point/, 'a name with a blank');
    t.match(
      said(join(root, 'real one'), join(root, 'twice'), join(root, 'twice', 'registry.db')),
      /^refused 75 .*twice\/registry\.db is in use by process \d+ \(the first\)/,
    );
  });

  t.test('something else under the lock file’s name', async (t) => {
    const root = t.testdir({
      'registry.db.lock': 'a text of another program, longer than the header of a database'.repeat(4),
    });
    await t.rejects(
      openSqliteStore({ file: join(root, 'registry.db') }),
      refused(78, /registry\.db\.lock is not a lock file/),
    );
  });
});

t.test('paths that cannot name a database', async (t) => {
  const root = t.testdir({ file: 'x', folder: {} });
  symlinkSync(join(root, 'nowhere'), join(root, 'dangling.db'));
  const cases: [string, RegExp][] = [
    [join(root, 'file', 'registry.db'), /The folder .*file of the registry database cannot be created or read/],
    [join(root, 'file', 'deep', 'registry.db'), /The folder .*deep of the registry database cannot be created or read/],
    [join(root, 'folder'), /folder is a folder\. Name a file, such as .*registry\.db/],
    [`${root}/registry.db/`, /names a folder\. Name a file in it/],
    [`${root}/folder/.`, /names a folder/],
    [join(root, 'registry.db\n'), /begins or ends with a space/],
    [join(root, 'registry.db '), /begins or ends with a space/],
    [join(root, 'registry\0.db'), /control character/],
    ['', /"" is not a valid path/],
    [undefined as never, /openSqliteStore\(\{ file: /u],
    [':memory:', /would be a file of that name.*MemoryStore/u],
    [join(root, 'dangling.db'), /dangling\.db cannot be created or read/],
    [join(root, 'n'.repeat(300)), /cannot be created or read/],
  ];
  for (const [file, message] of cases) await t.rejects(openSqliteStore({ file }), refused(78, message), message.source);
});

t.test('a file or folder that this user may not write', async (t) => {
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}; // root may do everything
  const root = t.testdir({ folder: {}, readonly: {}, unreadable: {} });
  chmodSync(root, 0o755);
  const reached =
    spawnSync('test', ['-r', APPEND_CHILD, '-a', '-x', root, '-a', '-x', process.execPath], user).status === 0;
  if (!reached) return void t.pass('', { skip: 'user nobody cannot read the checkout' });

  await (await openSqliteStore({ file: join(root, 'readonly', 'registry.db') })).close();
  writeFileSync(join(root, 'unreadable', 'registry.db'), '');
  const modes: [string, number][] = [
    ['folder', 0o555],
    ['readonly', 0o777],
    ['readonly/registry.db', 0o444],
    ['readonly/registry.db.lock', 0o666],
    ['unreadable', 0o000],
  ];
  for (const [path, mode] of modes) chmodSync(join(root, path), mode);
  const said = (path: string) => {
    const child = appendChild(['hold', join(root, path)], user);
    t.teardown(() => child.kill());
    return child.said(() => true);
  };
  t.match(await said('folder/registry.db'), /^refused 78 .*folder\/registry\.db cannot be created or read.*EACCES/);
  t.match(
    await said('folder/deep/registry.db'),
    /^refused 78 The folder .*deep of the registry database cannot be created/,
  );
  t.match(
    await said('readonly/registry.db'),
    /^refused 78 .*must be able to read and write .*readonly\/registry\.db\./,
  );
  t.match(await said('unreadable/registry.db'), /^refused 78 .*EACCES/);
  chmodSync(join(root, 'unreadable'), 0o700);
});

t.test('a database that is moved away or replaced under the server is not written to', async (t) => {
  const root = t.testdir();
  const file = join(root, 'registry.db');
  const store = await openSqliteStore({ file });
  t.teardown(() => store.close());
  const first = batchAfter(EMPTY, [activation()]);
  await store.append(first, 0);
  const second = batchAfter(headOf(first), [activation()]);
  const moved = { code: 'store-unavailable', message: /moved or replaced/ };
  renameSync(file, join(root, 'away.db'));
  await t.rejects(store.append(second, 1), moved);
  writeFileSync(file, '');
  await t.rejects(store.append(second, 1), moved);
  t.strictSame(await store.head(), headOf(first), 'it can still be read');
  renameSync(join(root, 'away.db'), file);
  t.equal(await store.append(second, 1), 'done', 'back in its place');
});

t.test('another program that is writing makes an append fail fast, and nothing is written', async (t) => {
  const store = await openSqliteStore({ file: join(t.testdir(), 'registry.db') });
  t.teardown(() => store.close());
  const other = new DatabaseSync(store.file);
  t.teardown(() => other.close());
  const batch = batchAfter(EMPTY, [activation()]);
  other.exec('BEGIN IMMEDIATE');
  await t.rejects(store.append(batch, 0), { code: 'store-unavailable', message: /database is locked/ });
  t.equal(await store.head(), undefined, 'reads go on');
  other.exec('ROLLBACK');
  t.equal(await store.append(batch, 0), 'done');
});

t.test('a reader at an older state does not hold the server up', async (t) => {
  const store = await openSqliteStore({ file: join(t.testdir(), 'registry.db') });
  t.teardown(() => store.close());
  const first = batchAfter(EMPTY, [activation()]);
  await store.append(first, 0);
  const auditor = new DatabaseSync(store.file, { readOnly: true });
  t.teardown(() => auditor.close());
  const count = () => auditor.prepare('SELECT count(*) AS events FROM events').get()?.['events'];
  auditor.exec('BEGIN');
  t.equal(count(), 1);
  t.equal(await store.append(batchAfter(headOf(first), [activation()]), 1), 'done');
  t.equal(count(), 1);
  auditor.exec('COMMIT');
  t.equal(count(), 2);
  t.same(auditor.prepare('SELECT revision, type, pack, channel, version, actor FROM events WHERE revision = 2').get(), {
    revision: 2,
    type: 'version-activated',
    pack: 'coach',
    channel: 'production',
    version: '1.2.0',
    actor: 'operator-1',
  });
});

t.test('an event that was damaged on disk is named', async (t) => {
  const file = join(t.testdir(), 'registry.db');
  const first = await openSqliteStore({ file });
  await first.append(batchAfter(EMPTY, [activation(), activation()]), 0);
  await first.close();
  const bytes = readFileSync(file);
  bytes[bytes.indexOf('{"revision":1,')] = 0x5b;
  writeFileSync(file, bytes);
  const store = await openSqliteStore({ file });
  t.teardown(() => store.close());
  await t.rejects(store.events({ order: 'ascending', limit: 10 }), {
    code: 'store-unavailable',
    message: /Revision 1 .* is damaged/,
    members: { revision: 1 },
  });
  t.equal((await store.head())?.revision, 2);
});

t.test('a COMMIT that fails', async (t) => {
  if (spawnSync('prlimit', ['--version']).status !== 0) return void t.pass('', { skip: 'there is no prlimit' });
  const { lines } = await appendChild(['limit', join(t.testdir(), 'registry.db')]).ended();
  const { settled, during, fenced, after } = JSON.parse(lines[0] ?? '') as Record<string, Record<string, unknown>>;
  t.strictSame(settled, { fence: 0, writes: 0 }, 'without an open append, a fence writes nothing');
  t.match(
    during,
    { small: 'unknown', large: /cannot be used: disk I\/O error/, again: 'unknown', head: 1 },
    'the outcome is unknown; none of it is visible',
  );
  t.match(
    during,
    { fence: /cannot be used: disk I\/O error/ },
    'the fence fails: until it is overwritten, the write may still come back',
  );
  t.strictSame(fenced, { fence: 0, writes: 1, again: 0, writesAgain: 1, elsewhere: 'conflict' }, 'once');
  t.match(
    after,
    { small: 'done', again: { missed: [{ revision: 2 }, { revision: 3 }] }, head: 3 },
    'the same batch again is done, once',
  );
});

t.test('no query sorts, and none reads the log from one end to the other for want of an index', async (t) => {
  const store = await openSqliteStore({ file: join(t.testdir(), 'registry.db') });
  t.teardown(() => store.close());
  const auditor = new DatabaseSync(store.file);
  t.teardown(() => auditor.close());
  const types: (EventType[] | undefined)[] = [
    undefined,
    ['version-revoked'],
    ['version-activated'],
    ['version-activated', 'version-rolled-back'],
  ];
  for (const order of ['ascending', 'descending'] as const) {
    for (const pack of [undefined, 'coach']) {
      for (const channel of [undefined, 'production']) {
        for (const some of types) {
          const conditions = { ...(pack && { pack }), ...(channel && { channel }), ...(some && { types: some }) };
          const { sql, values } = eventStatement({ order, limit: 10, after: 5, ...conditions });
          const plan = auditor
            .prepare(`EXPLAIN QUERY PLAN ${sql}`)
            .all(values)
            .map(({ detail }) => detail)
            .join('; ');
          t.notMatch(plan, /SCAN (?!json_each)|TEMP B-TREE/, `${JSON.stringify(conditions)}: ${plan}`);
        }
      }
    }
  }
});

t.test('a file that is there and empty is a new database', async (t) => {
  const root = t.testdir({ 'registry.db': '' });
  const store = await openSqliteStore({ file: join(root, 'registry.db') });
  t.ok(store instanceof SqliteStore);
  t.equal(await store.append(batchAfter(EMPTY, [activation()]), 0), 'done');
  await store.close();
});

function execute(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}
