/** The modes of the fault proxy that act on messages of PostgreSQL, with handmade messages. */
import { once } from 'node:events';
import t from 'tap';
import type { Mode } from '../support/chaos/fault-proxy.ts';
import { stage, type End, type Stage } from '../support/chaos/proxy-stage.ts';

/** A message of the PostgreSQL protocol; its type says whether it comes from the client. */
function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)));
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const raw = (text: string) => Buffer.from(text);
const none = Buffer.alloc(2);
const APPEND = 'WITH head AS (UPDATE log_head SET revision = $1 RETURNING revision) INSERT INTO events SELECT 1';
const parse = (name: string, sql: string) => message('P', name, sql, none);
const run = (name: string) =>
  Buffer.concat([message('B', '', name, none, none, none), message('E', '', Buffer.alloc(4)), message('S')]);
const query = (sql: string) => message('Q', sql);
const done = (tag: string) => message('C', tag);
const ready = (status: 'I' | 'T' | 'E') => message('Z', raw(status));
const notification = message('A', Buffer.alloc(4), 'registry', '12');

/** A connection after the startup of the protocol. */
async function session({ open }: Stage): Promise<{
  client: End;
  server: End;
  exchange: (said: Buffer, answered: Buffer) => Promise<'answered' | 'reset'>;
}> {
  const { client, server } = await open();
  client.socket.write(message('', Buffer.from([0, 3, 0, 0]), 'user', 'postgres', ''));
  await server.hears('postgres\0\0');
  server.socket.write(Buffer.concat([message('R', Buffer.alloc(4)), ready('I')]));
  await client.hears(ready('I').toString('latin1'));
  const exchange = async (said: Buffer, answered: Buffer) => {
    client.socket.write(said);
    await server.hears(said.toString('latin1'));
    const before = client.heard.length;
    server.socket.write(answered);
    const whole = async () => {
      while (client.heard.length < before + answered.length) await once(client.socket, 'data');
      return 'answered' as const;
    };
    const reset = client.gone.then(() => 'reset' as const);
    return Promise.race([whole().catch(() => reset), reset]);
  };
  return { client, server, exchange };
}

t.test('lose-commit: the server commits, the client gets no response; once', async (t) => {
  const stand = await stage(t);
  const { proxy } = stand;
  const first = await session(stand);
  const second = await session(stand);
  const described = Buffer.concat([message('1'), message('t', none), message('n')]);
  t.equal(
    await first.exchange(Buffer.concat([parse('s1', APPEND), message('D', 'Ss1'), message('H')]), described),
    'answered',
  );
  t.equal(await first.exchange(run('s1'), Buffer.concat([done('INSERT 0 1'), ready('I')])), 'answered', 'not armed');

  proxy.set({ kind: 'lose-commit' });
  const select = Buffer.concat([parse('s2', 'SELECT revision FROM log_head'), run('s2')]);
  t.equal(await first.exchange(select, Buffer.concat([done('SELECT 1'), ready('I')])), 'answered', 'another statement');
  t.equal(
    await second.exchange(Buffer.concat([parse('s1', APPEND), message('H')]), message('1')),
    'answered',
    'prepared only',
  );
  t.equal(
    await second.exchange(run('s1'), Buffer.concat([message('E', 'Ccode', ''), ready('I')])),
    'answered',
    'refused with an error',
  );
  t.equal(proxy.struck, 0);

  const heard = first.client.heard;
  t.equal(
    await first.exchange(run('s1'), Buffer.concat([message('2'), done('INSERT 0 1'), ready('I')])),
    'reset',
    'by the name it was prepared under',
  );
  t.same([first.client.heard, first.client.error?.code], [heard, 'ECONNRESET']);
  await first.server.gone;
  t.same([proxy.struck, proxy.mode], [1, 'pass']);
  t.equal(await second.exchange(run('s1'), Buffer.concat([done('INSERT 0 1'), ready('I')])), 'answered', 'once');
});

t.test('lose-commit: in a transaction the response to COMMIT is lost', async (t) => {
  const stand = await stage(t);
  const { proxy } = stand;
  const { client, exchange } = await session(stand);
  proxy.set({ kind: 'lose-commit', marker: 'INTO events' });
  for (const end of ['ROLLBACK', 'COMMIT']) {
    t.equal(await exchange(query('BEGIN'), Buffer.concat([done('BEGIN'), ready('T')])), 'answered');
    t.equal(
      await exchange(query("INSERT INTO events VALUES ('…')"), Buffer.concat([done('INSERT 0 1'), ready('T')])),
      'answered',
    );
    t.equal(
      await exchange(query(end), Buffer.concat([done(end), ready('I')])),
      end === 'COMMIT' ? 'reset' : 'answered',
      end,
    );
  }
  t.same([proxy.struck, client.error?.code], [1, 'ECONNRESET']);
});

t.test('lose-commit: of two statements sent at once, the response to the second is lost', async (t) => {
  const stand = await stage(t);
  const { client, server } = await session(stand);
  stand.proxy.set({ kind: 'lose-commit' });
  const said = Buffer.concat([query('SELECT 1'), parse('', APPEND), run('')]);
  client.socket.write(said);
  await server.hears(said.toString('latin1'));
  const begun = client.heard;
  const select = Buffer.concat([done('SELECT 1'), ready('I')]);
  server.socket.write(Buffer.concat([select, done('INSERT 0 1'), ready('I').subarray(0, 3)]));
  await client.hears(select.toString('latin1'));
  t.equal(client.heard, begun + select.toString('latin1'));
  t.equal(stand.proxy.struck, 0, 'half a message acknowledges nothing');
  server.socket.write(ready('I').subarray(3));
  await client.gone;
  t.equal(client.heard, begun + select.toString('latin1'));
  t.equal(stand.proxy.struck, 1);
});

t.test('lose-commit that is cancelled passes on what it held back', async (t) => {
  const stand = await stage(t);
  const { client, server } = await session(stand);
  stand.proxy.set({ kind: 'lose-commit' });
  client.socket.write(query(APPEND));
  await server.hears(`${APPEND}\0`);
  const begun = client.heard;
  server.socket.write(done('INSERT 0 1'));
  await stand.settled();
  t.equal(client.heard, begun);
  stand.proxy.set('pass');
  server.socket.write(ready('I'));
  await client.hears(Buffer.concat([done('INSERT 0 1'), ready('I')]).toString('latin1'));
  t.equal(client.heard, begun + Buffer.concat([done('INSERT 0 1'), ready('I')]).toString('latin1'));
});

t.test('deaf: notifications are dropped, wherever they are split; everything else passes', async (t) => {
  const stand = await stage(t);
  const { proxy } = stand;
  const { client, server } = await session(stand);
  const begun = client.heard;
  const row = message('D', 'A row that looks like AAAA a notification');
  const stream = Buffer.concat([notification, row, notification, notification, ready('I')]);
  proxy.set('deaf');
  for (const byte of stream) {
    server.socket.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  await client.hears(ready('I').toString('latin1'));
  t.equal(client.heard, begun + Buffer.concat([row, ready('I')]).toString('latin1'));
  t.equal(proxy.silenced, 3);
  proxy.set('pass');
  server.socket.write(notification);
  await client.hears(notification.toString('latin1'));
  t.equal(proxy.silenced, 3);
});

t.test(
  'a connection that is encrypted, or not of the protocol, goes through as it is in every mode that is about messages',
  async (t) => {
    const { proxy, open } = await stage(t);
    const modes: Mode[] = ['deaf', { kind: 'lose-commit' }];
    for (const mode of modes) {
      proxy.set(mode);
      const { client, server } = await open();
      client.socket.write(message('', Buffer.from([0x04, 0xd2, 0x16, 0x2f])));
      await server.hears('\x2f');
      server.socket.write('S');
      await client.hears('S');
      client.socket.write('\x16\x03\x01 something encrypted');
      await server.hears('encrypted');
      server.socket.write('A\0\0\0\x05 something encrypted');
      await client.hears('encrypted');
      t.equal(client.heard, 'SA\0\0\0\x05 something encrypted');
    }
    t.same([proxy.struck, proxy.silenced], [0, 0]);

    const { client, server } = await open();
    client.socket.write(message('', Buffer.from([0x04, 0xd2, 0x16, 0x2f])));
    await server.hears('\x2f');
    server.socket.write('N');
    await client.hears('N');
    client.socket.write(message('', Buffer.from([0, 3, 0, 0]), 'user', 'postgres', ''));
    await server.hears('postgres\0\0');
    proxy.set('deaf');
    server.socket.write(Buffer.concat([ready('I'), notification, ready('I')]));
    await client.hears(Buffer.concat([ready('I'), ready('I')]).toString('latin1'));
    t.equal(proxy.silenced, 1, 'encryption that was refused is no encryption');
  },
);
