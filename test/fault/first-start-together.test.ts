/**
 * Ten instances that start at once on an empty database become one registry (SPEC R3, R5, R6; DESIGN, several instances).
 *
 * Problem: each finds no tables, no registry, no packs and no operator key, and would create them all.
 * Rule: one creates the tables, and one append creates the registry. The others use what exists, and leave no key file that opens nothing.
 * Example: ten processes; one `registry-created`, one `operator.key` in ten data folders, every version published once.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Event } from '../../registry/index.ts';
import { firstBroken } from '../support/stores/events.ts';
import { allCurrent, startInstances } from '../support/apps/instances.ts';
import { startPostgres } from '../support/stores/postgres.ts';

const length = process.env['TEST_LENGTH'] ?? 'short';
const rounds = { short: 1, faults: 5, soak: 50 }[length] ?? 1;
const COUNT = length === 'short' ? 4 : 10;
t.setTimeout(60_000 + rounds * 60_000);

t.test(`${COUNT} first starts at once`, async (t) => {
  const postgres = await startPostgres(t);
  for (let round = 1; round <= rounds; round += 1) {
    await t.test(`round ${round}`, async (t) => {
      const { instances, key, url } = await startInstances(t, { count: COUNT, postgres, together: true });
      const [first] = instances;
      const withKey = instances.filter(({ dataDir }) => existsSync(join(dataDir, 'operator.key')));
      t.equal(withKey.length, 1, 'one of the data folders has an operator key');
      const statuses = await Promise.all(
        instances.map(
          async (instance) =>
            (await instance.ask('/v1/packs/coach/active', undefined, { 'registry-min-revision': '1' })).status,
        ),
      );
      t.same(
        statuses,
        instances.map(() => 200),
        'which opens every instance',
      );
      t.match(key, /^prk_/u);

      const events = (await first!.ask('/v1/audit/events?limit=1000')).body['events'] as Event[];
      const count = (type: string) => events.filter((event) => event.type === type).length;
      t.equal(count('registry-created'), 1, 'one registry');
      t.equal(count('key-created'), 1, 'one operator key in the log');
      const published = events.flatMap(({ type, pack, version }) =>
        type === 'version-published' ? [`${pack}@${version}`] : [],
      );
      t.same(
        published.toSorted(),
        ['coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0', 'onboarding@1.0.0', 'onboarding@1.1.0'],
        'every shipped version, once',
      );
      t.same(
        events.map(({ revision }) => revision),
        events.map((_, index) => index + 1),
        'no gap in the log',
      );
      t.equal(firstBroken(events), undefined, 'and its chain is whole');
      t.match(await first!.ask('/v1/audit/verification'), {
        status: 200,
        body: { valid: true, events: events.length },
      });

      await allCurrent(instances, events.length);
      const heads = await Promise.all(
        instances.map(async (instance) => (await instance.ask('/v1/audit/head')).body['hash']),
      );
      t.equal(new Set(heads).size, 1, 'all say the same');
      const move = await first!.ask(
        '/v1/packs/coach/activations',
        { version: '1.0.0', reason: 'To all of them' },
        { prefer: 'wait=10' },
      );
      t.match(move, { status: 201, body: { instances: { pending: [], expired: [] } } });
      t.equal((move.body['instances'] as { applied: string[] }).applied.length, COUNT, 'and a move reaches them all');
      const [{ many } = {}] = await postgres.sql('SELECT count(*)::int AS many FROM leases', url);
      t.equal(many, COUNT, 'each with its own lease');
    });
  }
});
