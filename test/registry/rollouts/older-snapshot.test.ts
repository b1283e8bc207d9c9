/**
 * The last good snapshot of a build that knew no rollouts (test/fixtures/data-before-rollouts): it names the last revision of the log, but
 * holds no rollout, trial or schedule. The log is never folded onto it. Without the store it is served, marked, until the store is back.
 */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { Registry } from '../../../registry/registry.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { newFolder } from '../../support/process/folder.ts';
import { until } from '../../support/process/until.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';
import { formatAndRevision } from '../../support/stores/snapshot-files.ts';

const FIXTURE = fileURLToPath(new URL('../../fixtures/data-before-rollouts', import.meta.url));
const [header = ''] = readFileSync(join(FIXTURE, 'snapshot.jsonl'), 'utf8').split('\n');
const saved = JSON.parse(header) as { revision: number; at: string };
/** The trial and the schedule of the fixture are not due at that time. */
const clock = { now: () => Date.parse(saved.at), newId: () => crypto.randomUUID() };

/** A copy of the folder, and a connection to its store. */
async function copied(t: Test): Promise<{ dataDir: string; connection: FailingStore; open: () => Promise<Registry> }> {
  const dataDir = newFolder(t);
  cpSync(FIXTURE, dataDir, { recursive: true });
  const store = await openSqliteStore({ file: join(dataDir, 'registry.db') });
  t.teardown(() => store.close());
  const connection = new FailingStore(store);
  const open = () =>
    openRegistry(t, { store: new FailingStore(connection), dataDir, clock, shipped: [], failStatic: true });
  return { dataDir, connection, open };
}

const plansOf = ({ current }: Registry) => current.packs.get('coach')?.plans;
const hidesNothing = (t: Test, registry: Registry, when: string) =>
  t.match(
    [plansOf(registry)?.get('production'), plansOf(registry)?.get('staging')],
    [
      { rollout: { version: '2.0.0', share: 10_000 }, schedule: [{ version: '1.1.0' }] },
      { trial: { version: '1.1.0' } },
    ],
    when,
  );

t.test('with the store, the log is read from its first event on', async (t) => {
  const { dataDir, open } = await copied(t);
  const file = join(dataDir, 'snapshot.jsonl');
  t.same(formatAndRevision(file), { format: 4, revision: saved.revision });
  const registry = await open();
  t.equal(registry.current.revision, saved.revision, 'nothing is appended');
  hidesNothing(t, registry, 'the rollout, the trial and the schedule are there');
  await registry.close();
  t.match(formatAndRevision(file), { revision: saved.revision });
  t.ok(formatAndRevision(file).format > 4, 'it is saved in the new format');
  hidesNothing(t, await open(), 'and the next start has them from there');
});

t.test('without the store it is served, marked, and then replaced by the log', async (t) => {
  const { connection, open } = await copied(t);
  connection.away = true;
  const registry = await open();
  t.equal(registry.activePack({ subject: 'anybody' }).version, '1.0.0');
  t.match(registry.health(), { ready: true, conditions: [{ name: 'stale' }] });
  t.equal(registry.assignment({ subject: 'anybody' }), undefined);
  connection.away = false;
  await until(() => registry.health().conditions.length === 0);
  hidesNothing(t, registry, 'once it is current, nothing is hidden, although the log has no later event');
  t.match(registry.assignment({ subject: 'anybody' }), { rollout: 15 });
});
