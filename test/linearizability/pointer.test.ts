/**
 * One pointer, three instances: what clients saw of a channel and its rollouts, while they moved, rolled out and read it everywhere at once
 * and under faults, is what a single channel could have shown them, changed and read one operation at a time (BARS B3; SPEC R3–R6, R10).
 *
 * Real processes on one PostgreSQL with fsync on, each behind a fault proxy. Clients hop, and repeat unanswered requests with their
 * Idempotency-Keys. The checker compares what they saw with the log, and must find the defects planted in the same histories. To repeat a run:
 * TEST_SEED=… node test/linearizability/pointer.test.ts
 */
import t, { type Test } from 'tap';
import { agreed, auditOf, verificationOf } from '../support/apps/agreement.ts';
import { firstBroken, newSeed, randomFrom } from '../support/stores/events.ts';
import { startInstances, type TestInstance, type TestInstances } from '../support/apps/instances.ts';
import { Nemesis } from '../support/chaos/nemesis.ts';
import { Roaming } from '../support/chaos/roaming.ts';
import { check, type History, type Operation } from './checker.ts';
import { goneBack, movesOf, PointerClients } from './pointer-clients.ts';
import { readLog } from './pointer-log.ts';

const LENGTHS = {
  short: { seeds: 1, operations: 1200, kills: 1 },
  faults: { seeds: 5, operations: 5000, kills: 3 },
  soak: { seeds: 5, operations: 20_000, kills: 10 },
};
const { seeds, operations, kills } =
  LENGTHS[(process.env['TEST_LENGTH'] ?? 'short') as keyof typeof LENGTHS] ?? LENGTHS.short;
const CLIENTS = 10;
const CHANNEL = 'production';
const VERSIONS = ['1.0.0', '1.1.0', '2.0.0'];

const first = newSeed();

t.test('recorded histories', async (t) => {
  const cluster = await startInstances(t, { count: 3, fsync: true, settings: { LOG_LEVEL: 'error' } });
  for (let run = 0; run < seeds; run += 1) {
    const seed = (first + run) >>> 0;
    const strongReadsKnow = run % 2 === 0 ? 'answers' : 'acknowledged moves';
    await t.test(`${operations} operations, strong reads know ${strongReadsKnow}, TEST_SEED=${seed}`, (t) =>
      judge(t, cluster, seed, strongReadsKnow),
    );
  }
});

async function judge(
  t: Test,
  { instances, postgres, key }: TestInstances,
  seed: number,
  strongReadsKnow: 'answers' | 'acknowledged moves',
): Promise<void> {
  const random = randomFrom(seed);
  const { head } = await agreed(instances);
  const since = head.revision;
  const clients = new PointerClients({
    instances: instances.length,
    random,
    versions: VERSIONS,
    channel: CHANNEL,
    otherChannel: 'staging',
    wanted: operations,
    strongReadsKnow,
    since,
    run: String(seed),
  });
  const nemesis = new Nemesis({ instances, postgres, random: randomFrom(seed + 1), kills });
  const begun = performance.now();
  await Promise.all([
    nemesis.harm(() => !clients.done),
    ...Array.from({ length: CLIENTS }, (_, index) => clients.run(`c${index}`, new Roaming(t, instances, key))),
  ]);
  const seconds = (performance.now() - begun) / 1000;

  const { head: end } = await agreed(instances);
  const events = (await auditOf(instances[0]!)).filter(({ revision }) => revision <= end.revision);
  const history: History = {
    operations: clients.history(events),
    events: movesOf(events, CHANNEL),
    since,
    strongReadsKnow,
  };
  t.comment(
    `${seconds.toFixed(1)} s`,
    counted(history.operations),
    { moves: history.events.length, hops: clients.hops, repeats: clients.repeats, replays: clients.replays },
    Object.fromEntries(nemesis.done),
  );

  t.same(check(history), [], 'the log bears out what was told, and one pointer could have told it');
  t.same(
    goneBack(history.operations),
    [],
    'no client that passes on what it saw is led back, whichever instance it asks',
  );
  t.same(clients.surprises, [], 'every answer is one that is declared');
  t.equal(firstBroken(events), undefined, 'the log has no gap, and its chain is whole');
  t.match(await verificationOf(instances.at(-1)!), { valid: true });
  t.ok(history.operations.length >= operations, `${history.operations.length} operations`);
  t.ok(nemesis.total > 0, `${nemesis.total} faults`);
  t.ok(clients.hops > CLIENTS, `${clients.hops} times a client asked another instance than before`);
  await sameEverywhere(t, instances);

  t.match(
    check(withoutEvent(history)).join(),
    /was acknowledged and is lost/u,
    'control: an acknowledged move is lost',
  );
  t.match(check(withStaleRead(history)).join(), /is stale|goes back/u, 'control: one read shows the state before');
  t.match(check(withTwin(history)).join(), /were both told revision/u, 'control: two moves get the same revision');
  t.match(
    check(withLateWrite(history)).join(),
    /took effect at revision \d+, behind the answer to/u,
    'control: a move whose outcome was called unknown lands behind the answer to the next one',
  );
}

async function sameEverywhere(t: Test, instances: readonly TestInstance[]): Promise<void> {
  const texts = await Promise.all(
    instances.map(async (instance) => (await instance.ask(`/v1/packs/coach/active?channel=${CHANNEL}`)).text),
  );
  t.equal(new Set(texts).size, 1, 'in the end all instances say the same');
}

/** Operations by kind and outcome. */
function counted(operations: readonly Operation[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind, outcome, result, toldAt } of operations) {
    const name = `${kind} ${result?.changed === false ? 'changed nothing' : toldAt !== undefined ? 'called unknown' : outcome}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

// ── Controls: defects in the very history that was let pass ──

const isMade = ({ kind, outcome, result }: Operation) =>
  kind !== 'read' && outcome === 'ok' && result?.changed !== false;

/** As if the last acknowledged move had not been durable. */
function withoutEvent(history: History): History {
  const lost = history.operations.findLast(isMade)?.result?.revision;
  return { ...history, events: history.events.filter(({ revision }) => revision !== lost) };
}

/** As if one strong read had been answered from the state before, though an earlier answer had shown the later one. */
function withStaleRead(history: History): History {
  const { operations, events } = history;
  const readIndex = operations.findIndex((read) => {
    const { revision = 0 } = read.result ?? {};
    return (
      read.kind === 'read' &&
      read.outcome === 'ok' &&
      read.arguments.minRevision !== undefined &&
      operations.some((move) => isMade(move) && move.returnedAt < read.invokedAt && move.result?.revision === revision)
    );
  });
  const read = operations[readIndex]!;
  const { states, byRevision } = readLog(events);
  const { index } = byRevision.get(read.result?.revision ?? 0)!;
  const { revision, version } = states[index - 2]!;
  const stale: Operation = { ...read, arguments: { minRevision: 0 }, result: { revision, version } };
  return { ...history, operations: operations.with(readIndex, stale) };
}

/** As if two instances had taken the same revision. */
function withTwin(history: History): History {
  const made = history.operations.findLast(isMade)!;
  const { eventId: _, ...rest } = made;
  return { ...history, operations: [...history.operations, { ...rest, client: 'twin' }] };
}

/** As if the last move had been called unknown before the first one was asked for, and had landed nevertheless. */
function withLateWrite(history: History): History {
  const { operations } = history;
  const first = operations.find(isMade)!;
  const moveIndex = operations.findLastIndex(isMade);
  const { result: _, ...late } = operations[moveIndex]!;
  return {
    ...history,
    operations: operations.with(moveIndex, {
      ...late,
      outcome: 'unknown',
      invokedAt: first.invokedAt - 2,
      toldAt: first.invokedAt - 1,
      returnedAt: Infinity,
    }),
  };
}
