/**
 * What can go wrong with `npm run backup`: each failure says why, and leaves the folder of the backup as it was. A backup that is made while
 * the service writes, and restored, is in test/fault/backup.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { migrate, MIGRATIONS } from '../../registry/stores/sqlite/migrations.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { runHere, runScript } from '../support/apps/script.ts';
import { ROOT, spawnServer } from '../support/apps/server-process.ts';
import { newFolder } from '../support/process/folder.ts';
import { until } from '../support/process/until.ts';
import { Attacker } from '../support/stores/attacker.ts';
import { activation, batchAfter, EMPTY, headOf } from '../support/stores/events.ts';

const SESSION_KEY = { keyId: 'the-session-key', secret: 's', createdAt: '2026-01-01' };

/** A closed database with this many events. */
async function databaseOf(folder: string, events: number): Promise<string> {
  const file = join(folder, 'registry.db');
  const store = await openSqliteStore({ file });
  let head = EMPTY;
  for (let left = events; left > 0; left -= 2000) {
    const drafts = Array.from({ length: Math.min(left, 2000) }, () => activation());
    const batch = batchAfter(head, drafts, { sessionKeys: head === EMPTY ? [SESSION_KEY] : [] });
    await store.append(batch, head.revision);
    head = headOf(batch);
  }
  await store.close();
  return file;
}

t.test('what cannot be backed up, or not there, is refused, and nothing is left', async (t) => {
  const dataDir = newFolder(t);
  const database = await databaseOf(dataDir, 10);
  const broken = join(dataDir, 'broken.db');
  copyFileSync(database, broken);
  const attacker = new Attacker(broken, () => 0);
  attacker.write(4, { ...attacker.event(4), reason: 'What never happened' });
  attacker.close();
  const older = join(dataDir, 'older.db');
  const made = new DatabaseSync(older);
  migrate(made, older, MIGRATIONS.slice(0, 1));
  made.close();
  const text = join(dataDir, 'text.db');
  writeFileSync(text, 'no database at all, but long enough to be taken for one '.repeat(10));

  const folder = newFolder(t);
  const file = join(folder, 'backup.db');
  const settings = { DATA_DIR: dataDir };
  const cases: readonly (readonly [
    title: string,
    args: readonly string[],
    settings: Record<string, string>,
    says: RegExp,
  ])[] = [
    ['no file', [], settings, /Name one file for the backup; 0 are named\.\nUsage: npm run backup -- FILE/u],
    ['two files', [file, file], settings, /2 are named/u],
    ['an unknown option', [file, '--force'], settings, /--force[^]*Usage:/u],
    ['a wrong setting', [file], { ...settings, PORT: 'x' }, /The settings have a fault/u],
    ['a folder', [folder], settings, /exists\. Name another file/u],
    [
      'no such folder',
      [join(folder, 'no', 'backup.db')],
      settings,
      /The folder .*no cannot be written to \(ENOENT.*Name a file in a folder that exists/u,
    ],
    ['below a file', [join(text, 'backup.db')], settings, /cannot be written to \(ENOTDIR/u],
    ['a folder that takes no files', ['/proc/backup.db'], settings, /The folder \/proc cannot be written to/u],
    ['the database itself', [database], settings, /registry\.db exists\./u],
    [
      'over the database itself',
      [database, '--overwrite'],
      settings,
      /registry\.db is not an older backup, so --overwrite does not replace it/u,
    ],
    ['over another file', [text, '--overwrite'], settings, /text\.db is not an older backup/u],
    [
      'PostgreSQL',
      [file],
      { STORE_URL: 'postgres://registry:secret@db.example/registry' },
      /STORE_URL names a PostgreSQL\. Back it up with its own tools, e\.g\. pg_dump/u,
    ],
    ['in memory', [file], { STORE_URL: 'memory:' }, /STORE_URL is "memory:"/u],
    ['no database', [file], { DATA_DIR: join(folder, 'nowhere') }, /There is no registry database at /u],
    ['of an older build', [file], { STORE_URL: `sqlite:${older}` }, /was made by an older build/u],
    ['something else', [file], { STORE_URL: `sqlite:${text}` }, /is not a SQLite database/u],
    [
      'a broken log',
      [file],
      { STORE_URL: `sqlite:${broken}` },
      /The log is broken at revision 4: .* was changed\. It is whole up to 3:[0-9a-f]{64}\./u,
    ],
  ];
  const before = [database, text].map((path) => readFileSync(path));
  for (const [title, args, env, says] of cases) {
    const { code, stdout, stderr } = await runHere('scripts/backup.ts', args, env);
    t.match([code, stdout, stderr], [1, '', /^No backup was made: /u], title);
    t.match(stderr, says, title);
    t.notMatch(stderr, 'secret', title);
    t.strictSame(readdirSync(folder), [], title);
  }
  t.strictSame(
    [database, text].map((path) => readFileSync(path)),
    before,
    'and no file is changed',
  );
});

t.test('a file that is there is replaced only if it is an older backup, and only when asked', async (t) => {
  const dataDir = newFolder(t);
  const database = await databaseOf(dataDir, 10);
  const folder = newFolder(t);
  const file = join(folder, 'backup.db');
  const backUp = (...args: string[]) => runHere('scripts/backup.ts', [file, ...args], { DATA_DIR: dataDir });
  const made = await backUp('--json');
  t.match([made.code, made.stderr], [0, '']);
  t.match(JSON.parse(made.stdout), { file, bytes: statSync(file).size, head: { revision: 10 } });

  const [first] = [readFileSync(file)];
  const store = await openSqliteStore({ file: database });
  await store.append(batchAfter((await store.head()) ?? EMPTY, [activation()]), 10);
  t.match(await backUp(), {
    code: 1,
    stderr: `No backup was made: ${file} exists. Name another file, or replace an older backup with --overwrite.`,
  });
  t.ok(readFileSync(file).equals(first));
  t.match(await backUp('--overwrite'), { code: 0, stdout: /all events up to revision 11/u });
  await store.close();

  const linked = join(folder, 'link.db');
  symlinkSync(database, linked);
  t.match(
    await runHere('scripts/backup.ts', [linked, '--overwrite'], { DATA_DIR: dataDir }),
    { code: 1, stderr: /is not an older backup/u },
    'the database by another name',
  );
  rmSync(linked);
  t.strictSame(readdirSync(folder), ['backup.db']);
});

t.test('damage is found, in a table as well as in an index, which SQLite can copy as it is', async (t) => {
  const folder = newFolder(t);
  const database = await databaseOf(newFolder(t), 2000);
  for (const name of ['events', 'sqlite_autoindex_session_keys_1']) {
    const damaged = join(newFolder(t), 'registry.db');
    copyFileSync(database, damaged);
    damage(damaged, name);
    const args = [join(folder, 'backup.db')];
    const { code, stderr } = await runHere('scripts/backup.ts', args, { STORE_URL: `sqlite:${damaged}` });
    t.equal(code, 1, name);
    t.match(
      stderr,
      /^No backup was made: The registry database .* is damaged \(.*Keep a copy, and restore it from a backup\./u,
    );
    t.strictSame(readdirSync(folder), [], name);
  }
});

/** Overwrites what is in the first leaf of a table, or the value in an index of one row. */
function damage(file: string, name: string): void {
  const database = new DatabaseSync(file);
  const sql = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' LIMIT 1";
  const start = (Number(database.prepare(sql).get(name)?.['pageno']) - 1) * 4096;
  database.close();
  const bytes = readFileSync(file);
  if (name === 'events') bytes.fill(0xff, start, start + 200);
  else bytes.write('X', bytes.indexOf(SESSION_KEY.keyId, start));
  writeFileSync(file, bytes);
}

const NO_MOUNTS =
  spawnSync('unshare', ['--mount', 'true']).status === 0
    ? false
    : 'this user may not mount a private file system (unshare --mount)';

for (const { title, skip, shell, prepare, says } of [
  {
    title: 'a full disk',
    skip: NO_MOUNTS,
    shell: ['unshare', '--mount', 'sh'],
    prepare: 'mount -t tmpfs -o size=128k none "$0"',
    says: /could not be copied: the disk of the copy is full\./u,
  },
  {
    title: 'a limit on the size of files',
    skip: false,
    shell: ['sh'],
    prepare: 'ulimit -f 64',
    says: /could not be copied: disk I\/O error\./u,
  },
]) {
  t.test(`${title}: it says so, and leaves nothing`, { skip }, async (t) => {
    const dataDir = newFolder(t);
    await databaseOf(dataDir, 2000);
    const folder = newFolder(t);
    const script = `${prepare} && "$@"; code=$?; ls -A "$0"; exit $code`;
    const [program = '', ...args] = [
      ...shell,
      '-c',
      script,
      folder,
      process.execPath,
      'scripts/backup.ts',
      join(folder, 'backup.db'),
    ];
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], DATA_DIR: dataDir },
      encoding: 'utf8',
    });
    t.strictSame([status, stdout], [1, '']);
    t.match(stderr, /^No backup was made: /u);
    t.match(stderr, says);
  });
}

t.test(
  'a signal while the events are checked: SIGTERM leaves nothing, SIGKILL a folder that is in the way of nobody',
  async (t) => {
    const dataDir = newFolder(t);
    await databaseOf(dataDir, 20_000);
    const folder = newFolder(t);
    const file = join(folder, 'backup.db');
    const begun = async () => {
      const backup = spawnServer(
        t,
        { DATA_DIR: dataDir },
        { script: join(ROOT, 'scripts', 'backup.ts'), args: [file] },
      );
      await until(() => readdirSync(folder).length > 0);
      return backup;
    };
    const terminated = await begun();
    t.match(await terminated.stop(), { code: 1, stderr: 'No backup was made: SIGTERM stopped it.\n' });
    t.strictSame(readdirSync(folder), []);

    await (await begun()).kill();
    const left = readdirSync(folder);
    t.match(left, [/^\.backup\.db\.partial-\w{6}$/u]);
    t.match(await runScript(t, 'backup', [file], { DATA_DIR: dataDir }), { code: 0, stderr: '' });
    t.strictSame(readdirSync(folder), [...left, 'backup.db']);
  },
);
