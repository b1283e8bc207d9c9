/**
 * Break-glass (registry/instance/forced-version.ts): one instance serves a version whatever the log says, as long as that version may be served.
 */
import t from 'tap';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { readLog } from '../../support/stores/events.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';
import { newFolder } from '../../support/process/folder.ts';
import { floorUnder } from '../../support/packs/policies.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { openRegistry } from '../../support/apps/registries.ts';
import { until } from '../../support/process/until.ts';

const reason = 'Users report that answers are too blunt';
const pinVersion = { pack: 'coach', version: '1.0.0' };

t.test(
  'the forced version is served in every channel, whatever moves; the log and the other instances are not affected',
  async (t) => {
    const store = new MemoryStore();
    const other = await openRegistry(t, { store: new FailingStore(store) });
    await other.activate({ channel: 'staging', version: '2.0.0', reason });
    const before = await readLog(store);
    const pinned = await openRegistry(t, { store: new FailingStore(store), pinVersion });
    t.strictSame(await readLog(store), before, 'nothing is written to the log');
    t.equal(pinned.pinnedVersion, 'coach@1.0.0');
    t.equal(other.pinnedVersion, undefined);

    const served = () => ['production', 'staging'].map((channel) => pinned.activePack({ channel }));
    for (const view of served())
      t.match(view, {
        version: '1.0.0',
        reason: 'PIN_VERSION=coach@1.0.0',
        activatedBy: { keyId: 'system' },
        system: 'coach 1.0.0: the system prompt.',
      });
    t.equal(pinned.startSession().promptPack.version, '1.0.0', 'sessions start on it');
    await other.activate({ version: '1.1.0', reason });
    await until(() => pinned.current.revision === other.current.revision);
    for (const view of served()) t.equal(view.version, '1.0.0');
    t.match(
      pinned.current.packs.get('coach')?.pointers.get('production'),
      { version: '1.1.0' },
      'it still follows the log',
    );
    t.equal(other.activePack().version, '1.1.0');
    t.match(pinned.health(), {
      ready: true,
      conditions: [{ name: 'pinned', detail: /coach@1\.0\.0 is served, whatever the log says/u }],
    });

    t.match(
      await pinned.activate({ version: '2.0.0', reason }),
      { version: '2.0.0', changed: true, previousVersion: '1.1.0' },
      'and can move what the others serve',
    );
    t.equal(pinned.activePack().version, '1.0.0');
    await until(() => other.activePack().version === '2.0.0');
  },
);

t.test('only a version that may be served can be forced; the refusal of a start lists the versions', async (t) => {
  const store = new MemoryStore();
  const first = await openRegistry(t, { store: new FailingStore(store) });
  await first.revoke({ pack: 'coach', version: '1.1.0', reason: 'It is dangerous' });
  const refused = (pin: typeof pinVersion, message: RegExp, more: object = {}) =>
    t.rejects(
      openRegistry(t, { store: new FailingStore(store), pinVersion: pin, ...more }),
      { name: 'StartRefused', exitCode: 78, message },
      `${pin.pack}@${pin.version}`,
    );
  await refused({ pack: 'choach', version: '1.0.0' }, /there is no pack "choach"\. Packs here: coach\./u);
  await refused({ pack: 'coach', version: '9.9.9' }, /9\.9\.9.*2\.0\.0, 1\.1\.0, 1\.0\.0/u);
  await refused({ pack: 'coach', version: '1.1.0' }, /1\.1\.0 was revoked at .*: It is dangerous/u);
  await refused({ pack: 'coach', version: '1.0.0' }, /1\.0\.0 is below the floor/u, {
    policies: [floorUnder('coach', 1, '1.0.0')],
  });
});

t.test(
  'once the forced version is revoked or below the floor, the instance goes back to the log and says so',
  async (t) => {
    const store = new MemoryStore();
    const other = await openRegistry(t, { store: new FailingStore(store) });
    const logger = new RecordedLogger();
    const pinned = await openRegistry(t, { store: new FailingStore(store), pinVersion, logger });
    t.match(logger.messages('warn'), [/PIN_VERSION: this instance serves coach@1\.0\.0/u]);
    await other.revoke({ pack: 'coach', version: '1.0.0', reason: 'It is dangerous' });
    await until(() => pinned.current.revision === other.current.revision);
    t.equal(pinned.pinnedVersion, undefined);
    t.equal(pinned.activePack().version, '2.0.0');
    t.match(logger.messages('error'), [/coach@1\.0\.0 may not be served any more/u]);
    t.strictSame(pinned.health().conditions, []);

    const floor = await openRegistry(t, {
      store: new FailingStore(store),
      pinVersion: { pack: 'coach', version: '1.1.0' },
    });
    await openRegistry(t, { store: new FailingStore(store), policies: [floorUnder('coach', 1, '1.1.0')] });
    await until(() => floor.pinnedVersion === undefined);
    t.equal(floor.activePack().version, '2.0.0');
  },
);

t.test(
  'it works in an incident: the store cannot be reached, and another version is active in the last good snapshot',
  async (t) => {
    const [store, dataDir] = [new MemoryStore(), newFolder(t)];
    const before = await openRegistry(t, { store: new FailingStore(store), dataDir });
    await before.activate({ version: '1.0.0', reason });
    await before.activate({ version: '2.0.0', reason });
    await before.close();
    const away = new FailingStore(store);
    away.away = true;
    const pinned = await openRegistry(t, { store: away, dataDir, failStatic: true, pinVersion });
    t.match(pinned.activePack(), { version: '1.0.0', system: 'coach 1.0.0: the system prompt.' });
    t.same(
      pinned.health().conditions.map(({ name }) => name),
      ['stale', 'pinned'],
    );
  },
);
