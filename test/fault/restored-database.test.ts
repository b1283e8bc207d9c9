/**
 * A replaced database (SPEC R10; DESIGN section 4): restored from a backup, emptied, or another registry's.
 *
 * Problem: revisions that instances and clients have seen are gone from the log, and would be used a second time.
 * Rule: no instance follows this log or bootstraps over it, not even after a restart; it serves what it has applied, marked. An operator accepts a
 * restore (`npm run restore:accept`), which opens a new epoch. Then every instance and stream recovers without a restart.
 * Example: the database is at revision 20 and is restored at 15. All serve 20, marked, until revision 16 opens epoch 2. To repeat the client's
 * hops: TEST_SEED=….
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { EventStream } from '../support/http/event-stream.ts';
import { newFolder } from '../support/process/folder.ts';
import { startInstances, until, type TestInstance, type TestInstances } from '../support/apps/instances.ts';
import { runScript } from '../support/apps/script.ts';

const RETURN_BOUND = 5000;
const WRITE_BOUND = 2000;
const seed = newSeed();
t.setTimeout(120_000);

t.test(`replaced databases, TEST_SEED=${seed}`, async (t) => {
  const backup = join(newFolder(t), 'backup');
  const cluster = await startInstances(t, { count: 3 });
  const { instances, postgres, key } = cluster;
  const [a, b] = instances as [TestInstance, TestInstance, TestInstance];
  const client = hoppingClient(instances);
  t.teardown(() => client.stop());

  t.test('restored from an older copy', async (t) => {
    await move(a, '1.1.0');
    const old = await headOf(cluster);
    await away(cluster);
    await postgres.copyDataTo(backup);
    await postgres.restart();
    await until(
      'writing again',
      RETURN_BOUND,
      async () =>
        (await a.ask('/v1/packs/coach/activations', { version: '1.0.0', reason: 'After the backup' })).status === 201,
    );
    const { revision } = await move(a, '2.0.0');
    await allAt(instances, revision);
    const streams = await Promise.all(instances.map(({ address }) => EventStream.open({ address, key })));
    t.teardown(() => streams.forEach((stream) => stream.cut()));

    await away(cluster);
    await postgres.replaceDataFrom(backup);
    await postgres.restart();
    await notFollowed(t, cluster, '2.0.0');
    t.equal(await headOf(cluster), old, 'nothing was written to the older log');

    await b.restart({ identify: false });
    await notFollowed(t, cluster, '2.0.0');
    t.equal(await headOf(cluster), old, 'nor after a restart');

    const accepted = await runScript(t, 'restore-accept', ['--reason', 'The disk was lost'], {
      DATA_DIR: b.dataDir,
      STORE_URL: cluster.url,
    });
    t.match(accepted, { code: 0, stdout: new RegExp(`revision ${old + 1} opens epoch 2`, 'u') }, accepted.stderr);
    await inLine(t, cluster, { epoch: '2', version: '1.1.0' });
    const resyncs = await Promise.all(
      [streams[0]!, streams[2]!].map((stream) => stream.next(({ event }) => event === 'resync')),
    );
    t.same(
      resyncs.map(({ data: { epoch, revision: at } }) => [epoch, at]),
      resyncs.map(() => [2, old + 1]),
      'streams get a resync',
    );
    const next = await move(b, '1.0.0');
    const heard = await Promise.all(
      [streams[0]!, streams[2]!].map((stream) => stream.next(({ data }) => data.type === 'version-activated')),
    );
    t.same(
      heard.map(({ data }) => [data.epoch, data.revision]),
      heard.map(() => [2, next.revision]),
      'and go on from there',
    );
    t.ok(next.revision <= revision, 'at a revision that the epoch before had issued');
    const verified = await runScript(t, 'audit-verify', [], { DATA_DIR: a.dataDir, STORE_URL: cluster.url });
    t.equal(verified.code, 0, `${verified.stdout}${verified.stderr}`);
    t.match(
      await a.ask('/v1/audit/events?type=registry-restored'),
      { body: { events: [{ reason: 'The disk was lost', data: { epoch: 2 } }] } },
      'the log says who did it and why',
    );
  });

  t.test('a client that hops and sends what it saw', async (t) => {
    const { seen, faults } = await client.stop();
    t.same(faults, [], 'it never goes back');
    t.ok(seen > 50, `${seen} answers`);
  });

  t.test('emptied', async (t) => {
    await swap(cluster, 'CREATE DATABASE {name}');
    await notFollowed(t, cluster, '1.0.0', '2');
    await b.restart({ identify: false });
    await notFollowed(t, cluster, '1.0.0', '2');
    t.equal(await headOf(cluster), 0, 'no instance bootstrapped over it');
    const accepted = await runScript(t, 'restore-accept', [], { DATA_DIR: a.dataDir, STORE_URL: cluster.url });
    t.match(accepted, { code: 1, stderr: /log is empty/u }, 'it cannot be accepted');
  });

  t.test("another registry's", async (t) => {
    const other = await startInstances(t, { count: 1, postgres });
    const [stranger] = other.instances as [TestInstance];
    await stranger.server.stop();
    await swap(cluster, `ALTER DATABASE ${nameOf(other.url)} RENAME TO {name}`);
    await notFollowed(t, cluster, '1.0.0', '2');
    const accepted = await runScript(t, 'restore-accept', [], { DATA_DIR: stranger.dataDir, STORE_URL: cluster.url });
    t.equal(accepted.code, 0, accepted.stderr);
    const head = await headOf(cluster);
    await pause(2500); // two polls, in which they could follow it
    await notFollowed(t, cluster, '1.0.0', '2');
    t.equal(await headOf(cluster), head, 'they do not follow an accepted restore of another registry');
  });

  t.test('the right database again', async (t) => {
    await swap(cluster, `ALTER DATABASE parked_1 RENAME TO {name}`);
    await inLine(t, cluster, { epoch: '2', version: '1.0.0' });
    t.ok((await move(a, '2.0.0')).revision > 0, 'writes succeed again');
  });
});

/** All instances serve what they have, marked, say why, and refuse writes. */
async function notFollowed(t: Test, { instances }: TestInstances, version: string, epoch?: string): Promise<void> {
  await Promise.all(
    instances.map(async (instance, index) => {
      const { body } = await until(`instance ${index} says that the log has diverged`, 15_000, async () => {
        const reply = await instance.ask('/readyz');
        return JSON.stringify(reply.body['conditions']).includes('log-diverged') && reply;
      });
      t.match(body, { status: 'ready', stale: true }, `instance ${index}: ready, and says that the log has diverged`);
      const active = await instance.ask('/v1/packs/coach/active');
      t.match(
        [active.status, active.body['version'], active.header('registry-epoch')],
        [200, version, epoch],
        `instance ${index}: serves what it has applied`,
      );
      t.ok(active.header('registry-stale') !== undefined, `instance ${index}: marked`);
      t.equal((await instance.ask('/v1/coach/sessions', {})).status, 201, `instance ${index}: starts sessions`);
      const write = await instance.ask('/v1/packs/coach/activations', { version: '1.1.0', reason: 'Into another log' });
      t.match(
        [write.status, write.body['code']],
        [503, 'store-unavailable'],
        `instance ${index}: writes nothing: ${write.text.slice(0, 200)}`,
      );
      t.ok(write.ms <= WRITE_BOUND);
    }),
  );
}

/** All instances follow the log, unmarked, without a restart. */
async function inLine(
  t: Test,
  { instances }: TestInstances,
  { epoch, version }: { epoch: string; version: string },
): Promise<void> {
  await Promise.all(
    instances.map(async (instance, index) => {
      await until(`instance ${index} in line`, RETURN_BOUND, async () => {
        const { body } = await instance.ask('/readyz');
        return body['stale'] === false && (body['conditions'] as unknown[]).length === 0;
      });
      const active = await instance.ask('/v1/packs/coach/active');
      t.same(
        [active.status, active.body['version'], active.header('registry-epoch'), active.header('registry-stale')],
        [200, version, epoch, undefined],
        `instance ${index}: in line on its own, in epoch ${epoch}`,
      );
    }),
  );
}

/** Reads at random instances and sends the position it saw last; after a refusal it asks another instance. */
function hoppingClient(instances: readonly TestInstance[]): { stop(): Promise<{ seen: number; faults: string[] }> } {
  const random = randomFrom(seed);
  const faults: string[] = [];
  const position = { epoch: 1, revision: 0 };
  let [seen, goesOn] = [0, true];
  const reading = (async () => {
    while (goesOn) {
      await pause(10);
      const at = Math.floor(random() * instances.length);
      const passedOn = { 'registry-min-revision': String(position.revision), 'registry-epoch': String(position.epoch) };
      const reply = await instances[at]!.ask(
        '/v1/packs/coach/active',
        undefined,
        position.revision === 0 ? {} : passedOn,
      ).catch(() => undefined); // it restarts
      if (reply === undefined || reply.status === 503) continue;
      const [epoch, revision] = [
        Number(reply.header('registry-epoch') ?? 1),
        Number(reply.header('registry-revision')),
      ];
      seen += 1;
      if (reply.status !== 200)
        faults.push(`${reply.status} after (${position.epoch}, ${position.revision}): ${reply.text}`);
      else if (epoch < position.epoch || (epoch === position.epoch && revision < position.revision))
        faults.push(`instance ${at}: (${epoch}, ${revision}) after (${position.epoch}, ${position.revision})`);
      else Object.assign(position, { epoch, revision });
    }
  })();
  return {
    stop: async () => {
      goesOn = false;
      await reading;
      return { seen, faults };
    },
  };
}

async function move(instance: TestInstance, version: string): Promise<{ revision: number }> {
  const { status, body, text } = await instance.ask('/v1/packs/coach/activations', {
    version,
    reason: `To ${version}`,
  });
  if (status !== 201) throw new Error(`Not activated: ${status} ${text}`);
  return { revision: Number(body['revision']) };
}

async function allAt(instances: readonly TestInstance[], revision: number): Promise<void> {
  for (const instance of instances)
    await until(
      `revision ${revision}`,
      RETURN_BOUND,
      async () => Number((await instance.ask('/readyz')).body['revision']) >= revision,
    );
}

async function away({ postgres }: TestInstances): Promise<void> {
  await postgres.stop();
}

async function headOf({ postgres, url }: TestInstances): Promise<number> {
  const [row] = await postgres.sql("SELECT to_regclass('log_head') IS NOT NULL AS made", url);
  const [head] = row?.['made'] === true ? await postgres.sql('SELECT revision FROM log_head', url) : [];
  return Number(head?.['revision'] ?? 0);
}

const nameOf = (url: string) => new URL(url).pathname.slice(1);
let parked = 0;

/** Replaces the instances' database, which is kept as `parked_1`, `parked_2`, …. @param make SQL, `{name}` for the name */
async function swap({ postgres, url }: TestInstances, make: string): Promise<void> {
  const name = nameOf(url);
  parked += 1;
  await postgres.sql(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
  for (;;) {
    await postgres.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
    const [{ left } = {}] = await postgres.sql(
      `SELECT count(*)::int AS left FROM pg_stat_activity WHERE datname = '${name}'`,
    );
    if (left === 0) break;
  }
  await postgres.sql(`ALTER DATABASE ${name} RENAME TO parked_${parked}`);
  await postgres.sql(`ALTER DATABASE parked_${parked} WITH ALLOW_CONNECTIONS true`);
  await postgres.sql(make.replace('{name}', name));
}
