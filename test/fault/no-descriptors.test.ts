/** A process without a free file descriptor stays up, keeps its open connections working, and recovers afterwards. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { until } from '../support/apps/instances.ts';
import { KeepAlive } from '../support/http/keep-alive.ts';
import { startPostgres } from '../support/stores/postgres.ts';
import { entries, operatorKeyIn, startServer, type Settings } from '../support/apps/server-process.ts';

const PRELOAD = new URL('../support/chaos/use-up-descriptors.ts', import.meta.url).href;

async function exhausted(
  t: Test,
  settings: Settings,
  meanwhile: (connection: KeepAlive) => Promise<void>,
): Promise<void> {
  const DATA_DIR = join(t.testdir(), 'data');
  const server = await startServer(
    t,
    { DATA_DIR, RATE_LIMIT: '0', NODE_OPTIONS: `--import ${PRELOAD}`, ...settings },
    { descriptors: 256 },
  );
  const connection = new KeepAlive(server.address, operatorKeyIn(DATA_DIR));
  t.teardown(() => connection.close());
  t.equal((await connection.one({ path: '/v1/packs' })).status, 200);
  const held = async (fits: RegExp) => {
    server.signal('SIGWINCH');
    await server.said((line) => fits.test(line));
  };
  await held(/Holds [1-9]\d* files/u);
  // A connection that cannot be accepted is refused, or waits.
  const refused = await Promise.all(
    Array.from({ length: 20 }, () => new KeepAlive(server.address).one({ path: '/livez' }).catch(() => undefined)),
  );
  t.ok(
    refused.every((answer) => answer === undefined),
    'no new connection can be accepted',
  );
  await meanwhile(connection);
  t.equal((await connection.one({ path: '/v1/packs/coach/active' })).status, 200, 'reads are answered');
  t.equal(
    (await connection.one({ path: '/metrics' })).status,
    200,
    'so are metrics, which ask the process about itself',
  );
  t.equal((await connection.one({ path: '/docs/static/swagger-ui-bundle.js' })).status, 500, 'a file cannot be opened');
  await held(/Holds 0 files/u);
  t.equal(
    (await new KeepAlive(server.address).one({ path: '/livez' })).status,
    200,
    'new connections are accepted again',
  );
  await until('current again', 10_000, async () =>
    (await (await server.ask('/readyz')).text()).includes('"stale":false'),
  );
  t.equal(
    (await server.ask('/v1/packs/coach/activations', { version: '1.0.0', reason: 'It is whole again' })).status,
    201,
  );
  const { code, stderr, lines } = await server.stop();
  t.equal(code, 0);
  t.equal(stderr, '');
  t.strictSame(
    entries(lines).filter(({ level }) => level >= 60),
    [],
  );
}

t.test('on SQLite', async (t) => {
  await exhausted(t, {}, async (connection) => {
    t.equal(
      (
        await connection.one({
          method: 'POST',
          path: '/v1/packs/coach/activations',
          body: { version: '1.1.0', reason: 'In need' },
        })
      ).status,
      201,
      'an open store can be written',
    );
  });
});

t.test('on PostgreSQL, while its connections break', async (t) => {
  const postgres = await startPostgres(t);
  const url = await postgres.database();
  await exhausted(t, { STORE_URL: url }, async (connection) => {
    await postgres.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
      url,
    );
    await until('it knows that it is cut off', 10_000, async () => {
      const { text } = await connection.one({ path: '/readyz' });
      return text.includes('"stale":true');
    });
  });
});
