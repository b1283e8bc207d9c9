/**
 * The contract kit fails if a server deviates. A proxy plants deviations in each operation of `openapi.yaml`, and the kit must find each when
 * it checks that operation; for the first one also with the right message. The control is the same proxy without a deviation.
 *
 * In short form every fifth operation, from a seeded one on, gets one deviation. With TEST_LENGTH=faults every operation gets all of them, and
 * the project's own server must pass as a process over PostgreSQL. An operation without deviations fails this test. To repeat a run:
 * TEST_SEED=… node test/fault/contract-kit.test.ts
 */
import t, { type Test } from 'tap';
import { Judge, readDocument } from '../../clients/contract/src/document.ts';
import { openSuite } from '../../clients/contract/src/suite.ts';
import { readPolicies } from '../../registry/packs/pack-folder.ts';
import { ownServerPasses } from '../clients/contract/run-kit.ts';
import { listen, openApp, PACKS } from '../support/apps/app.ts';
import { startDeviatingProxy, type DeviatingProxy, type ProxiedAnswer } from '../support/contract/deviating-proxy.ts';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { OPERATIONS } from '../support/http/openapi.ts';
import { BECAUSE, OF_THE_DOCUMENT, plantsOf, SILENT } from '../support/contract/planted.ts';
import { NEVER } from '../support/contract/planted-rollouts.ts';
import { startPostgres } from '../support/stores/postgres.ts';

const seed = newSeed();
const ALL = process.env['TEST_LENGTH'] !== undefined && process.env['TEST_LENGTH'] !== 'short';

if (ALL) t.setTimeout(600_000);

/** Milliseconds that the kit waits, where the deviation is that nothing comes. */
const TIMEOUTS: Readonly<Record<string, number>> = { [SILENT]: 500, [NEVER]: 5000 };

const judge = new Judge(readDocument());
const policies = await readPolicies(PACKS);
let runs = 0;

interface Checked {
  readonly url: string;
  readonly key: string;
  readonly proxy?: DeviatingProxy;
}

interface RunOptions {
  readonly timeout?: number;
  /** The run ends at the first failure that matches. */
  readonly until?: RegExp;
  /** Default: false. */
  readonly moveDefaultPack?: boolean;
}

/** Starts a server behind a proxy. Each operation has its own, because the kit reads whole lists: it is slow on the log of many runs. */
async function startChecked(t: Test): Promise<Required<Checked> & { left(): string[] }> {
  const { app, key } = await openApp(t, { store: 'memory', registry: { policies } });
  const proxy = await startDeviatingProxy(t, await listen(app));
  /** Labels of the kit's keys that still work. */
  const left = () =>
    [...app.registry.current.keys.values()]
      .filter(({ label, revokedAt }) => label.startsWith('checked-') && revokedAt === undefined)
      .map(({ label }) => label);
  return { url: proxy.address, key, proxy, left };
}

/** Runs the kit in this process. @returns the number of passes, the failures, and what could not be undone */
async function checked(
  { url, key, proxy }: Checked,
  only: readonly string[],
  { timeout = 20_000, until, moveDefaultPack = false }: RunOptions = {},
): Promise<{ passed: number; failed: string[]; troubles: string[] }> {
  const found = { passed: 0, failed: [] as string[] };
  const suite = openSuite({ url, key, timeout, pack: `checked-${(runs += 1)}`, only, moveDefaultPack }, judge);
  const pass = () => void (found.passed += 1);
  const fail = (text: string) => {
    found.failed.push(text);
    if (until?.test(text) === true) void suite.stop();
  };
  for (const group of suite.groups) await group.run({ pass, fail });
  proxy?.plant();
  return { ...found, troubles: await suite.close() };
}

t.test('control: without a deviation the kit passes, and checks every operation', async (t) => {
  const server = await startChecked(t);
  const { passed, failed, troubles } = await checked(server, ALL ? [] : [...OPERATIONS.keys()], {
    moveDefaultPack: true,
  }); // without the served document, which takes as long as all the rest
  t.strictSame([failed, troubles], [[], []]);
  t.ok(passed > 1000, `${passed} passed`);
  t.strictSame(server.left(), [], 'its keys are revoked');
});

t.test('control: an instance that pins a version passes, alone and with others', async (t) => {
  const first = await openApp(t, { store: 'memory', registry: { pinVersion: { pack: 'coach', version: '1.0.0' } } });
  const few = ['rollbackPack', 'startCoachSession', 'getCoachSession', 'listInstances'];
  const only = ALL ? [...OPERATIONS.keys()] : few; // the served document is the same everywhere
  const passes = async (url: string, what: string) => {
    const { passed, failed } = await checked({ url, key: first.key }, only);
    t.strictSame(failed, [], what);
    t.ok(passed > 50, `${passed} passed`);
  };
  const url = await listen(first.app);
  await passes(url, 'alone');
  const second = await openApp(t, { after: first });
  await passes(url, 'with another');
  const others = await listen(second.app);
  await passes(others, 'through the other');
  const balancer = await startDeviatingProxy(t, url, others);
  await passes(balancer.address, 'and asked in turn');
});

t.test('a response that asks for a retry says when', async (t) => {
  const problem = {
    type: '/problems/rate-limited',
    title: 'Too many requests',
    status: 429,
    detail: 'Later.',
    instance: '/v1/packs',
    code: 'rate-limited',
  };
  const server = await startChecked(t);
  const limited = (headers: Readonly<Record<string, string>>) => {
    let asked = 0;
    const answer: ProxiedAnswer = {
      status: 429,
      headers: {
        'content-type': 'application/problem+json',
        'cache-control': 'private, no-cache',
        'registry-revision': '1',
        ratelimit: '"default";r=0;t=1',
        'ratelimit-policy': '"default";q=1;w=60',
        ...headers,
      },
      body: JSON.stringify(problem),
    };
    server.proxy.plant({
      operation: 'listPacks',
      what: 'a limit',
      plant: { answer: async (request, forward) => ((asked += 1) === 1 ? answer : forward(request)) },
    });
    return checked(server, ['listPacks']);
  };
  t.strictSame((await limited({ 'retry-after': '0' })).failed, [], 'the kit waits for Retry-After');
  t.match((await limited({})).failed, [/header Retry-After is missing/u], 'a missing Retry-After fails');
});

t.test('every operation has a planted deviation', async (t) => {
  t.strictSame(Object.keys(plantsOf('')).sort(), [...OPERATIONS.keys()].sort());
  t.strictSame(Object.keys(BECAUSE).sort(), [...OPERATIONS.keys(), 'openapi'].sort());
});

const first = Math.floor(randomFrom(seed)() * 5);
const planted = [...OPERATIONS.keys(), ...(ALL ? ['openapi'] : [])].filter((_, index) => ALL || index % 5 === first);
for (const operation of planted) {
  t.test(`${operation} deviates, TEST_SEED=${seed}`, async (t) => {
    const server = await startChecked(t);
    t.strictSame(
      (await checked(server, [operation], { moveDefaultPack: true })).failed,
      [],
      'control: without a deviation it passes',
    );
    const plants = { ...plantsOf(`Bearer ${server.key}`), openapi: OF_THE_DOCUMENT }[operation] ?? {};
    for (const [index, [what, plant]] of Object.entries(plants)
      .slice(0, ALL ? Infinity : 1)
      .entries()) {
      const because = (index === 0 ? BECAUSE[operation] : undefined) ?? new RegExp(`^${operation}: `, 'u');
      server.proxy.plant({ operation: plant.at ?? operation, what, plant });
      const { failed } = await checked(server, [operation], {
        until: because,
        moveDefaultPack: true,
        timeout: TIMEOUTS[what] ?? 20_000,
      });
      t.ok(
        failed.some((text) => because.test(text)),
        what,
        { failed },
      );
      t.strictSame(server.left(), [], 'its keys are revoked nevertheless');
    }
  });
}

if (ALL) {
  t.test("the project's own server passes over PostgreSQL", async (t) => {
    const postgres = await startPostgres(t);
    await ownServerPasses(t, { STORE_URL: await postgres.database() });
  });
}
