/**
 * Many writes, one batch: each is answered as if it had been made alone, in order of arrival, and none before the batch is durable (SPEC
 * R3, R5, R6). At random against a model: `batch-model.test.ts`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import type { Registry } from '../../../registry/registry.ts';
import { appends, heardBy, planned, refusalOf } from '../../support/apps/planned.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { documentOf } from '../../support/packs/pack-documents.ts';
import { firstBroken, readLog } from '../../support/stores/events.ts';
import { FailingStore, type Plan } from '../../support/stores/failing-store.ts';

const reason = 'Why not';
const once = (key: string, fingerprint = 'same') => ({ idempotency: { key, fingerprint } });
const activate = (registry: Registry, version: string, more: object = {}) =>
  registry.activate({ version, reason, ...more });
const UNKNOWN = { code: 'outcome-unknown' };

/** A plan that stops at the first append until it is released, and then answers with the fault, if any. */
function stopped(...then: Parameters<typeof appends>) {
  const [reached, released] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const plan: Plan = async (call) => {
    if (call.method === 'append' && call.turn === 1) {
      reached.resolve(undefined);
      await released.promise;
    }
    return appends(...then)(call);
  };
  return { plan, reached: reached.promise, release: () => released.resolve(undefined) };
}

t.test('writes that wait together are one batch; each has its own revision, answer and refusal', async (t) => {
  const { registry, real, sent } = await planned(t, () => undefined);
  const flips: number[] = [];
  registry.onChange((events) => flips.push(events.length));
  const before = registry.current.revision;
  const [first, again, unknown, back, key, published, guarded] = await Promise.allSettled([
    activate(registry, '1.0.0'),
    activate(registry, '1.0.0'),
    activate(registry, '9.9.9'),
    registry.rollback({ reason, fromVersion: '1.0.0' }),
    registry.createKey({ label: 'A service', scopes: ['prompts:read'] }),
    registry.publish({ pack: 'coach', document: documentOf('coach', '3.0.0') }),
    registry.rollback({ reason, fromVersion: '1.0.0' }),
  ]);
  t.match(first, { value: { revision: before + 1, changed: true, previousVersion: '2.0.0' } });
  t.match(again, { value: { revision: before + 1, changed: false } }, 'decided on the state that the first leads to');
  t.match(unknown, { reason: { code: 'unknown-version' } });
  t.match(back, { value: { revision: before + 2, version: '2.0.0', previousVersion: '1.0.0' } });
  t.match(key, { value: { record: { label: 'A service' } } });
  t.match(published, { value: { created: true, record: { version: '3.0.0' }, snapshot: { revision: before + 4 } } });
  t.match(guarded, { reason: { code: 'not-active', members: { activeVersion: '2.0.0' } } });
  t.equal(sent().length, 1);
  t.same(flips, [4], 'one flip, which announces every event');
  t.equal(registry.current.revision, before + 4);
  t.equal(firstBroken(await readLog(real)), undefined);
});

t.test('the snapshot of an answer is the one that its own events led to', async (t) => {
  const registry = await openRegistry(t);
  const before = registry.current.revision;
  const documents = ['3.0.0', '3.1.0', '3.2.0'].map((version) => documentOf('coach', version));
  const answers = await Promise.all(documents.map((document) => registry.publish({ pack: 'coach', document })));
  t.same(
    answers.map(({ snapshot }) => [snapshot.revision, snapshot.packs.get('coach')?.versions.size]),
    [4, 5, 6].map((size, index) => [before + index + 1, size]),
  );
});

t.test('no answer leaves before the batch is durable, and no refusal either', async (t) => {
  const { plan, reached, release } = stopped();
  const { registry } = await planned(t, plan);
  const answered: string[] = [];
  const writes = {
    moved: activate(registry, '1.0.0'),
    'nothing to change': activate(registry, '1.0.0'),
    refused: registry.rollback({ reason, fromVersion: '2.0.0' }),
    'refused after it': activate(registry, '1.0.0', once('k')).then(() => activate(registry, '1.1.0', once('k', 'x'))),
  };
  for (const [name, write] of Object.entries(writes)) void refusalOf(write).then(() => answered.push(name));
  await reached;
  await new Promise(setImmediate);
  t.same(answered, []);
  t.equal(registry.activePack().version, '2.0.0', 'nothing is visible');
  release();
  await Promise.allSettled(Object.values(writes));
  t.same(answered.slice(0, 3), ['moved', 'nothing to change', 'refused'], 'in order');
});

t.test('after a conflict the whole batch is decided again, on the events that came with it', async (t) => {
  const opened: { other?: Registry } = {};
  const { registry, real, store, sent } = await planned(t, async ({ method, turn }) => {
    if (method === 'append' && turn === 1) await opened.other?.activate({ version: '1.1.0', reason: 'By another' });
    return undefined;
  });
  store.deaf = true;
  opened.other = await openRegistry(t, { store: new FailingStore(real) });
  const heard = heardBy(registry);
  const reads = () => store.calls.filter(({ method }) => method === 'events').length;
  const before = reads();
  const answers = await Promise.allSettled([
    activate(registry, '1.0.0'),
    registry.rollback({ reason, fromVersion: '1.0.0' }),
    registry.rollback({ reason, toVersion: '9.9.9' }),
    activate(registry, '1.1.0'),
    activate(registry, '2.0.0'),
  ]);
  t.match(answers, [
    { value: { previousVersion: '1.1.0' } },
    { value: { version: '1.1.0', previousVersion: '1.0.0' } },
    { reason: { code: 'unknown-version' } },
    { value: { changed: false } },
    { value: { previousVersion: '1.1.0' } },
  ]);
  t.equal(sent().length, 2);
  t.equal(reads(), before, 'the log was not read');
  t.same(heard, (await readLog(real)).slice(-heard.length), 'all was announced, in order');
  t.equal(heard[0]?.reason, 'By another');
});

t.test(
  'an unknown outcome is told to every write that rests on the batch, with the id of the event that it made',
  async (t) => {
    const { registry, real, sent } = await planned(t, ({ method }) => (method === 'append' ? 'unknown' : undefined));
    const refusals = await Promise.all(
      [
        activate(registry, '9.9.9'),
        activate(registry, '1.0.0', once('k')),
        activate(registry, '1.0.0'),
        activate(registry, '9.9.9'),
        activate(registry, '1.0.0', once('k')),
        activate(registry, '1.1.0', once('k', 'another')),
        activate(registry, '1.1.0'),
      ].map(refusalOf),
    );
    const [first, second] = sent()[0]?.events.map(({ id }) => id) ?? [];
    t.match(refusals, [{ code: 'store-unavailable', message: /Nothing was changed/ }, ...Array(6).fill(UNKNOWN)]);
    t.same(
      refusals.map((refusal) => refusal?.members['eventId']),
      [undefined, first, undefined, undefined, first, undefined, second],
    );
    t.equal((await real.head())?.revision, registry.current.revision);
  },
);

t.test('each write in a batch keeps its own deadline', async (t) => {
  const { plan, reached, release } = stopped();
  let isBack = false;
  const { registry, real, sent } = await planned(t, (call) =>
    call.method === 'append' && call.turn > 1 && !isBack ? 'unknown' : plan(call),
  );
  const first = activate(registry, '1.0.0');
  await reached;
  const early = refusalOf(activate(registry, '1.1.0'));
  await pause(800); // what the later one has left, when the time of the early one is up
  const late = activate(registry, '2.0.0');
  release();
  t.match(await first, { changed: true });
  t.match(await early, UNKNOWN);
  isBack = true;
  t.match(await late, { previousVersion: '1.1.0' }, 'the later one is told what became of the batch');
  t.same([...new Set(sent().map(({ events }) => events.length))], [1, 2]);
  t.equal((await real.head())?.revision, registry.current.revision);
});

t.test('a repeat is found among the earlier events of the batch', async (t) => {
  const { registry, real, store } = await planned(t, () => undefined);
  const before = registry.current.revision;
  const actor = { keyId: 'another', label: 'Another' };
  const [first, repeat, mismatch, others] = await Promise.allSettled([
    activate(registry, '1.0.0', once('k')),
    activate(registry, '1.0.0', once('k')),
    activate(registry, '1.1.0', once('k', 'another')),
    activate(registry, '1.1.0', { ...once('k'), actor }),
  ]);
  t.match(first, { value: { replayed: false, revision: before + 1 } });
  t.match(repeat, { value: { replayed: true, revision: before + 1 } });
  t.match(mismatch, { reason: { code: 'idempotency-mismatch', members: { revision: before + 1 } } });
  t.match(others, { value: { replayed: false, revision: before + 2 } }, 'a key counts for each actor');
  t.equal((await real.head())?.revision, before + 2);
  t.equal(store.calls.filter(({ method }) => method === 'append').length, 2, 'the first start, and one batch');
});

t.test('the look-ups of a batch run together', async (t) => {
  const all = Promise.withResolvers<undefined>();
  let asked = 0;
  const { registry } = await planned(t, async ({ method }) => {
    if (method !== 'repeated') return undefined;
    if ((asked += 1) === 5) all.resolve(undefined);
    await all.promise; // one after the other, they would never end
    return undefined;
  });
  const versions = ['1.0.0', '1.1.0', '1.0.0', '1.1.0', '2.0.0'];
  const answers = await Promise.all(versions.map((version, index) => activate(registry, version, once(`${index}`))));
  t.same(
    answers.map(({ version }) => version),
    versions,
  );
});

t.test(
  'a write whose look-up hangs delays none before it, and those behind it no longer than its deadline',
  async (t) => {
    const { registry, store } = await planned(t, async ({ method }) => {
      if (method === 'repeated') await new Promise(() => undefined);
      return undefined;
    });
    const started = performance.now();
    const slow = { before: activate(registry, '1.0.0'), hung: refusalOf(activate(registry, '1.1.0', once('k'))) };
    t.match(await slow.before, { changed: true });
    const took = performance.now() - started;
    await pause(800); // what the one behind has left, when the time of the hung one is up
    const behind = activate(registry, '2.0.0');
    t.match(await slow.hung, { code: 'store-unavailable', message: /Nothing was sent/ });
    t.match(await behind, { previousVersion: '1.0.0' }, 'in order, and in time');
    t.ok(took < 1600, `the one before it took ${Math.round(took)} ms`);
    t.notOk(
      store.batches.some(({ events }) =>
        events.some(({ version, reason: why }) => version === '1.1.0' && why === reason),
      ),
    );
  },
);

t.test('a batch is bounded, in writes and in characters', async (t) => {
  const { registry, sent } = await planned(t, () => undefined);
  const versions = Array.from({ length: 250 }, (_, index) => ['1.0.0', '1.1.0', '2.0.0'][index % 3]!);
  const answers = await Promise.all(versions.map((version) => activate(registry, version)));
  t.same(
    answers.map(({ version }) => version),
    versions,
  );
  t.same(
    sent().map(({ events }) => events.length),
    [100, 100, 50],
  );
  const large = ['3.0.0', '3.1.0', '3.2.0'].map((version) =>
    documentOf('coach', version, { system: version.padEnd(250_000, ' word'), styles: largeStyles() }),
  );
  await Promise.all(large.map((document) => registry.publish({ pack: 'coach', document })));
  t.same(
    sent()
      .slice(3)
      .map(({ contents }) => contents.length),
    [2, 1],
  );
});

function largeStyles() {
  return [{ id: 'supportive', title: 'Supportive', text: 'x'.repeat(200_000) }];
}

t.test('a write that the store cannot take harms no other', async (t) => {
  const { registry, sent } = await planned(t, ({ batch }) =>
    batch?.events.some(({ version }) => version === '1.1.0') === true ? 'rejects' : undefined,
  );
  const answers = await Promise.allSettled(['1.0.0', '1.1.0', '2.0.0'].map((version) => activate(registry, version)));
  t.match(answers, [
    { value: { version: '1.0.0' } },
    { reason: { code: 'store-unavailable' } },
    { value: { version: '2.0.0', previousVersion: '1.0.0' } },
  ]);
  t.same(
    sent().map(({ events }) => events.length),
    [3, 1, 1, 1],
    'each was tried alone',
  );
});

t.test('a write that fails outside of the rules harms no other', async (t) => {
  const { registry, sent } = await planned(t, () => undefined);
  const broken = () => {
    throw new TypeError('a precondition of somebody else');
  };
  const answers = await Promise.allSettled([
    activate(registry, '1.0.0'),
    activate(registry, '1.1.0', { precondition: broken }),
    activate(registry, '1.1.0'),
  ]);
  t.match(answers, [
    { status: 'fulfilled' },
    { reason: { name: 'TypeError' } },
    { value: { previousVersion: '1.0.0' } },
  ]);
  t.equal(sent().length, 1);
});

t.test('an instance does not read the log for its own appends', async (t) => {
  const { registry, store } = await planned(t, () => undefined);
  const reads = () => store.calls.filter(({ method }) => method === 'events').length;
  const before = reads();
  for (const version of ['1.0.0', '1.1.0', '2.0.0'])
    await Promise.all([activate(registry, version), activate(registry, version, { channel: 'staging' })]);
  await new Promise(setImmediate);
  t.equal(reads(), before);
});

t.test('a hint of another append that arrives during an append here is not lost', async (t) => {
  const { plan, reached, release } = stopped('rejects');
  const { registry, real, store } = await planned(t, plan);
  const other = await openRegistry(t, { store: new FailingStore(real) });
  const released = Promise.withResolvers<undefined>();
  const renew = store.renew.bind(store);
  store.renew = async (claim) => (await released.promise, renew(claim)); // it does not learn it by polling
  const failing = refusalOf(activate(registry, '1.0.0'));
  await reached;
  const learns = new Promise((resolve) => registry.onChange(resolve));
  await other.activate({ version: '1.1.0', reason: 'By another' });
  await new Promise(setImmediate); // the hint is there
  release();
  t.match(await failing, { code: 'store-unavailable' });
  await learns;
  t.equal(registry.activePack().version, '1.1.0');
  released.resolve(undefined);
});
