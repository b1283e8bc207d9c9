/**
 * The first start under faults: whichever call to the store goes wrong, and however, the log holds all of the first start or
 * nothing, a later start ends at the same place as one without faults, and of several at once one makes the registry (BARS B8).
 */
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { GENESIS_HASH, type Event } from '../../../registry/log/event.ts';
import { Registry } from '../../../registry/registry.ts';
import type { Store } from '../../../registry/log/store.ts';
import { MemoryStore } from '../../../registry/stores/memory/index.ts';
import { openSqliteStore } from '../../../registry/stores/sqlite/index.ts';
import { firstBroken, readLog } from '../../support/stores/events.ts';
import { FailingStore, FAULTS, type Call, type Fault } from '../../support/stores/failing-store.ts';
import { shippedOf } from '../../support/packs/pack-documents.ts';
import { RecordedLogger } from '../../support/observability/recorded-logger.ts';
import { optionsOf } from '../../support/apps/registries.ts';
import { plain } from '../../support/stores/snapshots.ts';

const SHIPPED = shippedOf('coach@1.0.0', 'coach@1.1.0', 'onboarding@1.0.0');
const STORES: Record<string, (t: Test, name: string) => Promise<Store>> = {
  memory: async () => new MemoryStore(),
  sqlite: (t, name) => openSqliteStore({ file: join(t.testdir(), name, 'registry.db') }),
};
/** What a loaded machine may add to the two seconds that a write may take (BARS B5), in milliseconds. */
const SLACK = 1000;
/** What a start may end with when the store fails under it. */
const REFUSALS = ['store-unavailable', 'outcome-unknown'];

const open = (store: Store, rest = {}) => Registry.open(optionsOf({ store, shipped: SHIPPED, ...rest }));

/** Events less what differs from one registry to the next. */
const told = (events: readonly Event[]) =>
  events.map(({ revision, type, pack, channel, version }) => `${revision} ${type} ${pack} ${channel} ${version}`);

/** What is wrong with a store after a first start, failed or not, and after a clean second start; undefined if nothing is. */
async function faultOf(store: Store, expected: readonly string[]): Promise<string | undefined> {
  const between = await readLog(store);
  if (between.length > 0 && told(between).join() !== expected.join())
    return `it left ${between.length} of ${expected.length} events`;
  const keysBetween = await store.sessionKeys();
  if (keysBetween.length !== (between.length > 0 ? 1 : 0)) return `it left ${keysBetween.length} session keys`;

  const registry = await open(new FailingStore(store));
  const log = await readLog(store);
  if (told(log).join() !== expected.join()) return `a clean start behind it made ${told(log).join()}`;
  if (firstBroken(log) !== undefined) return firstBroken(log);
  if ((await store.sessionKeys()).length !== 1) return 'there is more than one session key';
  for (const { content, digest } of SHIPPED.map(({ version }) => version)) {
    const stored = await store.content(digest);
    if (JSON.stringify(stored) !== JSON.stringify(content))
      return `the content of ${content.pack} ${content.version} is ${stored === undefined ? 'missing' : 'another'}`;
  }
  const { sessionId } = registry.startSession();
  await registry.resolveSession(sessionId);
  await registry.close();
  return undefined;
}

for (const [name, openStore] of Object.entries(STORES)) {
  t.test(`${name}: whichever call fails, alone or with all later ones, a start is all or nothing`, async (t) => {
    const clean = await openStore(t, 'clean');
    t.teardown(() => clean.close());
    await (await open(new FailingStore(clean))).close();
    const expected = told(await readLog(clean));

    let runs = 0;
    /** One first start under a plan. @returns the calls it made */
    const underPlan = async (title: string, plan: (call: Call) => Fault | undefined): Promise<readonly Call[]> => {
      const store = await openStore(t, `run-${(runs += 1)}`);
      const failing = new FailingStore(store, plan);
      const outcome = await open(failing).then(
        (registry) => registry.close().then(() => 'open'),
        (error: unknown) => String((error as { code?: unknown }).code ?? error),
      );
      if (outcome !== 'open' && !REFUSALS.includes(outcome)) t.fail(`${title}: ${outcome}`);
      const left = await readLog(store);
      if (outcome === 'open' && left.length === 0) t.fail(`${title}: it opened, and the log is empty`);
      if (outcome === 'store-unavailable' && left.length > 0 && failing.batches.length > 0 && !wasRead(failing))
        t.fail(`${title}: said that nothing was sent, but the log holds it`);
      const fault = await faultOf(store, expected);
      if (fault !== undefined) t.fail(`${title}: ${fault}`);
      await store.close();
      return failing.calls;
    };

    const usual = await underPlan('no fault', () => undefined);
    for (let number = 1; number <= usual.length; number += 1) {
      for (const first of faultsOf(usual[number - 1])) {
        const calls = await underPlan(`call ${number} ${first}`, (call) =>
          call.number === number ? first : undefined,
        );
        for (let later = number + 1; later <= calls.length; later += 1) {
          for (const second of faultsOf(calls[later - 1])) {
            await underPlan(`call ${number} ${first}, then ${later} ${second}`, (call) =>
              call.number === number ? first : call.number === later ? second : undefined,
            );
          }
        }
      }
    }
    t.ok(usual.length >= 3 && runs > 15, `${runs} first starts of ${usual.length} calls and more`);
  });
}

/** The faults that a call can have: one that only reads knows but one. */
function faultsOf(call: Call | undefined): readonly Fault[] {
  return call?.method === 'append' ? FAULTS : ['rejects'];
}

/** Whether the failing start got as far as the keys: what it had appended was visible to it then. */
function wasRead(store: FailingStore): boolean {
  return store.calls.some(({ method }) => method === 'sessionKeys');
}

t.test(
  'a store that never answers an append stops the start within two seconds, and is not called again',
  async (t) => {
    for (const fault of ['unknown', 'lost-answer'] as const) {
      const inner = new MemoryStore();
      const store = new FailingStore(inner, ({ method, turn }) =>
        method === 'append' && (fault === 'unknown' || turn === 1)
          ? fault
          : method === 'append' || turn > 1
            ? 'rejects'
            : undefined,
      );
      const logger = new RecordedLogger();
      const started = performance.now();
      const refusal = (await open(store, { logger }).catch((error: unknown) => error)) as {
        code: string;
        members: { eventId: string };
      };
      const took = performance.now() - started;
      t.match(refusal, {
        name: 'RegistryError',
        code: 'outcome-unknown',
        members: { eventId: store.batches[0]?.events[0]?.id },
      });
      t.ok(took < 2000 + SLACK, `after ${Math.round(took)} ms`);
      t.ok(
        store.batches.every((batch) => batch === store.batches[0]),
        'it was the same batch each time',
      );
      const calls = store.calls.length;
      await setTimeout(200); // long enough for whatever would still be running to ask again
      t.equal(store.calls.length, calls, 'nobody asks on');
      t.same(logger.messages('warn'), []);
      t.equal(await faultOf(inner, told(await cleanLog())), undefined);
    }
  },
);

async function cleanLog(): Promise<Event[]> {
  const store = new MemoryStore();
  await (await open(new FailingStore(store))).close();
  return readLog(store);
}

t.test('ten first starts at once create one registry, and all serve it', async (t) => {
  for (const late of [0, 1, 9]) {
    const store = new MemoryStore();
    t.teardown(() => store.close());
    // No append goes through before so many have come: nine of ten were decided on an empty log.
    let waiting = 0;
    const { promise: together, resolve } = Promise.withResolvers<undefined>();
    const plan = async ({ method, turn, batch }: Call) => {
      await setImmediate();
      if (method !== 'append' || turn > 1 || batch?.events[0]?.previousHash !== GENESIS_HASH) return undefined;
      waiting += 1;
      if (waiting === 10 - late) resolve(undefined);
      return together;
    };
    const appends: FailingStore[] = [];
    const registries = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        if (index >= 10 - late) await together;
        const failing = new FailingStore(store, plan);
        appends.push(failing);
        return open(failing);
      }),
    );
    const log = await readLog(store);
    t.same(told(log), told(await cleanLog()));
    t.equal(firstBroken(log), undefined);
    t.equal((await store.sessionKeys()).length, 1);
    t.ok(appends.filter(({ batches }) => batches.length > 0).length >= 10 - late, 'they did race');
    for (const registry of registries) t.strictSame(plain(registry.current), plain(registries[0]?.current));
    const { sessionId } = registries[0]!.startSession();
    for (const registry of registries) t.match(await registry.resolveSession(sessionId), { sessionId });
    for (const registry of registries) await registry.close();
  }
});
