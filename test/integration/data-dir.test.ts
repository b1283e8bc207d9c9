/**
 * A data folder belongs to one instance (SPEC R9): a second one on it is refused, and the error names the first, whatever their store is. The
 * lock is the operating system's, so it goes with the process. An instance without the operator key says where the key is.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { newFolder } from '../support/process/folder.ts';
import { startPostgres } from '../support/stores/postgres.ts';
import { runHere } from '../support/apps/script.ts';
import { entries, ROOT, runServer, startServer } from '../support/apps/server-process.ts';

t.setTimeout(120_000);

t.test('PostgreSQL: two instances', async (t) => {
  const postgres = await startPostgres(t);
  const STORE_URL = await postgres.database();
  const dir = newFolder(t);
  const settings = { STORE_URL, DATA_DIR: join(dir, 'first') };
  const first = await startServer(t, settings);
  const inUse = (pid: number | string) =>
    new RegExp(
      `DATA_DIR ".*first" is in use by process ${pid} on ${hostname()}, started 20\\d\\d-.*give this one its own DATA_DIR`,
    );

  t.match(
    await runServer(t, settings),
    { code: 75, stderr: inUse(first.pid) },
    'on one data folder: the second is refused',
  );
  const bypassed = spawnSync('unshare', ['--pid', '--fork', process.execPath, 'server.ts'], {
    cwd: ROOT,
    env: { ...settings, PORT: '0' },
    encoding: 'utf8',
  });
  if (bypassed.stderr.startsWith('unshare')) t.pass('', { skip: 'this user cannot make a namespace of processes' });
  else
    t.match(
      bypassed,
      { status: 75, stderr: inUse(first.pid) },
      'also from another container, where process ids mean nothing',
    );
  t.equal((await first.ask('/v1/packs/coach/activations', { version: '1.0.0', reason: 'Undisturbed' })).status, 201);

  const second = await startServer(t, { STORE_URL, DATA_DIR: join(dir, 'second') });
  const { instances } = (await (await first.ask('/v1/instances')).json()) as { instances: { id: string }[] };
  const [made] = entries([await second.said((line) => line.includes('operator key'))]);
  const [id] = instances.map((instance) => instance.id);
  t.match(made, {
    madeBy: id,
    msg: new RegExp(
      `^The operator key was created by ${id} at 20\\d\\d-.* in the DATA_DIR there, not in .*second/operator\\.key; this start creates none`,
    ),
  });
  t.notOk(existsSync(join(dir, 'second', 'operator.key')));
  t.match(await runHere('scripts/keys-recover.ts', [], { STORE_URL, DATA_DIR: join(dir, 'second') }), { code: 0 });
  const { events } = (await (await first.ask('/v1/audit/events?type=key-created')).json()) as {
    events: { data: object }[];
  };
  t.match(
    events.map(({ data }) => data),
    [{ madeBy: id }, { madeBy: hostname() }],
    'one that is recovered names its host',
  );

  await first.kill();
  t.ok(await startServer(t, settings), 'a killed one leaves nothing behind that stops the next');
});

t.test('SQLite: two databases and one data folder', async (t) => {
  const DATA_DIR = join(newFolder(t), 'data');
  const first = await startServer(t, { DATA_DIR });
  const key = readFileSync(join(DATA_DIR, 'operator.key'), 'utf8');
  const second = await runHere('server.ts', [], {
    DATA_DIR,
    STORE_URL: `sqlite:${join(DATA_DIR, '..', 'other.db')}`,
    PORT: '0',
    LOG_LEVEL: 'silent',
  });
  t.match(second, { code: 75, stderr: new RegExp(`DATA_DIR ".*data" is in use by process ${first.pid} `) });
  t.equal(readFileSync(join(DATA_DIR, 'operator.key'), 'utf8'), key);
  await first.stop();
  t.ok(await startServer(t, { DATA_DIR }));
});
