/**
 * The PostgreSQL store through a real PgBouncer, in session mode (its default) and in transaction mode, on a server whose default is
 * `synchronous_commit=off`: what every store must do, and that what is answered `done` is on disk (SPEC R3).
 */
import t, { type Test } from 'tap';
import { openPostgresStore, type PostgresStore } from '../../../registry/stores/postgres/index.ts';
import { activation, batchAfter, drafts, EMPTY, headOf } from '../../support/stores/events.ts';
import { newFolder } from '../../support/process/folder.ts';
import { notInstalled, startPgBouncer } from '../../support/stores/pgbouncer.ts';
import { startPostgres } from '../../support/stores/postgres.ts';
import { startServer } from '../../support/apps/server-process.ts';
import { storeSuite } from './store-suite.ts';

const MODES = ['transaction', 'session'] as const;
const ALL = { order: 'ascending', limit: 1000 } as const;
const claim = { id: 'a', startedAt: '2026-01-31T08:00:00.000Z', epoch: 1, appliedRevision: 0 };
const rounds = { short: 1, faults: 10, soak: 50 }[process.env['TEST_LENGTH'] ?? 'short'] ?? 1;

if (notInstalled !== undefined) {
  t.comment(notInstalled);
  t.pass('', { skip: notInstalled });
} else await pooled();

async function pooled(): Promise<void> {
  t.setTimeout(120_000 + rounds * 20_000);
  const server = await startPostgres(t, { settings: { synchronous_commit: 'off' } });
  for (const pool_mode of MODES) {
    const pooler = await startPgBouncer(t, server, { pool_mode });
    const open = (t: Test, url: string): PostgresStore => {
      const store = openPostgresStore({ url: pooler.urlOf(url) });
      t.teardown(() => store.close());
      return store;
    };
    if (rounds > 1)
      storeSuite(t, 'postgres', async () => openPostgresStore({ url: pooler.urlOf(await server.database()) }), {
        hints: pool_mode === 'session',
      });

    t.test(`${pool_mode} mode: settings are those of each transaction, and of nobody else's`, async (t) => {
      const url = await server.database('settings');
      await server.sql('CREATE SCHEMA two', url);
      const store = open(t, `${url}?search_path=two`);
      await store.head();
      await server.sql(
        `
        CREATE TABLE two.seen (at_commit text, isolation text);
        CREATE FUNCTION two.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO two.seen VALUES (current_setting('synchronous_commit'), current_setting('transaction_isolation')); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER see AFTER UPDATE ON two.log_head DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION two.see();
        ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_isolation = serializable`,
        url,
      );
      const batch = batchAfter(EMPTY, drafts());
      t.equal(await store.append(batch, 0), 'done');
      t.equal(await store.raiseFence(headOf(batch)), 1);
      t.same(
        (await server.sql('SELECT at_commit FROM two.seen', url)).map(({ at_commit }) => at_commit),
        ['on', 'on'],
        'at the commit itself',
      );
      await Promise.all([store.renew(claim), store.events(ALL), store.sessionKeys()]);
      if (pool_mode === 'transaction') {
        // Others that share the pool get unchanged connections.
        const others = await Promise.all(
          Array.from({ length: 5 }, () =>
            server.sql(
              "SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock, current_setting('synchronous_commit') AS commit",
              pooler.urlOf(url),
            ),
          ),
        );
        for (const [other] of others) t.same(other, { statement: '0', lock: '0', commit: 'off' });
      }
    });

    t.test(`${pool_mode} mode: a change elsewhere is heard of, or found by asking`, async (t) => {
      const url = await server.database('hints');
      const [store, other] = [open(t, url), open(t, url)];
      await store.head();
      let hints = 0;
      t.teardown(store.watch(() => (hints += 1)));
      while (hints === 0) await store.renew(claim); // it listens from now on
      const batch = batchAfter(EMPTY, [activation()]);
      t.equal(await other.append(batch, 0), 'done');
      t.strictSame((await store.renew(claim)).head, headOf(batch));
      if (pool_mode === 'session') while (hints < 2) await store.renew(claim);
    });

    t.test(`${pool_mode} mode: the service gets ready, with PgBouncer's defaults`, async (t) => {
      const instance = await startServer(t, {
        DATA_DIR: newFolder(t),
        STORE_URL: pooler.urlOf(await server.database('service')),
      });
      const reply = await fetch(`${instance.address}/readyz`);
      t.equal(reply.status, 200);
      t.match(await reply.json(), { stale: false, conditions: [] });
    });

    if (pool_mode === 'session' && rounds === 1) continue; // in short runs the mode that takes more away
    t.test(`${pool_mode} mode: what was done is there after the server was killed`, async (t) => {
      const server = await startPostgres(t, {
        fsync: true,
        settings: { synchronous_commit: 'off', wal_writer_delay: '10s', bgwriter_delay: '10s' },
      });
      const pooler = await startPgBouncer(t, server, { pool_mode });
      const url = await server.database('killed');
      for (let round = 0; round < rounds; round += 1) {
        const store = openPostgresStore({ url: pooler.urlOf(url) });
        const head = (await store.head()) ?? EMPTY;
        const fence = await store.fence();
        const batch = { ...batchAfter(head, [activation(), activation()]), fence };
        t.equal(await store.append(batch, head.revision), 'done');
        t.equal(await store.raiseFence(headOf(batch)), fence + 1);
        await server.kill();
        await store.close();
        await server.restart();
        const [found] = await server.sql('SELECT revision::int, hash, fence::int FROM log_head', url);
        t.same(found, { ...headOf(batch), fence: fence + 1 }, 'the batch, and then the fence');
      }
    });
  }
}
