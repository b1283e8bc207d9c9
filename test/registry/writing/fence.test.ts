/**
 * The door behind an answer (SPEC R5): after a write was answered without an event, no earlier write of unknown outcome takes effect, by
 * whichever instance it was sent. Here on a store whose appends arrive when the test says so; on PostgreSQL in `fault/closed-door.test.ts`.
 */
import t, { type Test } from 'tap';
import type { RegistryError } from '../../../registry/errors.ts';
import type { Registry } from '../../../registry/registry.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { FailingStore, type Fault, type Plan } from '../../support/stores/failing-store.ts';
import { documentOf } from '../../support/packs/pack-documents.ts';
import { refusalOf } from '../../support/apps/planned.ts';
import { openRegistry } from '../../support/apps/registries.ts';

const reason = 'Why not';
/** Two instances on one store; the one's appends are held back from here on while `holding`, the other fails as planned. */
async function pair(t: Test, plan: Plan = () => undefined) {
  const real = new MemoryStore();
  t.teardown(() => real.close());
  const state = { holding: false, failing: false };
  const stores = [
    new FailingStore(real, ({ method }) => (state.holding && method === 'append' ? 'held' : undefined)),
    new FailingStore(real, (call) => (state.failing ? plan(call) : undefined)),
  ] as const;
  const one = await openRegistry(t, { store: stores[0] });
  const other = await openRegistry(t, { store: stores[1] });
  /** From here on the other's calls fail as planned. */
  const start = () => void (state.failing = true);
  /** Has an activation of 1.0.0 be on its way, answered `outcome-unknown`. */
  const onItsWay = async () => {
    state.holding = true;
    t.match(await refusalOf(one.activate({ version: '1.0.0', reason: 'Late' })), { code: 'outcome-unknown' });
    state.holding = false;
    start();
  };
  /** Lets it arrive. @returns its outcome */
  const arrives = async () => Promise.all(stores[0].held.splice(0).map((append) => append()));
  const calls = (method: string) => stores[1].calls.filter((call) => call.method === method).length;
  return { real, one, other, stores, start, onItsWay, arrives, calls };
}

t.test('every answer without an event that depends on the state closes the door', async (t) => {
  const asks: Record<string, (registry: Registry) => Promise<unknown>> = {
    'nothing to change': (registry) => registry.activate({ version: '2.0.0', reason }),
    'an unknown version': (registry) => registry.activate({ version: '9.9.9', reason }),
    'an unknown pack': (registry) => registry.activate({ pack: 'other', version: '1.0.0', reason }),
    'If-Match names another': (registry) => registry.activate({ version: '1.1.0', reason, precondition: () => false }),
    'nothing to roll back to': (registry) => registry.rollback({ reason }),
    'a rollback from another': (registry) => registry.rollback({ reason, fromVersion: '1.1.0' }),
    'a revocation that is refused': (registry) => registry.revoke({ pack: 'coach', version: '2.0.0', reason }),
    'published already': (registry) => registry.publish({ pack: 'coach', document: documentOf('coach', '1.0.0') }),
    'a key that is not there': (registry) => registry.revokeKey({ keyId: 'nobody', reason }),
  };
  await Promise.all(
    Object.entries(asks).map(async ([title, ask]) => {
      const { real, other, onItsWay, arrives, calls } = await pair(t);
      await onItsWay();
      const before = await real.head();
      await ask(other).catch((error: RegistryError) => t.equal(error.name, 'RegistryError', title));
      t.equal(calls('raiseFence'), 1, `${title}: one fence`);
      t.same(new Set(await arrives()), new Set(['conflict']), 'what was on its way arrives, and takes no effect');
      t.strictSame(await real.head(), before);
    }),
  );
});

t.test('control: without an answer the late write takes effect', async (t) => {
  const { other, onItsWay, arrives } = await pair(t);
  await onItsWay();
  await other.previewActivate({ version: '2.0.0', reason });
  t.match(
    await refusalOf(other.previewActivate({ version: '9.9.9', reason })),
    { code: 'unknown-version' },
    'a dry run closes nothing, refused or not',
  );
  await other.instance.catchUp();
  t.ok((await arrives()).includes('done'));
  await other.instance.catchUp();
  t.equal(other.activePack().version, '1.0.0');
});

t.test(
  'a repeat is answered from its event and closes no door; nor does a refusal that no change could reverse',
  async (t) => {
    const idempotency = { key: 'k', fingerprint: 'f' };
    const { other, calls } = await pair(t);
    await other.activate({ version: '1.1.0', reason, idempotency });
    t.match(await other.activate({ version: '1.1.0', reason, idempotency }), { replayed: true });
    t.match(
      await refusalOf(other.activate({ version: '2.0.0', reason, idempotency: { key: 'k', fingerprint: 'another' } })),
      { code: 'idempotency-mismatch' },
    );
    t.match(await refusalOf(other.createKey({ label: 'x', scopes: ['*'], heldScopes: ['prompts:read'] })), {
      code: 'forbidden',
    });
    t.equal(calls('raiseFence'), 0);
  },
);

t.test('a write that lands before the door is closed is seen, and the request is decided again', async (t) => {
  let arrives: () => Promise<unknown> = () => Promise.resolve();
  const peers = await pair(t, async ({ method, turn }) => {
    if (method === 'raiseFence' && turn === 1) await arrives();
    return undefined;
  });
  arrives = peers.arrives;
  await peers.onItsWay();
  t.match(
    await peers.other.activate({ version: '2.0.0', reason }),
    { changed: true, previousVersion: '1.0.0' },
    'not "nothing to change"',
  );
});

t.test(
  'a fence whose answer is lost is raised again; if it stays unknown, the request is refused with store-unavailable',
  async (t) => {
    const faults: Fault[] = ['lost-answer', 'unknown'];
    const { other, onItsWay, arrives, calls } = await pair(t, ({ method, turn }) =>
      method === 'raiseFence' ? faults[turn - 1] : undefined,
    );
    await onItsWay();
    t.match(await other.activate({ version: '2.0.0', reason }), { changed: false });
    t.equal(calls('raiseFence'), 3);
    t.notOk((await arrives()).includes('done'));

    await Promise.all(
      (['unknown', 'rejects'] as const).map(async (fault) => {
        const never = await pair(t, ({ method }) => (method === 'raiseFence' ? fault : undefined));
        await never.onItsWay();
        const began = performance.now();
        t.match(
          await refusalOf(never.other.activate({ version: '2.0.0', reason })),
          { code: 'store-unavailable', message: /Nothing was changed|cannot be reached/u },
          fault,
        );
        t.match(
          await refusalOf(never.other.activate({ version: '9.9.9', reason })),
          { code: 'store-unavailable' },
          'a refusal neither',
        );
        t.ok(performance.now() - began < 2 * 2000 + 1000);
        t.ok((await never.arrives()).includes('done'), 'it was open all the time');
      }),
    );
  },
);

t.test('requests that wait together share one fence; a later request gets its own', async (t) => {
  const { other, calls } = await pair(t);
  const answers = await Promise.all(Array.from({ length: 50 }, () => other.activate({ version: '2.0.0', reason })));
  t.ok(answers.every(({ changed }) => !changed));
  t.equal(calls('raiseFence'), 1);
  await other.activate({ version: '2.0.0', reason });
  t.equal(calls('raiseFence'), 2);
  const appends = calls('append');
  await Promise.all(['1.1.0', '1.1.0', '1.0.0', '1.0.0'].map((version) => other.activate({ version, reason })));
  t.equal(calls('raiseFence'), 2, 'an event that was sent after it was asked closes the door as well');
  t.equal(calls('append'), appends + 1, 'and they are one batch');
});

t.test('an event closes the door for all answers of its batch; a batch without one needs one fence', async (t) => {
  for (const withEvent of [true, false]) {
    const { real, other, onItsWay, arrives, calls } = await pair(t);
    await onItsWay();
    const before = await real.head();
    const answers = await Promise.allSettled([
      other.activate({ version: '2.0.0', reason }),
      ...(withEvent ? [other.createKey({ label: 'A service', scopes: ['prompts:read'] })] : []),
      other.activate({ version: '9.9.9', reason }),
      other.revokeKey({ keyId: 'nobody', reason }),
    ]);
    t.match(answers[0], { value: { changed: false } });
    t.match(answers.slice(-2), [{ reason: { code: 'unknown-version' } }, { reason: { code: 'key-not-found' } }]);
    t.equal(calls('raiseFence'), withEvent ? 0 : 1);
    t.notOk((await arrives()).includes('done'), 'what was on its way takes no effect');
    t.equal((await real.head())?.revision, before!.revision + (withEvent ? 1 : 0));
  }
});

t.test('a move behind a door that another instance closed is decided again, once', async (t) => {
  const { one, other, stores, real } = await pair(t);
  await one.activate({ version: '2.0.0', reason });
  await one.activate({ version: '2.0.0', reason });
  const before = await real.head();
  const appends = stores[1].batches.length;
  t.match(await other.activate({ version: '1.1.0', reason }), { changed: true, revision: before!.revision + 1 });
  const [first, second, ...more] = stores[1].batches.slice(appends);
  t.same([first?.fence, second?.fence, more.length], [0, 2, 0]);
  t.match(await one.activate({ version: '1.0.0', reason }), { previousVersion: '1.1.0' });
});

t.test('each attempt of a batch carries the same fence, so a door that is closed in between ends it', async (t) => {
  let asked = false;
  const opened: { one?: Registry } = {};
  const { one, other, stores, start } = await pair(t, async ({ method }) => {
    if (method !== 'append' || asked) return undefined;
    asked = true;
    t.match(
      await opened.one?.activate({ version: '2.0.0', reason }),
      { changed: false },
      'answered while the first attempt is on its way',
    );
    return 'unknown';
  });
  opened.one = one;
  start();
  t.match(await other.activate({ version: '1.1.0', reason }), { changed: true });
  const [first, second, third] = stores[1].batches.slice(-3);
  t.same(
    [first, second, third].map((batch) => batch?.fence),
    [0, 0, 1],
    'the same batch with the same fence, then decided again',
  );
  t.equal(first?.events[0]?.id, second?.events[0]?.id);
  t.not(third?.events[0]?.id, second?.events[0]?.id);
});
