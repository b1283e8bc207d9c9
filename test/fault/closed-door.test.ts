/**
 * The fence behind a response on PostgreSQL (SPEC R5). A fault proxy delays a commit, the write answers `outcome-unknown`, the operator acts on
 * another instance and gets a response, and the proxy lets the commit through. It must not land (BARS B14).
 *
 * Each pair of instances has its own log, and all pairs run at once, because a delayed write is given up only after 1.6 seconds.
 */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { RegistryError } from '../../registry/errors.ts';
import type { Registry } from '../../registry/registry.ts';
import { openPostgresStore } from '../../registry/stores/postgres/index.ts';
import { readLog } from '../support/stores/events.ts';
import { startFaultProxy, type FaultProxy } from '../support/chaos/fault-proxy.ts';
import { documentOf } from '../support/packs/pack-documents.ts';
import { startPostgres, type TestPostgres } from '../support/stores/postgres.ts';
import { openRegistry } from '../support/apps/registries.ts';

const rounds = { short: 1, faults: 20, soak: 100 }[process.env['TEST_LENGTH'] ?? 'short'] ?? 1;
const PAIRS = 10;
const reason = 'What the operator was told';
t.setTimeout(60_000 + rounds * 10_000);

/** Responses that an operator may get without an event. */
const ASKS: readonly ((registry: Registry) => Promise<unknown>)[] = [
  (registry) => registry.activate({ version: registry.activePack().version, reason }),
  (registry) => registry.activate({ version: '9.9.9', reason }),
  (registry) => registry.activate({ version: '1.1.0', reason, precondition: () => false }),
  (registry) => registry.rollback({ reason, fromVersion: '9.0.0' }),
  (registry) => registry.publish({ pack: 'coach', document: documentOf('coach', '1.0.0') }),
  (registry) =>
    registry.rollouts.start({
      version: registry.activePack().version,
      steps: [{ share: 10 }],
      finish: 'wait',
      reason,
    }),
  (registry) => registry.rollouts.steer('abort-rollout', { pack: 'coach', rollout: 1, reason }),
  (registry) => registry.rollouts.cancel({ pack: 'coach', schedule: crypto.randomUUID(), reason }),
  (registry) => registry.rollouts.confirm({ reason }),
];

interface Pair {
  readonly proxy: FaultProxy;
  /** Behind the proxy. */
  readonly cut: Registry;
  readonly other: Registry;
  readonly store: ReturnType<typeof openPostgresStore>;
}

async function pairOn(t: Test, postgres: TestPostgres): Promise<Pair> {
  const url = await postgres.database();
  const proxy = await startFaultProxy(t, postgres);
  const behind = new URL(url);
  behind.port = String(proxy.port);
  const store = openPostgresStore({ url });
  const other = await openRegistry(t, { store });
  const cut = await openRegistry(t, { store: openPostgresStore({ url: behind.href }) });
  // Its connection for appends is open, and the contents are at hand, so that an append is all that an activation has to send.
  for (const version of ['1.0.0', '1.1.0', '2.0.0']) await cut.activate({ version, reason: 'At hand' });
  await other.instance.catchUp();
  return { proxy, store, other, cut };
}

const refusalOf = (write: Promise<unknown>) =>
  write.then(
    () => undefined,
    (error: unknown) => error as RegistryError,
  );

/** Has an activation be held back on its way, and given up. Where a reading of the log was held back before it, nothing was sent: again. */
async function heldBack({ proxy, cut }: Pair): Promise<void> {
  for (let code: string | undefined; code !== 'outcome-unknown';) {
    proxy.set('pass');
    await cut.instance.catchUp();
    const version = cut.activePack().version === '1.0.0' ? '1.1.0' : '1.0.0';
    proxy.set('hold-up');
    code = (await refusalOf(cut.activate({ version, reason: 'Held back' })))?.code;
    if (code !== 'outcome-unknown' && code !== 'store-unavailable')
      throw new Error(`An activation that is held back was answered ${code}.`);
  }
}

/** Lets the delayed bytes arrive; resolves once the server has read them and closed the connection, whose other end is gone. */
async function letGo({ proxy }: Pair): Promise<void> {
  const { givenUp } = proxy;
  proxy.set('pass');
  while (givenUp.some((link) => !link.gone)) await pause(5);
}

t.test(`of ${rounds * PAIRS} delayed commits, none lands behind a response`, async (t) => {
  const postgres = await startPostgres(t, { settings: { max_connections: '400' } });
  const pairs = await Promise.all(Array.from({ length: PAIRS }, () => pairOn(t, postgres)));
  let landed = 0;
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(
      pairs.map(async (pair, pairIndex) => {
        const { other, store } = pair;
        const before = (await store.head())!;
        await heldBack(pair);
        await ASKS[(round + pairIndex) % ASKS.length]!(other).catch((error: RegistryError) =>
          t.equal(error.name, 'RegistryError'),
        );
        t.strictSame(await store.head(), before, 'the operator was answered without an event');
        await letGo(pair);
        landed += (await readLog(store, before.revision)).length;
        t.match(
          await pair.cut.activate({ version: round % 2 === 0 ? '1.1.0' : '2.0.0', reason: 'The next move' }),
          { changed: true },
          'it goes on',
        );
        await other.instance.catchUp();
      }),
    );
  }
  t.equal(landed, 0);

  const [control] = pairs;
  const before = (await control!.store.head())!;
  await heldBack(control!);
  await letGo(control!);
  t.match(
    await readLog(control!.store, before.revision),
    [{ reason: 'Held back' }],
    'control: without an answer between it lands',
  );
});

t.test('a fence whose response is lost is raised again, and then answered', async (t) => {
  const pair = await pairOn(t, await startPostgres(t));
  const fence = await pair.store.fence();
  pair.proxy.set({ kind: 'lose-commit' });
  t.match(await pair.cut.activate({ version: '2.0.0', reason }), { changed: false });
  t.equal(pair.proxy.struck, 1);
  t.equal(await pair.store.fence(), fence + 2);
});

t.test('refusals in a loop on one instance do not starve the moves of another', async (t) => {
  const { cut, other } = await pairOn(t, await startPostgres(t, { fsync: true }));
  let over = false;
  let refused = 0;
  const loops = Array.from({ length: 8 }, async () => {
    for (; !over; refused += 1)
      t.equal((await refusalOf(cut.activate({ version: '9.9.9', reason })))?.code, 'unknown-version');
  });
  for (let turn = 0; turn < 20; turn += 1) {
    const before = refused;
    await other.activate({ version: turn % 2 === 0 ? '1.1.0' : '1.0.0', reason });
    while (refused === before) await pause(1);
  }
  over = true;
  await Promise.all(loops);
  t.ok(refused >= 20, `${refused} refusals between 20 moves, each of which was made`);
});
