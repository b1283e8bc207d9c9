/**
 * `streamEvents`: each change arrives once and in order, a disconnected client resumes, and a client that may not listen or does not read
 * is disconnected.
 *
 * Every stream is a real connection to a listening server. Tests wait for a message or the end of a stream, never for time.
 */
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { listen, openApp, shippedPacks } from '../support/apps/app.ts';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { EventStream, type Message, type StreamRequest } from '../support/http/event-stream.ts';
import { KeepAlive } from '../support/http/keep-alive.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { floorUnder } from '../support/packs/policies.ts';
import { appendElsewhere, foreignEvent, openStreams, restoredAt } from '../support/apps/streams-app.ts';

const REASON = 'For the stream';
/** Short, so that tests do not wait; the shipped one is 15 s. */
const HEARTBEAT = 40;
/** So long that no test sees a heartbeat. */
const NEVER = 2 ** 31 - 1;

const isHeartbeat = ({ event }: Message) => event === 'heartbeat';
const at =
  (revision: number) =>
  ({ data }: Message) =>
    data.type !== undefined && data.revision === revision;
const ids = (messages: readonly Message[]) => messages.map(({ id }) => Number(id));
const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

for (const store of ['memory', 'sqlite'] as const) {
  t.test(`with the store ${store}`, async (t) => {
    const {
      app,
      key,
      store: log,
    } = await openApp(t, {
      store,
      registry: {
        shipped: [...(await shippedPacks()), ...shippedOf('floored@1.0.0', 'floored@2.0.0')],
        policies: [floorUnder('floored', 1, '1.0.0')],
      },
    });
    const address = await listen(app);
    const { registry } = app;
    const open = (t: Test, request: Partial<StreamRequest> = {}) => openStream(t, { address, key, ...request });

    t.test('the first message has the position of the log; the headers are those of a stream', async (t) => {
      const stream = await open(t);
      t.equal(stream.status, 200);
      t.match(stream.headers, {
        'content-type': 'text/event-stream',
        'cache-control': 'private, no-cache, no-transform',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
        'registry-revision': `${registry.current.revision}`,
      });
      const { revision } = registry.current;
      t.strictSame(await stream.next(), { id: `${revision}`, event: 'revision', data: { epoch: 1, revision } });
    });

    t.test('one message for each revision, of every type, without texts, reasons or keys', async (t) => {
      const stream = await open(t);
      const { data } = await stream.next();
      await registry.publish({
        pack: 'streamed',
        document: documentOf('streamed', '1.0.0', { system: 'TEXT of the system prompt' }),
      });
      await registry.publish({ pack: 'streamed', document: documentOf('streamed', '2.0.0') });
      await registry.activate({ pack: 'streamed', version: '1.0.0', reason: 'REASON' });
      await registry.activate({ pack: 'streamed', version: '2.0.0', reason: 'REASON' });
      await registry.rollback({ pack: 'streamed', reason: 'REASON' });
      await registry.activate({ pack: 'streamed', version: '2.0.0', reason: 'REASON' });
      await registry.revoke({ pack: 'streamed', version: '2.0.0', replacement: '1.0.0', reason: 'REASON' });
      const { record, token } = await registry.createKey({ label: 'LABEL', scopes: ['prompts:read'] });
      await registry.revokeKey({ keyId: record.keyId, reason: 'REASON' });
      await stream.next(at(registry.current.revision));

      const events = await registry.events({ after: data.revision, limit: 100 });
      t.strictSame(
        stream.events.map(({ event }) => event),
        [
          ...Array<string>(2).fill('version-published'),
          ...Array<string>(2).fill('version-activated'),
          'version-rolled-back',
          'version-activated',
          'version-revoked',
          'key-created',
          'key-revoked',
        ],
      );
      t.strictSame(
        stream.events.map(({ id, data: { revision, type, pack, at: time } }) => ({
          id,
          revision,
          type,
          pack,
          at: time,
        })),
        events.map(({ revision, type, pack, at: time }) => ({ id: `${revision}`, revision, type, pack, at: time })),
      );
      const digest = (version: string) => registry.current.packs.get('streamed')?.versions.get(version)?.digest;
      const move = (version: string, previousVersion: string | null) => [
        { channel: 'production', version, previousVersion, digest: digest(version) },
      ];
      t.strictSame(
        stream.events.map(({ data: { moves } }) => moves),
        [
          [],
          [],
          move('1.0.0', null),
          move('2.0.0', '1.0.0'),
          move('1.0.0', '2.0.0'),
          move('2.0.0', '1.0.0'),
          move('1.0.0', '2.0.0'),
          [],
          [],
        ],
      );
      for (const secret of ['TEXT', 'REASON', 'LABEL', record.keyId, record.secretHash, token!, 'supportive', 'actor'])
        t.notMatch(stream.text, secret);
    });

    t.test('from the beginning: the whole log', async (t) => {
      const stream = await open(t, { lastEventId: '0' });
      const { revision } = registry.current;
      t.strictSame(
        await stream.next(),
        { id: '0', event: 'revision', data: { epoch: 1, revision } },
        'where the log is, and up to where this caller has it',
      );
      await stream.next(at(revision));
      t.strictSame(ids(stream.messages), range(0, revision));
      t.match(
        stream.events.map(({ event }) => event),
        ['registry-created'],
      );
      t.ok(stream.events.some(({ event }) => event === 'policy-changed'));
    });

    t.test('a filter passes events about a pack or a channel', async (t) => {
      for (const version of ['1.0.0', '2.0.0'])
        await registry.publish({ pack: 'filtered', document: documentOf('filtered', version) });
      const [pack, channel, both] = [
        await open(t, { query: '?pack=filtered' }),
        await open(t, { query: '?channel=staging' }),
        await open(t, { query: '?pack=filtered&channel=staging' }),
      ];
      const moved = async (name: string, where: string) =>
        (
          await registry.activate({
            pack: name,
            channel: where,
            version: registry.current.packs.get(name)?.pointers.get(where)?.version === '1.0.0' ? '2.0.0' : '1.0.0',
            reason: REASON,
          })
        ).revision;
      const own = [await moved('filtered', 'production'), await moved('filtered', 'staging')];
      const other = [await moved('coach', 'production'), await moved('coach', 'staging')];
      const last = await moved('filtered', 'staging');
      for (const stream of [pack, channel, both]) await stream.next(at(last));
      t.strictSame(ids(pack.events), [...own, last]);
      t.strictSame(ids(channel.events), [own[1], other[1], last]);
      t.strictSame(ids(both.events), [own[1], last]);
    });

    t.test('invalid requests are refused', async (t) => {
      const refused = async (request: Parameters<typeof open>[1]) => {
        const stream = await open(t, request);
        return `${stream.status} ${(JSON.parse(await stream.body()) as { code: string }).code}`;
      };
      t.equal(await refused({ query: '?pack=choach' }), '404 pack-not-found');
      t.equal(await refused({ query: '?channel=nightly' }), '404 channel-not-found');
      t.equal(await refused({ query: '?pack=coach&channel=nightly' }), '404 channel-not-found');
      t.equal(await refused({ query: '?surprise=1' }), '400 validation-failed');
      for (const lastEventId of ['x', '-1', '1.5', '01', '1:', ':1', '0:1', '1:2:3', '1 2', '9'.repeat(16)])
        t.equal(await refused({ lastEventId }), '400 validation-failed', lastEventId);
      t.equal(await refused({ key: 'nobody' }), '401 unauthenticated');
      const { token = '' } = await registry.createKey({ label: 'meter', scopes: ['metrics:read'] });
      t.equal(await refused({ key: token }), '403 forbidden');
    });

    t.test('a position that is not in this log: resync, then continue', async (t) => {
      const { revision } = registry.current;
      for (const lastEventId of [`${revision + 1}`, '999999999999999', `2:${revision}`, `7:1`]) {
        const stream = await open(t, { lastEventId });
        t.strictSame(
          await stream.next(),
          { id: `${revision}`, event: 'resync', data: { epoch: 1, revision } },
          lastEventId,
        );
      }
    });

    t.test('the instance first catches up with a later position', async (t) => {
      const { revision } = registry.current;
      const last = await appendElsewhere(log, foreignEvent());
      const stream = await open(t, { lastEventId: `${last}` });
      t.strictSame(await stream.next(), {
        id: `${revision + 1}`,
        event: 'revision',
        data: { epoch: 1, revision: revision + 1 },
      });
      t.equal(stream.headers['registry-revision'], `${revision + 1}`);
    });

    t.test('HEAD returns only the headers; Accept makes no difference', async (t) => {
      const response = await fetch(`${address}/v1/events`, {
        method: 'HEAD',
        headers: { authorization: `Bearer ${key}` },
      });
      t.equal(response.headers.get('content-type'), 'text/event-stream');
      t.equal(await response.text(), '');
      const stream = await open(t, { headers: { accept: 'application/json' } });
      t.equal((await stream.next()).event, 'revision');
    });

    t.test('closing the server ends all streams', async (t) => {
      const streams = await Promise.all(Array.from({ length: 20 }, () => open(t)));
      await Promise.all(streams.map((stream) => stream.next()));
      await app.close();
      t.strictSame(await Promise.all(streams.map(({ over }) => over)), Array<string>(20).fill('end'));
    });
  });
}

/** Opens a stream that ends with the test. */
async function openStream(t: Test, request: StreamRequest): Promise<EventStream> {
  const stream = await EventStream.open(request);
  t.teardown(() => stream.cut());
  return stream;
}

t.test('a reconnecting client gets what it missed', async (t) => {
  const RING = 20;
  const opened = await openStreams(t, { ring: RING });
  const { registry, watchers, address, key, store } = opened;
  const flip = async (times: number) => {
    for (let count = 0; count < times; count += 1)
      await registry.activate({
        version: registry.activePack().version === '1.0.0' ? '2.0.0' : '1.0.0',
        reason: REASON,
      });
    return registry.current.revision;
  };

  t.test('from memory, even while the store is away', async (t) => {
    const first = await openStream(t, { address, key });
    await first.next();
    const from = await flip(1);
    await first.next(at(from));
    first.cut();
    const to = await flip(RING);
    opened.fail(() => 'rejects');
    t.teardown(() => opened.fail());
    const again = await openStream(t, { address, key, lastEventId: first.lastId });
    await again.next(at(to));
    t.strictSame(ids(again.messages), range(from, to));
  });

  t.test('from the log, if memory does not reach back far enough; it waits while the store is away', async (t) => {
    const from = registry.current.revision;
    const to = await flip(5 * RING);
    let reads = 0;
    opened.fail(({ method }) => {
      if (method === 'events') reads += 1;
      return 'rejects';
    });
    const stream = await openStream(t, { address, key, lastEventId: `${from}` });
    await stream.next();
    while (reads === 0) await setImmediate();
    t.equal(stream.messages.length, 1, 'nothing yet, and it is not ended');
    opened.fail();
    await stream.next(at(to));
    t.strictSame(ids(stream.messages), range(from, to));
  });

  t.test('from the log, in many pages, during new writes', async (t) => {
    await appendElsewhere(store, ...Array.from({ length: 1000 }, () => foreignEvent()));
    await registry.instance.catchUp();
    const streams = await Promise.all(
      Array.from({ length: 10 }, (_, index) => openStream(t, { address, key, lastEventId: `${index}` })),
    );
    const to = await flip(3 * RING);
    await Promise.all(streams.map((stream) => stream.next(at(to))));
    for (const [index, stream] of streams.entries()) t.strictSame(ids(stream.messages), range(index, to));
  });

  const seed = newSeed();
  t.test(`disconnected at any time, during moves, TEST_SEED=${seed}`, async (t) => {
    const random = randomFrom(seed);
    const FLIPS = 600;
    let over = false;
    const from = registry.current.revision;
    const readers = Array.from({ length: 8 }, async () => {
      const seen: number[] = [];
      let last = `${from}`;
      const to = () => from + FLIPS;
      for (let cuts = 0; (seen.at(-1) ?? 0) < to(); cuts += 1) {
        const stream = await openStream(t, { address, key, lastEventId: last });
        const length = over ? Infinity : 1 + Math.floor(random() * 60);
        for (let count = 0; count < length && (seen.at(-1) ?? 0) < to(); count += 1) {
          const { id, data } = await stream.next();
          if (data.type !== undefined) seen.push(Number(id));
          last = id;
        }
        stream.cut();
      }
      return seen;
    });
    for (let count = 0; count < FLIPS; count += 1) {
      await flip(1);
      if (random() < 0.2) await setImmediate();
    }
    over = true;
    for (const seen of await Promise.all(readers)) t.strictSame(seen, range(from + 1, from + FLIPS));
  });

  t.test('no watcher stays in memory', async (t) => {
    const streams = await Promise.all(Array.from({ length: 50 }, () => EventStream.open({ address, key })));
    await Promise.all(streams.map((stream) => stream.next()));
    t.ok(watchers.size >= 50);
    for (const stream of streams) stream.cut();
    while (watchers.size > 0) await setImmediate();
    t.equal(watchers.size, 0);
  });

  t.test('a stream that is queued behind another response on its connection is closed with it', async (t) => {
    const { hostname, port, host } = new URL(address);
    const socket = connect({ host: hostname, port: Number(port) });
    const ask = `GET /v1/events HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\n\r\n`;
    socket.write(ask.repeat(3));
    while (watchers.size < 3) await setImmediate();
    socket.destroy();
    while (watchers.size > 0) await setImmediate();
    t.equal(watchers.size, 0);
  });
});

t.test('after a restore', async (t) => {
  t.test('to a log that this instance had not passed: the stream continues in the next epoch', async (t) => {
    const { registry, address, key, store } = await openStreams(t);
    const before = registry.current.revision;
    const stream = await openStream(t, { address, key });
    await stream.next();
    const revision = await appendElsewhere(
      store,
      { type: 'registry-restored', actor: { keyId: 'system', label: 'system' }, reason: REASON, data: { epoch: 2 } },
      foreignEvent(),
    );
    await registry.instance.catchUp();
    t.match(await stream.next(), {
      id: `2:${before + 1}`,
      event: 'registry-restored',
      data: { epoch: 2, revision: before + 1 },
    });
    t.match(await stream.next(), { id: `2:${revision}`, data: { epoch: 2, revision } });
    t.match(
      await (await openStream(t, { address, key, lastEventId: `2:${before + 1}` })).next(),
      { event: 'revision', id: `2:${before + 1}` },
      'a place of this epoch resumes',
    );
    t.match(
      await (await openStream(t, { address, key, lastEventId: `${before}` })).next(),
      { event: 'resync', id: `2:${revision}` },
      'one of the epoch before does not',
    );
    const whole = await openStream(t, { address, key, lastEventId: '2:0' });
    await whole.next(at(revision));
  });

  t.test('to an older log: every stream gets a resync', async (t) => {
    const opened = await openStreams(t);
    const { registry, address, key, store } = opened;
    const backup = registry.current.revision;
    const { token = '' } = await registry.createKey({ label: 'Made after the backup', scopes: ['prompts:read'] });
    for (const version of ['1.0.0', '2.0.0', '1.0.0']) await registry.activate({ version, reason: REASON });
    const streams = await Promise.all([
      openStream(t, { address, key }),
      openStream(t, { address, key, query: '?channel=staging' }),
    ]);
    const gone = await openStream(t, { address, key: token });
    await Promise.all([...streams, gone].map((stream) => stream.next()));
    opened.exchange(await restoredAt(store, backup, 2));
    for (const stream of streams)
      t.strictSame(await stream.next(), {
        id: `2:${backup + 1}`,
        event: 'resync',
        data: { epoch: 2, revision: backup + 1 },
      });
    await gone.over;
    t.pass('a key that is not in this history may not listen to it');
    const { revision } = await registry.activate({ version: '1.0.0', channel: 'staging', reason: REASON });
    for (const stream of streams) t.match(await stream.next(), { id: `2:${revision}`, event: 'version-activated' });
  });
});

t.test('heartbeats', async (t) => {
  const { registry, address, key } = await openStreams(t, { heartbeat: HEARTBEAT });

  t.test('come without other events, and their id skips filtered events', async (t) => {
    const stream = await openStream(t, { address, key, query: '?channel=staging' });
    const { id } = await stream.next();
    t.strictSame(await stream.next(isHeartbeat), { id, event: 'heartbeat', data: { epoch: 1, revision: Number(id) } });
    const { revision } = await registry.activate({ version: '1.0.0', reason: REASON });
    t.strictSame(await stream.next((message) => isHeartbeat(message) && message.id !== id), {
      id: `${revision}`,
      event: 'heartbeat',
      data: { epoch: 1, revision },
    });
    t.strictSame(stream.events, []);
  });
});

t.test('a client that may no longer listen gets nothing more, at once', async (t) => {
  const { registry, watchers, address, key } = await openStreams(t, { heartbeat: NEVER });
  const flip = () =>
    registry.activate({ version: registry.activePack().version === '1.0.0' ? '2.0.0' : '1.0.0', reason: REASON });
  const other = await openStream(t, { address, key });
  await other.next();

  t.test('a revoked key', async (t) => {
    const { record, token = '' } = await registry.createKey({ label: 'reader', scopes: ['prompts:read'] });
    const stream = await openStream(t, { address, key: token });
    await stream.next();
    await registry.revokeKey({ keyId: record.keyId, reason: REASON });
    const { revision } = await flip();
    await other.next(at(revision));
    t.strictSame(stream.events, [], 'not even that it was revoked');
    t.equal(watchers.size, 1, 'and nobody else is ended');
    t.equal(await stream.over, 'end');
  });

  t.test('an expired key, with and without new events', async (t) => {
    const expiresAt = new Date(Date.now() + 500).toISOString();
    const tokens = await Promise.all(
      [expiresAt, expiresAt, '2999-01-01T00:00:00.000Z'].map(
        async (end) =>
          (await registry.createKey({ label: 'short', scopes: ['prompts:read'], expiresAt: end })).token ?? '',
      ),
    );
    const [told, untold, later] = (await Promise.all(
      tokens.map((token, index) =>
        openStream(t, { address, key: token, query: index === 1 ? '?pack=coach&channel=staging' : '' }),
      ),
    )) as [EventStream, EventStream, EventStream];
    await Promise.all([told, untold, later].map((stream) => stream.next()));
    for (let ended = false; !ended;) {
      const { revision } = await flip();
      const { data } = await later.next(at(revision));
      ended = (data.at ?? '') > expiresAt;
    }
    t.ok(told.events.length > 0, 'it heard of what was before');
    t.strictSame(
      told.events.filter(({ data }) => (data.at ?? '') > expiresAt),
      [],
    );
    t.strictSame(await Promise.all([told.over, untold.over]), ['end', 'end']);
    t.equal((await openStream(t, { address, key: tokens[0] ?? '' })).status, 401);
  });

  t.test('a key that is revoked while its stream waits for its position', async (t) => {
    const { record, token = '' } = await registry.createKey({ label: 'reader', scopes: ['prompts:read'] });
    const [asked, back] = [Promise.withResolvers<void>(), Promise.withResolvers<undefined>()];
    const reach = watchers.reach.bind(watchers);
    watchers.reach = async (position) => {
      asked.resolve();
      await back.promise;
      return reach(position);
    };
    const stream = openStream(t, { address, key: token, lastEventId: `${registry.current.revision}` });
    await asked.promise;
    await registry.revokeKey({ keyId: record.keyId, reason: REASON });
    back.resolve(undefined);
    t.equal((await stream).status, 401);
  });
});

t.test('a client that does not read is disconnected; the others get everything, and reads are answered', async (t) => {
  const { registry, watchers, address, key, store } = await openStreams(t);
  const good = await Promise.all(Array.from({ length: 5 }, () => openStream(t, { address, key })));
  await Promise.all(good.map((stream) => stream.next()));
  const stalled = await openStream(t, { address, key });
  await stalled.next();
  stalled.stopReading();
  const reader = new KeepAlive(address, key);
  t.teardown(() => reader.close());
  const from = registry.current.revision;
  for (let rounds = 0; watchers.size > good.length; rounds += 1) {
    if (rounds > 500) throw new Error('Nobody is cut off.');
    const last = await appendElsewhere(store, ...Array.from({ length: 40 }, () => foreignEvent(4000)));
    await registry.instance.catchUp();
    await Promise.all(good.map((stream) => stream.next(at(last))));
    t.equal((await reader.one({ path: '/v1/events?pack=choach' })).status, 404);
  }
  const to = registry.current.revision;
  for (const stream of good) t.strictSame(ids(stream.events), range(from + 1, to));
  stalled.goOnReading();
  t.equal(await stalled.over, 'cut');
});

t.test('a position that cannot be reached now is refused', async (t) => {
  const opened = await openStreams(t);
  const { address, key, registry } = opened;
  opened.fail(() => 'rejects');
  const stream = await openStream(t, { address, key, lastEventId: `${registry.current.revision + 1}` });
  t.equal(stream.status, 503);
  t.match(JSON.parse(await stream.body()), { code: 'revision-not-reached' });
  t.equal(stream.headers['retry-after'], '1');
});
