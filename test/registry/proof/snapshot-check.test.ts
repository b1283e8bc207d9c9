/**
 * A start from a last good snapshot without a MAC is proved by the log: whatever somebody changed in the file, with a seal that fits, is found
 * in the background, said at `error` and at /readyz, and the log's state is served.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import type { Registry, RegistryOptions } from '../../../registry/registry.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openApp } from '../../support/apps/app.ts';
import { readLog } from '../../support/stores/events.ts';
import { FailingStore, type Call, type Plan } from '../../support/stores/failing-store.ts';
import { newFolder } from '../../support/process/folder.ts';
import { shippedOf, versionOf } from '../../support/packs/pack-documents.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { resealed } from '../../support/stores/snapshot-files.ts';
import { plain } from '../../support/stores/snapshots.ts';
import { until } from '../../support/process/until.ts';

const reason = 'Users report that answers are too blunt';
const FORGED = { keyId: 'forged000001', secret: 's'.repeat(43) };
const forgedKey = JSON.stringify({
  key: {
    keyId: FORGED.keyId,
    label: 'operator',
    scopes: ['*'],
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: { keyId: 'system', label: 'system' },
    secretHash: createHash('sha256').update(FORGED.secret).digest('hex'),
  },
});

/** Whether a call is of the check in the background. */
const isCheck = ({ query }: Call) => query?.before !== undefined && query.exact !== true;

/** A registry with something of everything, closed, and starts from what it left behind. */
async function leftBehind(t: Test, members: Partial<RegistryOptions> = {}) {
  const dataDir = newFolder(t);
  const store = new MemoryStore();
  t.teardown(() => store.close());
  const registry = await openRegistry(t, { store: new FailingStore(store), dataDir, ...members });
  for (const version of ['1.1.0', '1.0.0', '2.0.0']) await registry.activate({ version, reason });
  await registry.revoke({ pack: 'coach', version: '1.1.0', reason });
  const { record } = await registry.createKey({ label: 'CI', scopes: ['*'], heldScopes: ['*'] });
  await registry.revokeKey({ keyId: record.keyId, reason, heldScopes: ['*'] });
  await registry.close();
  const file = join(dataDir, 'snapshot.jsonl');
  const edit = (change: (line: string) => string) => writeFileSync(file, resealed(readFileSync(file), change));
  const start = async (more: Partial<RegistryOptions> = {}, plan?: Plan) => {
    const logger = new RecordedLogger();
    const connection = new FailingStore(store, plan);
    return {
      registry: await openRegistry(t, { store: connection, dataDir, logger, ...members, ...more }),
      logger,
      connection,
    };
  };
  return { dataDir, file, edit, store, start, keyId: record.keyId };
}

/** What is served, as JSON has it: without members that have no value. */
const stateOf = ({ current }: Registry): unknown => JSON.parse(JSON.stringify(plain(current)));

/** What somebody may change, and how the error names it. */
const EDITS: readonly (readonly [title: string, change: (line: string) => string, named: RegExp])[] = [
  [
    'a revocation of a version is left out',
    (line) => line.replace(/,"revocation":\{.*?\}(?=\}\}$)/u, ''),
    /^version 1\.1\.0 of pack "coach"$/u,
  ],
  ['a revocation of a key is left out', (line) => line.replace(/"revokedAt":"[^"]*",/u, ''), /^key \w{12}$/u],
  [
    'a key that may do everything is added',
    (line) => (line.startsWith('{"format"') ? `${line}\n${forgedKey}` : line),
    /^key forged000001$/u,
  ],
  [
    'a channel points elsewhere',
    (line) =>
      line.replace(
        /("channel":"production","version":")2\.0\.0(","digest":")[^"]*/u,
        `$11.0.0$2${versionOf('coach', '1.0.0').digest}`,
      ),
    /^channel production of pack "coach"$/u,
  ],
  [
    'a rollback would lead elsewhere',
    (line) => line.replace('"stack":["2.0.0","1.1.0"', '"stack":["2.0.0","1.0.0"'),
    /^channel production of pack "coach"$/u,
  ],
  [
    'a version was never active',
    (line) => line.replace('"everActive":["2.0.0","1.1.0","1.0.0"]', '"everActive":["2.0.0"]'),
    /^channel production of pack "coach"$/u,
  ],
  [
    'a version is gone',
    (line) => (line.startsWith('{"version":') && line.includes('"version":"1.0.0"') ? '' : line),
    /^version 1\.0\.0 of pack "coach"$/u,
  ],
  [
    'a floor is set',
    (line) => line.replace(/^\{"pack":"coach",/u, '{"pack":"coach","policy":{"digest":"none"},'),
    /^the policy of pack "coach"$/u,
  ],
  [
    'a verdict of the floor is added',
    (line) => line.replace(/("version":"1\.0\.0".*"violations":)\[\]/u, '$1[{"rule":"clause","detail":"Not true"}]'),
    /^version 1\.0\.0 of pack "coach"$/u,
  ],
  [
    'sessions are signed with a known key',
    (line) => line.replace(/("sessionKeys":\[\{"keyId":"\w+","secret":")[^"]*/u, `$1${'A'.repeat(43)}`),
    /^session key \w{6}$/u,
  ],
];

for (const [title, change, named] of EDITS) {
  t.test(`${title}: the edit is found, and the log is served`, async (t) => {
    const { edit, file, start, store } = await leftBehind(t);
    const whole = stateOf(await openRegistry(t, { store: new FailingStore(store) }));
    const before = readFileSync(file, 'utf8');
    edit(change);
    t.not(
      readFileSync(file, 'utf8').replaceAll(/"seal":"\w+"/gu, ''),
      before.replaceAll(/"seal":"\w+"/gu, ''),
      'it was changed',
    );
    const { registry, logger } = await start({ shipped: [] });
    await until(() => registry.health().conditions.length > 0);
    t.match(registry.health(), { ready: true, conditions: [{ name: 'snapshot-differs' }] });
    const errors = logger.lines.filter(({ level }) => level === 'error');
    t.equal(errors.length, 1);
    const { differs } = errors[0]?.fields as { differs: string[] };
    t.equal(differs.length, 1);
    t.match(differs[0], named);
    await until(() => isDeepStrictEqual(stateOf(registry), whole));
    await registry.close();
    const next = await start({ shipped: [] });
    t.strictSame(stateOf(next.registry), whole, 'the file was repaired');
    t.same(next.registry.health().conditions, []);
  });
}

t.test(
  'a log with a changed event proves nothing: the snapshot is still served, and the log is reported as broken',
  async (t) => {
    const { start, store, file } = await leftBehind(t);
    const served = stateOf(await openRegistry(t, { store: new FailingStore(store) }));
    const before = readFileSync(file, 'utf8');
    const changed = Object.assign(new FailingStore(store), {
      events: async (query: Parameters<typeof store.events>[0]) =>
        (await store.events(query)).map((event) => (event.revision === 3 ? { ...event, reason: 'Another' } : event)),
    });
    const { registry, logger } = await start({ shipped: [], store: changed });
    await until(() => registry.health().conditions.length > 0);
    t.match(registry.health(), {
      conditions: [
        { name: 'snapshot-differs', detail: /the log cannot be folded: Revision 3 does not have its hash/u },
      ],
    });
    t.match(logger.messages('error'), [
      /^The log is broken, so it cannot prove the last good snapshot.*npm run audit:verify/u,
    ]);
    t.strictSame(stateOf(registry), served);
    await registry.close();
    t.equal(readFileSync(file, 'utf8'), before, 'the file is kept as it was');
  },
);

t.test('over HTTP: an added key works until the log is read; then it is refused, and /readyz says why', async (t) => {
  const first = await openApp(t, { store: 'memory' });
  const dataDir = newFolder(t);
  const other = await openApp(t, { after: first, registry: { dataDir } });
  await other.app.close();
  const file = join(dataDir, 'snapshot.jsonl');
  writeFileSync(
    file,
    resealed(readFileSync(file), (line) => (line.startsWith('{"format"') ? `${line}\n${forgedKey}` : line)),
  );
  const edited = await openApp(t, { after: first, registry: { dataDir } });
  const readyz = async () =>
    (await edited.app.inject('/readyz')).json<{ conditions: { name: string; detail: string }[] }>().conditions;
  await until(() => edited.app.registry.health().conditions.length > 0);
  t.match(await readyz(), [{ name: 'snapshot-differs', detail: /differs from the log: key forged000001\.$/u }]);
  await until(() => !edited.app.registry.current.keys.has(FORGED.keyId));
  const answer = await edited.app.inject({
    url: '/v1/packs',
    headers: { authorization: `Bearer prk_${FORGED.keyId}_${FORGED.secret}` },
  });
  t.equal(answer.statusCode, 401);
});

t.test('an unchanged file is compared in small steps, and nothing is reported', async (t) => {
  const { start, store } = await leftBehind(t);
  const writer = await openRegistry(t, { store: new FailingStore(store) });
  for (let turn = 0; turn < 300; turn += 1)
    await writer.activate({ version: turn % 2 === 0 ? '1.0.0' : '2.0.0', reason });
  await (await start()).registry.close(); // from here on the file is at the end of the log
  const { registry, logger, connection } = await start();
  const checks = () => connection.calls.filter(isCheck);
  const last = registry.current.revision;
  await until(() => checks().some(({ query }) => (query?.after ?? 0) >= last - 100));
  await until(() => connection.calls.filter(({ method }) => method === 'sessionKeys').length === 2);
  t.ok(
    checks().length > 3 && checks().every(({ query }) => (query?.limit ?? Infinity) <= 100),
    `${checks().length} reads of a hundred events at most`,
  );
  t.same(registry.health().conditions, []);
  t.same(logger.messages('error'), []);
});

t.test('nothing waits for the comparison; the comparison waits for the store', async (t) => {
  const { edit, start, keyId } = await leftBehind(t);
  edit((line) => line.replace(/"revokedAt":"[^"]*",/u, ''));
  let tries = 0;
  const { registry } = await start({ failStatic: true, shipped: [] }, (call) => {
    if (call.method !== 'events' || !isCheck(call)) return undefined;
    tries += 1;
    return tries < 2 ? 'rejects' : undefined;
  });
  t.equal(registry.current.keys.get(keyId)?.revokedAt, undefined, 'the file is served at once');
  await until(() => registry.health().conditions.some(({ name }) => name === 'snapshot-differs'));
  t.equal(tries, 2, 'it was tried again');
  await until(() => registry.current.keys.get(keyId)?.revokedAt !== undefined);
});

t.test('a start without the store serves the file, and proves it as soon as the store answers', async (t) => {
  const { edit, start, store, keyId } = await leftBehind(t);
  edit((line) => line.replace(/"revokedAt":"[^"]*",/u, ''));
  const away = new FailingStore(store);
  away.away = true;
  const { registry } = await start({ failStatic: true, shipped: [], store: away });
  t.match(registry.health(), { ready: true, conditions: [{ name: 'stale' }] });
  away.away = false;
  await until(() => registry.health().conditions.some(({ name }) => name === 'snapshot-differs'));
  await until(() => registry.current.keys.get(keyId)?.revokedAt !== undefined);
});

t.test(
  'a start that adds something reads the log first: a version that was left out is not registered a second time',
  async (t) => {
    const { edit, start, store } = await leftBehind(t);
    edit((line) => (line.startsWith('{"version":') && line.includes('"version":"1.0.0"') ? '' : line));
    const revision = (await store.head())?.revision;
    const { registry, logger } = await start();
    t.match(registry.health().conditions, [{ name: 'snapshot-differs' }], 'it is known at once');
    t.equal((await store.head())?.revision, revision, 'nothing was added');
    t.equal(logger.messages('error').length, 1);
    await registry.close();
    const next = await start({ shipped: shippedOf('coach@1.0.0', 'coach@3.0.0') });
    t.equal((await store.head())?.revision, (revision ?? 0) + 1, 'and what is new is added');
    t.equal(
      (await readLog(store)).filter(({ type, version }) => type === 'version-published' && version === '1.0.0').length,
      1,
    );
    t.match(await next.registry.verify(), { valid: true });
  },
);

t.test('verify compares the served state with the log', async (t) => {
  const { edit, start } = await leftBehind(t);
  edit((line) => line.replace(/"revokedAt":"[^"]*",/u, ''));
  const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
  const { registry } = await start({ shipped: [] }, (call) =>
    call.method === 'events' && isCheck(call) ? held : undefined,
  );
  const { revision } = registry.current;
  t.match(await registry.verify(), {
    valid: false,
    firstBroken: {
      revision,
      detail: /^What is served at revision \d+ is not what the log says\. It differs in: key \w{12}\.$/u,
    },
  });
  letGo(undefined);
  await until(() => registry.health().conditions.length > 0);
  await until(() => [...registry.current.keys.values()].every(({ revokedAt }) => revokedAt !== undefined));
  t.match(await registry.verify(), { valid: true, events: revision });
});

t.test('a file with a MAC needs no proof by the log', async (t) => {
  const { start } = await leftBehind(t, { snapshotKey: Buffer.alloc(32, 7) });
  const { registry, connection } = await start();
  await registry.activate({ version: '1.0.0', reason });
  t.same(connection.calls.filter(isCheck), []);
});
