/**
 * How a decision becomes durable, then visible, then announced (SPEC R3), who wins where several write (SPEC R5), and what is
 * said and done where the store conflicts, goes away around a commit, or is not the one it was.
 */
import { join } from 'node:path';
import t from 'tap';
import type { Event } from '../../../registry/log/event.ts';
import type { Registry } from '../../../registry/registry.ts';
import type { AppendOutcome, Batch } from '../../../registry/log/store.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { firstBroken, readLog } from '../../support/stores/events.ts';
import { FailingStore, type Fault, type Plan } from '../../support/stores/failing-store.ts';
import { documentOf, shippedOf } from '../../support/packs/pack-documents.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { appends, heardBy, ids, planned, refusalOf } from '../../support/apps/planned.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { plain } from '../../support/stores/snapshots.ts';

/** What a loaded machine may add to the two seconds that a write may take (BARS B5), in milliseconds. */
const SLACK = 1000;
const reason = 'Why not';

t.test('durable, then visible, then announced', async (t) => {
  const steps: string[] = [];
  const real = new MemoryStore();
  const opened: Registry[] = [];
  const sees = (step: string) => {
    for (const registry of opened)
      steps.push(`${step}: ${registry.activePack().version}, ${registry.getSystemPrompt().version}`);
  };
  class ObservedStore extends FailingStore {
    override async append(batch: Batch, expectedRevision: number): Promise<AppendOutcome> {
      sees('before the append');
      const outcome = await super.append(batch, expectedRevision);
      sees('durable, not answered');
      return outcome;
    }
  }
  const registry = await openRegistry(t, { store: new ObservedStore(real) });
  opened.push(registry);
  const snapshot = registry.current;
  const logged: Promise<Event[]>[] = [];
  registry.onChange((events, next) => {
    sees('announced');
    t.equal(next, registry.current, 'with the snapshot in force');
    t.match(events, [{ type: 'version-activated', version: '1.0.0', revision: next.revision }]);
    logged.push(readLog(real, next.revision - 1));
  });
  const activation = await registry.activate({ version: '1.0.0', reason });
  sees('answered');
  t.same(steps, [
    'before the append: 2.0.0, 2.0.0',
    'durable, not answered: 2.0.0, 2.0.0',
    'announced: 1.0.0, 1.0.0',
    'answered: 1.0.0, 1.0.0',
  ]);
  t.equal((await logged[0])?.length, 1, 'and was in the log when it was announced');
  t.equal(activation.revision, registry.current.revision);
  t.equal(
    snapshot.views.get('coach')?.get('production')?.activePack.version,
    '2.0.0',
    'who took the snapshot before keeps it',
  );
});

t.test('a listener that throws is logged and undoes nothing; a removed one is no longer called', async (t) => {
  const logger = new RecordedLogger();
  const registry = await openRegistry(t, { logger });
  const heard: string[] = [];
  registry.onChange(() => {
    throw new Error('a listener of somebody else');
  });
  const stop = registry.onChange((events) => heard.push(events[0]?.version ?? ''));
  t.match(await registry.activate({ version: '1.0.0', reason }), { changed: true, version: '1.0.0' });
  t.equal(registry.activePack().version, '1.0.0');
  stop();
  await registry.activate({ version: '1.1.0', reason });
  t.same(heard, ['1.0.0']);
  t.same(logger.messages('error'), Array(2).fill('A change listener failed. The change itself was made.'));
});

t.test('after a conflict a command is decided again on the new state', async (t) => {
  const real = new MemoryStore();
  t.teardown(() => real.close());
  const open = () => openRegistry(t, { store: Object.assign(new FailingStore(real), { deaf: true }) });
  const [one, other] = [await open(), await open()];
  const heard = heardBy(one);

  await other.activate({ version: '1.0.0', reason: 'By the other' });
  t.equal(one.activePack().version, '2.0.0', 'it does not know yet');
  t.match(await one.activate({ version: '1.1.0', reason: 'By the one' }), { previousVersion: '1.0.0', changed: true });
  t.same(
    heard.map((event) => event.reason),
    ['By the other', 'By the one'],
    'both are announced, in order',
  );
  t.same(one.current.packs.get('coach')?.pointers.get('production')?.stack, ['2.0.0', '1.0.0', '1.1.0']);

  await other.activate({ channel: 'staging', version: '1.0.0', reason: 'It catches up' });
  await other.rollback({ reason: 'By the other', fromVersion: '1.1.0' });
  t.match(
    await refusalOf(one.rollback({ reason, fromVersion: '1.1.0' })),
    { code: 'not-active', members: { activeVersion: '1.0.0' } },
    'a guard holds against what has come about',
  );
  await other.activate({ version: '2.0.0', reason });
  t.match(
    await refusalOf(
      one.activate({ version: '1.1.0', reason, precondition: (view) => view?.activePack.version === '1.0.0' }),
    ),
    { code: 'revision-conflict' },
  );
  t.equal(one.activePack().version, '2.0.0', 'and the refused one has caught up');

  await other.publish({ pack: 'coach', document: documentOf('coach', '3.0.0') });
  t.match(await one.publish({ pack: 'coach', document: documentOf('coach', '3.0.0') }), {
    created: false,
    record: { version: '3.0.0' },
  });
  await other.publish({ pack: 'coach', document: documentOf('coach', '3.1.0') });
  t.match(
    await refusalOf(one.publish({ pack: 'coach', document: documentOf('coach', '3.1.0', { system: 'Other.' }) })),
    { code: 'version-exists' },
  );
  await other.activate({ version: '3.1.0', reason });
  t.match(
    await one.activate({ version: '3.1.0', reason }),
    { changed: false, revision: other.activePack().revision },
    'what another has done is done',
  );
  t.strictSame(plain(one.current), plain(other.current));
  t.strictSame([...heard], (await readLog(real)).slice(-heard.length), 'each event was announced once, in order');
});

t.test('registries that write at the same time all make progress', async (t) => {
  const real = new MemoryStore();
  t.teardown(() => real.close());
  const registries = await Promise.all(
    Array.from({ length: 4 }, () => openRegistry(t, { store: new FailingStore(real) })),
  );
  const heard = registries.map(heardBy);
  const first = (await real.head())!.revision;
  const writes = registries.flatMap((registry, who) =>
    Array.from({ length: 25 }, (_, turn) =>
      registry.activate({
        channel: who % 2 === 0 ? 'production' : 'staging',
        version: ['1.0.0', '1.1.0', '2.0.0'][(who + turn) % 3]!,
        reason: `${who}.${turn}`,
      }),
    ),
  );
  const activations = await Promise.all(writes);
  const log = await readLog(real, first);
  t.equal(firstBroken(await readLog(real)), undefined);
  const changed = activations.filter((activation) => activation.changed);
  t.same(
    changed.map(({ revision }) => revision).sort((a, b) => a - b),
    log.map(({ revision }) => revision),
    'one event each, none lost, none twice',
  );
  for (const { revision, reason: why, version } of changed)
    t.match(log[revision - first - 1], { reason: why, version });
  for (const who of registries.keys()) {
    const own = changed.filter((activation) => activation.reason.startsWith(`${who}.`)).map(({ revision }) => revision);
    t.same(
      own,
      [...own].sort((a, b) => a - b),
      'in the order in which one asked',
    );
  }
  for (const registry of registries)
    await registry.activate({
      version: registry.activePack().version === '1.0.0' ? '1.1.0' : '1.0.0',
      reason: 'Catch up',
    });
  const whole = await readLog(real, first);
  for (const each of heard) t.strictSame(each, whole.slice(0, each.length), 'what each announced is the log');
});

t.test('unknown, then done: the same batch is sent again and makes one event', async (t) => {
  const { registry, real, sent } = await planned(t, appends('unknown', 'unknown'));
  const heard = heardBy(registry);
  const activation = await registry.activate({ version: '1.0.0', reason });
  t.equal(sent().length, 3);
  t.equal(new Set(ids(sent())).size, 1);
  t.same(
    heard.map(({ id }) => id),
    ids(sent().slice(0, 1)),
  );
  t.same(
    (await readLog(real, activation.revision - 1)).map(({ id }) => id),
    ids(sent().slice(0, 1)),
  );
});

t.test('unknown, then a conflict with itself: the change was made once', async (t) => {
  for (const [title, faults] of Object.entries<(Fault | undefined)[]>({
    'at once': ['lost-answer'],
    'after more unknowns': ['unknown', 'lost-answer', 'unknown'],
    'after the store was away': ['lost-answer', 'rejects', 'rejects'],
  })) {
    const { registry, real, sent } = await planned(t, appends(...faults));
    const heard = heardBy(registry);
    const before = (await real.head())!.revision;
    t.match(await registry.activate({ version: '1.0.0', reason }), { revision: before + 1, changed: true }, title);
    t.equal((await real.head())?.revision, before + 1, 'one event');
    t.same(
      heard.map(({ id }) => id),
      ids(sent().slice(0, 1)),
      'announced once',
    );
    t.equal(registry.activePack().version, '1.0.0');
  }
});

t.test('unknown, then a conflict while the log cannot be read: no answer claims that nothing was sent', async (t) => {
  let asked = 0;
  const { registry, real } = await planned(t, ({ method, turn }) => {
    if (method === 'append') return turn === 1 ? 'lost-answer' : 'conflict'; // which gives no events back
    return method === 'events' && (asked += 1) <= 2 ? 'rejects' : undefined;
  });
  t.match(await registry.activate({ version: '1.0.0', reason }), { changed: true, version: '1.0.0' });
  t.ok(asked > 2);
  t.equal(registry.current.revision, (await real.head())?.revision);
});

t.test('unknown, then a conflict with another write: decided again, one effect', async (t) => {
  const others: Registry[] = [];
  const { registry, real, sent } = await planned(t, async ({ method, turn }) => {
    if (method !== 'append') return undefined;
    if (turn === 2) await others[0]?.activate({ version: '1.1.0', reason: 'By another' });
    return turn === 1 ? 'unknown' : undefined;
  });
  others.push(await openRegistry(t, { store: new FailingStore(real) }));
  t.match(await registry.activate({ version: '1.0.0', reason }), { previousVersion: '1.1.0' });
  const [first, second, third] = ids(sent());
  t.equal(first, second);
  t.not(third, first, 'a new event');
  t.same(
    (await readLog(real)).slice(-2).map((event) => event.reason),
    ['By another', reason],
  );
});

t.test('an outcome that stays unknown is answered within two seconds, with the id of the event', async (t) => {
  const cases: Record<string, [Plan, inLog: boolean]> = {
    'and it was not made': [({ method }) => (method === 'append' ? 'unknown' : undefined), false],
    'and it was made': [
      ({ method, turn }) => (method !== 'append' ? 'rejects' : turn === 1 ? 'lost-answer' : 'unknown'),
      true,
    ],
    'and then the store is away': [
      ({ method, turn }) => (method === 'append' && turn === 1 ? 'lost-answer' : 'rejects'),
      true,
    ],
  };
  for (const [title, [plan, inLog]] of Object.entries(cases)) {
    let away = true;
    const { registry, real, sent } = await planned(t, (call) => (away ? plan(call) : undefined));
    const before = registry.current;
    const heard = heardBy(registry);
    const started = performance.now();
    const refusal = await refusalOf(registry.activate({ version: '1.0.0', reason }));
    const took = performance.now() - started;
    t.match(refusal, { name: 'RegistryError', code: 'outcome-unknown', members: { eventId: ids(sent())[0] } }, title);
    t.ok(took < 2000 + SLACK, `after ${Math.round(took)} ms`);
    t.equal(new Set(ids(sent())).size, 1, 'the same batch each time');
    t.equal((await real.head())?.revision, before.revision + (inLog ? 1 : 0));
    if (!away || registry.current !== before) t.fail('it is visible before anybody knows that it is durable');

    const seen = inLog ? new Promise((resolve) => registry.onChange(resolve)) : undefined;
    const awake = setInterval(() => undefined, 1000); // the registry's own timers keep no process alive
    away = false;
    await seen; // without a request: it retries on its own until it knows
    clearInterval(awake);
    t.same(
      heard.map(({ id }) => id),
      inLog ? ids(sent()).slice(0, 1) : [],
    );
    t.match(
      await registry.activate({ version: '1.1.0', reason }),
      { changed: true, previousVersion: inLog ? '1.0.0' : '2.0.0' },
      'and it goes on',
    );
  }
});

t.test('endless conflicts: store-busy within two seconds, and nothing changes', async (t) => {
  let busy = true;
  const { registry, real, sent } = await planned(t, ({ method }) =>
    busy && method === 'append' ? 'conflict' : undefined,
  );
  const before = registry.current;
  const started = performance.now();
  t.match(await refusalOf(registry.activate({ version: '1.0.0', reason })), {
    name: 'RegistryError',
    code: 'store-busy',
  });
  const took = performance.now() - started;
  t.ok(took < 2000 + SLACK, `after ${Math.round(took)} ms`);
  t.ok(sent().length > 1, 'it was tried again and again');
  t.equal(registry.current, before);
  t.equal((await real.head())?.revision, before.revision);
  busy = false;
  t.match(await registry.activate({ version: '1.0.0', reason }), { changed: true });
});

t.test(
  'if the store cannot be reached before anything was sent: store-unavailable at once, and nothing changes',
  async (t) => {
    for (const faults of [['rejects'], ['conflict', 'rejects']] as Fault[][]) {
      const { registry, real, sent } = await planned(t, appends(...faults));
      const before = registry.current;
      t.match(await refusalOf(registry.activate({ version: '1.0.0', reason })), {
        name: 'RegistryError',
        code: 'store-unavailable',
      });
      t.equal(sent().length, faults.length, 'it is not tried again behind the caller’s back');
      t.equal(registry.current, before);
      t.equal((await real.head())?.revision, before.revision);
      t.match(await registry.activate({ version: '1.0.0', reason }), { changed: true });
    }
  },
);

t.test('a log that was replaced, cut or emptied is neither followed nor written to', async (t) => {
  const another = async (writes: number) => {
    const real = new MemoryStore();
    const registry = await openRegistry(t, {
      store: new FailingStore(real),
      shipped: shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0'),
    });
    for (let write = 0; write < writes; write += 1)
      await registry.activate({ version: write % 2 === 0 ? '1.0.0' : '1.1.0', reason });
    return real;
  };
  const logs: Record<string, [MemoryStore, number]> = {
    'of the same length': [await another(2), 2],
    longer: [await another(9), 2],
    shorter: [await another(0), 2],
    empty: [new MemoryStore(), 2],
  };
  for (const [title, [replacement, writes]] of Object.entries(logs)) {
    const { registry, store } = await planned(t, () => undefined);
    for (let write = 0; write < writes; write += 1)
      await registry.activate({ version: write % 2 === 0 ? '1.0.0' : '1.1.0', reason });
    const before = registry.current;
    const log = await readLog(replacement);
    const original = store.inner;
    store.inner = replacement;
    for (let press = 0; press < 2; press += 1) {
      t.match(
        await refusalOf(registry.activate({ version: '2.0.0', reason })),
        { code: 'store-unavailable', cause: { name: 'LogBroken', message: /It is not followed\.$/ } },
        title,
      );
    }
    t.equal(registry.current, before, 'reads go on from what it knows');
    t.strictSame(await readLog(replacement), log, 'nothing was written');
    store.inner = original;
    t.match(
      await registry.activate({ version: '2.0.0', reason }),
      { changed: true },
      'once the right one is back it goes on',
    );
  }
});

t.test('writes of one process are made in the order of their requests', async (t) => {
  const registry = await openRegistry(t);
  const first = registry.current.revision;
  const versions = Array.from({ length: 100 }, (_, index) => ['1.0.0', '1.1.0', '2.0.0'][index % 3]!);
  const activations = await Promise.all(versions.map((version) => registry.activate({ version, reason })));
  t.same(
    activations.map(({ revision, version }) => [revision, version]),
    versions.map((version, index) => [first + index + 1, version]),
  );
  const mixed = [
    registry.activate({ version: '9.9.9', reason }),
    registry.activate({ version: '1.0.0', reason: ' ' }),
    registry.activate({ version: '1.1.0', reason }),
  ];
  t.same(
    (await Promise.allSettled(mixed)).map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled'],
    'a refused one does not hold up the next',
  );
});

t.test('closing waits for the write under way and refuses later ones', async (t) => {
  const file = join(t.testdir(), 'registry.db');
  const registry = await openRegistry(t, { store: await openSqliteStore({ file }) });
  const writes = ['1.0.0', '1.1.0', '1.0.0'].map((version) => registry.activate({ version, reason }));
  const closed = registry.close();
  t.match(await refusalOf(registry.activate({ version: '2.0.0', reason })), {
    name: 'RegistryError',
    code: 'store-unavailable',
  });
  await closed;
  const revisions = (await Promise.all(writes)).map(({ revision }) => revision);
  const store = await openSqliteStore({ file });
  t.teardown(() => store.close());
  t.same(
    (await readLog(store)).slice(-3).map(({ revision }) => revision),
    revisions,
  );
});

t.test('the time of an event never goes back, whatever the clock does', async (t) => {
  const clock = {
    time: Date.parse('2026-06-01T00:00:00Z'),
    now: () => (clock.time -= 3_600_000),
    newId: () => crypto.randomUUID(),
  };
  const { registry, real } = await planned(t, () => undefined, { clock });
  for (const version of ['1.0.0', '1.1.0', '2.0.0']) await registry.activate({ version, reason });
  const times = (await readLog(real)).map(({ at }) => at);
  t.same(times, [...times].sort());
});

t.test('a late read of the log undoes nothing and announces nothing twice', async (t) => {
  const late = Promise.withResolvers<undefined>();
  let held = false;
  const { registry, real, store } = await planned(t, ({ method }) =>
    method === 'events' && !held ? ((held = true), late.promise) : undefined,
  );
  store.deaf = true;
  const other = await openRegistry(t, { store: new FailingStore(real) });
  const heard = heardBy(registry);
  await other.activate({ version: '1.0.0', reason: 'By the other' });
  t.match(
    await refusalOf(registry.activate({ version: '9.9.9', reason })),
    { code: 'store-unavailable' },
    'the first reading is given up on',
  );
  t.match(await registry.activate({ version: '1.1.0', reason }), { previousVersion: '1.0.0', changed: true });
  const { current } = registry;
  late.resolve(undefined);
  await new Promise(setImmediate); // the late reading has come to its end: a store in memory answers within one turn
  t.equal(registry.current, current, 'it is as it was');
  t.same(
    heard.map(({ revision }) => revision),
    [current.revision - 1, current.revision],
  );
});
