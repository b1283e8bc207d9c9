/**
 * Fail-static (SPEC R9, R10; BARS B5, B6): while the store is gone, in any way, the active versions are still served, marked.
 *
 * Problem: a store can refuse connections, hang, be slow, die, or become read-only. Different code handles each.
 * Rule: every read, pin and session start is answered. From 6 s on (5 s plus a second of grace) every response is marked. Writes answer 503 within
 * 2 s and say whether anything can have happened. Once the store is back, the instance is current within 5 s.
 * Example: five outages at once, each with its own instance, as real processes with a real PostgreSQL. In short form four: the seed chooses one of
 * the two outages that need their own PostgreSQL (TEST_SEED=…).
 */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { mostWithin, type Mode } from '../support/chaos/fault-proxy.ts';
import { startInstances, until, type Reply, type TestInstance, type TestInstances } from '../support/apps/instances.ts';

const length = process.env['TEST_LENGTH'] ?? 'short';
const rounds = { short: 1, faults: 4, soak: 50 }[length] ?? 1;
/** How long the store is away, in milliseconds. */
const AWAY = { short: 7500, faults: 12_000, soak: 20_000 }[length] ?? 7500;
/** Between two rounds of reads, or of writes, in milliseconds. */
const PACE = length === 'short' ? 300 : 20;
const seed = newSeed();
const STALE_AT_LAST = 6000;
const WRITE_BOUND = 2000;
const RETURN_BOUND = 5000;
const RECONNECTS_A_SECOND = 20;
t.setTimeout(60_000 + rounds * (AWAY + 15_000));

interface Outage {
  readonly name: string;
  readonly instance: TestInstance;
  /** A session that started before its version was replaced. */
  readonly pinned: string;
  readonly away: () => Promise<void> | void;
  readonly back: () => Promise<void> | void;
}

/** Outages of a whole PostgreSQL. */
const OF_THEIR_OWN: readonly ((instances: TestInstances) => Pick<Outage, 'name' | 'away' | 'back'>)[] = [
  ({ postgres }) => ({ name: 'killed', away: () => postgres.kill(), back: () => postgres.restart() }),
  (instances) => ({
    name: 'read-only',
    away: () => setReadOnly(instances, true),
    back: () => setReadOnly(instances, false),
  }),
];

t.test(`the store is refused, silent, slow, killed, read-only, TEST_SEED=${seed}`, async (t) => {
  // In short form only one of the outages that need their own database.
  const own = length !== 'short' ? OF_THEIR_OWN : [OF_THEIR_OWN[Math.floor(randomFrom(seed)() * OF_THEIR_OWN.length)]!];
  const [shared, alone] = await Promise.all([
    startInstances(t, { count: 4 }),
    Promise.all(own.map(() => startInstances(t, { count: 1 }))),
  ]);
  const [writer, ...cut] = shared.instances as [TestInstance, ...TestInstance[]];
  const modes: readonly [string, Mode][] = [
    ['refused', 'refuse'],
    ['black-holed', 'black-hole'],
    ['slow', { kind: 'latency', ms: 3000 }],
  ];
  for (let round = 1; round <= rounds; round += 1) {
    const [ofShared = '', ...ofAlone] = await Promise.all([shared, ...alone].map(supersededSession));
    const outages: Outage[] = modes.map(([name, mode], index) => ({
      name,
      instance: cut[index]!,
      pinned: ofShared,
      away: () => cut[index]!.proxy.set(mode),
      back: () => cut[index]!.proxy.set('pass'),
    }));
    alone.forEach((instances, index) =>
      outages.push({ instance: instances.instances[0]!, pinned: ofAlone[index]!, ...own[index]!(instances) }),
    );
    // While three are cut off, the log continues without them.
    const meanwhile = async () => {
      const { status, body } = await writer.ask('/v1/packs/coach/activations', {
        version: '1.0.0',
        reason: 'While others are cut off',
      });
      t.equal(status, 201, `the instance that is not cut off writes on: ${String(body['code'])}`);
    };
    await Promise.all([
      ...outages.map((outage) =>
        through(
          t,
          outage,
          [shared, ...alone].find(({ instances }) => instances.includes(outage.instance))!,
        ),
      ),
      meanwhile(),
    ]);
  }
});

/** One outage, from before to after. */
async function through(
  t: Test,
  { name, instance, pinned, away, back }: Outage,
  { url, postgres }: TestInstances,
): Promise<void> {
  const before = await everyRead(instance, pinned);
  t.same(
    before.filter(({ reply }) => reply.header('registry-stale') !== undefined),
    [],
    `${name}: nothing is marked before`,
  );
  const connectionsBefore = instance.proxy.connections.attempts.length;
  await away();
  const awayAt = performance.now();
  const seen: Read[] = [];
  const written: Reply[] = [];
  const alive: number[] = [];
  const reading = async () => {
    while (performance.now() - awayAt < AWAY) {
      seen.push(...(await everyRead(instance, pinned)));
      alive.push((await instance.ask('/livez')).status);
      await pause(PACE); // the instances need the machine, too
    }
  };
  const writing = async () => {
    while (performance.now() - awayAt < AWAY - WRITE_BOUND) {
      for (const kind of WRITES) written.push(await kind(instance));
      await pause(PACE);
      written.push(
        ...(await Promise.all(Array.from({ length: 10 }, (_, index) => WRITES[index % WRITES.length]!(instance)))),
      );
    }
  };
  await Promise.all([reading(), writing()]);

  t.same(
    seen.filter(({ reply: { status } }) => ![200, 201, 304].includes(status)).map(shown),
    [],
    `${name}: all of ${seen.length} reads, pins and session starts are answered`,
  );
  t.same(
    seen
      .filter(({ reply }) => reply.sentAt - awayAt > STALE_AT_LAST && reply.header('registry-stale') === undefined)
      .map(shown),
    [],
    `${name}: every answer from ${STALE_AT_LAST} ms on is marked`,
  );
  const firstMarked = seen.findIndex(({ reply }) => reply.header('registry-stale') !== undefined);
  t.ok(firstMarked > 0, `${name}: marked from ${Math.round((seen[firstMarked]?.reply.doneAt ?? NaN) - awayAt)} ms on`);
  t.same(
    seen
      .slice(firstMarked)
      .filter(({ reply }) => reply.header('registry-stale') === undefined)
      .map(shown),
    [],
    `${name}: once marked, never unmarked while the store is away`,
  );
  const ages = seen.slice(firstMarked).map(({ reply }) => Number(reply.header('registry-stale')));
  t.ok(
    ages.every((age, index) => age >= (ages[index - 1] ?? 0)),
    `${name}: and the age grows (to ${ages.at(-1)} s)`,
  );
  for (const way of ['session of a version that is not active', 'not modified'])
    t.ok(
      seen.some((read) => read.way === way),
      `${name}: ${way}: among them`,
    );
  t.same(
    written.map(faultOfWrite).filter((fault) => fault !== undefined),
    [],
    `${name}: each of ${written.length} writes is refused within ${WRITE_BOUND} ms (the slowest took ${Math.round(Math.max(...written.map(({ ms }) => ms)))})`,
  );
  const { status, body } = await instance.ask('/readyz');
  t.match(
    { status, body },
    { status: 200, body: { status: 'ready', stale: true, conditions: [{ name: 'stale' }] } },
    `${name}: ready, and says that it is stale`,
  );
  t.same(
    alive.filter((answer) => answer !== 200),
    [],
    `${name}: alive all the while, by ${alive.length} answers`,
  );

  await back();
  const backAt = performance.now();
  await until(`${name}: unmarked and at the head of the log`, RETURN_BOUND, async () => {
    const [head] = await postgres.sql('SELECT revision FROM log_head', url);
    const reply = await instance.ask('/v1/packs/coach/active');
    return (
      reply.header('registry-stale') === undefined &&
      Number(reply.header('registry-revision')) >= Number(head?.['revision'])
    );
  });
  t.pass(`${name}: current ${Math.round(performance.now() - backAt)} ms after the store's return`);
  const most = mostWithin(instance.proxy.connections.attempts.slice(connectionsBefore), 1000);
  t.ok(most <= RECONNECTS_A_SECOND, `${name}: at most ${most} connections were tried in any second`);
  const write = await instance.ask('/v1/packs/onboarding/activations', {
    version: '1.0.0',
    reason: `After it was ${name}`,
  });
  t.ok([200, 201].includes(write.status), `${name}: and it writes again: ${write.text}`);
}

interface Read {
  readonly way: string;
  readonly reply: Reply;
}

/** Every way to read an active or pinned version, once. */
async function everyRead(instance: TestInstance, pinned: string): Promise<Read[]> {
  const reads: Read[] = [];
  const read = async (way: string, ...request: Parameters<TestInstance['ask']>) => {
    const reply = await instance.ask(...request);
    reads.push({ way, reply });
    return reply;
  };
  const active = await read('active pack', '/v1/packs/coach/active');
  const unmodified = await read('not modified', '/v1/packs/coach/active', undefined, {
    'if-none-match': active.header('etag') ?? '',
  });
  if (unmodified.status !== 304 && unmodified.header('etag') === active.header('etag'))
    throw new Error(`No 304 but ${unmodified.status}`);
  await read('system prompt', '/v1/prompts/system');
  const styles = await read('styles', '/v1/prompts/styles');
  await read('style prompt', `/v1/prompts/styles/${String(styles.body['defaultStyle'])}`);
  await read('other pack', '/v1/packs/onboarding/active');
  await read('packs', '/v1/packs');
  await read('session of a version that is not active', `/v1/coach/sessions/${pinned}`);
  const session = await read('session start', '/v1/coach/sessions', {});
  await read('session', `/v1/coach/sessions/${String(session.body['sessionId'])}`);
  return reads;
}

const WRITES: readonly ((instance: TestInstance) => Promise<Reply>)[] = [
  (instance) => instance.ask('/v1/packs/coach/activations', { version: '2.0.0', reason: 'While the store is away' }),
  (instance) => instance.ask('/v1/packs/coach/rollback', { reason: 'While the store is away' }),
  (instance) =>
    instance.ask(
      '/v1/keys',
      { label: 'Made while the store is away', scopes: ['prompts:read'] },
      { 'idempotency-key': `key-${(sent += 1)}` },
    ),
];
let sent = 0;

function faultOfWrite(reply: Reply): string | undefined {
  const { status, body, ms, text } = reply;
  const right =
    status === 503 &&
    ['store-unavailable', 'outcome-unknown'].includes(String(body['code'])) &&
    reply.header('retry-after') !== undefined;
  return right && ms <= WRITE_BOUND
    ? undefined
    : `${status} after ${Math.round(ms)} ms, Retry-After ${reply.header('retry-after')}: ${text.slice(0, 200)}`;
}

function shown({ way, reply }: Read): string {
  return `${way}: ${reply.status}, Registry-Stale ${reply.header('registry-stale')}, after ${Math.round(reply.ms)} ms: ${reply.text.slice(0, 200)}`;
}

/** Starts a session on 2.0.0, then activates 1.1.0, and waits until every instance has it. */
async function supersededSession({ instances }: TestInstances): Promise<string> {
  const [first] = instances as [TestInstance];
  await first.ask('/v1/packs/coach/activations', { version: '2.0.0', reason: 'Has a session' }, { prefer: 'wait=10' });
  const { body } = await first.ask('/v1/coach/sessions', {});
  const moved = await first.ask(
    '/v1/packs/coach/activations',
    { version: '1.1.0', reason: 'Takes its place' },
    { prefer: 'wait=10' },
  );
  if (moved.status !== 201) throw new Error(`The preparation failed: ${moved.status} ${moved.text}`);
  return String(body['sessionId']);
}

async function setReadOnly({ postgres }: TestInstances, on: boolean): Promise<void> {
  await postgres.sql(
    on ? 'ALTER SYSTEM SET default_transaction_read_only = on' : 'ALTER SYSTEM RESET default_transaction_read_only',
  );
  await postgres.sql('SELECT pg_reload_conf()');
}
