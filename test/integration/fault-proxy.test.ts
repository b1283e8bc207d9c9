/** The modes of the fault proxy that act on bytes, seen from both ends. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { mostWithin, startFaultProxy } from '../support/chaos/fault-proxy.ts';
import { freePort } from '../support/http/free-port.ts';
import { End, stage } from '../support/chaos/proxy-stage.ts';

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

t.test('the most attempts within any second', async (t) => {
  t.equal(mostWithin([], 1000), 0);
  t.equal(mostWithin([0, 900, 1000, 1500, 1900, 5000], 1000), 4);
  t.equal(mostWithin([0, 2000, 4000], 1000), 1);
});

t.test(
  'black-hole: nothing arrives, nothing closes; with bytes lost the connection is reset when they would pass',
  async (t) => {
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
    t.same(
      [old.client.heard, old.server.heard, old.client.ended, old.client.closed, young.closed],
      ['', '', false, false, false],
    );

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
  },
);

for (const [mode, deaf] of [
  ['drop-up', 'server'],
  ['drop-down', 'client'],
] as const) {
  t.test(`${mode}: the ${deaf} receives nothing, the other side everything`, async (t) => {
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

t.test('hold: what was sent arrives late, even from a client that has given up', async (t) => {
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

t.test('latency: everything arrives in order, and not early', async (t) => {
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

t.test('slice: all bytes arrive, in pieces', async (t) => {
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

t.test('reset: open connections are reset, new ones pass', async (t) => {
  const { proxy, open } = await stage(t);
  const { client, server } = await open();
  proxy.set('reset');
  await Promise.all([client.gone, server.gone]);
  t.same([client.error?.code, server.error?.code, proxy.mode], ['ECONNRESET', 'ECONNRESET', 'pass']);
  const again = await open();
  again.client.socket.write('ping');
  await again.server.hears('ping');
});

t.test('without a server the client is reset; in a black hole it does not notice', async (t) => {
  const { settled } = await stage(t);
  const proxy = await startFaultProxy(t, { host: '127.0.0.1', port: await freePort() });
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
