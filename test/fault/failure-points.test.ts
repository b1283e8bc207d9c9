/**
 * Every write, with every store call failing in every way, leaves the state before it or after it, never between (BARS B8; SPEC R3, R4, R5).
 *
 * For each write the n-th store call fails, once or from then on, in each possible way; then two calls in a row fail. Every time the log holds
 * the whole write or nothing, the response is true, and the registry goes on.
 *
 * In short form a read call fails in one way only, and of the cases with several failing calls every eleventh runs, from a seeded one on. To
 * repeat a run: TEST_SEED=… node test/fault/failure-points.test.ts
 */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  Registry,
  RegistryError,
  type Event,
  type Rollout,
  type RolloutVerb,
  type Store,
} from '../../registry/index.ts';
import { openSqliteStore } from '../../registry/stores/sqlite/index.ts';
import { firstBroken, newSeed, randomFrom, readLog } from '../support/stores/events.ts';
import { FailingStore, FAULTS, type Fault } from '../support/stores/failing-store.ts';
import { newFolder } from '../support/process/folder.ts';
import { documentOf, shippedOf } from '../support/packs/pack-documents.ts';
import { shippedPolicy } from '../support/packs/policies.ts';
import { optionsOf } from '../support/apps/registries.ts';

const isShort = (process.env['TEST_LENGTH'] ?? 'short') === 'short';
/** In short form every n-th case with several failing calls runs. A prime, so that it does not align with the loops. */
const STRIDE = isShort ? 11 : 1;
/** Concurrent runs. */
const AT_ONCE = 16;
const seed = newSeed();
const random = randomFrom(seed);
if (!isShort) t.setTimeout(600_000);

/** What happens to the n-th call of a write. */
type Schedule = (call: number) => Fault | undefined;

/** A write on a store: it opens a registry there and gives what changes it. */
interface Write {
  readonly name: string;
  /** The contents of the store before the write. */
  readonly before: (store: Store) => Promise<void>;
  /** Prepares the registry, then returns the write itself. */
  readonly prepare: (store: Store) => Promise<() => Promise<Registry>>;
  /** The number of events it appends. */
  readonly events: number;
  /** A start continues after its append, so it can fail although the append succeeded; the next start then finds it. */
  readonly isStart?: boolean;
}

const reason = 'The write that is watched';
const shipped = shippedOf('coach@1.0.0', 'coach@1.1.0', 'coach@2.0.0');
const open = (store: Store, members: Parameters<typeof optionsOf>[0] = {}) =>
  Registry.open(optionsOf({ store, shipped, ...members }));

/**
 * On a registry that has been up and down once: `coach` at 1.0.0, with 2.0.0 and 1.1.0 below it on the stack.
 * @param earlier what was done before that as well
 */
function command(
  name: string,
  run: (registry: Registry) => Promise<unknown>,
  earlier: (registry: Registry) => Promise<unknown> = async () => undefined,
): Write {
  return {
    name,
    before: async (store) => {
      const registry = await open(store);
      await registry.activate({ version: '1.1.0', reason: 'Before' });
      await registry.activate({ version: '1.0.0', reason: 'Before' });
      await registry.createKey({ label: 'Before', scopes: ['prompts:read'], heldScopes: ['*'] });
      await earlier(registry);
      await registry.close();
    },
    prepare: async (store) => {
      const registry = await open(store);
      return async () => {
        await run(registry);
        return registry;
      };
    },
    events: 1,
  };
}

/** Nothing in it falls due on its own. */
const PLAN = { version: '2.0.0', steps: [{ share: 10 }, { share: 50 }], bake: '1h', finish: 'wait' } as const;
const started = (registry: Registry) => registry.rollouts.start({ ...PLAN, reason: 'Before' });

/** A change of the rollout that runs. */
function steering(
  verb: RolloutVerb,
  earlier: (registry: Registry) => Promise<unknown> = started,
  members: object = {},
): Write {
  const steer = (registry: Registry) =>
    registry.rollouts.steer(verb, { pack: 'coach', rollout: rolloutIn(registry).id, reason, ...members });
  return command(verb, steer, earlier);
}

function rolloutIn({ current }: Registry): Rollout {
  const running = current.packs.get('coach')?.plans.get('production')?.rollout;
  if (running === undefined) throw new Error('No rollout runs.');
  return running;
}

const paused = async (registry: Registry) => {
  const { rollout } = await started(registry);
  await registry.rollouts.steer('pause-rollout', { pack: 'coach', rollout: rollout.id, reason: 'Before' });
};
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const scheduled = (registry: Registry) =>
  registry.rollouts.schedule({ version: '2.0.0', at: inAnHour(), reason: 'Before' });
const onTrial = (registry: Registry) => registry.activate({ version: '2.0.0', revertAfter: '1h', reason: 'Before' });

/** In short form three of them run: they take the same way as the others. */
const ROLLOUT_WRITES: readonly Write[] = [
  command('start a rollout', (registry) => registry.rollouts.start({ ...PLAN, reason })),
  steering('advance-rollout'),
  steering('pause-rollout'),
  steering('resume-rollout', paused),
  steering('promote-rollout'),
  steering('abort-rollout', started, { sessions: 'end' }),
  command('rollback of a rollout', (registry) => registry.rollback({ reason }), started),
  command('schedule an activation', (registry) =>
    registry.rollouts.schedule({ version: '2.0.0', at: inAnHour(), reason }),
  ),
  command(
    'cancel a scheduled activation',
    (registry) => {
      const [pending] = registry.rollouts.scheduled({});
      return registry.rollouts.cancel({ pack: 'coach', schedule: pending?.id ?? '', reason });
    },
    scheduled,
  ),
  command('confirm a trial', (registry) => registry.rollouts.confirm({ reason }), onTrial),
];

/** An operator key file that never fails; the tests of `operator-key.ts` cover the rest. */
const KEY_FILE = { write: async () => undefined, finishWrite: async () => true };

const WRITES: readonly Write[] = [
  command('publish', (registry) =>
    registry.publish({ pack: 'coach', document: documentOf('coach', '3.0.0', { summary: reason }) }),
  ),
  command('activate', (registry) => registry.activate({ version: '2.0.0', reason })),
  command('rollback', (registry) => registry.rollback({ reason })),
  command('rollback under an Idempotency-Key', (registry) =>
    registry.rollback({ reason, idempotency: { key: 'once', fingerprint: 'a' } }),
  ),
  command('revoke, with a move', (registry) => registry.revoke({ pack: 'coach', version: '1.0.0', reason })),
  command('create a key', (registry) =>
    registry.createKey({ label: 'The key that is watched', scopes: ['prompts:read'], heldScopes: ['*'] }),
  ),
  command('revoke a key', async (registry) => {
    const [key] = registry.current.keys.values();
    return registry.revokeKey({ keyId: key?.keyId ?? '', reason, heldScopes: ['*'] });
  }),
  ...sampled(ROLLOUT_WRITES, isShort ? 4 : 1),
  {
    name: 'first start',
    before: async () => undefined,
    prepare: async (store) => () => open(store),
    events: 1 + 3 + 2,
    isStart: true,
  },
  {
    name: 'first start with a policy and an operator key',
    before: async () => undefined,
    prepare: async (store) => () => open(store, { policies: [shippedPolicy('coach')], operatorKey: KEY_FILE }),
    events: 1 + 3 + 2 + 1 + 1,
    isStart: true,
  },
  {
    name: 'start with a new version and a new channel',
    before: async (store) => (await open(store)).close(),
    prepare: async (store) => () =>
      open(store, {
        shipped: [...shipped, ...shippedOf('coach@3.0.0')],
        channels: ['production', 'staging', 'canary'],
      }),
    events: 2,
    isStart: true,
  },
];

for (const write of WRITES) {
  t.test(`${write.name}, TEST_SEED=${seed}`, async (t) => {
    const runs = await runsOf(t, write);
    const calls = await runs.run('no fault', () => undefined);
    t.same(calls.faults, [], 'succeeds without a failure');
    t.ok(calls.appends.length > 0, `makes ${calls.appends.length} calls of the store`);
    const numbers = calls.appends.map((_, index) => index + 1);
    /** The different ways in which the n-th call can fail. */
    const ways = (n: number) => (isShort && calls.appends[n - 1] === false ? FAULTS.slice(0, 1) : FAULTS);

    await t.test('the n-th call fails once', async (t) => {
      const cases = numbers.flatMap((n) =>
        ways(n).map((fault) => ({
          name: `call ${n} ${fault}`,
          schedule: (call: number) => (call === n ? fault : undefined),
        })),
      );
      await allGoWell(t, runs, cases);
    });

    await t.test('every call from the n-th on fails', async (t) => {
      const cases = FAULTS.flatMap((fault) =>
        numbers.map((n) => ({
          name: `call ${n} on ${fault}`,
          schedule: (call: number) => (call >= n ? fault : undefined),
        })),
      );
      await allGoWell(t, runs, sampled(cases));
    });

    await t.test('two calls in a row fail', async (t) => {
      const pairs = FAULTS.flatMap((first) =>
        FAULTS.flatMap((second) => numbers.flatMap((n) => [n + 1, n + 2].map((m) => ({ n, m, first, second })))),
      );
      const cases = pairs.map(({ n, m, first, second }) => ({
        name: `call ${n} ${first}, ${m} ${second}`,
        schedule: (call: number) => (call === n ? first : call === m ? second : undefined),
      }));
      await allGoWell(t, runs, sampled(cases));
    });
  });
}

/** The cases to run: every `stride`-th, from a seeded one on. */
function sampled<T>(cases: readonly T[], stride = STRIDE): T[] {
  const offset = Math.floor(random() * Math.min(stride, cases.length));
  return cases.filter((_, index) => index % stride === offset);
}

/** Runs cases concurrently, because most of a run is spent waiting for the registry to ask its store again. */
async function allGoWell(
  t: Test,
  runs: Runs,
  cases: readonly { readonly name: string; readonly schedule: Schedule }[],
): Promise<void> {
  const left = [...cases];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { faults, outcome } = await runs.run(next.name, next.schedule);
      t.same(faults, [], `${next.name}: ${outcome}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

interface Result {
  /** For each call of the write, whether it was an append. */
  readonly appends: readonly boolean[];
  /** The response. */
  readonly outcome: string;
  readonly faults: readonly string[];
}

/** Runs a write on a copy of the state before it. */
interface Runs {
  readonly run: (name: string, schedule: Schedule) => Promise<Result>;
}

/** A folder with the state before a write, and runs of the write on copies of it. */
async function runsOf(t: Test, write: Write, planted: (store: Store) => Store = (store) => store): Promise<Runs> {
  const dir = newFolder(t);
  mkdirSync(join(dir, 'before'));
  const template = await openSqliteStore({ file: join(dir, 'before', 'registry.db') });
  await write.before(new FailingStore(template));
  const old = await readLog(template);
  await template.close();
  let number = 0;

  return {
    run: async (name, schedule) => {
      number += 1;
      const folder = join(dir, String(number));
      cpSync(join(dir, 'before'), folder, { recursive: true });
      const real = await openSqliteStore({ file: join(folder, 'registry.db') });
      try {
        return await runOn(planted(real), write, old, schedule);
      } catch (error) {
        return { appends: [], outcome: 'broken', faults: [`${name}: ${String(error)}`] };
      } finally {
        await real.close();
      }
    },
  };
}

async function runOn(real: Store, write: Write, old: readonly Event[], schedule: Schedule): Promise<Result> {
  let watched = false;
  const appends: boolean[] = [];
  const store = new FailingStore(real, ({ method }) => {
    if (!watched) return undefined;
    appends.push(method === 'append');
    return schedule(appends.length);
  });
  const act = await write.prepare(store);
  watched = true;
  let told: RegistryError | undefined;
  let registry: Registry | undefined;
  try {
    registry = await act();
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    told = error;
  }
  watched = false;

  const log = await readLog(real);
  const faults = [...faultsOfLog(log, old, write), ...faultsOfAnswer(log, old, told, write)];
  if (registry !== undefined && registry.current.revision !== log.at(-1)?.revision)
    faults.push(`it shows revision ${registry.current.revision} of ${log.length}`);
  faults.push(...(await faultsOfTheRest(real, log, registry)));
  return { appends, outcome: told?.code ?? 'done', faults };
}

/** The log holds the state before or after, never between. */
function faultsOfLog(log: readonly Event[], old: readonly Event[], write: Write): string[] {
  const faults: string[] = [];
  const broken = firstBroken(log);
  if (broken !== undefined) faults.push(broken);
  if (old.some(({ hash }, index) => log[index]?.hash !== hash)) faults.push('what was in the log before has changed');
  const added = log.length - old.length;
  if (added !== 0 && added !== write.events) faults.push(`${added} of ${write.events} events were appended`);
  return faults;
}

/** The response is true. */
function faultsOfAnswer(
  log: readonly Event[],
  old: readonly Event[],
  told: RegistryError | undefined,
  { isStart = false }: Write,
): string[] {
  const written = log.length > old.length;
  if (told === undefined) return written ? [] : ['it was reported as done, and is not'];
  switch (told.code) {
    case 'store-unavailable':
    case 'store-busy':
      return written && !isStart ? [`${told.code} says that nothing was changed, but it was`] : [];
    case 'outcome-unknown':
      return written && log[old.length]?.id !== told.members['eventId'] ? ['outcome-unknown names another event'] : [];
    default:
      return [`${told.code}: ${told.message}`];
  }
}

/** Everything the log refers to exists, and both this registry and a newly opened one continue from it. */
async function faultsOfTheRest(real: Store, log: readonly Event[], registry: Registry | undefined): Promise<string[]> {
  const faults: string[] = [];
  for (const event of log) {
    if (event.type === 'version-published' && (await real.content(event.data.digest)) === undefined)
      faults.push(`no content for ${event.version}`);
  }
  const keys = await real.sessionKeys();
  if (keys.length !== (log.length === 0 ? 0 : 1)) faults.push(`${keys.length} session keys with ${log.length} events`);

  try {
    for (const going of [registry, await open(new FailingStore(real))]) {
      if (going === undefined) continue;
      const version = going.activePack().version === '2.0.0' ? '1.1.0' : '2.0.0';
      const { revision } = await going.activate({ version, reason: 'Going on' });
      const after = await readLog(real);
      if (after.at(-1)?.revision !== revision || going.current.revision !== revision)
        faults.push(`it goes on at ${revision}, while the log is at ${after.length}`);
      const broken = firstBroken(after);
      if (broken !== undefined) faults.push(`going on: ${broken}`);
      await going.close();
    }
  } catch (error) {
    faults.push(`it does not go on: ${String(error)}`);
  }
  return faults;
}

// ── Controls: stores with a fault planted in them ──

t.test('control: a store that says `done` and does nothing', async (t) => {
  const runs = await runsOf(t, WRITES[1]!, (real) => lying(real, async () => 'done'));
  t.match((await runs.run('lying', () => undefined)).faults.join('\n'), /it was reported as done, and is not/u);
});

t.test('control: a store that writes and then says that it was unavailable', async (t) => {
  const runs = await runsOf(t, WRITES[1]!, (real) =>
    lying(real, async (batch, expected) => {
      await real.append(batch, expected);
      throw new RegistryError('store-unavailable', 'Nothing was sent.');
    }),
  );
  t.match(
    (await runs.run('lying', () => undefined)).faults.join('\n'),
    /store-unavailable says that nothing was changed, but it was/u,
  );
});

t.test('control: a store that writes the first event of a batch and then fails', async (t) => {
  const runs = await runsOf(
    t,
    WRITES.find(({ name }) => name === 'first start')!,
    (real) =>
      lying(real, async (batch, expected) => {
        await real.append({ ...batch, events: batch.events.slice(0, 1) }, expected);
        throw new RegistryError('store-unavailable', 'Cut in the middle.');
      }),
  );
  t.match((await runs.run('half', () => undefined)).faults.join('\n'), /1 of 6 events were appended/u);
});

/** A store whose first append is replaced. */
function lying(real: Store, append: Store['append']): Store {
  let first = true;
  return {
    kind: real.kind,
    head: () => real.head(),
    append: (...args) => {
      if (!first || args[0].events.every((event) => event.reason !== reason && event.type !== 'registry-created'))
        return real.append(...args);
      first = false;
      return append(...args);
    },
    fence: () => real.fence(),
    raiseFence: (at) => real.raiseFence(at),
    events: (query) => real.events(query),
    repeated: (actorKeyId, key) => real.repeated(actorKeyId, key),
    content: (digest) => real.content(digest),
    sessionKeys: () => real.sessionKeys(),
    renew: (claim) => real.renew(claim),
    release: (instanceId, counter) => real.release(instanceId, counter),
    watch: (woken) => real.watch(woken),
    close: () => real.close(),
  };
}
