/** The cell that holds the snapshots in force: what is applied, what is served, and the flip from one to the next (SPEC R2). */
import t from 'tap';
import { Current } from '../../../registry/state/current.ts';
import { openRegistry } from '../../support/apps/registries.ts';

t.test('a flip changes what is applied, what is served, and the default view together', async (t) => {
  const registry = await openRegistry(t);
  const before = registry.current;
  await registry.activate({ version: '1.0.0', reason: 'The next snapshot' });
  const next = registry.current;
  const current = new Current(before, { pack: 'coach', channel: 'production' });
  t.same([current.applied, current.served, current.defaultView], [before, before, undefined], 'nothing was shown yet');

  current.apply(next);
  t.equal(current.applied, next);
  t.equal(current.served, before, 'the applied snapshot alone is not served');
  t.equal(current.defaultView, undefined);

  current.show(next, next);
  t.equal(current.served, next);
  t.equal(current.defaultView, registry.view());
  t.equal(current.defaultView?.activePack.version, '1.0.0');

  current.show(next, before);
  t.equal(current.applied, next, 'a forced version is served instead of the applied one');
  t.equal(current.defaultView?.activePack.version, '2.0.0');
});
