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
import { openSuite, type SuiteOptions } from '../../clients/contract/src/suite.ts';
import type { Report } from '../../clients/contract/src/kit.ts';
import { readPolicies } from '../../registry/packs/pack-folder.ts';
import { ownServerPasses } from '../clients/contract/run-kit.ts';
import { listen, openApp, PACKS } from '../support/apps/app.ts';
import { startDeviatingProxy, type Deviation, type ProxiedAnswer } from '../support/contract/deviating-proxy.ts';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { OPERATIONS } from '../support/http/openapi.ts';
import { BECAUSE, OF_THE_DOCUMENT, plantsOf, SILENT } from '../support/contract/planted.ts';
import { startPostgres } from '../support/stores/postgres.ts';

const seed = newSeed();
const ALL = process.env['TEST_LENGTH'] !== undefined && process.env['TEST_LENGTH'] !== 'short';

if (ALL) t.setTimeout(600_000);

const { app, key } = await openApp(t, { store: 'memory', registry: { policies: await readPolicies(PACKS) } });
const DEVIATIONS = plantsOf(`Bearer ${key}`);
const proxy = await startDeviatingProxy(t, await listen(app));
const judge = new Judge(readDocument());
let runs = 0;

/** Runs the kit in this process. @returns the number of passes, the failures, and what could not be undone */
async function checked(
  only: readonly string[],
  { timeout = 20_000, ...at }: Partial<Pick<SuiteOptions, 'url' | 'key' | 'timeout'>> = {},
): Promise<{ passed: number; failed: string[]; troubles: string[] }> {
  const found = { passed: 0, failed: [] as string[] };
  const report: Report = { pass: () => void (found.passed += 1), fail: (text) => void found.failed.push(text) };
  const options: SuiteOptions = { url: proxy.address, key, ...at, timeout, pack: `checked-${(runs += 1)}`, only };
  const suite = openSuite(options, judge);
  for (const group of suite.groups) await group.run(report);
  proxy.plant();
  return { ...found, troubles: await suite.close() };
}

/** Labels of the kit's keys that still work. */
const left = () =>
  [...app.registry.current.keys.values()]
    .filter(({ label, revokedAt }) => label.startsWith('checked-') && revokedAt === undefined)
    .map(({ label }) => label);

t.test('control: without a deviation the kit passes, and checks every operation', async (t) => {
  const { passed, failed, troubles } = await checked(ALL ? [] : [...OPERATIONS.keys()]); // without the served document, which takes as long as all the rest
  t.strictSame([failed, troubles], [[], []]);
  t.ok(passed > 1000, `${passed} passed`);
  t.strictSame(left(), [], 'its keys are revoked');
});

t.test('control: an instance that pins a version passes, alone and with others', async (t) => {
  const first = await openApp(t, { store: 'memory', registry: { pinVersion: { pack: 'coach', version: '1.0.0' } } });
  const only = ALL ? [] : ['rollbackPack', 'startCoachSession', 'getCoachSession', 'listInstances'];
  const passes = async (url: string, what: string) => {
    const { passed, failed } = await checked(only, { url, key: first.key });
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
    proxy.plant({
      operation: 'listPacks',
      what: 'a limit',
      plant: { answer: async (request, forward) => ((asked += 1) === 1 ? answer : forward(request)) },
    });
    return checked(['listPacks']);
  };
  t.strictSame((await limited({ 'retry-after': '0' })).failed, [], 'the kit waits for Retry-After');
  t.match((await limited({})).failed, [/header Retry-After is missing/u], 'a missing Retry-After fails');
});

t.test('every operation has a planted deviation', async (t) => {
  t.strictSame(Object.keys(DEVIATIONS).sort(), [...OPERATIONS.keys()].sort());
  t.strictSame(Object.keys(BECAUSE).sort(), [...OPERATIONS.keys(), 'openapi'].sort());
});

async function fails(
  t: Test,
  deviation: Deviation,
  because = new RegExp(`^${deviation.operation}: `, 'u'),
): Promise<void> {
  proxy.plant(deviation);
  const { failed } = await checked([deviation.operation], deviation.what === SILENT ? { timeout: 500 } : {});
  t.ok(
    failed.some((text) => because.test(text)),
    deviation.what,
    { failed },
  );
  t.strictSame(left(), [], 'its keys are revoked nevertheless');
}

const first = Math.floor(randomFrom(seed)() * 5);
const planted = Object.entries({ ...DEVIATIONS, ...(ALL && { openapi: OF_THE_DOCUMENT }) }).filter(
  (_, index) => ALL || index % 5 === first,
);
for (const [operation, plants] of planted) {
  t.test(`${operation} deviates, TEST_SEED=${seed}`, async (t) => {
    t.strictSame((await checked([operation])).failed, [], 'control: without a deviation it passes');
    for (const [index, [what, plant]] of Object.entries(plants)
      .slice(0, ALL ? Infinity : 1)
      .entries())
      await fails(t, { operation, what, plant }, index === 0 ? BECAUSE[operation] : undefined);
  });
}

if (ALL) {
  t.test("the project's own server passes over PostgreSQL", async (t) => {
    const postgres = await startPostgres(t);
    await ownServerPasses(t, { STORE_URL: await postgres.database() });
  });
}
