/**
 * Streams under faults (SPEC R3, BARS B11): hundreds of watchers that are cut at any time and resume while pointers move, and streams whose
 * readers never read.
 *
 * Each watcher gets every revision, once and in order, whatever was cut. A stalled reader is disconnected in time, counted from when the
 * operating system accepts no more data for it, and slows nobody. Latency is asserted only in the long form. To repeat a run: TEST_SEED=… node
 * test/fault/streams.test.ts
 */
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import t from 'tap';
import { attachSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { gather } from '../support/chaos/crowd.ts';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { EventStream } from '../support/http/event-stream.ts';
import { KeepAlive } from '../support/http/keep-alive.ts';
import { until } from '../support/apps/instances.ts';
import { watchSendQueues } from '../support/chaos/send-queues.ts';
import { operatorKeyIn, startServer } from '../support/apps/server-process.ts';
import { appendElsewhere, foreignEvent } from '../support/apps/streams-app.ts';

const isShort = (process.env['TEST_LENGTH'] ?? 'short') === 'short';
const WATCHERS = isShort ? 100 : 2000;
const FLIPS = isShort ? 100 : 600;
/** The most messages that a watcher reads before it is cut. */
const LONGEST = isShort ? 40 : 200;
const STALLED = isShort ? 50 : 500;
/** In milliseconds. */
const CUT_WITHIN = 10_000;
const GOOD_P99 = 100;

const DATA_DIR = join(t.testdir(), 'data');
const server = await startServer(t, { DATA_DIR, RATE_LIMIT: '0' });
const { address } = server;
const key = operatorKeyIn(DATA_DIR);
const writer = new KeepAlive(address, key);
t.teardown(() => writer.close());
let version = '1.1.0';

/** @returns the revision of the flip */
async function flip(): Promise<number> {
  version = version === '1.1.0' ? '1.0.0' : '1.1.0';
  const answer = await writer.one({
    method: 'POST',
    path: '/v1/packs/coach/activations',
    body: { version, reason: 'A flip' },
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
  return (JSON.parse(answer.text) as { revision: number }).revision;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const seed = newSeed();
t.test(`${WATCHERS} watchers that are cut and resume, ${FLIPS} flips, TEST_SEED=${seed}`, async (t) => {
  const random = randomFrom(seed);
  const from = await flip();
  const to = from + FLIPS;
  let cuts = 0;
  const watch = async () => {
    const seen: number[] = [];
    for (let last = `${from}`; (seen.at(-1) ?? from) < to; cuts += 1) {
      const stream = await EventStream.open({ address, key, lastEventId: last });
      const most = 1 + Math.floor(random() * LONGEST);
      for (let count = 0; count < most && (seen.at(-1) ?? from) < to; count += 1) {
        const { id, data } = await stream.next();
        if (data.type !== undefined) seen.push(data.revision);
        last = id;
      }
      stream.cut();
    }
    return seen;
  };
  const watchers = Array.from({ length: WATCHERS }, watch);
  for (let count = 0; count < FLIPS; count += 1) {
    await flip();
    if (random() < 0.3) await setImmediate();
  }
  const expected = range(from + 1, to).join();
  const wrong = (await Promise.all(watchers)).filter((seen) => seen.join() !== expected);
  t.strictSame(wrong.slice(0, 3), [], `${WATCHERS} complete sequences, ${cuts} streams`);
  t.ok(cuts > WATCHERS, 'they were cut');
});

t.test(`${STALLED} streams whose readers never read`, async (t) => {
  // Eight megabytes of stream, all available at once: more than the operating system buffers for a reader that does not read.
  const store = await attachSqliteStore({ file: join(DATA_DIR, 'registry.db') });
  const before = await flip();
  for (let batches = 0; batches < 9; batches += 1)
    await appendElsewhere(store, ...Array.from({ length: 100 }, () => foreignEvent(4000)));
  await store.close();
  await until(
    'the log of eight megabytes is there',
    10_000,
    async () => ((await (await fetch(`${address}/readyz`)).json()) as { revision: number }).revision === before + 900,
  );
  const good = await Promise.all(Array.from({ length: 5 }, () => EventStream.open({ address, key })));
  t.teardown(() => good.forEach((stream) => stream.cut()));
  const [{ data }] = (await Promise.all(good.map((stream) => stream.next()))) as [
    Awaited<ReturnType<EventStream['next']>>,
  ];
  const reader = new KeepAlive(address, key);
  t.teardown(() => reader.close());

  const timers: NodeJS.Timeout[] = [];
  const queues = watchSendQueues(address);
  t.teardown(() => queues.stop());
  const lasted: number[] = [];
  const crowd = gather(address, STALLED, (socket) => {
    const [begun, port] = [performance.now(), socket.localPort ?? 0];
    socket.once('close', () => lasted.push(performance.now() - (queues.fullSince(port) ?? begun)));
    socket.pause();
    socket.write(
      `GET /v1/events HTTP/1.1\r\nHost: ${new URL(address).host}\r\nAuthorization: Bearer ${key}\r\nLast-Event-ID: ${before}\r\n\r\n`,
    );
    timers.push(setInterval(() => socket.writable && socket.write('\r\n'), 500)); // a client that does not read notices the end only by writing
  });
  t.teardown(() => {
    for (const timer of timers) clearInterval(timer);
    crowd.leave();
  });

  let [over, last] = [false, data.revision];
  const latencies: number[] = [];
  const reads = (async () => {
    while (!over) {
      const start = performance.now();
      const { status } = await reader.one({ path: '/v1/packs/coach/active' });
      latencies.push(performance.now() - start);
      if (status !== 200) throw new Error(`A good read got ${status}.`);
      await setTimeout(5); // a pace, not a wait
    }
  })();
  const flips = (async () => {
    while (!over) {
      last = await flip();
      await setTimeout(20);
    }
  })();
  const took = await Promise.race([crowd.cut, Promise.all([reads, flips]).then(() => NaN)]);
  over = true;
  await Promise.all([reads, flips, queues.stop()]);
  t.equal(lasted.length, STALLED);
  t.ok(
    Math.max(...lasted) <= CUT_WITHIN,
    `all are cut within ${Math.round(Math.max(...lasted))} ms from when nothing more was taken, ${Math.round(took)} ms from the first`,
  );
  await Promise.all(
    good.map((stream) => stream.next((message) => message.data.type !== undefined && message.data.revision === last)),
  );
  for (const stream of good)
    t.strictSame(
      stream.events.map(({ data: { revision } }) => revision),
      range(data.revision + 1, last),
      'the others got everything meanwhile',
    );
  latencies.sort((a, b) => a - b);
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? Infinity;
  t.ok(isShort || p99 <= GOOD_P99, `${latencies.length} good reads meanwhile, p99 ${p99.toFixed(1)} ms`);
});

t.test('it shuts down normally', async (t) => {
  const stream = await EventStream.open({ address, key });
  await stream.next();
  const { code, stderr } = await server.stop();
  t.equal(await stream.over, 'end');
  t.equal(code, 0);
  t.equal(stderr, '');
});
