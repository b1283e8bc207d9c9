/**
 * Refused starts: each says on stderr what is wrong and how to fix it, ends with the right exit code (78 settings, 65 data, 75 in use), and
 * leaves nothing half-registered.
 *
 * Some of each kind run as processes; the others run `server.ts` in this process. A good start is only the application, unless the test needs
 * a process.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, chownSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { FastifyInstance } from 'fastify';
import t, { type Test } from 'tap';
import { buildApp } from '../../app.ts';
import { readConfig } from '../../config.ts';
import { operatorKeyFile, readPackFolders, readPolicies } from '../../registry/index.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { injectWith, PACKS } from '../support/apps/app.ts';
import { newFolder } from '../support/process/folder.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { writePackFolder } from '../support/packs/pack-folders.ts';
import { runHere } from '../support/apps/script.ts';
import { entries, operatorKeyIn, ROOT, runServer, startServer, type Settings } from '../support/apps/server-process.ts';

/** An ordinary user cannot read everything; root becomes another user for that, if that user can read the code. */
const other = process.getuid?.() === 0 ? { uid: 65_534 } : {};
const unreachable =
  spawnSync(
    process.execPath,
    ['-e', `require('node:fs').readFileSync(${JSON.stringify(join(ROOT, 'server.ts'))})`],
    other,
  ).status !== 0;

/** Starts a server that must refuse, as a process. */
async function refused(
  t: Test,
  name: string,
  settings: Settings,
  code: number,
  says: readonly RegExp[],
  options: { uid?: number } = {},
): Promise<void> {
  const end = await runServer(t, settings, options);
  isRefusal(t, name, end, code, says);
  t.notOk(
    end.lines.some((line) => line.includes('Listening')),
    `${name}: it did not listen`,
  );
}

/** The same in this process, without its log, which would be the output of this test. */
async function refusedHere(
  t: Test,
  name: string,
  settings: Settings,
  code: number,
  says: readonly RegExp[],
): Promise<void> {
  isRefusal(t, name, await runHere('server.ts', [], { PORT: '0', LOG_LEVEL: 'silent', ...settings }), code, says);
}

function isRefusal(
  t: Test,
  name: string,
  end: { readonly code: number | null; readonly stderr: string },
  code: number,
  says: readonly RegExp[],
): void {
  t.equal(end.code, code, `${name}: exit code`);
  t.match(end.stderr, /^prompt-registry does not start: /u);
  for (const pattern of says) t.match(end.stderr, pattern, `${name}: ${end.stderr.trim()}`);
  t.notMatch(end.stderr, /^ {4}at /mu, `${name}: no stack`);
}

/** The application on a data folder, as `server.ts` builds it. */
async function openHere(t: Test, settings: Settings): Promise<FastifyInstance> {
  const { dataDir, store, packsDir, channels, defaultPack, defaultVersion, sessionTtl } = readConfig(settings);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (store.kind !== 'sqlite') throw new Error('Only SQLite is opened here.');
  const registry = {
    dataDir,
    channels,
    defaultPack,
    defaultVersion,
    sessionTtl,
    shipped: await readPackFolders(packsDir),
    policies: await readPolicies(packsDir),
    operatorKey: operatorKeyFile(dataDir),
  };
  const app = await buildApp({ registry: { ...registry, store: await openSqliteStore({ file: store.file }) } });
  t.teardown(() => app.close());
  injectWith(app, operatorKeyIn(dataDir));
  return app;
}

/** The last revision in the log of a data folder; 0 if it has no log. */
function revisionIn(dataDir: string): number {
  const file = join(dataDir, 'registry.db');
  if (!existsSync(file)) return 0;
  const database = new DatabaseSync(file);
  const { revision } = database.prepare('SELECT max(revision) AS revision FROM events').get() ?? {};
  database.close();
  return Number(revision ?? 0);
}

async function revisionOf({ address }: { readonly address: string }): Promise<number> {
  return ((await (await fetch(`${address}/readyz`)).json()) as { revision: number }).revision;
}

t.test('several refused first starts on one data folder, then a good one', async (t) => {
  const dir = newFolder(t);
  const path = (name: string) => join(dir, name);
  mkdirSync(path('empty'));
  writeFileSync(path('file'), 'a file');
  const DATA_DIR = path('data');
  cpSync(PACKS, path('broken'), { recursive: true });
  writeFileSync(join(path('broken'), 'coach', '1.1.0', 'pack.yaml'), 'pack: coach\nversion: [1.1.0\n');
  rmSync(join(path('broken'), 'onboarding', '1.0.0', 'system.md'));

  const wrong: readonly (readonly [name: string, settings: Settings, code: number, ...says: RegExp[]])[] = [
    [
      'wrong settings',
      { PORT: 'http', SESSION_TTL: '1w', TRUST_PROXY: 'proxy.example' },
      78,
      /3 faults/u,
      /PORT="http" is wrong: it must be/u,
      /SESSION_TTL="1w" is/u,
      /TRUST_PROXY="proxy\.example" is/u,
    ],
    [
      'an unknown DEFAULT_VERSION',
      { DEFAULT_VERSION: '9.9.9' },
      78,
      /DEFAULT_VERSION is "9\.9\.9"/u,
      /2\.0\.0, 1\.1\.0, 1\.0\.0/u,
    ],
    [
      'a DEFAULT_VERSION of an unknown DEFAULT_PACK',
      { DEFAULT_PACK: 'tutor', DEFAULT_VERSION: '1.0.0' },
      78,
      /DEFAULT_VERSION is "1\.0\.0", which pack "tutor" does not have/u,
    ],
    [
      'a packs folder that is missing',
      { PACKS_DIR: path('nowhere') },
      78,
      /PACKS_DIR ".*nowhere" cannot be read: ENOENT/u,
    ],
    ['a packs folder that is a file', { PACKS_DIR: path('file') }, 78, /PACKS_DIR ".*file" cannot be read: ENOTDIR/u],
    ['an empty packs folder', { PACKS_DIR: path('empty') }, 78, /PACKS_DIR holds no pack/u],
    [
      'packs that do not parse',
      { PACKS_DIR: path('broken') },
      65,
      /2 faults; nothing was registered/u,
      /coach\/1\.1\.0\/pack\.yaml: line \d+, column \d+: this is not valid YAML/u,
      /onboarding\/1\.0\.0\/system\.md: is missing/u,
    ],
  ];
  const asProcesses = ['wrong settings', 'packs that do not parse'];
  for (const [name, settings, code, ...says] of wrong) {
    await (asProcesses.includes(name) ? refused : refusedHere)(t, name, { DATA_DIR, ...settings }, code, says);
    t.equal(revisionIn(DATA_DIR), 0, `${name}: nothing was registered`);
  }
  // A wrong address is found only after the registry has opened.
  await refused(t, "an address that is not this machine's", { DATA_DIR, HOST: '192.0.2.1' }, 78, [
    /HOST "192\.0\.2\.1"/u,
  ]);
  const registered = revisionIn(DATA_DIR);
  const blocker = createServer().listen(0, '127.0.0.1');
  t.teardown(() => void blocker.close());
  await once(blocker, 'listening');
  const { port } = blocker.address() as AddressInfo;
  await refused(t, 'a port in use', { DATA_DIR, PORT: String(port) }, 75, [
    new RegExp(`Port ${port} of 127\\.0\\.0\\.1 is in use`, 'u'),
    /set PORT to another port/u,
  ]);
  t.equal(revisionIn(DATA_DIR), registered, 'what was registered before it was found out is whole');

  const clean = await openHere(t, { DATA_DIR: path('clean') });
  const server = await startServer(t, { DATA_DIR });
  t.strictSame(
    [await revisionOf(server), registered],
    [clean.registry.current.revision, clean.registry.current.revision],
    'the good one is as a clean first start',
  );
  t.strictSame(listing(await (await server.ask('/v1/packs')).text()), listing((await clean.inject('/v1/packs')).body));
});

/** The registered and active versions, without times. */
function listing(text: string): unknown {
  return JSON.parse(text.replace(/"\d{4}-\d\d-\d\dT[^"]*"/gu, '"then"')) as unknown;
}

t.test('folders that cannot be used', async (t) => {
  const dir = newFolder(t);
  const path = (name: string) => join(dir, name);
  writeFileSync(path('file'), 'a file');
  for (const name of ['closed', 'unreadable', 'theirs']) mkdirSync(path(name));
  await refusedHere(t, 'a data folder that is a file', { DATA_DIR: path('file') }, 78, [
    /DATA_DIR ".*file" cannot be created/u,
  ]);
  await refusedHere(t, 'a data folder below a file', { DATA_DIR: join(path('file'), 'data') }, 78, [
    /DATA_DIR ".*data" cannot be created/u,
  ]);
  if (process.platform === 'linux')
    await refusedHere(t, 'a data folder where none can be made', { DATA_DIR: '/proc/registry/data' }, 78, [
      /DATA_DIR "\/proc\/registry\/data" cannot be created: ENOENT/u,
    ]);
  await refusedHere(
    t,
    'a database that is a folder',
    { DATA_DIR: path('data'), STORE_URL: `sqlite:${path('closed')}` },
    78,
    [/closed is a folder/u],
  );

  if (unreachable) return void t.pass('', { skip: 'no other user can read this checkout' });
  chmodSync(dir, 0o755);
  if (other.uid !== undefined)
    for (const name of ['closed', 'unreadable', 'theirs']) chownSync(path(name), other.uid, other.uid);
  chmodSync(path('closed'), 0o500);
  chmodSync(path('unreadable'), 0o000);
  t.teardown(() => {
    for (const name of ['closed', 'unreadable']) chmodSync(path(name), 0o700);
  });
  await Promise.all([
    refused(
      t,
      'a data folder that cannot be made',
      { DATA_DIR: join(path('closed'), 'data') },
      78,
      [/DATA_DIR ".*data" cannot be created: EACCES/u],
      other,
    ),
    refused(
      t,
      'a data folder that cannot be written',
      { DATA_DIR: path('closed') },
      78,
      [/closed/u, /EACCES|permission/u],
      other,
    ),
    refused(
      t,
      'a packs folder that cannot be read',
      { DATA_DIR: path('theirs'), PACKS_DIR: path('unreadable') },
      78,
      [/PACKS_DIR ".*unreadable" cannot be read: EACCES/u],
      other,
    ),
  ]);
});

t.test('an edited pack of a known version', async (t) => {
  const dir = newFolder(t);
  const PACKS_DIR = join(dir, 'packs');
  const settings = { DATA_DIR: join(dir, 'data'), PACKS_DIR };
  for (const version of ['1.0.0', '1.1.0']) writePackFolder(PACKS_DIR, 'coach', documentOf('coach', version));
  await (await openHere(t, settings)).close();
  const before = revisionIn(settings.DATA_DIR);

  const file = join(PACKS_DIR, 'coach', '1.0.0', 'styles', 'direct.md');
  appendFileSync(file, 'One more sentence.\n');
  writePackFolder(PACKS_DIR, 'coach', documentOf('coach', '1.2.0'));
  await refusedHere(t, 'edited', settings, 65, [
    /coach\/1\.0\.0\/styles\/direct\.md: Version 1\.0\.0 of pack "coach" is already registered, and versions never change/u,
  ]);
  t.equal(revisionIn(settings.DATA_DIR), before, 'the valid version next to it was not registered either');

  writePackFolder(PACKS_DIR, 'coach', documentOf('coach', '1.0.0'));
  const app = await openHere(t, settings);
  t.equal(app.registry.current.revision, before + 1, 'once the pack is valid, it is registered');
  t.match((await app.inject('/v1/prompts/system')).json(), { version: '1.1.0' }, 'and the pointer is where it was');
});

t.test('a second server on the same database', async (t) => {
  const DATA_DIR = join(newFolder(t), 'data');
  const first = await startServer(t, { DATA_DIR });
  await refusedHere(t, 'the second', { DATA_DIR }, 75, [
    /registry\.db is in use by/u,
    new RegExp(`process ${first.pid} `, 'u'),
    /Stop that server and start this one again/u,
  ]);
  await refusedHere(
    t,
    'the third, by another path',
    { DATA_DIR: join(DATA_DIR, '..', 'other'), STORE_URL: `sqlite:${join(DATA_DIR, '..', 'data', 'registry.db')}` },
    75,
    [new RegExp(`process ${first.pid} `, 'u')],
  );
  const answer = await first.ask('/v1/packs/coach/activations', { version: '1.0.0', reason: 'Undisturbed' });
  t.equal(answer.status, 201, 'the first goes on');
  await first.kill();
  t.ok(await startServer(t, { DATA_DIR }), 'once it is gone, however that came, the next one starts');
});

t.test('what does not stop a restart', async (t) => {
  const dir = newFolder(t);
  mkdirSync(join(dir, 'empty'));
  const DATA_DIR = join(dir, 'data');
  await (await openHere(t, { DATA_DIR, DEFAULT_VERSION: '1.1.0' })).close();
  const revision = revisionIn(DATA_DIR);

  const stale = await startServer(t, { DATA_DIR, DEFAULT_VERSION: '9.9.9' });
  t.equal(await revisionOf(stale), revision, 'a stale DEFAULT_VERSION');
  t.match(await (await stale.ask('/v1/prompts/system')).json(), { version: '1.1.0' });
  const warnings = entries(stale.lines).filter(({ level }) => level === 40);
  t.match(
    warnings[0],
    {
      variable: 'DEFAULT_VERSION',
      value: '9.9.9',
      msg: /DEFAULT_VERSION is "9\.9\.9".*2\.0\.0, 1\.1\.0, 1\.0\.0.*ignored/u,
    },
    'warns',
  );
  await stale.stop();

  const empty = await openHere(t, { DATA_DIR, PACKS_DIR: join(dir, 'empty') });
  t.equal(empty.registry.current.revision, revision, 'an empty packs folder');
  t.match((await empty.inject('/v1/prompts/system')).json(), { version: '1.1.0' });
});

t.test('a database that cannot be trusted', async (t) => {
  const dir = newFolder(t);
  const DATA_DIR = join(dir, 'data');
  await (await openHere(t, { DATA_DIR })).close();
  const damaged = (name: string, sql: string, without: readonly string[] = ['contents']) => {
    const copy = join(dir, name);
    cpSync(DATA_DIR, copy, { recursive: true });
    for (const kept of ['snapshot.jsonl', ...without]) rmSync(join(copy, kept), { recursive: true }); // what the server keeps on its own disk
    const database = new DatabaseSync(join(copy, 'registry.db'));
    database.exec(sql);
    database.close();
    return { DATA_DIR: copy };
  };
  await refusedHere(t, 'a gap', damaged('gap', 'DELETE FROM events WHERE revision = 5'), 65, [
    /The log is broken: Revision 6 follows 4; 5 should/u,
    /backup/u,
  ]);
  await refusedHere(t, 'a lost content', damaged('lost', 'DELETE FROM contents'), 65, [
    /has lost the content sha256:/u,
    /backup/u,
  ]);
  await refusedHere(
    t,
    'a changed content',
    damaged('changed', "UPDATE contents SET body = json_set(body, '$.system', 'Changed')"),
    65,
    [/content sha256:\w+ was changed/u, /backup/u],
  );
  for (const [name, sql] of [
    ['healed-lost', 'DELETE FROM contents'],
    ['healed-changed', "UPDATE contents SET body = json_set(body, '$.system', 'Changed')"],
  ] as const) {
    const healed = await openHere(t, damaged(name, sql, []));
    const answer = await healed.inject('/v1/prompts/system');
    const body = answer.json<{ version: string; text: string }>();
    t.match(
      [answer.statusCode, body.version],
      [200, '2.0.0'],
      `${name}: what is active is served from the server's own disk`,
    );
    t.not(body.text, 'Changed');
    t.equal(
      (await healed.inject('/v1/packs/coach/versions/1.0.0')).statusCode,
      503,
      'what was never active is not there, and is not made up',
    );
    await healed.close();
  }
  const noDatabase = join(dir, 'text');
  mkdirSync(noDatabase);
  writeFileSync(join(noDatabase, 'registry.db'), 'This is no database, whatever its name says.'.repeat(100));
  await refusedHere(t, 'no database', { DATA_DIR: noDatabase }, 65, [/registry\.db is not a SQLite database/u]);
});
