/** An instance that has no complete snapshot yet, and a start that is refused: neither serves nor keeps anything. */
import t from 'tap';
import { LastGood } from '../../../registry/local/last-good.ts';
import { Registry } from '../../../registry/registry.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openRegistry, optionsOf } from '../../support/apps/registries.ts';
import { FailingStore } from '../../support/stores/failing-store.ts';

t.test('reads of the default pack and of a named pack are refused before there is a complete snapshot', async (t) => {
  const store = new FailingStore(new MemoryStore());
  store.away = true;
  const registry = await openRegistry(t, { store, dataDir: t.testdir(), failStatic: true });
  t.equal(registry.ready, false);
  for (const at of [undefined, { pack: 'coach' }, { channel: 'staging' }]) {
    const reads = [
      () => registry.view(at),
      () => registry.activePack(at),
      () => registry.getSystemPrompt(at),
      () => registry.listStyles(at),
      () => registry.getStylePrompt('supportive', at),
    ];
    for (const read of reads) t.throws(read, { code: 'not-ready' }, `${read.toString()} ${JSON.stringify(at)}`);
  }
});

t.test('a refused start saves no snapshot', async (t) => {
  const dataDir = t.testdir();
  const log = new MemoryStore();
  const connect = () => new FailingStore(log); // a registry closes its own connection
  const saves = t.capture(LastGood.prototype, 'save'); // the file itself would come a little later
  const pinVersion = { pack: 'coach', version: '9.9.9' };
  await t.rejects(Registry.open(optionsOf({ store: connect(), dataDir, pinVersion })), { name: 'StartRefused' });
  t.ok(await log.head(), 'control: it added events to the log before it was refused');
  t.equal(saves().length, 0);
  await (await Registry.open(optionsOf({ store: connect(), dataDir }))).close();
  t.ok(saves().length > 0, 'control: an accepted start saves one');
});
