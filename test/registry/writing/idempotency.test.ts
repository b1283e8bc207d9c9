/**
 * Exactly once (SPEC R6): a request repeated with its Idempotency-Key has one effect and the first answer again: at once, later,
 * many times at the same time, on another instance, after a restart, and where nobody could say whether the first had come through.
 *
 * Lost answers in numbers: test/fault/lost-answers.test.ts.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fingerprintOf } from '../../../registry/writing/idempotency.ts';
import { Registry } from '../../../registry/registry.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { openApp } from '../../support/apps/app.ts';
import { FailingStore, type Plan } from '../../support/stores/failing-store.ts';
import { newFolder } from '../../support/process/folder.ts';
import { documentOf, shippedOf } from '../../support/packs/pack-documents.ts';
import { openRegistry, optionsOf } from '../../support/apps/registries.ts';

const actor = { keyId: 'operator1', label: 'Operator on call' };
const reason = 'Users report that answers are too blunt';
const once = (key: string, body: unknown = 0) => ({
  actor,
  idempotency: { key, fingerprint: fingerprintOf('POST', '/', body) },
});

// ── At the door ──

const shipped = shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0', 'coach@2.1.0');
const { app } = await openApp(t, {
  registry: { shipped, channels: ['production'], defaultVersion: '1.0.0' },
});
const { registry } = app;

/** @param key the header as it is sent; none where undefined */
const post = async (url: string, payload: object, key?: string) => {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  const answer = await app.inject({ method: 'POST', url, payload, headers });
  return {
    status: answer.statusCode,
    replayed: answer.headers['idempotency-replayed'] === 'true',
    body: answer.json<Record<string, unknown>>(),
  };
};
const activate = (version: string, key?: string) => post('/v1/packs/coach/activations', { version, reason }, key);

t.test('a quoted key and a bare key are the same, and the order of members does not matter', async (t) => {
  await activate('1.0.0');
  const url = '/v1/packs/coach/activations';
  const first = await post(url, { version: '1.1.0', reason }, 'a "quoted" \\ key');
  t.strictSame(await post(url, { reason, version: '1.1.0' }, '"a \\"quoted\\" \\\\ key"'), {
    ...first,
    replayed: true,
  });
  t.strictSame(await post(`${url}?`, { version: '1.1.0', reason }, '  a "quoted" \\ key '), {
    ...first,
    replayed: true,
  });
});

t.test('a key that was used for another request is refused, and the refusal names that request', async (t) => {
  await activate('1.0.0');
  const { body } = await activate('1.1.0', 'taken');
  const before = registry.current;
  const others: [title: string, url: string, payload: object][] = [
    ['another version', '/v1/packs/coach/activations', { version: '1.0.0', reason }],
    ['another reason', '/v1/packs/coach/activations', { version: '1.1.0', reason: 'Another' }],
    ['a member more', '/v1/packs/coach/activations', { version: '1.1.0', reason, channel: 'production' }],
    ['another operation', '/v1/packs/coach/rollback', { reason }],
    ['another pack', '/v1/packs/other/activations', { version: '1.1.0', reason }],
  ];
  for (const [title, url, payload] of others) {
    t.match(
      await post(url, payload, 'taken'),
      {
        status: 422,
        replayed: false,
        body: {
          code: 'idempotency-mismatch',
          revision: body['revision'],
          detail: /was used for another request before \(revision \d+, version-activated\)/,
        },
      },
      title,
    );
  }
  t.equal(registry.current, before);
});

// ── In process: restarts, other instances, stores that fail ──

t.test('a repeat is recognised after a restart', async (t) => {
  const file = join(newFolder(t), 'registry.db');
  const open = async () => Registry.open(optionsOf({ store: await openSqliteStore({ file }) }));
  const first = await open();
  const answer = await first.rollback({ toVersion: '2.0.0', reason, ...once('no-op') });
  t.equal(answer.changed, false);
  const moved = await first.activate({ version: '1.0.0', reason, ...once('before') });
  await first.close();
  const second = await open();
  t.teardown(() => second.close());
  const { current } = second;
  t.strictSame(await second.activate({ version: '1.0.0', reason, ...once('before') }), { ...moved, replayed: true });
  await t.rejects(second.activate({ version: '1.1.0', reason, ...once('before', 1) }), {
    name: 'RegistryError',
    code: 'idempotency-mismatch',
  });
  t.equal(second.current, current);
});

t.test('repeats that reach two instances of one log have one effect', async (t) => {
  const store = new MemoryStore();
  const one = await openRegistry(t, { store: new FailingStore(store) });
  const two = await openRegistry(t, { store: new FailingStore(store) });
  await one.activate({ version: '1.0.0', reason });
  await one.activate({ version: '1.1.0', reason });
  await two.instance.catchUp();
  const { revision } = one.current;
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? one : two).rollback({ reason, ...once('either') })),
  );
  t.equal((await store.head())?.revision, revision + 1);
  t.equal(answers.filter(({ replayed }) => !replayed).length, 1);
  t.equal(new Set(answers.map(({ revision }) => revision)).size, 1);

  const { record } = await one.createKey({ label: 'One', scopes: ['prompts:read'], ...once('key') });
  t.same(
    (await two.createKey({ label: 'One', scopes: ['prompts:read'], ...once('key') })).record,
    record,
    'one that the other has not heard of yet',
  );
  t.equal(two.current.revision, one.current.revision);
});

/** Each write, as one that would have a second effect, or fail, where it came twice. @returns what tells its effect */
const WRITES: Readonly<Record<string, (registry: Registry) => Promise<{ replayed: boolean; effect: unknown }>>> = {
  publish: async (registry) => {
    const { record, replayed } = await registry.publish({
      pack: 'coach',
      document: documentOf('coach', '3.0.0'),
      ...once('p'),
    });
    return {
      replayed,
      effect: record.version === '3.0.0' && registry.current.packs.get('coach')?.versions.get('3.0.0') === record,
    };
  },
  activate: async (registry) => {
    const { version, replayed } = await registry.activate({ version: '1.0.0', reason, ...once('a') });
    return { replayed, effect: version === '1.0.0' && registry.activePack().version === version };
  },
  rollback: async (registry) => {
    const { version, replayed } = await registry.rollback({ reason, ...once('r') });
    return { replayed, effect: version === '1.1.0' && registry.activePack().version === version };
  },
  revoke: async (registry) => {
    const { moves, replayed } = await registry.revoke({ pack: 'coach', version: '2.0.0', reason, ...once('v') });
    return {
      replayed,
      effect:
        moves.length === 1 && registry.current.packs.get('coach')?.versions.get('2.0.0')?.revocation !== undefined,
    };
  },
  createKey: async (registry) => {
    const { record, replayed } = await registry.createKey({
      label: 'A service',
      scopes: ['prompts:read'],
      ...once('c'),
    });
    return {
      replayed,
      effect:
        [...registry.current.keys.values()].filter(({ label }) => label === 'A service').length === 1 &&
        record.label === 'A service',
    };
  },
  revokeKey: async (registry) => {
    const [keyId = ''] = registry.current.keys.keys();
    const { record, replayed } = await registry.revokeKey({ keyId, reason, ...once('k') });
    return { replayed, effect: record.revokedAt !== undefined };
  },
};

/** A registry at 2.0.0 over 1.1.0 over 1.0.0, with a key, whose store goes by a plan from here on. */
async function underPlan(t: Test, plan: Plan) {
  let under: Plan | undefined;
  const store = new FailingStore(new MemoryStore(), (call) => under?.(call));
  const registry = await openRegistry(t, { store, channels: ['production'], defaultVersion: '1.0.0' });
  for (const version of ['1.1.0', '2.0.0']) await registry.activate({ version, reason });
  await registry.createKey({ label: 'Spare', scopes: ['prompts:read'] });
  under = plan;
  return { registry, store, wellAgain: () => (under = undefined) };
}

const IS_OUT = { name: 'RegistryError', code: 'outcome-unknown' };

for (const came of [true, false]) {
  t.test(
    `a write of unknown outcome that ${came ? 'had' : 'had not'} arrived is repeated: one effect, visible with the answer`,
    async (t) => {
      // Two seconds each until the writer gives up, so all at once.
      const trials = Object.entries(WRITES).map(async ([name, write]) => {
        let appends = 0;
        const { registry, store, wellAgain } = await underPlan(t, ({ method }) => {
          if (method !== 'append') return appends === 0 ? undefined : 'rejects';
          appends += 1;
          return came && appends === 1 ? 'lost-answer' : 'unknown';
        });
        const { revision } = registry.current;
        await t.rejects(write(registry), IS_OUT, name);
        t.equal(registry.current.revision, revision, 'nothing is visible of it');
        wellAgain();
        t.same(await write(registry), { replayed: came, effect: true }, `${name} again`);
        t.same(await write(registry), { replayed: true, effect: true }, `${name} once more`);
        t.equal((await store.head())?.revision, revision + 1);
      });
      await Promise.all(trials);
    },
  );
}

t.test('the writer itself recovers an answer that was lost on the way from the store', async (t) => {
  for (const [name, write] of Object.entries(WRITES)) {
    let appends = 0;
    const { registry, store } = await underPlan(t, ({ method }) =>
      method === 'append' && (appends += 1) === 1 ? 'lost-answer' : undefined,
    );
    const { revision } = registry.current;
    t.same(await write(registry), { replayed: false, effect: true }, name);
    t.equal((await store.head())?.revision, revision + 1);
    t.equal(appends, 2);
  }
});

t.test('a write is refused if the store cannot be asked for repeats', async (t) => {
  for (const [name, write] of Object.entries(WRITES)) {
    const { registry, store, wellAgain } = await underPlan(t, ({ method }) =>
      method === 'repeated' ? 'rejects' : undefined,
    );
    const { revision } = registry.current;
    await t.rejects(write(registry), { name: 'RegistryError', code: 'store-unavailable' }, name);
    t.equal((await store.head())?.revision, revision, 'nothing was sent');
    wellAgain();
    t.same(await write(registry), { replayed: false, effect: true });
  }
});
