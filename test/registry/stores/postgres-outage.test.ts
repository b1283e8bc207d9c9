/** The PostgreSQL store on a server that is read-only, locked, stopped, killed: what it answers, how soon, and what is in the log then. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { attachPostgresStore, openPostgresStore, type PostgresStore } from '../../../registry/stores/postgres/index.ts';
import {
  activation,
  batchAfter,
  contentOf,
  drafts,
  EMPTY,
  firstBroken,
  headOf,
  readLog,
} from '../../support/stores/events.ts';
import { startPostgres } from '../../support/stores/postgres.ts';

const UNAVAILABLE = { name: 'RegistryError', code: 'store-unavailable' };
const ALL = { order: 'ascending', limit: 1000 } as const;
/** BARS: the store's return is seen within this, in milliseconds; writes are refused within two seconds. */
const RECOVERY = 5000;
const WRITES_REFUSED = 2000;

const server = await startPostgres(t);

function open(t: Test, url: string): PostgresStore {
  const store = openPostgresStore({ url });
  t.teardown(() => store.close());
  return store;
}

const claim = { id: 'a', startedAt: '2026-01-31T08:00:00.000Z', epoch: 1, appliedRevision: 0 };

/** Every read, and the renewal. */
const asks = (store: PostgresStore): Record<string, () => Promise<unknown>> => ({
  head: () => store.head(),
  fence: () => store.fence(),
  events: () => store.events(ALL),
  content: () => store.content(contentOf('1.0.0').digest),
  sessionKeys: () => store.sessionKeys(),
  repeated: () => store.repeated('operator-1', 'k'),
  renew: () => store.renew(claim),
  release: () => store.release('nobody'),
});

async function timed<T>(work: Promise<T>): Promise<{ outcome: T | Error; took: number }> {
  const before = performance.now();
  const outcome = await work.catch((error: Error) => error);
  return { outcome, took: performance.now() - before };
}

/** Asks until the store is back; no event says so. */
async function back(store: PostgresStore): Promise<number> {
  const before = performance.now();
  for (;;) {
    const answered = await store.renew(claim).then(
      () => true,
      () => false,
    );
    const took = performance.now() - before;
    if (answered || took > 4 * RECOVERY) return took;
  }
}

t.test('a read-only database refuses writes, still serves reads, and nothing is lost', async (t) => {
  const url = await server.database('readonly');
  const name = new URL(url).pathname.slice(1);
  const first = open(t, url);
  const batch = batchAfter(EMPTY, drafts());
  await first.append(batch, 0);
  await server.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  const store = open(t, url);
  await t.rejects(store.append(batchAfter(headOf(batch), [activation()]), batch.events.length), {
    ...UNAVAILABLE,
    message: /read-only transaction/,
  });
  await t.rejects(store.renew(claim), UNAVAILABLE);
  t.strictSame(await store.events(ALL), batch.events);
  await server.sql(
    `SET default_transaction_read_only = off; ALTER DATABASE ${name} RESET default_transaction_read_only`,
  );
  t.equal(await first.append(batchAfter(headOf(batch), [activation()]), batch.events.length), 'done');
});

t.test('a head that another session has locked is a refusal in time, not an unknown outcome', async (t) => {
  const url = await server.database('locked');
  const store = open(t, url);
  await store.head();
  const lock = server.sql('BEGIN; UPDATE log_head SET hash = hash; SELECT pg_sleep(1.6); ROLLBACK', url);
  await server.sql(
    "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()) LOOP PERFORM pg_stat_clear_snapshot(); END LOOP; END $$",
    url,
  );
  const { outcome, took } = await timed(store.append(batchAfter(EMPTY, [activation()]), 0));
  t.match(outcome, UNAVAILABLE);
  t.ok(took < WRITES_REFUSED, `${took} ms`);
  await lock;
  t.equal(await store.head(), undefined);
  t.equal(await store.append(batchAfter(EMPTY, [activation()]), 0), 'done');
});

t.test('readers that get no answer do not delay an append or a lease', async (t) => {
  const url = await server.database('busy');
  const store = open(t, url);
  await Promise.all(Array.from({ length: 8 }, () => store.head()));
  const readers = await server.sql(
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'prompt-registry' AND datname = current_database() AND query LIKE '%SELECT revision, hash FROM log_head%'",
    url,
  );
  t.equal(readers.length, 4);
  for (const { pid } of readers) process.kill(Number(pid), 'SIGSTOP');
  t.teardown(() => readers.forEach(({ pid }) => process.kill(Number(pid), 'SIGCONT')));
  const reads = Promise.allSettled(Array.from({ length: 12 }, () => store.head()));
  t.equal(await store.append(batchAfter(EMPTY, [activation()]), 0), 'done');
  t.equal((await store.renew(claim)).head?.revision, 1);
  t.ok((await reads).every(({ status }) => status === 'rejected'));
  t.equal((await store.head())?.revision, 1, 'the readers were replaced');
});

t.test(
  'a killed server: writes are refused or unknown, it is back soon, and every acknowledged write is there',
  async (t) => {
    const server = await startPostgres(t, { fsync: true });
    const { url } = server;
    const store = open(t, url);
    const done: string[] = [];
    const unknown: string[] = [];
    for (let round = 0; round < 2; round += 1) {
      let head = (await store.head()) ?? EMPTY;
      let acknowledged = 0;
      let killing: Promise<void> | undefined;
      for (;;) {
        const batch = batchAfter(head, [activation(), activation()]);
        const outcome = await store.append(batch, head.revision).catch((error: Error) => error);
        if (outcome !== 'done') {
          if (outcome === 'unknown') unknown.push(...batch.events.map(({ id }) => id));
          else t.match(outcome, UNAVAILABLE);
          break;
        }
        done.push(...batch.events.map(({ id }) => id));
        head = headOf(batch);
        acknowledged += 1;
        if (acknowledged === 10) killing = server.kill();
      }
      await killing;
      for (const [name, result] of Object.entries(asks(store)).map(([name, ask]) => [name, timed(ask())] as const)) {
        const { outcome, took } = await result;
        t.match(outcome, UNAVAILABLE, name);
        t.ok(took < WRITES_REFUSED, `${name}: ${took} ms`);
      }
      await server.restart();
      const took = await back(store);
      t.ok(took < RECOVERY, `back after ${took} ms`);
      const log = await readLog(store);
      t.equal(firstBroken(log), undefined);
      const ids = new Set(log.map(({ id }) => id));
      t.ok(
        done.every((id) => ids.has(id)),
        'nothing that was done is lost',
      );
      t.equal(
        log.filter(({ id }) => !done.includes(id) && !unknown.includes(id)).length,
        0,
        'nothing that was refused is there',
      );
    }
  },
);

t.test('a server that does not answer: every call ends in time, also close', async (t) => {
  const url = await server.database('paused');
  const store = open(t, url);
  const fresh = open(t, url);
  const batch = batchAfter(EMPTY, [activation()]);
  await store.append(batch, 0);
  await Promise.all([store.head(), store.renew(claim)]);
  server.pause();
  t.teardown(() => server.resume());
  const next = batchAfter(headOf(batch), [activation()]);
  const [appended, again] = [timed(store.append(next, 1)), timed(fresh.append(next, 1))];
  const asked = Object.entries({
    ...asks(store),
    ...Object.fromEntries(Object.entries(asks(fresh)).map(([name, ask]) => [`${name} of a new store`, ask])),
  });
  for (const [name, result] of asked.map(([name, ask]) => [name, timed(ask())] as const)) {
    const { outcome, took } = await result;
    t.match(outcome, UNAVAILABLE, name);
    t.ok(took < 2500, `${name}: ${took} ms`);
  }
  t.equal((await appended).outcome, 'unknown', 'it was sent');
  t.match((await again).outcome, UNAVAILABLE, 'it was not sent');
  t.ok((await appended).took < WRITES_REFUSED && (await again).took < WRITES_REFUSED);
  const attached = attachPostgresStore({ url }).catch((error: unknown) => error);
  const unconnected = timed(store.append(next, 1));
  const closing = open(t, url);
  const late = timed(closing.head());
  const { took } = await timed(closing.close());
  t.ok(took < 1500, `closed after ${took} ms`);
  t.match((await late).outcome, UNAVAILABLE);
  t.match(await attached, { name: 'StartRefused', exitCode: 75 });
  t.match((await unconnected).outcome, UNAVAILABLE, 'there is no connection left to send it');

  server.resume();
  const returned = await back(store);
  t.ok(returned < RECOVERY, `back after ${returned} ms`);
  const head = await store.head();
  t.ok(head?.revision === 1 || head?.hash === headOf(next).hash, 'the batch is there as a whole, or not at all');
});

t.test('a watcher is woken again after the server was away, and may start while it is', async (t) => {
  const url = await server.database('watched');
  const [store, writer] = [open(t, url), open(t, url)];
  await writer.head();
  const heard = hints();
  t.teardown(store.watch(heard.woken));
  await heard.hint((revision) => revision === undefined);
  await server.kill();
  const meanwhile = hints();
  const away = open(t, url);
  t.teardown(away.watch(meanwhile.woken));
  await server.restart();
  await Promise.all([heard, meanwhile].map(({ hint }) => hint((revision) => revision === undefined)));
  await back(writer);
  const batch = batchAfter(EMPTY, drafts());
  t.equal(await writer.append(batch, 0), 'done');
  await Promise.all([heard, meanwhile].map(({ hint }) => hint((revision) => revision === batch.events.length)));
  t.pass('both were notified');
});

t.test('a server that refuses is not stormed', async (t) => {
  let attempts = 0;
  const door = createServer((socket) => {
    attempts += 1;
    socket.on('error', () => undefined).destroy();
  }).listen(0, '127.0.0.1');
  await once(door, 'listening');
  t.teardown(() => door.close());
  const { port } = door.address() as { port: number };
  const store = open(t, `postgres://postgres@127.0.0.1:${port}/registry`);
  t.teardown(store.watch(() => undefined));
  const before = performance.now();
  const calls = (async () => {
    while (performance.now() - before < 1500) await Promise.allSettled(Object.values(asks(store)).map((ask) => ask()));
  })();
  await calls;
  const rate = (attempts * 1000) / (performance.now() - before);
  t.ok(rate <= 20, `${rate} attempts a second`);
  t.ok(attempts > 2, 'and it is tried again');
});

t.test('a connection that is cut during the statement leaves an append unknown', async (t) => {
  const url = await server.database('cut');
  await open(t, url).head();
  let cut = false;
  const proxy = createServer((client) => {
    const upstream = connect(server.port, server.host);
    upstream.pipe(client);
    client.on('data', (data) => {
      upstream.write(data);
      if (cut && data.includes('pg_notify')) client.destroy();
    });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const)
      one.on('error', () => undefined).on('close', () => other.destroy());
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const through = new URL(url);
  through.port = String((proxy.address() as { port: number }).port);
  const store = open(t, `${through.href}?sslmode=disable`);
  await store.head();
  cut = true;
  t.equal(await store.append(batchAfter(EMPTY, [activation()]), 0), 'unknown');
});

function hints(): {
  woken: (revision?: number) => void;
  hint: (fits: (revision: number | undefined) => boolean) => Promise<void>;
} {
  const heard: (number | undefined)[] = [];
  let wake = () => undefined as void;
  return {
    woken: (revision) => {
      heard.push(revision);
      wake();
    },
    /** Waits for a hint that fits, and forgets all that came before it. */
    hint: async (fits) => {
      for (;;) {
        const index = heard.findIndex(fits);
        if (index >= 0) return void heard.splice(0, index + 1);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
