/**
 * No response mixes two versions, and no reader goes back in time, at instances that only follow another one's moves (BARS B1; SPEC R2, R4,
 * R10).
 *
 * Pointers move at instance A. B and C are read in every way over HTTP, C for a while without notifications. One reader sends the revision that
 * was acknowledged at A, one hops between B and C and sends what it saw, one sends nothing. The controls are a way of reading that combines two
 * instances, and a client that hops without sending what it saw. To repeat a run: TEST_SEED=… node
 * test/fault/whole-packs-across-instances.test.ts
 */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { agreed, auditOf } from '../support/apps/agreement.ts';
import { shippedPacks } from '../support/apps/app.ts';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { startInstances, type TestInstance } from '../support/apps/instances.ts';
import { KeepAlive, type Answer, type Ask } from '../support/http/keep-alive.ts';
import { ReadChecker, type Violation } from '../support/chaos/read-checker.ts';
import { flip, moveOverHttp, readOverHttp, rollOut, type DoorName, type Run } from '../support/chaos/read-traffic.ts';

/** Responses to read, over both instances together. */
const READS: Record<string, number> = { short: 3000, faults: 100_000, soak: 5_000_000 };
const length = process.env['TEST_LENGTH'] ?? 'short';
const reads = READS[length] ?? 3000;
/** BARS B1. The short form has no minimum, because other tests run at the same time. */
const FLIPS_PER_SECOND = length === 'short' ? 0 : 50;
const WRITERS = 4;
const EVERY_DOOR = [
  'getActivePack',
  'getCoachSession',
  'getStylePrompt',
  'getSystemPrompt',
  'listStyles',
  'startCoachSession',
].map((door) => `HTTP ${door}`);

const seed = newSeed();
const channels = ['production', 'staging'];
const versions = (await shippedPacks()).map(({ version }) => version).filter(({ content }) => content.pack === 'coach');
const numbers = versions.map(({ content }) => content.version);

t.test(`whole packs across instances, TEST_SEED=${seed}`, async (t) => {
  const { instances, key } = await startInstances(t, { count: 3, settings: { LOG_LEVEL: 'error' } });
  const [a, b, c] = instances as [TestInstance, TestInstance, TestInstance];
  const connect = (t: Test, { address }: TestInstance): KeepAlive => {
    const connection = new KeepAlive(address, key);
    t.teardown(() => connection.close());
    return connection;
  };
  const reader = (t: Test, instance: TestInstance): Sends =>
    length === 'short' ? askingAgain(connect(t, instance)) : connect(t, instance);
  const logOfCoach = async () => (await auditOf(a)).filter(({ pack }) => pack === 'coach');

  /** Reads once at each instance, so that from here on both know at least what was moved before. */
  const start = async (goOn: (checker: ReadChecker) => boolean): Promise<Run> => {
    await agreed(instances);
    const checker = new ReadChecker(versions);
    return { checker, random: randomFrom(seed), channels, goOn: () => goOn(checker), acknowledged: 0, flips: 0 };
  };

  await t.test(`${reads} reads at two instances, flips at a third`, async (t) => {
    const run = await start((checker) => checker.total < reads);
    const { checker } = run;
    const silent: Run = { ...run }; // without acknowledgements
    const begun = performance.now();
    await Promise.all([
      ...[b, c].flatMap((instance, peerIndex) => [
        readOverHttp(
          run,
          `a reader that knows the moves, at ${peerIndex}`,
          passingOn(reader(t, instance), () => run.acknowledged),
        ),
        readOverHttp(silent, `a reader without a revision, at ${peerIndex}`, reader(t, instance)),
        readOverHttp(silent, `a hopping reader ${peerIndex}`, hopping([reader(t, b), reader(t, c)])),
      ]),
      ...Array.from({ length: WRITERS }, () => flip(run, numbers, moveOverHttp(connect(t, a)))),
      rollOut(run, numbers, connect(t, a)),
      rollOut(run, numbers, connect(t, a)),
      silence(run, c),
    ]);
    const seconds = (performance.now() - begun) / 1000;
    await agreed(instances);
    checker.verify(await logOfCoach());

    t.comment(Object.fromEntries(checker.reads));
    t.same(checker.examples, [], 'no response was mixed, no reader went back, and the log confirms every response');
    t.ok(checker.total >= reads, `${checker.total} answers`);
    t.ok(run.flips >= reads / 200, `${run.flips} flips`);
    t.ok(
      run.flips / seconds >= FLIPS_PER_SECOND,
      `${(run.flips / seconds).toFixed()} flips and ${(checker.total / seconds).toFixed()} reads a second`,
    );
    t.ok(c.proxy.silenced > 0, `${c.proxy.silenced} notifications were left out`);
    t.strictSame([...checker.reads.keys()].sort(), EVERY_DOOR, 'in every way');
  });

  const control = (name: string, kind: Violation, door: (t: Test) => Sends) =>
    t.test(`control: ${name}`, async (t) => {
      const run = await start((checker) => !checker.violations.has(kind) && checker.total < 50_000);
      const doors: DoorName[] = ['getSystemPrompt'];
      await Promise.all([
        readOverHttp({ ...run }, 'the client', door(t), doors),
        flip(run, numbers, moveOverHttp(connect(t, a))),
      ]);
      t.ok(run.checker.violations.get(kind), `${kind}, after ${run.checker.total} reads`);
    });
  c.proxy.set('deaf');
  await control('a response with the text of another instance', 'mixed', (t) => {
    const [one, other] = [connect(t, b), connect(t, c)];
    return { all: async (asks) => mixed(await one.all(asks.map(plain)), await other.all(asks.map(plain))) };
  });
  await control('a client that hops and does not send what it saw', 'went back', (t) =>
    alternating([connect(t, b), connect(t, c)]),
  );
});

type Sends = Pick<KeepAlive, 'all'>;

/**
 * An instance may refuse a read instead of answering from before a revision (SPEC R10). With the machine to itself it has no reason to, and
 * at full length it must not. The short form shares the machine, so it sets no deadline.
 */
function askingAgain(connection: Sends): Sends {
  const all: Sends['all'] = async (asks) => {
    const answers = await connection.all(asks);
    return answers.some(({ status, text }) => status === 503 && text.includes('"revision-not-reached"'))
      ? all(asks)
      : answers;
  };
  return { all };
}

/** The same requests, each with a minimum revision. */
function passingOn(connection: Sends, revision: () => number): Sends {
  return {
    all: (asks) =>
      connection.all(
        asks.map((ask) => ({ ...ask, headers: { ...ask.headers, 'registry-min-revision': String(revision()) } })),
      ),
  };
}

/** Each batch goes to another instance, with the highest revision so far. */
function hopping(connections: readonly Sends[]): Sends {
  let seen = 0;
  const connection = passingOn(alternating(connections), () => seen);
  return {
    all: async (asks) => {
      const answers = await connection.all(asks);
      seen = Math.max(seen, ...answers.map((answer) => Number(answer.header('registry-revision'))));
      return answers;
    },
  };
}

function alternating(connections: readonly Sends[]): Sends {
  let turn = 0;
  return {
    all: (asks) => {
      turn += 1;
      return connections[turn % connections.length]!.all(asks);
    },
  };
}

/** From the middle of the run on, the instance gets no notifications for a quarter of the run. */
async function silence({ checker }: Run, { proxy }: TestInstance): Promise<void> {
  while (checker.total < reads / 2) await pause(5);
  proxy.set('deaf');
  while (checker.total < (reads * 3) / 4) await pause(5);
  proxy.set('pass');
}

/** Without conditions, so that every response has a body. */
function plain({ headers: _, ...ask }: Ask): Ask {
  return ask;
}

/** The responses of one, with the texts of the other. */
function mixed(ones: readonly Answer[], others: readonly Answer[]): Answer[] {
  return ones.map((one, index) => {
    const { text } = JSON.parse(others[index]!.text) as { text: string };
    return { ...one, text: JSON.stringify({ ...(JSON.parse(one.text) as object), text }) };
  });
}
