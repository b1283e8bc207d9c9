/** The URL of a PostgreSQL store: what it may say, what its TLS modes prove, and that nothing shows its password. */
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { attachPostgresStore, openPostgresStore } from '../../../registry/stores/postgres/index.ts';
import { parsePostgresUrl } from '../../../registry/stores/postgres/url.ts';
import { activation, batchAfter, EMPTY } from '../../support/stores/events.ts';
import { startPostgres } from '../../support/stores/postgres.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const PASSWORD = 'p@ss/w:rd';
const refused = (message: RegExp) => ({ name: 'StartRefused', exitCode: 78, message });

t.test('the settings in a URL', async (t) => {
  const { tls, ...plain } = parsePostgresUrl(
    'postgresql://me:p%40ss@db.example:6543/my%20registry?application_name=a&search_path=one,two',
  );
  t.match(plain, {
    host: 'db.example',
    port: 6543,
    path: undefined,
    user: 'me',
    password: 'p@ss',
    database: 'my registry',
    applicationName: 'a',
    searchPath: 'one,two',
  });
  t.match(tls, { optional: true, options: { rejectUnauthorized: false } }, 'prefer, as in libpq');
  t.equal(plain.shown, 'postgres://me@db.example:6543/my registry');
  t.match(parsePostgresUrl('postgres://[::1]/r'), {
    host: '::1',
    port: 5432,
    user: undefined,
    shown: 'postgres://[::1]:5432/r',
  });
  for (const url of ['postgres:///r?host=/run/pg&user=me', 'postgres://me@%2Frun%2Fpg/r'])
    t.match(parsePostgresUrl(url), { path: '/run/pg/.s.PGSQL.5432', user: 'me', tls: undefined }, url);
  const modeOf = (query: string) => {
    const { tls } = parsePostgresUrl(`postgres://h/r?${query}`);
    return tls && [tls.optional, tls.options.rejectUnauthorized, tls.options.checkServerIdentity === undefined];
  };
  t.equal(modeOf('sslmode=disable'), undefined);
  t.same(modeOf('sslmode=require'), [false, false, false]);
  t.same(modeOf(`sslmode=require&sslrootcert=${fixture('ca.crt')}`), [false, true, false]);
  t.same(modeOf('sslmode=verify-ca'), [false, true, false]);
  t.same(modeOf('sslmode=verify-full&sslrootcert=system'), [false, true, true]);
});

t.test('a separate password counts if the URL has none', async (t) => {
  t.equal(parsePostgresUrl('postgres://registry@db.example/registry', 'p@ss').password, 'p@ss');
  t.equal(parsePostgresUrl('postgres://registry:own@db.example/registry', 'p@ss').password, 'own');
});

t.test('an invalid URL is refused, and no message has the password', async (t) => {
  const secret = 'hunter2hunter2';
  const base = `postgres://me:${secret}@h/r`;
  const cases: [string, RegExp][] = [
    [`mysql://me:${secret}@h/r`, /not a URL of the form postgres:/],
    [`postgres://me:${secret}/#@h/r`, /URL/],
    [`postgres://me:${secret}@h`, /names no database/],
    [`postgres://me:${secret}@h1,h2/r`, /several hosts/],
    ['postgres:///r', /names no host/],
    [`postgres://me:${secret}%zz@h/r`, /%25/],
    [`${base}?sslmode=verify_full`, /unknown sslmode\. Known are disable, prefer, require, verify-ca, verify-full/],
    [`${base}?ssl=true`, /"ssl", which is unknown\. Known are sslmode, .*search_path/],
    [`${base}?sslmode=require&sslmode=disable`, /sslmode twice/],
    [`${base}?sslmode=`, /empty sslmode/],
    [`${base}?sslmode=disable&sslrootcert=/ca.crt`, /remove one of the two/],
    [`${base}?sslrootcert=/nowhere/ca.crt`, /sslrootcert \/nowhere\/ca\.crt, which cannot be read/],
    [`${base}?sslcert=/c`, /give both/],
    [`${base}?port=0`, /1 to 65535/],
    [`${base}?search_path=a;b`, /plain schema names/],
    [`${base}#x`, /%23/],
  ];
  for (const [url, message] of cases) {
    t.throws(() => openPostgresStore({ url }), refused(message), url);
    try {
      openPostgresStore({ url });
    } catch (error) {
      t.notMatch(told(error), new RegExp(secret), url);
    }
  }
});

t.test('passwords and TLS', async (t) => {
  const access = 'local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.0/8 scram-sha-256\n';
  const server = await startPostgres(t, {
    tls: { certificate: fixture('server.crt'), key: fixture('server.key') },
    access,
    settings: { listen_addresses: '127.0.0.1,127.0.0.2' },
  });
  const database = new URL(await server.database('guarded')).pathname.slice(1);
  await server.sql(`CREATE ROLE registry LOGIN PASSWORD '${PASSWORD}'; ALTER DATABASE ${database} OWNER TO registry`);
  const urlOf = (query: string, { host = '127.0.0.1', password = PASSWORD } = {}) =>
    `postgres://registry:${encodeURIComponent(password)}@${host}:${server.port}/${database}?${query}`;
  const encrypted = async (t: Test, query: string, options = {}) => {
    const store = openPostgresStore({ url: urlOf(query, options) });
    t.teardown(() => store.close());
    await store.head();
    const rows = await server.sql(
      "SELECT bool_and(ssl) AS all, count(*)::int AS some FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'prompt-registry'",
    );
    await store.close();
    return rows[0]?.['some'] === 0 ? undefined : rows[0]?.['all'];
  };
  const ca = `sslrootcert=${fixture('ca.crt')}`;

  await t.test('connections are as safe as the mode says', async (t) => {
    t.equal(await encrypted(t, 'sslmode=disable'), false);
    t.equal(await encrypted(t, 'sslmode=prefer'), true);
    t.equal(await encrypted(t, 'sslmode=require'), true);
    t.equal(await encrypted(t, `sslmode=verify-full&${ca}`), true);
    t.equal(await encrypted(t, `sslmode=verify-full&${ca}`, { host: 'localhost' }), true);
    t.equal(await encrypted(t, `sslmode=verify-ca&${ca}`, { host: '127.0.0.2' }), true, 'the name is not looked at');
  });

  await t.test('a server that cannot prove its identity gets nothing', async (t) => {
    const cases: [string, object, RegExp][] = [
      [`sslmode=verify-full&${ca}`, { host: '127.0.0.2' }, /127\.0\.0\.2 is not in the cert's list/],
      [`sslmode=verify-full&sslrootcert=${fixture('other-ca.crt')}`, {}, /certificate/],
      [`sslmode=verify-ca&sslrootcert=${fixture('other-ca.crt')}`, {}, /certificate/],
      ['sslmode=verify-full', {}, /certificate/],
    ];
    for (const [query, options, message] of cases) {
      const store = openPostgresStore({ url: urlOf(query, options) });
      t.teardown(() => store.close());
      await t.rejects(
        store.append(batchAfter(EMPTY, [activation()]), 0),
        { code: 'store-unavailable', message },
        query,
      );
    }
  });

  await t.test('a server without TLS is not talked to where TLS is asked for', async (t) => {
    const bare = await startPostgres(t);
    const url = await bare.database('bare');
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      const store = openPostgresStore({ url: `${url}?sslmode=${mode}` });
      t.teardown(() => store.close());
      await t.rejects(store.head(), { code: 'store-unavailable', message: /offers no TLS/ }, mode);
    }
    const store = openPostgresStore({ url: `${url}?sslmode=prefer` });
    t.teardown(() => store.close());
    t.equal(await store.head(), undefined);
    const local = openPostgresStore({
      url: `postgres:///${new URL(url).pathname.slice(1)}?host=${bare.socketFolder}&port=${bare.port}&user=postgres`,
    });
    t.teardown(() => local.close());
    t.equal(await local.head(), undefined, 'through the Unix socket');
  });

  await t.test('no error and no line of the log holds the password', async (t) => {
    const lines: unknown[] = [];
    const say = (...line: unknown[]) => void lines.push(line);
    const log = { info: say, warn: say, error: say };
    const wrong = 'not-the-password';
    const store = openPostgresStore({ url: urlOf('', { password: wrong }), log });
    t.teardown(() => store.close());
    const { promise, resolve } = Promise.withResolvers<undefined>();
    log.warn = (...line) => {
      say(...line);
      resolve(undefined);
    };
    store.watch(() => undefined);
    await promise;
    const errors = [
      await store.head().catch((error: unknown) => error),
      await store.append(batchAfter(EMPTY, [activation()]), 0).catch((error: unknown) => error),
      await attachPostgresStore({ url: urlOf('', { password: wrong }) }).catch((error: unknown) => error),
    ];
    t.match(errors[0], {
      code: 'store-unavailable',
      message: /postgres:\/\/registry@127\.0\.0\.1:\d+\/\w+ cannot be used: password authentication failed/,
    });
    t.match(errors[2], { name: 'StartRefused', exitCode: 75 });
    for (const error of errors) t.notMatch(told(error), /not-the-password/);
    t.ok(lines.length > 0);
    t.notMatch(JSON.stringify(lines), /not-the-password/);
  });
});

/** All that a log could print of an error. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [error.stack, JSON.stringify({ ...error }), error.cause === undefined ? '' : told(error.cause)].join('\n');
}
