/**
 * Callers without a key can neither crash nor block the process (BARS B11): crowds in their own processes keep connections open, send bytes
 * slowly, and never read, against a service with few file descriptors.
 *
 * Good requests are answered meanwhile, over existing and new connections. The strangers' sockets are closed in time. The service says that it
 * has no room, and shuts down normally. Latency is asserted only in the long form.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { mostConnections } from '../../plugins/connections/descriptors.ts';
import { KeepAlive } from '../support/http/keep-alive.ts';
import { entries, operatorKeyIn, runServer, startServer } from '../support/apps/server-process.ts';
import { KINDS, SocketAges, strangers, type KindName } from '../support/chaos/strangers.ts';

const isShort = (process.env['TEST_LENGTH'] ?? 'short') === 'short';
/** How long a stranger's socket may be open, in milliseconds. The short form, which shares the machine, allows three times as long. */
const GONE_WITHIN = isShort ? 30_000 : 10_000;
const GOOD_P99 = 100;
/** The `ulimit -n`; `undefined` for the machine's default. */
const LIMITS = isShort ? [256] : [256, 1024, undefined];
/** Few of them: the operating system buffers megabytes for each. */
const DEAF: KindName = 'reading nothing of what they ask for';
const MOST_DEAF = 50;
const kinds = (Object.keys(KINDS) as KindName[]).filter((kind) => kind !== DEAF);
const linux = process.platform === 'linux';

function p99Of(latencies: number[]): number {
  return latencies.sort((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? Infinity;
}

for (const descriptors of LIMITS) {
  t.test(
    `with ${descriptors ?? 'as many files as the machine allows'}`,
    { skip: linux ? false : 'open sockets are counted in /proc, which Linux alone has' },
    async (t) => {
      const DATA_DIR = join(t.testdir(), 'data');
      const server = await startServer(
        t,
        { DATA_DIR, RATE_LIMIT: '0' },
        descriptors === undefined ? {} : { descriptors },
      );
      const key = operatorKeyIn(DATA_DIR);
      const most = mostConnections(descriptors);
      const good = new KeepAlive(server.address, key);
      t.teardown(() => good.close());
      t.equal((await good.one({ path: '/v1/packs' })).status, 200);
      const ages = new SocketAges(server.pid);

      const [latencies, probes]: [number[], number[]] = [[], []];
      let over = false;
      const reads = (async () => {
        while (!over) {
          const from = performance.now();
          const read = await good.one({ path: '/v1/packs/coach/active' });
          latencies.push(performance.now() - from);
          const move = await good.one({
            method: 'POST',
            path: '/v1/packs/coach/activations',
            body: { version: latencies.length % 2 === 0 ? '1.1.0' : '1.0.0', reason: 'In a crowd' },
          });
          if (read.status !== 200 || move.status !== 201)
            throw new Error(`A good request got ${read.status}, ${move.status}.`);
          await setTimeout(10); // a pace, not a wait: the good ones are no crowd themselves
        }
      })();
      const probing = (async () => {
        while (!over) {
          const fresh = new KeepAlive(server.address);
          const from = performance.now();
          const { status } = await fresh.one({ path: '/livez' });
          probes.push(performance.now() - from);
          fresh.close();
          if (status !== 200) throw new Error(`A probe got ${status}.`);
          await setTimeout(20);
        }
      })();
      let haveCome = false;
      let oldest = 0;
      const watching = (async () => {
        for (;;) {
          await setTimeout(100); // a pace, as above
          const open = ages.look();
          oldest = Math.max(oldest, Math.round(open.oldest));
          if (oldest > GONE_WITHIN) throw new Error(`A stranger's socket is still open after ${oldest} ms.`);
          if (haveCome && open.count <= 1) return; // a probe may be there
        }
      })();
      const flow = Promise.all([reads, probing]);
      for (const started of [flow, watching]) started.catch(() => undefined); // awaited below

      const half = { kinds, count: Math.min(most, 10_100) };
      const crowds = await Promise.all(
        [half, half, { kinds: [DEAF], count: Math.min(Math.floor(most / 10), MOST_DEAF) }].map((who) =>
          strangers(t, server.address, who),
        ),
      );
      const flood = await strangers(t, server.address, {
        kinds: ['silent', 'idle after an answer'],
        count: Math.min(Math.floor(most / 2), 200),
        again: true,
      });
      await Promise.race([flow, setTimeout(2000)]); // the flood repeats until then
      await flood.leave();
      haveCome = true;
      await Promise.race([flow, watching]);
      t.pass(`no stranger's socket was open for more than ${oldest} ms`);
      over = true;
      await flow;
      await Promise.all(crowds.map((crowd) => crowd.leave()));
      t.ok(
        isShort || p99Of(latencies) <= GOOD_P99,
        `${latencies.length} good reads, and as many moves, meanwhile, p99 ${p99Of(latencies).toFixed(1)} ms`,
      );
      t.ok(probes.length > 0, `${probes.length} probes over new connections, p99 ${p99Of(probes).toFixed(1)} ms`);

      const { code, lines, stderr } = await server.stop();
      t.equal(code, 0);
      t.equal(stderr, '');
      const said = entries(lines).filter(({ level }) => level >= 40);
      // Of 20,000 and more that connect one after the other, the first are closed as idle before the last connect, so there may be room for all.
      const full = said.length > 0 || most <= 10_000;
      t.match(
        said,
        full ? [{ level: 40, msg: /The connection limit is reached/u, most }] : [],
        'said once in a minute, and nothing else',
      );
      t.ok(said.length <= 1);
    },
  );
}

t.test('a limit without room for any connection is refused', async (t) => {
  const { code, stderr } = await runServer(t, { DATA_DIR: join(t.testdir(), 'data') }, { descriptors: 64 });
  t.equal(code, 78);
  t.match(
    stderr,
    /This process may open only 64 files and connections; it needs at least 128\. Raise the limit \("ulimit -n"/u,
  );
});
