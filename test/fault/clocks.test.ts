/**
 * Wrong clocks (SPEC R11, *Time*): events use the clock of the store, so one instance's wrong clock misleads nobody. With SQLite the store's
 * clock is the machine's: a start says what is wrong, and refuses if it would do lasting harm.
 */
import { statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Clock } from '../../registry/index.ts';
import { Registry, type RegistryOptions } from '../../registry/registry.ts';
import { openPostgresStore } from '../../registry/stores/postgres/index.ts';
import { attachSqliteStore, openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { Watchers } from '../../registry/streams/watchers.ts';
import { operatorKeyFile } from '../../registry/keys/operator-key.ts';
import { openApp } from '../support/apps/app.ts';
import { readLog } from '../support/stores/events.ts';
import { newFolder } from '../support/process/folder.ts';
import { startPostgres } from '../support/stores/postgres.ts';
import { RecordedLogger } from '../support/observability/recorded-logger.ts';
import { optionsOf } from '../support/apps/registries.ts';
import { runScript } from '../support/apps/script.ts';
import { runServer, startServer } from '../support/apps/server-process.ts';
import { until } from '../support/process/until.ts';

const HOUR = 3_600_000;
const YEARS = 20 * 365 * 24 * HOUR;
/** How far a time may be off, in milliseconds. */
const OFF = 10_000;
const BEGUN = Date.now();

/** A clock that is wrong by this many milliseconds. */
const wrongBy = (milliseconds: number): Clock => ({
  now: () => Date.now() + milliseconds,
  newId: () => crypto.randomUUID(),
});
/** Whether a time lies within this run, however long the run takes. */
const isNow = (time: number | string) => {
  const milliseconds = typeof time === 'string' ? Date.parse(time) : time;
  return milliseconds > BEGUN - OFF && milliseconds < Date.now() + OFF;
};

async function open(t: Test, options: Partial<RegistryOptions> & Pick<RegistryOptions, 'store'>): Promise<Registry> {
  const registry = await Registry.open(optionsOf(options));
  t.teardown(() => registry.close());
  return registry;
}

t.test('PostgreSQL: an instance whose clock is 20 years off, either way, misleads nobody', async (t) => {
  const postgres = await startPostgres(t);
  for (const by of [YEARS, -YEARS]) {
    const url = await postgres.database('clocks');
    const logger = new RecordedLogger();
    const folder = newFolder(t);
    const wrong = await open(t, {
      store: openPostgresStore({ url }),
      clock: wrongBy(by),
      logger,
      operatorKey: operatorKeyFile(folder),
    });
    const right = await open(t, { store: openPostgresStore({ url }) });
    t.ok(isNow(wrong.now()), 'it uses the store’s clock');
    t.match(
      logger.messages('warn'),
      [
        new RegExp(
          `The clock of this machine is (19|20) years ${by > 0 ? 'ahead of' : 'behind'} the clock of the store`,
        ),
      ],
      'and says once what is wrong',
    );

    await wrong.activate({ version: '1.0.0', reason: 'By the wrong clock' });
    await right.instance.catchUp();
    await right.activate({ version: '1.1.0', reason: 'By the right one' });
    t.same(
      (await right.events({ limit: 1000, after: 0 })).filter(({ at }) => !isNow(at)),
      [],
      'of all events, those of the first start among them',
    );
    const {
      activations: [now],
    } = await right.activations('coach', { limit: 1, at: new Date(Date.now() + OFF).toISOString() });
    t.match(now, { version: '1.1.0' });
    t.same([wrong.health().conditions, right.health().conditions], [[], []]);

    const session = wrong.startSession();
    t.ok(isNow(session.startedAt));
    t.match(await right.resolveSession(session.sessionId), { expiresAt: session.expiresAt });
    const { record } = await wrong.createKey({
      label: 'For an hour',
      scopes: ['prompts:read'],
      expiresAt: new Date(Date.now() + HOUR).toISOString(),
    });
    t.ok(isNow(record.createdAt), 'the end of a key is compared with the same clock');
    await t.rejects(
      wrong.createKey({
        label: 'Over',
        scopes: ['prompts:read'],
        expiresAt: new Date(Date.now() - HOUR).toISOString(),
      }),
      { code: 'validation-failed' },
    );
  }
});

t.test('the expiry of a key is compared with the clock of the events', async (t) => {
  let ahead = 0;
  const { app } = await openApp(t, {
    store: 'memory',
    registry: { clock: { now: () => Date.now() + ahead, newId: () => crypto.randomUUID() } },
  });
  const { token = '', record } = await app.registry.createKey({
    label: 'For an hour',
    scopes: ['prompts:read'],
    expiresAt: new Date(Date.now() + HOUR).toISOString(),
  });
  const stream = {
    waiting: 0,
    told: 0,
    ended: false,
    write: () => (stream.told += 1),
    onceDrained: () => undefined,
    end: () => (stream.ended = true),
  };
  const watchers = new Watchers(app.registry, { encode: () => Buffer.from('.'), mayWatch: () => true });
  t.teardown(() => watchers.close());
  watchers.add({ keyId: record.keyId, until: Date.parse(record.expiresAt ?? '') }, stream);
  const status = async () =>
    (await app.inject({ url: '/v1/packs', headers: { authorization: `Bearer ${token}` } })).statusCode;
  t.equal(await status(), 200);
  await app.registry.activate({ version: '1.0.0', reason: 'Before it' });
  await until(() => stream.told === 2);
  ahead = 2 * HOUR;
  t.equal(await status(), 401);
  await app.registry.activate({ version: '1.1.0', reason: 'After it' });
  await until(() => stream.ended);
  t.equal(stream.told, 2, 'nothing more on a stream');
});

t.test(
  'a log ahead of the clock is reported at the start, in the service log and at /readyz, until the clock has passed it',
  async (t) => {
    const folder = newFolder(t);
    const file = join(folder, 'registry.db');
    await (await Registry.open(optionsOf({ store: await openSqliteStore({ file }), clock: wrongBy(HOUR) }))).close();
    const logger = new RecordedLogger();
    let ahead = 0;
    const registry = await open(t, {
      store: await openSqliteStore({ file }),
      clock: { now: () => Date.now() + ahead, newId: () => crypto.randomUUID() },
      logger,
    });
    const { at } = registry.current;
    t.match(logger.messages('warn'), [
      /^The clock is \d+ minutes behind the last event of the log\. Check this machine's clock\./,
    ]);
    t.match(logger.messages('error'), [
      /^The log is ahead of the clock\. The time of the last event is .* New events get the same time/,
    ]);
    t.match(registry.health(), { ready: true, conditions: [{ name: 'clock-behind-log', detail: new RegExp(at) }] });
    const { revision } = await registry.activate({ version: '1.0.0', reason: 'It goes on' });
    t.equal((await registry.events({ limit: 1, after: revision - 1 }))[0]?.at, at, 'time stands still');
    ahead = 2 * HOUR;
    t.match(
      registry.health(),
      { ready: true, conditions: [{ name: 'clock-in-doubt', detail: /Steps, schedules and trials wait\.$/u }] },
      'a clock that jumps is not trusted at once',
    );
    await until(() =>
      logger.messages('info').some((message) => message.startsWith('The clock has passed the last event')),
    );
    t.equal(
      logger.messages('error').filter((message) => message.startsWith('The log is ahead')).length,
      1,
      'said once',
    );
  },
);

t.test('SQLite: a start is refused if the clock is years ahead of the last write', async (t) => {
  const DATA_DIR = join(newFolder(t), 'data');
  await (await startServer(t, { DATA_DIR })).stop();
  const file = join(DATA_DIR, 'registry.db');
  const ahead = {
    DATA_DIR,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`const now = Date.now; Date.now = () => now() + ${YEARS};`)}`,
  };
  const says =
    /The clock of this machine says 20\d\d-\d\d-\d\d, but the registry database .*registry\.db was last written on 20\d\d-\d\d-\d\d, 19 years before\..* If it is right, run this and start again: touch .*registry\.db/;
  t.match(await runServer(t, ahead), { code: 78, stderr: says });
  t.match(await runScript(t, 'keys-recover', [], ahead), { code: 1, stderr: says }, 'so is a tool that appends');
  const store = await openSqliteStore({ file });
  t.same(
    (await readLog(store)).filter(({ at }) => !isNow(at)),
    [],
    'nothing was written',
  );
  await store.close();

  const long = new Date(Date.now() - 3 * 365 * 24 * HOUR);
  const written = { clock: { now: () => long.getTime(), newId: () => crypto.randomUUID() } };
  const idle = join(newFolder(t), 'registry.db');
  await (await Registry.open(optionsOf({ store: await openSqliteStore({ file: idle }), ...written }))).close();
  utimesSync(idle, long, long);
  await t.rejects(
    openSqliteStore({ file: idle }),
    { name: 'StartRefused', exitCode: 78 },
    'one in which nothing changed for years',
  );
  await (await attachSqliteStore({ file: idle })).close();
  utimesSync(idle, new Date(), new Date());
  await (await openSqliteStore({ file: idle })).close();
  utimesSync(idle, new Date(Date.now() - 300 * 24 * HOUR), new Date(Date.now() - 300 * 24 * HOUR));
  await (await openSqliteStore({ file: idle })).close();
  t.ok(isNow(statSync(idle).mtimeMs), 'each start updates the time of the last write');
});
