/**
 * The operator key (SPEC R12): created if there is no permanent key with `*`, on disk before it is in the log, and only once.
 *
 * It waits next to `operator.key` until it is in the log, so that a failed start or recovery does not change the current key.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { operatorKeyFile, operatorKeyPath } from '../../../registry/keys/operator-key.ts';
import { whyInvalid, keyOfToken } from '../../../registry/keys/keys.ts';
import { recoverOperatorKey } from '../../../registry/host/recover-key.ts';
import { Registry, type RegistryOptions } from '../../../registry/registry.ts';
import type { KeyRecord } from '../../../registry/state/records.ts';
import type { Store } from '../../../registry/log/store.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { readLog } from '../../support/stores/events.ts';
import { FailingStore, type Plan } from '../../support/stores/failing-store.ts';
import { newFolder } from '../../support/process/folder.ts';
import { optionsOf } from '../../support/apps/registries.ts';

/** Starts with a folder for its key, on a store of the test. It sees events of others only when it polls. */
async function start(
  t: Test,
  dataDir: string,
  store: Store,
  { plan, ...options }: Partial<RegistryOptions> & { plan?: Plan } = {},
): Promise<Registry> {
  const connection = new FailingStore(store, plan);
  connection.deaf = true;
  const registry = await Registry.open(
    optionsOf({ operatorKey: operatorKeyFile(dataDir), ...options, store: connection }),
  );
  t.teardown(() => registry.close());
  return registry;
}

const tokenIn = (dataDir: string) => readFileSync(operatorKeyPath(dataDir), 'utf8').replace(/\n$/u, '');
const made = ({ current }: Registry): KeyRecord[] => [...current.keys.values()];

/** Whether the key in the folder is valid and has scope `*`. */
function opens(registry: Registry, dataDir: string): boolean {
  const record = keyOfToken(registry.current, tokenIn(dataDir));
  return record !== undefined && record.scopes.includes('*') && whyInvalid(record, Date.now()) === undefined;
}

t.test('the first start creates one: a private file, and an event in the same batch', async (t) => {
  const dataDir = newFolder(t);
  const store = await openSqliteStore({ file: join(dataDir, 'registry.db') });
  t.teardown(() => store.close());
  const registry = await start(t, dataDir, store);
  t.match(readFileSync(operatorKeyPath(dataDir), 'utf8'), /^prk_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}\n$/);
  t.equal(statSync(operatorKeyPath(dataDir)).mode & 0o777, 0o600);
  t.same(
    readdirSync(dataDir).filter((name) => name.startsWith('operator')),
    ['operator.key'],
    'nothing else is left',
  );
  t.ok(opens(registry, dataDir));
  const [event] = (await readLog(store)).slice(-1);
  t.match(event, {
    type: 'key-created',
    actor: { keyId: 'system' },
    data: { label: 'operator', scopes: ['*'], keyId: made(registry)[0]?.keyId },
  });
  t.notOk('expiresAt' in event!.data);
  t.equal(event?.at, (await readLog(store))[0]?.at);
});

t.test('a restart creates none and does not touch the file, even if it was removed', async (t) => {
  const [dataDir, store] = [newFolder(t), new MemoryStore()];
  await (await start(t, dataDir, store)).close();
  const before = readFileSync(operatorKeyPath(dataDir), 'utf8');
  const { ino } = statSync(operatorKeyPath(dataDir));
  const again = await start(t, dataDir, store);
  t.same([readFileSync(operatorKeyPath(dataDir), 'utf8'), statSync(operatorKeyPath(dataDir)).ino], [before, ino]);
  t.equal(made(again).length, 1);
  await again.close();
  rmSync(operatorKeyPath(dataDir));
  await start(t, dataDir, store);
  t.notOk(existsSync(operatorKeyPath(dataDir)), 'the one who removed it has it');
});

t.test(
  'a new one is created if the last key with * was revoked or has expired; lesser keys do not count',
  async (t) => {
    const [dataDir, store] = [newFolder(t), new MemoryStore()];
    // Created long ago, when an expiry that has passed was still in the future.
    const clock = { now: () => Date.parse('2026-01-31T09:30:00Z'), newId: () => crypto.randomUUID() };
    const first = await start(t, dataDir, store, { clock });
    await first.createKey({
      label: 'All but *',
      scopes: [
        'prompts:read',
        'packs:publish',
        'packs:activate',
        'packs:revoke',
        'sessions:start',
        'audit:read',
        'metrics:read',
        'keys:admin',
      ],
    });
    await first.createKey({ label: 'For a day', scopes: ['*'], expiresAt: '2026-02-01T00:00:00Z' });
    await first.revokeKey({ keyId: made(first)[0]!.keyId, reason: 'It was on a screen' });
    t.notOk(opens(first, dataDir));
    await first.close();

    const second = await start(t, dataDir, store);
    t.match(
      made(second).map(({ label }) => label),
      ['operator', 'All but *', 'For a day', 'operator'],
    );
    t.ok(opens(second, dataDir), 'the file has the new one');
    const { token = '' } = await second.createKey({ label: 'A second operator', scopes: ['*'] });
    await second.revokeKey({ keyId: made(second)[3]!.keyId, reason: 'Left the team' });
    await second.close();
    const third = await start(t, dataDir, store);
    t.equal(made(third).length, 5, 'another operator’s key is enough');
    t.ok(keyOfToken(third.current, token));
  },
);

t.test('without a place to store it, none is created', async (t) => {
  const registry = await Registry.open(optionsOf());
  t.teardown(() => registry.close());
  t.same(made(registry), []);
});

t.test('the token is on disk before its event is sent', async (t) => {
  const [dataDir, store] = [newFolder(t), new MemoryStore()];
  let seen = 0;
  const registry = await start(t, dataDir, store, {
    plan: ({ batch }) => {
      const event = batch?.events.find(({ type }) => type === 'key-created');
      if (event?.type !== 'key-created') return undefined;
      seen += 1;
      t.equal(readFileSync(`${operatorKeyPath(dataDir)}.new`, 'utf8').split('_')[1], event.data.keyId);
      return undefined;
    },
  });
  t.equal(seen, 1);
  t.ok(opens(registry, dataDir));
});

t.test('a failed append keeps the current key; the next start creates a working one', async (t) => {
  const [dataDir, store] = [newFolder(t), new MemoryStore()];
  writeFileSync(operatorKeyPath(dataDir), 'the key of another registry\n');
  await t.rejects(start(t, dataDir, store, { plan: ({ method }) => (method === 'append' ? 'rejects' : undefined) }), {
    name: 'RegistryError',
    code: 'store-unavailable',
  });
  t.equal(tokenIn(dataDir), 'the key of another registry');
  t.equal(await store.head(), undefined);
  const registry = await start(t, dataDir, store);
  t.ok(opens(registry, dataDir));
  t.same(readdirSync(dataDir), ['operator.key'], 'nothing else is left');
});

t.test('if a start dies before its key is in place, the next start finishes the job', async (t) => {
  const [dataDir, store] = [newFolder(t), new MemoryStore()];
  const dies = { ...operatorKeyFile(dataDir), finishWrite: () => Promise.reject(new Error('It died here.')) };
  await t.rejects(start(t, dataDir, store, { operatorKey: dies }), /It died here/);
  t.notOk(existsSync(operatorKeyPath(dataDir)));
  const registry = await start(t, dataDir, store);
  t.equal(made(registry).length, 1, 'it creates none');
  t.ok(opens(registry, dataDir));
});

t.test('an append with a lost answer creates one key, and the file has it', async (t) => {
  const [dataDir, store] = [newFolder(t), new MemoryStore()];
  const registry = await start(t, dataDir, store, {
    plan: ({ method, turn }) => (method === 'append' && turn === 1 ? 'lost-answer' : undefined),
  });
  t.equal(made(registry).length, 1);
  t.ok(opens(registry, dataDir));
});

t.test(
  'of two simultaneous first starts one creates the key; the other leaves no file with an invalid token',
  async (t) => {
    const [winner, loser, store] = [newFolder(t), newFolder(t), new MemoryStore()];
    let first: Registry | undefined;
    const second = await start(t, loser, store, {
      plan: async ({ method, turn }) => {
        if (method === 'append' && turn === 1) first = await start(t, winner, store);
        return undefined;
      },
    });
    t.ok(first);
    t.equal(made(second).length, 1);
    t.ok(opens(second, winner));
    t.notOk(existsSync(operatorKeyPath(loser)));
  },
);

t.test('a file that cannot be written stops the start, and nothing is registered', async (t) => {
  const [dataDir, store] = [newFolder(t), new MemoryStore()];
  mkdirSync(operatorKeyPath(dataDir)); // a folder is in its place
  await t.rejects(start(t, dataDir, store), {
    name: 'StartRefused',
    exitCode: 78,
    message: /operator key cannot be written to .*operator\.key/,
  });
  await t.rejects(start(t, join(dataDir, 'nowhere'), store), { name: 'StartRefused', exitCode: 78 });
  t.equal(await store.head(), undefined);
});

t.test('a recovered key is a normal event, and earlier keys still work', async (t) => {
  const [dataDir, store] = [newFolder(t), new MemoryStore()];
  const running = await start(t, dataDir, store);
  const old = tokenIn(dataDir);
  const { keyId, revision } = await recoverOperatorKey(new FailingStore(store), operatorKeyFile(dataDir));
  t.not(tokenIn(dataDir), old);
  t.equal(keyOfToken(running.current, tokenIn(dataDir)), undefined, 'the running instance has not applied it yet');
  await running.instance.catchUp();
  t.ok(opens(running, dataDir));
  t.ok(keyOfToken(running.current, old));
  const [event] = (await readLog(store)).slice(-1);
  t.match(event, {
    revision,
    type: 'key-created',
    actor: { keyId: 'system' },
    data: { keyId, label: 'operator (recovered on the host)', scopes: ['*'] },
  });
  await running.activate({ version: '1.0.0', reason: 'It goes on behind it' });
  t.match(await running.verify(), { valid: true, events: revision + 1 });
});

t.test('a failed recovery does not change the current key', async (t) => {
  const [dataDir, store] = [newFolder(t), new MemoryStore()];
  const running = await start(t, dataDir, store);
  const [old, { ino }] = [tokenIn(dataDir), statSync(operatorKeyPath(dataDir))];
  const failing = (plan: Plan) => recoverOperatorKey(new FailingStore(store, plan), operatorKeyFile(dataDir));
  await t.rejects(
    failing(({ method }) => (method === 'append' ? 'rejects' : undefined)),
    { code: 'store-unavailable' },
  );
  t.same(
    [tokenIn(dataDir), statSync(operatorKeyPath(dataDir)).ino, readdirSync(dataDir)],
    [old, ino, ['operator.key']],
  );

  await t.rejects(
    failing(({ method }) => (method === 'append' ? 'unknown' : undefined)),
    { code: 'outcome-unknown' },
  );
  t.equal(tokenIn(dataDir), old, 'nor if the outcome is unknown');
  await recoverOperatorKey(store, operatorKeyFile(dataDir));
  await running.instance.catchUp();
  t.ok(opens(running, dataDir));
  t.same(readdirSync(dataDir), ['operator.key']);
});

t.test('if a recovery with unknown outcome did create its key, the next start finishes it', async (t) => {
  const [dataDir, store] = [newFolder(t), new MemoryStore()];
  await (await start(t, dataDir, store)).close();
  const old = tokenIn(dataDir);
  const dies = {
    ...operatorKeyFile(dataDir),
    finishWrite: (isInLog: (token: string) => boolean) =>
      existsSync(`${operatorKeyPath(dataDir)}.new`)
        ? Promise.reject(new Error('It died here.'))
        : operatorKeyFile(dataDir).finishWrite(isInLog),
  };
  await t.rejects(recoverOperatorKey(new FailingStore(store), dies), /It died here/);
  t.equal(tokenIn(dataDir), old);
  const again = await start(t, dataDir, store);
  t.not(tokenIn(dataDir), old);
  t.ok(opens(again, dataDir));
});

t.test('a recovery next to a writer gets the next revision; an empty log has nothing to recover', async (t) => {
  const [dataDir, store] = [newFolder(t), new MemoryStore()];
  await t.rejects(recoverOperatorKey(store, operatorKeyFile(dataDir)), /The log is empty\. Start the service once/);
  t.notOk(existsSync(operatorKeyPath(dataDir)));
  const running = await start(t, dataDir, store);
  const between = new FailingStore(store, async ({ method, turn }) => {
    if (method === 'append' && turn === 1) await running.activate({ version: '1.0.0', reason: 'Quicker' });
    return undefined;
  });
  const { revision } = await recoverOperatorKey(between, operatorKeyFile(dataDir));
  t.equal(revision, running.current.revision + 1);
  await running.instance.catchUp();
  t.ok(opens(running, dataDir));
});
