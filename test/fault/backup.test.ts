/**
 * docs/backup.md: its commands make a backup while the service writes, and restore it on another machine and on the same one.
 *
 * Rule: everything that was answered before the backup is in it, and is proved by the head that was kept. The backup has no half of a move.
 * The restored registry opens a new epoch, and sessions that were started before go on.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import type { Store } from '../../registry/log/store.ts';
import { attachPostgresStore } from '../../registry/stores/postgres/index.ts';
import { attachSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { ROOT, runServer, startServer, type ListeningServer, type Settings } from '../support/apps/server-process.ts';
import { blocksOf, sectionOf, textOf } from '../support/docs/pages.ts';
import { newFolder } from '../support/process/folder.ts';
import { until } from '../support/process/until.ts';
import { readLog } from '../support/stores/events.ts';
import { installedPostgres } from '../support/stores/postgres-home.ts';
import { startPostgres } from '../support/stores/postgres.ts';

const run = promisify(execFile);
const page = textOf('docs/backup.md').replaceAll(/^ {3}/gmu, ''); // the blocks in steps, too
const commandsOf = (heading: string) =>
  blocksOf(sectionOf(page, heading)).flatMap(({ language, text }) => (language === 'sh' ? [text] : []));
const HEAD = /\b(\d+):([0-9a-f]{64})\b/u;
t.setTimeout(240_000);

/** A machine with a service. */
class Host {
  readonly #t: Test;
  readonly #settings: Settings;
  readonly #backups: string;
  /** Folders of programs that its shell finds. */
  readonly #path: readonly string[];

  constructor(t: Test, settings: Settings, backups: string, path: readonly string[] = []) {
    this.#t = t;
    this.#settings = settings;
    this.#backups = backups;
    this.#path = [...path, dirname(process.execPath)];
  }

  /** Runs commands of the page. @param head what stands for REVISION:HASH. @returns what they print */
  async shell(commands = '', head = ''): Promise<string> {
    const script = commands.replaceAll('/backup', this.#backups).replaceAll('REVISION:HASH', head);
    const HOME = dirname(this.#settings['DATA_DIR'] ?? ''); // npm keeps its log there
    const env = { PATH: [...this.#path, process.env['PATH']].join(':'), HOME, ...this.#settings };
    return (await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: ROOT, env })).stdout;
  }

  start(more: Settings = {}): Promise<ListeningServer> {
    return startServer(this.#t, { RATE_LIMIT: '0', ...this.#settings, ...more });
  }
}

/** Starts a session, and then activates one version after the other, also while `backUp` runs. */
async function whileItMoves(t: Test, service: ListeningServer, backUp: () => Promise<string>) {
  const { sessionId } = (await (await service.ask('/v1/coach/sessions', {})).json()) as { sessionId: string };
  const revisions: number[] = [];
  let goesOn = true;
  const moves = (async () => {
    for (let turn = 0; goesOn; turn += 1) {
      const body = { version: turn % 2 === 0 ? '1.0.0' : '1.1.0', reason: `Turn ${turn}` };
      const answer = await service.ask('/v1/packs/coach/activations', body);
      if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
      revisions.push(((await answer.json()) as { revision: number }).revision);
    }
  })();
  const beyond = (revision: number) => Promise.race([moves, until(() => (revisions.at(-1) ?? 0) > revision)]);
  await beyond(30);
  const answered = revisions.at(-1) ?? 0;
  const printed = await backUp();
  const during = revisions.length;
  await beyond((revisions.at(-1) ?? 0) + 20);
  goesOn = false;
  await moves;
  t.ok(during > revisions.indexOf(answered) + 1, 'it writes meanwhile');
  return { sessionId, answered, printed };
}

/** The restored registry is in a new epoch, answers for the session, and takes moves. */
async function goesOn(t: Test, restored: ListeningServer, sessionId: string): Promise<void> {
  t.match(await (await restored.ask('/readyz')).json(), { status: 'ready', epoch: 2, stale: false, conditions: [] });
  t.equal((await restored.ask('/v1/packs/coach/active')).headers.get('registry-epoch'), '2');
  const session = await (await restored.ask(`/v1/coach/sessions/${sessionId}`)).json();
  t.match(session, { sessionId, promptPack: { version: '2.0.0' } }, 'the session goes on');
  const body = { version: '2.0.0', reason: 'It goes on' };
  t.equal((await restored.ask('/v1/packs/coach/activations', body)).status, 201);
}

/** The logs of two stores are the same up to a revision. */
async function agree(t: Test, stores: readonly Store[], revision: number): Promise<void> {
  const logs = await Promise.all(stores.map(async (store) => (await readLog(store)).slice(0, revision)));
  await Promise.all(stores.map((store) => store.close()));
  t.equal(logs[0]?.length, revision);
  t.strictSame(logs[1], logs[0], 'every event up to the head that was kept');
}

t.test('SQLite', async (t) => {
  const folder = newFolder(t);
  const backups = join(folder, 'backup');
  mkdirSync(backups);
  const dataDirs = ['data', 'another machine'].map((name) => join(folder, name));
  const [here, there] = dataDirs.map((DATA_DIR) => new Host(t, { DATA_DIR }, backups)) as [Host, Host];
  const [command] = commandsOf('SQLite');
  const [clear, put, accept, recover] = commandsOf('Restore it');

  const service = await here.start();
  const { sessionId, answered, printed } = await whileItMoves(t, service, () => here.shell(command));
  t.equal((await runServer(t, { DATA_DIR: dataDirs[0] ?? '' })).code, 75, 'the lock of the service still holds');
  await service.stop();
  const [head = '', text] = HEAD.exec(printed) ?? [];
  const revision = Number(text);
  t.match(printed, /^Wrote .*registry\.db: [\d.]+ MB, all events up to revision \d+; each was checked\.$/mu);
  t.ok(revision >= answered, `what was answered before is in it: ${answered}, ${revision}`);
  t.strictSame(readdirSync(backups), ['registry.db'], 'one file');
  t.equal(statSync(join(backups, 'registry.db')).mode & 0o777, 0o600);

  await there.shell(clear);
  t.match(await there.shell(put, head), `Whole: ${revision} events; the head is ${head}; 1 head(s) kept outside`);
  t.match(await there.shell(accept), `revision ${revision + 1} opens epoch 2`);
  const restored = await there.start();
  await there.shell(recover);
  await goesOn(t, restored, sessionId);
  await restored.stop();
  const attached = dataDirs.map((dataDir) => attachSqliteStore({ file: join(dataDir, 'registry.db') }));
  await agree(t, await Promise.all(attached), revision);

  t.comment('on the same machine, whose instance has seen what is lost');
  await here.shell(clear);
  const left = readdirSync(join(folder, 'data'));
  t.ok(left.includes('snapshot.jsonl') && !left.some((name) => name.startsWith('registry.db')), left.join(' '));
  t.match(await here.shell(put, head), `the head is ${head}`);
  t.match(await here.shell(accept), 'opens epoch 2');
  const again = await here.start();
  await goesOn(t, again, sessionId);
  await again.stop();
});

const programs = installedPostgres();
const skip =
  programs === undefined &&
  'no PostgreSQL with pg_dump is in /usr/lib/postgresql; apt-get install postgresql brings one';

t.test('PostgreSQL', { skip }, async (t) => {
  const backups = newFolder(t);
  const folder = newFolder(t);
  const postgres = await startPostgres(t, { programs: programs ?? '' });
  const [STORE_URL, RESTORED_URL] = [await postgres.database(), await postgres.database()];
  const hostOf = (name: string) =>
    new Host(t, { STORE_URL, RESTORED_URL, DATA_DIR: join(folder, name) }, backups, [programs ?? '']);
  const [one, two] = [hostOf('one'), hostOf('two')];
  const [command] = commandsOf('PostgreSQL');
  const [fill, accept] = commandsOf('Restore the dump');

  const service = await one.start();
  const { sessionId, printed } = await whileItMoves(t, service, () => one.shell(command));
  await service.stop();
  const [head = '', text] = HEAD.exec(printed) ?? [];

  t.match(await two.shell(fill, head), /Whole: \d+ events; .*; 1 head\(s\) kept outside are in it/u);
  t.match(await two.shell(accept), /opens epoch 2/u);
  const restored = await one.start({ STORE_URL: RESTORED_URL });
  await goesOn(t, restored, sessionId);
  const other = await two.start({ STORE_URL: RESTORED_URL });
  t.match(await (await fetch(`${other.address}/readyz`)).json(), { status: 'ready', epoch: 2, conditions: [] });
  await Promise.all([restored.stop(), other.stop()]);
  const attached = [STORE_URL, RESTORED_URL].map((url) => attachPostgresStore({ url }));
  await agree(t, await Promise.all(attached), Number(text));
});
