/** The connection limit (plugins/connections/connections.ts): trusted connections are never closed to make room; the oldest untrusted one is. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { KeepAlive } from '../../support/http/keep-alive.ts';
import { until } from '../../support/process/until.ts';

const ROOM = 4;

/** An open connection that sends nothing. */
async function silent(t: Test, address: string): Promise<Socket> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined); // it is closed for another
  await once(socket, 'connect');
  return socket;
}

t.test('a caller with a key keeps its connection, and the oldest connection without a key makes room', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory', mostConnections: ROOM });
  const address = await listen(app);
  const good = new KeepAlive(address, key);
  t.teardown(() => good.close());
  t.equal((await good.one({ path: '/v1/packs' })).status, 200);
  const strangers: Socket[] = [];
  for (let count = 0; count < 3 * ROOM; count += 1) strangers.push(await silent(t, address));
  await until(() => strangers.filter((socket) => !socket.destroyed).length === ROOM - 1);
  t.same(
    strangers.map((socket) => socket.destroyed),
    strangers.map((_, index) => index < strangers.length - (ROOM - 1)),
    'the latest are there, the earlier ones are not',
  );
  t.equal((await good.one({ path: '/v1/packs' })).status, 200, 'on the connection that was there first');
});

t.test('a new connection is refused if all others are trusted', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory', mostConnections: ROOM });
  const address = await listen(app);
  const good = Array.from({ length: ROOM }, () => new KeepAlive(address, key));
  for (const each of good) t.equal((await each.one({ path: '/v1/packs' })).status, 200);
  const stranger = await silent(t, address);
  await until(() => stranger.destroyed);
  for (const each of good) {
    t.equal((await each.one({ path: '/v1/packs' })).status, 200);
    each.close();
  }
});
