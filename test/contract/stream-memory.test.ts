/**
 * An open stream keeps nothing of the request that opened it: ten thousand streams would keep ten thousand requests for days.
 */
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { request } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { listen, openApp } from '../support/apps/app.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const STREAMS = 20;

t.test('the framework’s request and reply of an open stream can be collected', async (t) => {
  const { app, key } = await openApp(t, { store: 'memory' });
  const address = await listen(app);
  const held: WeakRef<object>[] = [];
  subscribe('tracing:fastify.request.handler:start', (message) => {
    const handled = message as { readonly request: object; readonly reply: object };
    held.push(new WeakRef(handled.request), new WeakRef(handled.reply));
  });
  const open = async () => {
    const asked = request(`${address}/v1/events`, { headers: { authorization: `Bearer ${key}` } });
    asked.on('error', () => undefined).end(); // the app disconnects it at the end
    await once(asked, 'response');
  };
  // The last request may stay in a variable of the HTTP server or of the router, so this one does not count.
  for (let count = 0; count <= STREAMS; count += 1) await open();
  await setImmediate();
  collectGarbage();
  t.equal(app.sockets.size, STREAMS + 1, 'all streams are open');
  t.equal(held.length, 2 * (STREAMS + 1), 'control: all of them were seen');
  t.strictSame(held.slice(0, -2).filter((each) => each.deref() !== undefined).length, 0);
});
