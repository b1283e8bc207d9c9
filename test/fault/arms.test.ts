/**
 * A subject gets the same arm on every instance, by every way of reading, and after a restart (BARS B15; SPEC R13).
 *
 * One rollout with an audience runs at one share and then at a higher one. Its rule, read from the log, decides each subject; every door must
 * agree. In process each subject is asked for at an instance that started the rollout, at one that follows it, and at one that was started
 * from its disk while the store is away. Over HTTP, and for sessions, it is a sample.
 */
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { assigning, type AssignmentRule } from '../../registry/assignment/assign.ts';
import type { AttributeTexts, Audience, Event, Registry } from '../../registry/index.ts';
import { openRegistry } from '../support/apps/registries.ts';
import { listen, openApp } from '../support/apps/app.ts';
import { KeepAlive, type Answer, type Ask } from '../support/http/keep-alive.ts';
import { newFolder } from '../support/process/folder.ts';
import { until } from '../support/process/until.ts';
import { FailingStore } from '../support/stores/failing-store.ts';

const { subjects, sample } = {
  faults: { subjects: 1_000_000, sample: 5000 },
  soak: { subjects: 1_000_000, sample: 50_000 },
}[process.env['TEST_LENGTH'] ?? 'short'] ?? { subjects: 10_000, sample: 300 };
t.setTimeout(300_000);

const [STABLE, CANDIDATE] = ['1.0.0', '2.0.0'];
const reason = 'The same arm everywhere';
const SHARES = [10, 60];
const AUDIENCE: Audience = {
  conditions: [
    { attribute: 'country', operator: 'in', values: ['de', 'at'] },
    { attribute: 'age', operator: 'greaterThan', values: ['17'] },
  ],
  subjects: ['tester ü', 'user-7'],
};

interface Subject {
  readonly subject: string;
  readonly attributes: AttributeTexts;
}

/** The subject of a number: names in several scripts, and attributes of which some are missing. */
function subjectOf(number: number): Subject {
  const name = ['user', 'größe', '用户', '🌱 seed', 'a:b&c=d%'][number % 5] ?? '';
  const attributes: Record<string, string> = { age: String(number % 90) };
  if (number % 7 !== 0) attributes['country'] = number % 3 === 0 ? 'fr' : 'de';
  return { subject: number === 1 ? 'tester ü' : `${name}-${number}`, attributes };
}

/** The rule of the rollout, as the log has it. */
function ruleIn(events: readonly Event[]): AssignmentRule {
  const started = events.find((event) => event.type === 'rollout-started');
  if (started?.type !== 'rollout-started') throw new Error('No rollout was started.');
  const last = events.findLast((event) => event.type === 'rollout-advanced' || event.type === 'rollout-started');
  const { share } = last?.data as { share: number };
  return { salt: started.data.salt, share, audience: started.data.audience };
}

/** What a way of reading says of a subject: a version. */
type Door = (given: Subject) => string | undefined;

function doorsOf(name: string, registry: Registry): Record<string, Door> {
  return {
    [`${name}: activePack`]: (given) => registry.activePack(given).version,
    [`${name}: assignment`]: (given) => (registry.assignment(given)?.arm === 'candidate' ? CANDIDATE : STABLE),
  };
}

/** The other ways in process, for a sample. */
function moreDoorsOf(registry: Registry): Record<string, Door> {
  return {
    getSystemPrompt: (given) => registry.getSystemPrompt(given).version,
    getStylePrompt: (given) => registry.getStylePrompt('supportive', given).version,
    listStyles: (given) => registry.listStyles(given).version,
    startSession: (given) => registry.startSession(given).promptPack.version,
  };
}

/** The ways over HTTP: the subject in the query or in the header, and in the body for sessions. */
function asksFor({ subject, attributes }: Subject): readonly Ask[] {
  const pairs = Object.entries(attributes).map(
    ([name, value]) => `attribute=${encodeURIComponent(`${name}:${value}`)}`,
  );
  const facts = pairs.join('&');
  const inQuery = (path: string): Ask => ({ path: `${path}?${facts}&subject=${encodeURIComponent(subject)}` });
  const headers = { 'registry-subject': encodeURIComponent(subject) };
  return [
    ...['/v1/packs/coach/active', '/v1/prompts/system', '/v1/prompts/styles', '/v1/prompts/styles/supportive'].flatMap(
      (path) => [inQuery(path), { path: `${path}?${facts}`, headers }],
    ),
    { method: 'POST', path: '/v1/coach/sessions', body: { subject, attributes } },
  ];
}

/** The version that an answer is of, if the assignment that it names says the same. */
function versionOf(answer: Answer): string {
  const { status, text } = answer;
  const body = JSON.parse(text) as { version?: string; promptPack?: { version: string }; assignment?: { arm: string } };
  const arm = body.assignment?.arm ?? /arm=(\w+)/u.exec(answer.header('registry-assignment') ?? '')?.[1];
  const version = body.promptPack?.version ?? body.version ?? '';
  return (arm === 'candidate') === (version === CANDIDATE) ? version : `${status} ${version} as ${String(arm)}`;
}

/** Asks every door for each subject, and keeps the first few that differ from the rule. */
async function compare(
  expected: (given: Subject) => string,
  doors: Record<string, Door>,
  count: number,
): Promise<string[]> {
  const wrong: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const given = subjectOf(number);
    const version = expected(given);
    for (const [name, door] of Object.entries(doors)) {
      const said = door(given);
      if (said !== version && wrong.length < 5) wrong.push(`${name} says ${said} for ${given.subject}, not ${version}`);
    }
    if (number % 10_000 === 0) await setImmediate(); // the instances renew their leases
  }
  return wrong;
}

async function compareHttp(
  expected: (given: Subject) => string,
  { address, key }: { readonly address: string; readonly key: string },
): Promise<string[]> {
  const connection = new KeepAlive(address, key);
  const wrong: string[] = [];
  for (let number = 0; number < sample; number += 1) {
    const given = subjectOf(number);
    const asks = asksFor(given);
    for (const [index, answer] of (await connection.all(asks)).entries()) {
      const said = versionOf(answer);
      if (said !== expected(given)) wrong.push(`${asks[index]?.path} says ${said}, not ${expected(given)}`);
    }
  }
  connection.close();
  return wrong.slice(0, 5);
}

/** An instance that is started from its disk while the store is away. */
async function restartedWithout(t: Test, store: FailingStore['inner'], dataDir: string): Promise<Registry> {
  const connection = new FailingStore(store);
  connection.away = true;
  return openRegistry(t, { store: connection, dataDir, failStatic: true, shipped: [] });
}

t.test(`the arms of ${subjects} subjects`, async (t) => {
  const { app, key, store } = await openApp(t, { store: 'memory', registry: { defaultVersion: STABLE } });
  const { registry } = app;
  const address = await listen(app);
  const follower = await openRegistry(t, { store: new FailingStore(store), shipped: [] });
  const steps = SHARES.map((share) => ({ share }));
  const { rollout } = await registry.rollouts.start({
    version: CANDIDATE,
    steps,
    finish: 'wait',
    audience: AUDIENCE,
    reason,
  });
  const candidates: Set<number>[] = [];
  for (const share of SHARES) {
    if (share !== SHARES[0])
      await registry.rollouts.steer('advance-rollout', { pack: 'coach', rollout: rollout.id, reason });
    await until(() => follower.current.revision === registry.current.revision);
    const dataDir = newFolder(t);
    await (await openRegistry(t, { store: new FailingStore(store), dataDir, shipped: [] })).close();
    const restarted = await restartedWithout(t, store, dataDir);

    const assign = assigning(ruleIn(await registry.events({ after: rollout.id - 1, limit: 10 })));
    const expected = ({ subject, attributes }: Subject) =>
      assign(subject, attributes) === 'candidate' ? CANDIDATE : STABLE;
    const doors = {
      ...doorsOf('the first', registry),
      ...doorsOf('a follower', follower),
      ...doorsOf('restarted without the store', restarted),
    };
    t.same(await compare(expected, doors, subjects), [], `${share} %: in process, on every instance`);
    t.same(await compare(expected, moreDoorsOf(registry), sample), [], `${share} %: every other way in process`);
    t.same(await compareHttp(expected, { address, key }), [], `${share} %: over HTTP`);
    const all = Array.from({ length: subjects }, (_, number) => number);
    candidates.push(new Set(all.filter((number) => expected(subjectOf(number)) === CANDIDATE)));
  }
  const [fewer = new Set(), more = new Set()] = candidates;
  t.ok(fewer.size > subjects / 50 && more.size > 3 * fewer.size, `${fewer.size} and ${more.size} get the candidate`);
  t.ok(
    [...fewer].every((number) => more.has(number)),
    'a higher share takes it from nobody',
  );
});
