/** Room for connections (plugins/connections/connections.ts): who has shown a live key is never closed for another; of the others, the oldest is. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { listen, openApp } from '../../support/apps/app.ts';
import { KeepAlive } from '../../support/http/keep-alive.ts';
import { until } from '../../support/process/until.ts';

const ROOM = 4;

/** A connection that says nothing, once it is there. */
async function silent(t: Test, address: string): Promise<Socket> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined); // it is closed for another
  await once(socket, 'connect');
  return socket;
}

t.test(
  'a caller with a key keeps its connection, however many others come; of these the oldest makes room',
  async (t) => {
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
  },
);

t.test('where all have shown a key, the new one is refused', async (t) => {
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
