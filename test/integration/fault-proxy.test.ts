/**
 * The fault proxy does what its modes say: to bytes, seen from both ends; and to PostgreSQL's messages, made by hand.
 *
 * What must not arrive is proved without waiting: a round trip by another proxy ends after it would have arrived.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { mostWithin, startFaultProxy, type FaultProxy, type Mode } from '../support/fault-proxy.ts';

/** One end of a connection, and what it has heard. */
class End {
  readonly socket: Socket;
  readonly chunks: Buffer[] = [];
  /** Comes true when the connection is closed in both directions, or reset. */
  readonly gone: Promise<void>;
  ended = false;
  closed = false;
  error: NodeJS.ErrnoException | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.chunks.push(chunk));
    socket.on('end', () => (this.ended = true));
    socket.on('error', (error) => (this.error = error));
    this.gone = new Promise((resolve) => {
      socket.on('close', () => {
        this.closed = true;
        resolve();
      });
    });
  }

  get heard(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  async hears(text: string): Promise<void> {
    while (!this.heard.endsWith(text)) await once(this.socket, 'data');
  }

}

interface Stage {
  readonly proxy: FaultProxy;
  /** A new connection: the client's end and the server's. */
  readonly open: () => Promise<{ client: End; server: End }>;
  /** A new connection of which the server is told nothing. */
  readonly dial: () => End;
  /** Ends after everything that was sent before has arrived wherever it can. */
  readonly settled: () => Promise<void>;
}

async function target(t: Test): Promise<{ host: string; port: number; accept: () => Promise<End> }> {
  const waiting: End[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    waiting.push(new End(socket));
    server.emit('accepted');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });
  const accept = async () => {
    while (waiting.length === 0) await once(server, 'accepted');
    return waiting.shift()!;
  };
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, accept };
}

async function stage(t: Test): Promise<Stage> {
  const server = await target(t);
  const witness = await target(t);
  const proxy = await startFaultProxy(t, server);
  const passing = await startFaultProxy(t, witness);
  const dialled = (to: FaultProxy) => {
    const socket = connect({ host: to.host, port: to.port, allowHalfOpen: true, noDelay: true });
    t.teardown(() => socket.destroy());
    return new End(socket);
  };
  const asked = dialled(passing);
  const answering = await witness.accept();
  return {
    proxy,
    dial: () => dialled(proxy),
    open: async () => {
      const client = dialled(proxy);
      return { client, server: await server.accept() };
    },
    settled: async () => {
      for (let trip = 0; trip < 3; trip += 1) {
        asked.socket.write(`there ${trip}`);
        await answering.hears(`there ${trip}`);
        answering.socket.write(`back ${trip}`);
        await asked.hears(`back ${trip}`);
      }
    },
  };
}

t.test('bytes pass both ways, and so does the end of each side', async (t) => {
  const { proxy, open } = await stage(t);
  const { client, server } = await open();
  client.socket.end('ping');
  await server.hears('ping');
  await once(server.socket, 'end');
  t.equal(proxy.connections.open, 0, 'the client has ended it');
  server.socket.end('a late pong');
  await client.hears('a late pong');
  await Promise.all([client.gone, server.gone]);
  t.same([client.error, server.error], [undefined, undefined]);

  const large = await open();
  large.client.socket.write(Buffer.alloc(5_000_000, 'x'));
  large.client.socket.write('.');
  await large.server.hears('.');
  t.equal(large.server.heard.length, 5_000_001, 'more than is read ahead');
});

t.test('a reset of one side is a reset of the other', async (t) => {
  const { open } = await stage(t);
  const { client, server } = await open();
  server.socket.resetAndDestroy();
  await client.gone;
  t.equal(client.error?.code, 'ECONNRESET');
});

t.test('refuse: open connections and new ones are reset, and each attempt is counted with its time', async (t) => {
  const { proxy, open, dial } = await stage(t);
  const { client, server } = await open();
  t.equal(proxy.connections.open, 1);
  const before = performance.now();
  proxy.set('refuse');
  await Promise.all([client.gone, server.gone]);
  t.same([client.error?.code, server.error?.code], ['ECONNRESET', 'ECONNRESET']);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const refused = dial();
    await refused.gone;
    t.equal(refused.error?.code, 'ECONNRESET');
  }
  const { attempts } = proxy.connections;
  t.equal(attempts.length, 4);
  t.ok(attempts[0]! <= before && attempts.slice(1).every((at) => at >= before), 'by the monotonic clock');
  t.equal(proxy.connections.open, 0);

  proxy.set('pass');
  const again = await open();
  again.client.socket.write('ping');
  await again.server.hears('ping');
  t.pass('and then they pass');
});

t.test('the most attempts within a second, wherever it begins', async (t) => {
  t.equal(mostWithin([], 1000), 0);
  t.equal(mostWithin([0, 900, 1000, 1500, 1900, 5000], 1000), 4);
  t.equal(mostWithin([0, 2000, 4000], 1000), 1);
});

t.test('black-hole: nothing arrives, nothing closes; with bytes lost the connection is reset when they would pass', async (t) => {
  const { proxy, open, dial, settled } = await stage(t);
  const old = await open();
  const untouched = await open();
  proxy.set('black-hole');
  const young = dial();
  await once(young.socket, 'connect');
  young.socket.write('hello');
  old.client.socket.write('ping');
  old.server.socket.end('pong');
  await settled();
  t.same([old.client.heard, old.server.heard, old.client.ended, old.client.closed, young.closed], ['', '', false, false, false]);

  proxy.set('drop-up');
  await settled();
  t.ok(old.client.closed, 'what was lost was on the way down, which passes now');
  t.notOk(young.closed, 'what was lost was on the way up, which still does not');
  proxy.set('pass');
  await Promise.all([old.client.gone, old.server.gone, young.gone]);
  t.same([old.client.heard, old.client.error?.code, young.error?.code], ['', 'ECONNRESET', 'ECONNRESET']);
  untouched.client.socket.write('ping');
  await untouched.server.hears('ping');
  t.pass('one that had sent nothing goes on');
});

for (const [mode, deaf] of [['drop-up', 'server'], ['drop-down', 'client']] as const) {
  t.test(`${mode}: the ${deaf} hears nothing, the other side all`, async (t) => {
    const { proxy, open, settled } = await stage(t);
    const { client, server } = await open();
    proxy.set(mode);
    client.socket.write('ping');
    server.socket.write('pong');
    const hearing = deaf === 'server' ? client.hears('pong') : server.hears('ping');
    await Promise.all([hearing, settled()]);
    t.equal((deaf === 'server' ? server : client).heard, '');
    t.same([client.closed, server.closed], [false, false]);
    proxy.set('pass');
    await Promise.all([client.gone, server.gone]);
    t.equal(client.error?.code, 'ECONNRESET');
  });
}

t.test('hold: what was sent arrives late, also of a client that has given up meanwhile', async (t) => {
  const { proxy, open, settled } = await stage(t);
  const { client, server } = await open();
  const other = await open();
  proxy.set('hold-up');
  client.socket.write('append');
  client.socket.destroy();
  other.client.socket.write('ping');
  other.server.socket.write('pong');
  await Promise.all([other.client.hears('pong'), settled()]);
  t.same([server.heard, server.ended, other.server.heard], ['', false, '']);
  proxy.set('pass');
  await Promise.all([server.hears('append'), other.server.hears('ping')]);
  t.notOk(other.client.closed, 'nothing was lost');
});

t.test('latency: everything arrives in order, not before its time', async (t) => {
  const { proxy, open } = await stage(t);
  const { client, server } = await open();
  proxy.set({ kind: 'latency', ms: 30, jitter: 10, seed: 7 });
  const begun = performance.now();
  const words = Array.from({ length: 20 }, (_, index) => `${index},`);
  for (const word of words) {
    client.socket.write(word);
    await new Promise(setImmediate);
  }
  client.socket.write('.');
  await server.hears('.');
  t.ok(performance.now() - begun >= 30);
  t.equal(server.heard, `${words.join('')}.`);
  server.socket.write('back');
  await client.hears('back');
  t.ok(performance.now() - begun >= 60, 'each way');

  proxy.set({ kind: 'latency', ms: 3_600_000 });
  client.socket.write('never');
  await new Promise(setImmediate);
  proxy.set('pass');
  await server.hears('never');
  t.pass('what was waiting goes on with the next mode');
});

t.test('slice: the bytes arrive whole, in pieces', async (t) => {
  const { proxy, open } = await stage(t);
  const { client, server } = await open();
  proxy.set({ kind: 'slice', bytes: 3 });
  client.socket.write('0123456789');
  await server.hears('9');
  t.equal(server.heard, '0123456789');
  t.same(server.chunks.map(String), ['012', '345', '678', '9']);
  server.socket.write('back');
  await client.hears('back');
  t.same(client.chunks.map(String), ['bac', 'k']);
});

t.test('reset: what is open is reset, what comes passes', async (t) => {
  const { proxy, open } = await stage(t);
  const { client, server } = await open();
  proxy.set('reset');
  await Promise.all([client.gone, server.gone]);
  t.same([client.error?.code, server.error?.code, proxy.mode], ['ECONNRESET', 'ECONNRESET', 'pass']);
  const again = await open();
  again.client.socket.write('ping');
  await again.server.hears('ping');
});

t.test('a server that is not there: the client is reset, and in a black hole does not notice', async (t) => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const { settled } = await stage(t);
  const proxy = await startFaultProxy(t, { host: '127.0.0.1', port });
  const dial = () => new End(connect({ host: proxy.host, port: proxy.port }));
  const refused = dial();
  await refused.gone;
  t.equal(refused.error?.code, 'ECONNRESET');
  proxy.set('black-hole');
  const kept = dial();
  await once(kept.socket, 'connect');
  await settled();
  t.notOk(kept.closed);
  proxy.set('pass');
  await kept.gone;
  t.equal(kept.error?.code, 'ECONNRESET');
});

/** A message of PostgreSQL's protocol; of the client where the body says so by its type. */
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
const run = (name: string) => Buffer.concat([message('B', '', name, none, none, none), message('E', '', Buffer.alloc(4)), message('S')]);
const query = (sql: string) => message('Q', sql);
const done = (tag: string) => message('C', tag);
const ready = (status: 'I' | 'T' | 'E') => message('Z', raw(status));
const notification = message('A', Buffer.alloc(4), 'registry', '12');

/** A connection that is through the protocol's startup. */
async function session({ open }: Stage): Promise<{ client: End; server: End; exchange: (said: Buffer, answered: Buffer) => Promise<'answered' | 'reset'> }> {
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

t.test('lose-commit: the server has the commit, the client never hears of it; once', async (t) => {
  const stand = await stage(t);
  const { proxy } = stand;
  const first = await session(stand);
  const second = await session(stand);
  const described = Buffer.concat([message('1'), message('t', none), message('n')]);
  t.equal(await first.exchange(Buffer.concat([parse('s1', APPEND), message('D', 'Ss1'), message('H')]), described), 'answered');
  t.equal(await first.exchange(run('s1'), Buffer.concat([done('INSERT 0 1'), ready('I')])), 'answered', 'not armed');

  proxy.set({ kind: 'lose-commit' });
  const select = Buffer.concat([parse('s2', 'SELECT revision FROM log_head'), run('s2')]);
  t.equal(await first.exchange(select, Buffer.concat([done('SELECT 1'), ready('I')])), 'answered', 'another statement');
  t.equal(await second.exchange(Buffer.concat([parse('s1', APPEND), message('H')]), message('1')), 'answered', 'prepared only');
  t.equal(await second.exchange(run('s1'), Buffer.concat([message('E', 'Ccode', ''), ready('I')])), 'answered', 'refused with an error');
  t.equal(proxy.struck, 0);

  const heard = first.client.heard;
  t.equal(await first.exchange(run('s1'), Buffer.concat([message('2'), done('INSERT 0 1'), ready('I')])), 'reset', 'by the name it was prepared under');
  t.same([first.client.heard, first.client.error?.code], [heard, 'ECONNRESET']);
  await first.server.gone;
  t.same([proxy.struck, proxy.mode], [1, 'pass']);
  t.equal(await second.exchange(run('s1'), Buffer.concat([done('INSERT 0 1'), ready('I')])), 'answered', 'once');
});

t.test('lose-commit: in a transaction it is the COMMIT whose answer is lost', async (t) => {
  const stand = await stage(t);
  const { proxy } = stand;
  const { client, exchange } = await session(stand);
  proxy.set({ kind: 'lose-commit', marker: 'INTO events' });
  for (const end of ['ROLLBACK', 'COMMIT']) {
    t.equal(await exchange(query('BEGIN'), Buffer.concat([done('BEGIN'), ready('T')])), 'answered');
    t.equal(await exchange(query("INSERT INTO events VALUES ('…')"), Buffer.concat([done('INSERT 0 1'), ready('T')])), 'answered');
    t.equal(await exchange(query(end), Buffer.concat([done(end), ready('I')])), end === 'COMMIT' ? 'reset' : 'answered', end);
  }
  t.same([proxy.struck, client.error?.code], [1, 'ECONNRESET']);
});

t.test('lose-commit: of two statements that were sent at once, the second one', async (t) => {
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

t.test('lose-commit that is called off gives back what it held', async (t) => {
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

t.test('deaf: notifications are left out, wherever they are cut; all else passes', async (t) => {
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

t.test('a connection that is encrypted, or not of the protocol, goes through as it is in every mode that is about messages', async (t) => {
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
});
