/** What the store needs of its driver: that an error is understood, a statement is one packet, and no message of a server ends the process. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { openConnection } from '../../../registry/stores/postgres/connection.ts';
import { openPostgresStore, type PostgresStore } from '../../../registry/stores/postgres/index.ts';
import { Pool } from '../../../registry/stores/postgres/pool.ts';
import { parsePostgresUrl } from '../../../registry/stores/postgres/url.ts';
import { activation, batchAfter, drafts, EMPTY, headOf } from '../../support/stores/events.ts';
import { startPostgres } from '../../support/stores/postgres.ts';

const UNAVAILABLE = { name: 'RegistryError', code: 'store-unavailable' };
const LIMIT = { limit: 5000 };

const server = await startPostgres(t, {
  access: 'local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n',
});

function open(t: Test, url: string): PostgresStore {
  const store = openPostgresStore({ url });
  t.teardown(() => store.close());
  return store;
}

/** Sees what one side sends. @returns what the other side gets; undefined cuts the connection */
interface Tap {
  readonly up?: (data: Buffer) => Buffer | undefined;
  readonly down?: (data: Buffer) => Buffer | undefined;
}

/** @returns the URL through the tap */
async function through(t: Test, url: string, { up = (data) => data, down = (data) => data }: Tap): Promise<string> {
  return listening(t, url, (client) => {
    const upstream = connect(server.port, server.host);
    for (const [one, other, pass] of [
      [client, upstream, up],
      [upstream, client, down],
    ] as const) {
      one.on('data', (data) => {
        const passed = pass(data);
        if (passed === undefined) client.destroy();
        else other.write(passed);
      });
      one.on('error', () => undefined).on('close', () => other.destroy());
    }
  });
}

async function listening(t: Test, url: string, accept: (client: Socket) => void): Promise<string> {
  const clients: Socket[] = [];
  const door = createServer({ noDelay: true }, (client) => {
    clients.push(client);
    accept(client);
  }).listen(0, '127.0.0.1');
  await once(door, 'listening');
  t.teardown(() => {
    door.close();
    for (const client of clients) client.destroy();
  });
  const address = Object.assign(new URL(url), { port: String((door.address() as { port: number }).port) });
  return `${address.href}?sslmode=disable`;
}

t.test('a refusal is understood in any language, and nothing is outdated after it', async (t) => {
  const url = await server.database('language');
  const translated = (data: Buffer) => Buffer.from(data.toString('latin1').replace('SERROR\0', 'SFEHLR\0'), 'latin1');
  const store = open(t, await through(t, url, { down: translated }));
  await store.head();
  await server.sql("ALTER TABLE events ADD CONSTRAINT none CHECK (type <> 'version-activated')", url);
  const batch = batchAfter(EMPTY, [activation()]);
  await t.rejects(store.append(batch, 0), { ...UNAVAILABLE, message: /violates check constraint/ }, 'not `unknown`');
  await server.sql('ALTER TABLE events DROP CONSTRAINT none', url);
  t.equal(await store.append(batch, 0), 'done');
});

t.test('an error counts as rolled back only once the server is ready for the next statement', async (t) => {
  const url = await server.database('ready');
  await open(t, url).head();
  let cut = false;
  const store = open(
    t,
    await through(t, url, {
      down: (data) => (cut && data.includes('SERROR\0') ? undefined : data),
    }),
  );
  await store.head();
  await server.sql("ALTER TABLE events ADD CONSTRAINT none CHECK (type <> 'version-activated')", url);
  cut = true;
  t.equal(await store.append(batchAfter(EMPTY, [activation()]), 0), 'unknown');
});

t.test('a statement is one packet, and its answer is awaited', async (t) => {
  const url = await server.database('packets');
  const packets: string[] = [];
  const store = open(
    t,
    await through(t, url, {
      up: (data) => {
        packets.push(data.toString('latin1'));
        return data;
      },
    }),
  );
  const batch = batchAfter(EMPTY, drafts());
  t.equal(await store.append(batch, 0), 'done');
  packets.length = 0;
  t.equal(await store.append(batchAfter(headOf(batch), [activation()]), batch.events.length), 'done');
  t.equal(packets.length, 1);
  t.ok(packets[0]?.startsWith('B'), 'it is bound to a statement that is prepared already');
  t.notMatch(packets[0], 'log_head');
});

t.test('a connection that has lost its prepared statements is replaced', async (t) => {
  const url = await server.database('lost');
  const pool = new Pool(1, (limit) => openConnection(parsePostgresUrl(url), { limit }));
  t.teardown(() => pool.close());
  const one = () =>
    pool.use(performance.now() + LIMIT.limit, (connection) => connection.rows<[string]>('SELECT $1::text', ['one']));
  t.same(await one(), [['one']]);
  await pool.use(performance.now() + LIMIT.limit, (connection) => connection.run('DEALLOCATE ALL'));
  await t.rejects(one(), { name: 'RolledBack', code: '26000' });
  t.same(await one(), [['one']]);
});

t.test('no message of a server ends the process', async (t) => {
  const length = (bytes: number) => Buffer.from([0, 0, 0, bytes]);
  const cases: Readonly<Record<string, [Buffer, RegExp]>> = {
    'a login that the driver does not know': [Buffer.concat([Buffer.from('R'), length(8), length(7)]), /type 7/],
    'no PostgreSQL': [Buffer.from('?\0\0\0\u0004?\0\0\0\u0004'), /invalid response/],
    'rows that nobody asked for': [
      Buffer.concat([Buffer.from('T'), length(6), Buffer.alloc(2)]),
      /unexpected|closed|ended/,
    ],
    'a message cut short': [Buffer.concat([Buffer.from('R'), length(4)]), /./],
  };
  for (const [name, [answer, message]] of Object.entries(cases)) {
    const url = await listening(t, server.url, (client) => {
      client.on('error', () => undefined).once('data', () => client.write(answer));
    });
    await t.rejects(open(t, url).head(), { ...UNAVAILABLE, message }, name);
  }
});

t.test('the environment counts where the URL is silent, and never against a promise', async (t) => {
  const url = new URL(await server.database('environment'));
  await server.sql(
    `CREATE ROLE quiet LOGIN PASSWORD 'whisper'; ALTER DATABASE ${url.pathname.slice(1)} OWNER TO quiet`,
  );
  url.username = '';
  const script = `
    import { openConnection } from './registry/stores/postgres/connection.ts';
    import { parsePostgresUrl } from './registry/stores/postgres/url.ts';
    const connection = await openConnection(parsePostgresUrl(process.argv[1]), ${JSON.stringify(LIMIT)});
    const rows = await connection.rows("SELECT current_user, current_setting('synchronous_commit'), current_setting('application_name'), current_setting('work_mem')", []);
    connection.destroy();
    console.log(JSON.stringify(rows));`;
  const env = {
    ...{
      PGUSER: 'quiet',
      PGPASSWORD: 'whisper',
      PGHOST: 'nowhere',
      PGPORT: '1',
      PGDATABASE: 'none',
      PGSSLMODE: 'require',
    },
    ...{ PGAPPNAME: 'other', PGOPTIONS: '-c synchronous_commit=off -c work_mem=1MB', PGCLIENT_ENCODING: 'LATIN1' },
  };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, url.href], {
    env,
  });
  t.same(JSON.parse(stdout), [['quiet', 'on', 'prompt-registry', '1MB']]);
});
