/**
 * A start without PostgreSQL (SPEC R9) serves the last good snapshot, marked with its age, and never serves a damaged one.
 *
 * Problem: the machine of an instance restarts during an outage. The snapshot on its disk may be whole, older than another one, damaged or
 * missing.
 * Rule: the latest whole snapshot is served, with its keys and sessions. Without one the start waits, alive and not ready, and becomes ready
 * once the store is back.
 * Example: three instances are killed, their disks prepared and PostgreSQL refused. They start, and then PostgreSQL is back.
 */
import { copyFileSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startInstances, until, type Body, type TestInstance, type TestInstances } from '../support/apps/instances.ts';
import { formatAndRevision } from '../support/stores/snapshot-files.ts';

const length = process.env['TEST_LENGTH'] ?? 'short';
const RETURN_BOUND = 5000;
/** The age of the last good snapshot, in seconds. */
const AGE = 3600;
t.setTimeout(120_000);

const snapshotOf = (instance: TestInstance) => join(instance.dataDir, 'snapshot.jsonl');

t.test('cold starts', async (t) => {
  const cluster = await startInstances(t, { count: 3 });
  const [whole, damaged, temporary] = cluster.instances as [TestInstance, TestInstance, TestInstance];
  const history = await makeHistory(cluster);
  copyFileSync(snapshotOf(temporary), join(temporary.dataDir, 'older.jsonl'));
  await history.goOn();
  for (const instance of cluster.instances) await instance.server.kill();

  t.test('a whole snapshot, a damaged one, and a later one with its temporary name', async (t) => {
    const then = new Date(Date.now() - AGE * 1000);
    utimesSync(snapshotOf(whole), then, then);
    const text = readFileSync(snapshotOf(damaged));
    const offset = Math.floor(text.length / 2);
    text[offset] = text[offset]! ^ 1;
    writeFileSync(snapshotOf(damaged), text);
    copyFileSync(snapshotOf(temporary), `${snapshotOf(temporary)}.tmp`);
    copyFileSync(join(temporary.dataDir, 'older.jsonl'), snapshotOf(temporary));
    await startWithoutStore(cluster);
    await serves(t, whole, history, 'a whole snapshot');
    const stale = Number((await whole.ask('/v1/packs/coach/active')).header('registry-stale'));
    t.ok(stale >= AGE, `the response has its age: ${stale} s`);
    await serves(t, temporary, history, 'a later temporary file next to an older snapshot');
    await waits(t, damaged, 'a damaged snapshot');
    await storeIsBack(t, cluster);
  });

  t.test('no snapshot, a truncated one, and keys older than KEY_MAX_STALE', async (t) => {
    for (const instance of cluster.instances) await instance.server.kill();
    rmSync(temporary.dataDir, { recursive: true });
    truncateSync(snapshotOf(damaged), Math.floor(readFileSync(snapshotOf(damaged)).length / 3));
    const then = new Date(Date.now() - AGE * 1000);
    utimesSync(snapshotOf(whole), then, then);
    await startWithoutStore(cluster, (instance) => (instance === whole ? { KEY_MAX_STALE: '30m' } : {}));
    await waits(t, temporary, 'a fresh instance');
    await waits(t, damaged, 'a snapshot that is cut short');

    const refused = await whole.ask('/v1/packs/coach/active');
    t.match(
      { status: refused.status, code: refused.body['code'] },
      { status: 503, code: 'store-unavailable' },
      'keys are not honoured for longer than KEY_MAX_STALE',
    );
    t.ok(refused.header('retry-after'), 'and the refusal says when to come again');
    for (const path of ['/livez', '/readyz'])
      t.equal((await whole.ask(path)).status, 200, `an open path ignores the key: ${path}`);
    await storeIsBack(t, cluster);
    t.equal((await whole.ask('/v1/packs/coach/active')).status, 200, 'and keys are honoured again');
  });

  t.test('KEY_MAX_STALE while it runs', { skip: length === 'short' && 'a wait of seven seconds' }, async (t) => {
    await whole.restart({ more: { KEY_MAX_STALE: '6s' } });
    t.equal((await whole.ask('/v1/packs/coach/active')).status, 200);
    whole.proxy.set('black-hole');
    await until('keys refused', 9000, async () => (await whole.ask('/v1/packs/coach/active')).status === 503);
    t.equal((await whole.ask('/readyz')).body['stale'], true);
    t.ok(Number((await whole.ask('/readyz')).body['staleSeconds']) > 6, 'not before they are older than it allows');
    whole.proxy.set('pass');
    await until(
      'keys honoured again',
      RETURN_BOUND,
      async () => (await whole.ask('/v1/packs/coach/active')).status === 200,
    );
  });
});

interface History {
  readonly goodKey: string;
  readonly revokedKey: string;
  /** A session on 2.0.0, which is no longer active. */
  readonly session: Body;
  /** The active version at the end. */
  readonly version: string;
  /** The last event; the snapshots on the disks include it. */
  readonly goOn: () => Promise<void>;
}

/** A session, a key and a revoked key, in the log and on every disk. */
async function makeHistory({ instances }: TestInstances): Promise<History> {
  const [first] = instances as [TestInstance];
  const newKey = async (label: string) =>
    (await first.ask('/v1/keys', { label, scopes: ['prompts:read', 'sessions:start'] })).body;
  const [good, revoked] = [await newKey('Good'), await newKey('To be revoked')];
  const { body: session } = await first.ask('/v1/coach/sessions', {});
  const older = await first.ask('/v1/packs/coach/activations', { version: '1.0.0', reason: 'An older state' });
  await onDisk(instances, Number(older.body['revision']));
  const goOn = async () => {
    await first.ask(`/v1/keys/${String(revoked['keyId'])}/revoke`, { reason: 'Lost' });
    const { body } = await first.ask('/v1/packs/coach/activations', { version: '1.1.0', reason: 'The last state' });
    await onDisk(instances, Number(body['revision']));
  };
  return { goodKey: String(good['secret']), revokedKey: String(revoked['secret']), session, version: '1.1.0', goOn };
}

async function onDisk(instances: readonly TestInstance[], revision: number): Promise<void> {
  await Promise.all(
    instances.map((instance) =>
      until(
        `revision ${revision} on the disk`,
        5000,
        () => formatAndRevision(snapshotOf(instance)).revision >= revision,
      ),
    ),
  );
}

async function startWithoutStore(
  { instances }: TestInstances,
  more: (instance: TestInstance) => Readonly<Record<string, string>> = () => ({}),
): Promise<void> {
  for (const { proxy } of instances) proxy.set('refuse');
  await Promise.all(instances.map((instance) => instance.start({ identify: false, more: more(instance) })));
}

/** The last good snapshot is served: active versions, keys, sessions. Writes are refused. */
async function serves(
  t: Test,
  instance: TestInstance,
  { goodKey, revokedKey, session, version }: History,
  name: string,
): Promise<void> {
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  const active = await instance.ask('/v1/packs/coach/active', undefined, as(goodKey));
  t.match(
    { status: active.status, version: active.body['version'] },
    { status: 200, version },
    `${name}: what was active is served, to a key of the log`,
  );
  t.ok(Number(active.header('registry-stale')) >= 0, `${name}: marked (${active.header('registry-stale')} s)`);
  t.equal(
    (await instance.ask('/v1/packs/coach/active', undefined, as(revokedKey))).status,
    401,
    `${name}: a revoked key stays refused`,
  );
  const pinned = await instance.ask(`/v1/coach/sessions/${String(session['sessionId'])}`, undefined, as(goodKey));
  t.match(
    pinned,
    { status: 200, body: { ...session, superseded: true } },
    `${name}: a session of a version that is no longer active`,
  );
  const started = await instance.ask('/v1/coach/sessions', {}, as(goodKey));
  t.match(started, { status: 201, body: { promptPack: { version } } }, `${name}: a session is started`);
  t.equal((await instance.ask(`/v1/coach/sessions/${String(started.body['sessionId'])}`)).status, 200);
  t.match(await instance.ask('/readyz'), { status: 200, body: { stale: true } }, `${name}: ready, stale`);
  const write = await instance.ask('/v1/packs/coach/activations', { version: '2.0.0', reason: 'Without a store' });
  t.match(write, { status: 503, body: { code: 'store-unavailable' } }, `${name}: nothing is written`);
}

/** Nothing is served, and the response says why. */
async function waits(t: Test, instance: TestInstance, name: string): Promise<void> {
  const ready = await instance.ask('/readyz', undefined, { authorization: '' });
  t.match(
    ready,
    {
      status: 503,
      body: {
        code: 'not-ready',
        conditions: [{ name: 'waiting', detail: /store cannot be reached.*no last good snapshot/u }],
      },
    },
    `${name}: not ready, and says why`,
  );
  t.ok(ready.header('retry-after'));
  t.equal((await instance.ask('/livez', undefined, { authorization: '' })).status, 200, `${name}: alive`);
  for (const path of [
    '/v1/packs/coach/active',
    '/v1/prompts/system',
    '/v1/packs',
    '/v1/audit/head',
    '/v1/instances',
    '/v1/events',
  ]) {
    const { status, body } = await instance.ask(path);
    t.match({ status, code: body['code'] }, { status: 503, code: 'not-ready' }, `${name}: ${path}`);
  }
  t.match(
    await instance.ask('/v1/coach/sessions', {}),
    { status: 503, body: { code: 'not-ready' } },
    `${name}: a session start`,
  );
}

/** All become ready and current without a restart, and agree. */
async function storeIsBack(t: Test, { instances, postgres, url }: TestInstances): Promise<void> {
  for (const { proxy } of instances) proxy.set('pass');
  const [head] = await postgres.sql('SELECT revision FROM log_head', url);
  await Promise.all(
    instances.map((instance, index) =>
      until(`instance ${index} ready and current`, RETURN_BOUND, async () => {
        const { status, body } = await instance.ask('/readyz');
        return status === 200 && body['stale'] === false && body['revision'] === Number(head?.['revision']);
      }),
    ),
  );
  const replies = await Promise.all(instances.map((instance) => instance.ask('/v1/packs/coach/active')));
  t.same(
    replies.map((reply) => [reply.status, reply.header('registry-stale'), reply.body['version']]),
    replies.map(() => [200, undefined, '1.1.0']),
    'all become current on their own, unmarked, and are one registry: none was made again',
  );
}
