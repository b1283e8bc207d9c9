/** The PostgreSQL store on a server that is well: what every store must do, and what only a shared database can do wrong. */
import { Client } from 'pg';
import t, { type Test } from 'tap';
import { GENESIS_HASH } from '../../../registry/log/event.ts';
import type { Batch } from '../../../registry/log/store.ts';
import { attachPostgresStore, openPostgresStore, type PostgresStore } from '../../../registry/stores/postgres/index.ts';
import { MIGRATIONS } from '../../../registry/stores/postgres/migrations.ts';
import { APPEND, appendValues, RAISE_FENCE } from '../../../registry/stores/postgres/statements.ts';
import {
  activation,
  batchAfter,
  contentOf,
  drafts,
  EMPTY,
  firstBroken,
  headOf,
  readLog,
} from '../../support/stores/events.ts';
import { startPostgres } from '../../support/stores/postgres.ts';
import { storeSuite } from './store-suite.ts';

const UNAVAILABLE = { name: 'RegistryError', code: 'store-unavailable' };
const refused = (exitCode: 65 | 75 | 78, message: RegExp) => ({ name: 'StartRefused', exitCode, message });
const claim = { id: 'a', startedAt: '2026-01-31T08:00:00.000Z', epoch: 1, appliedRevision: 0 };
const ALL = { order: 'ascending', limit: 1000 } as const;

const server = await startPostgres(t);

function open(t: Test, url: string): PostgresStore {
  const store = openPostgresStore({ url });
  t.teardown(() => store.close());
  return store;
}

storeSuite(t, 'postgres', async () => openPostgresStore({ url: await server.database() }));

t.test('ten stores that start at once on an empty database make its tables once', async (t) => {
  const url = await server.database('crowd');
  const stores = Array.from({ length: 10 }, () => open(t, url));
  t.same(await Promise.all(stores.map((store) => store.head())), Array(10).fill(undefined));
  t.same(
    await server.sql('SELECT number, name FROM migrations', url),
    MIGRATIONS.map(({ name }, index) => ({ number: index + 1, name })),
  );
});

t.test('appends of several stores race: one wins each time, and the log has no gap', async (t) => {
  const url = await server.database('races');
  const stores = Array.from({ length: 5 }, () => open(t, url));
  let head = EMPTY;
  for (let round = 0; round < 20; round += 1) {
    const batches = stores.map((_, index) =>
      batchAfter(head, Array<ReturnType<typeof activation>>((index % 3) + 1).fill(activation())),
    );
    const outcomes = await Promise.all(stores.map((store, index) => store.append(batches[index]!, head.revision)));
    const winner = batches[outcomes.indexOf('done')]!;
    t.strictSame(
      outcomes.filter((outcome) => outcome !== 'done'),
      Array(4).fill({ missed: winner.events }),
      'also those that waited for its commit get its events',
    );
    head = headOf(winner);
    t.strictSame(
      await Promise.all(stores.map((store) => store.head())),
      Array(5).fill(head),
      'every store sees it once it is done',
    );
  }
  t.equal(firstBroken(await readLog(stores[0]!)), undefined);
});

t.test('a database of a newer build, or of something else, is refused and left as it is', async (t) => {
  const newer = await server.database('newer');
  await open(t, newer).head();
  await server.sql("INSERT INTO migrations (number, name) VALUES (99, 'from the future')", newer);
  const store = open(t, newer);
  await t.rejects(store.head(), refused(65, /is at migration 99; this build knows \d+/));
  await t.rejects(store.append(batchAfter(EMPTY, [activation()]), 0), refused(65, /A newer build has used it/));
  await t.rejects(attachPostgresStore({ url: newer }), refused(65, /A newer build has used it/));

  for (const table of ['migrations (id int)', 'events (id int)']) {
    const other = await server.database('other');
    await server.sql(`CREATE TABLE ${table}`, other);
    await t.rejects(open(t, other).head(), refused(65, /has tables of another program/), table);
    t.same(await server.sql("SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'", other), [
      { tables: 1 },
    ]);
  }
});

t.test('two registries share a database, each in its own schema', async (t) => {
  const url = await server.database('schemas');
  await server.sql('CREATE SCHEMA one; CREATE SCHEMA two', url);
  const [one, two] = [open(t, `${url}?search_path=one`), open(t, `${url}?search_path=two`)];
  t.equal(await one.append(batchAfter(EMPTY, drafts()), 0), 'done');
  t.equal(await two.head(), undefined);
  t.equal(await two.append(batchAfter(EMPTY, [activation()]), 0), 'done');
  t.equal((await one.head())?.revision, drafts().length);
});

t.test('a tool next to running instances makes nothing, and appends to the same log', async (t) => {
  const url = await server.database('attached');
  await t.rejects(attachPostgresStore({ url }), refused(65, /holds no registry\. Start the service/));
  t.same(await server.sql("SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'", url), [
    { tables: 0 },
  ]);
  const store = open(t, url);
  const batch = batchAfter(EMPTY, drafts());
  await store.append(batch, 0);
  const tool = await attachPostgresStore({ url });
  t.teardown(() => tool.close());
  t.equal(await tool.append(batchAfter(headOf(batch), [activation()]), batch.events.length), 'done');
  t.equal((await store.head())?.revision, batch.events.length + 1);
});

/** What the first build sends, as it sends it. It knows nothing of the fence. */
const FIRST_BUILD = {
  migrations: 'SELECT coalesce(max(number), 0)::int AS number FROM migrations',
  append: ({ events: [event] }: Batch) => `
    WITH moved AS (
      UPDATE log_head SET revision = ${event!.revision}, hash = '${event!.hash}'
      WHERE revision = ${event!.revision - 1} AND hash = '${event!.previousHash}'
      RETURNING revision
    ), appended AS (
      INSERT INTO events (revision, body)
      SELECT ${event!.revision - 1} + given.place, given.body FROM moved, unnest(ARRAY[$json$${JSON.stringify(event)}$json$]) WITH ORDINALITY AS given (body, place)
    )
    SELECT pg_notify('prompt_registry', revision::text), revision::int FROM moved`,
};

t.test(
  'a write is on disk whatever the connection is set to: the statements set it for their own transaction (SPEC R3)',
  async (t) => {
    const url = await server.database('durable');
    await open(t, url).head(); // makes the tables
    const client = new Client({ connectionString: url });
    await client.connect();
    t.teardown(() => client.end());
    for (const [statement, values] of [
      [RAISE_FENCE, [0, GENESIS_HASH]],
      [APPEND, appendValues({ ...batchAfter(EMPTY, drafts()), fence: 1 }, 0)],
    ] as const) {
      await client.query('BEGIN; SET LOCAL synchronous_commit = off');
      t.equal((await client.query(statement, [...values])).rowCount, 1);
      t.match((await client.query('SHOW synchronous_commit')).rows, [{ synchronous_commit: 'on' }]);
      await client.query('COMMIT');
    }
  },
);

t.test('the build before the fence starts and writes next to this one, and its databases are opened', async (t) => {
  const url = await server.database('older_build');
  const store = open(t, url);
  const first = batchAfter(EMPTY, drafts());
  await store.append(first, 0);
  t.equal(await store.raiseFence(headOf(first)), 1);
  t.same(
    await server.sql(FIRST_BUILD.migrations, url),
    [{ number: 1 }],
    'it is not ahead of that build, which would refuse it',
  );
  const second = batchAfter(headOf(first), [activation()]);
  t.match(await server.sql(FIRST_BUILD.append(second), url), [{ revision: headOf(second).revision }]);
  t.strictSame(await store.head(), headOf(second), 'its appends are followed');
  t.equal(
    await store.append({ ...batchAfter(headOf(second), [activation()]), fence: 1 }, headOf(second).revision),
    'done',
  );

  await server.sql('ALTER TABLE log_head DROP COLUMN fence', url);
  await t.rejects(attachPostgresStore({ url }), refused(65, /was made by an older build/), 'a tool adds nothing');
  const stores = Array.from({ length: 5 }, () => open(t, url));
  t.same(
    await Promise.all(stores.map((each) => each.fence())),
    [0, 0, 0, 0, 0],
    'instances that start together add it once',
  );
  await server.sql('ALTER TABLE log_head DROP COLUMN fence', url);
  await t.rejects(store.renew(claim), UNAVAILABLE, 'a backup of that build was put in its place');
  t.equal((await store.renew(claim)).fence, 0, 'which has it from the next call on');
  t.equal(await store.raiseFence({ revision: first.events.length + 2, hash: (await store.head())!.hash }), 1);
});

t.test('an empty database that replaces a full one is an empty log, and gets no tables', async (t) => {
  const url = await server.database('replaced');
  const store = open(t, url);
  const batch = batchAfter(EMPTY, drafts());
  await store.append(batch, 0);
  await server.sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public', url);
  t.equal(await store.head(), undefined);
  t.same(await store.events(ALL), []);
  t.same(await store.sessionKeys(), []);
  t.equal(await store.content(contentOf('1.0.0').digest), undefined);
  t.strictSame(await store.renew({ id: 'a', startedAt: '2026-01-31T08:00:00.000Z', epoch: 1, appliedRevision: 5 }), {
    head: undefined,
    fence: 0,
    leases: [],
  });
  t.equal(await store.fence(), 0);
  t.equal(await store.raiseFence(headOf(batch)), 'conflict');
  t.equal(await store.append(batchAfter(headOf(batch), [activation()]), batch.events.length), 'conflict');
  t.equal(await store.append(batchAfter(EMPTY, [activation()]), 0), 'conflict', 'nor does a new log begin');
  t.same(await server.sql("SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'", url), [
    { tables: 0 },
  ]);
});

t.test('an event or a content that was damaged is named', async (t) => {
  const url = await server.database('damaged');
  const store = open(t, url);
  const secret = 'You are the secret prompt.';
  await store.append(batchAfter(EMPTY, drafts(), { contents: [contentOf('1.0.0', secret)] }), 0);
  await server.sql(
    `UPDATE events SET body = replace(body, '"reason"', ' "reason"') WHERE revision = 2; UPDATE contents SET body = left(body, 120)`,
    url,
  );
  await t.rejects(store.events({ ...ALL, exact: true }), {
    ...UNAVAILABLE,
    members: { revision: 2 },
    message: /^Revision 2 in the registry database .* is damaged/,
  });
  t.equal((await store.events(ALL)).length, drafts().length);
  const { digest } = contentOf('1.0.0');
  const error = await store.content(digest).catch((error: Error) => error);
  t.match(error, { ...UNAVAILABLE, members: { digest } });
  t.notMatch(JSON.stringify([(error as Error).message, (error as Error).cause]), /secret prompt/);
});

t.test('texts that PostgreSQL cannot hold are kept as they are, and looked for in vain', async (t) => {
  const store = open(t, await server.database('texts'));
  const batch = batchAfter(EMPTY, [{ ...activation(), reason: 'NUL \u0000, written \\u0000, {"quoted", \\}' }], {
    contents: [contentOf('1.0.0', 'NUL \u0000 "{}" \\ \u2028')],
  });
  t.equal(await store.append(batch, 0), 'done');
  t.strictSame(await store.events({ ...ALL, exact: true }), batch.events);
  t.strictSame(await store.content(contentOf('1.0.0').digest), batch.contents[0]?.content);
  for (const text of ['\u0000', '\ud800']) {
    for (const query of [{ pack: text }, { channel: text }, { actor: text }, { id: text }])
      t.same(await store.events({ ...ALL, ...query }), []);
    t.equal(await store.content(text), undefined);
    t.equal(await store.repeated('operator-1', text), undefined);
  }
});

t.test('revocations that moved a channel are events of that channel, once each', async (t) => {
  const store = open(t, await server.database('moves'));
  const moved = (channel: string | undefined, ...channels: string[]) =>
    ({
      ...activation(),
      type: 'version-revoked',
      channel,
      data: { digest: 'x', moves: channels.map((channel) => ({ channel })) },
    }) as unknown as ReturnType<typeof activation>;
  const batch = batchAfter(EMPTY, [
    activation({ channel: 'staging' }),
    moved(undefined, 'staging', 'production'),
    moved('staging', 'staging'),
    moved(undefined, 'production'),
  ]);
  await store.append(batch, 0);
  const revisions = async (query: object) => (await store.events({ ...ALL, ...query })).map(({ revision }) => revision);
  t.same(await revisions({ channel: 'staging' }), [1, 2, 3]);
  t.same(await revisions({ channel: 'production', order: 'descending' }), [4, 2]);
  t.same(await revisions({ channel: 'staging', types: ['version-activated'] }), [1]);
  t.same(await revisions({ channel: 'staging', types: ['version-revoked'], limit: 1 }), [2]);
  t.same(await revisions({ channel: 'staging', pack: 'coach', after: 1, actor: 'operator-1', to: '9999' }), [2, 3]);
});

t.test('a connection has the settings that the promises rest on', async (t) => {
  const url = await server.database('settings');
  await server.sql(
    `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off; ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_isolation = serializable`,
  );
  const store = open(t, url);
  await store.head();
  await server.sql(
    `
    CREATE TABLE seen (at_commit text, isolation text, name text);
    CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO seen VALUES (current_setting('synchronous_commit'), current_setting('transaction_isolation'), current_setting('application_name')); RETURN NULL; END $$;
    CREATE TRIGGER see AFTER INSERT ON events EXECUTE FUNCTION see()`,
    url,
  );
  await store.append(batchAfter(EMPTY, [activation()]), 0);
  t.same(await server.sql('SELECT * FROM seen', url), [
    { at_commit: 'on', isolation: 'read committed', name: 'prompt-registry' },
  ]);
});
