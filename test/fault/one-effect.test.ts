/**
 * One effect per key (SPEC R6; BARS B4): the response to a commit is lost, and the client repeats the request on another instance with the
 * same Idempotency-Key.
 *
 * Problem: PostgreSQL has committed, but the connection breaks before it says so. Neither the instance nor its client knows.
 * Rule: however often and wherever the request is repeated, the log holds one event for the key, and every response is about that event.
 * Example: the proxy loses a's commit; the client disconnects from a at once, or gets `outcome-unknown`, and asks b: the same response. To repeat
 * a run: TEST_SEED=….
 */
import t, { type Test } from 'tap';
import type { Event } from '../../registry/index.ts';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import { startInstances, until, type Reply, type TestInstance } from '../support/apps/instances.ts';
import { startPostgres } from '../support/stores/postgres.ts';

const length = process.env['TEST_LENGTH'] ?? 'short';
/** Pairs of instances, each on its own database. They run at the same time, because most of a loss is waiting for a timeout. */
const pairs = length === 'short' ? 1 : 4;
const losses = ({ short: 20, faults: 200, soak: 1000 }[length] ?? 20) / pairs;
const seed = newSeed();
t.setTimeout(60_000 + losses * 6000);
t.jobs = pairs;
const postgres = await startPostgres(t, { fsync: true });

for (let pair = 0; pair < pairs; pair += 1)
  t.test(`${losses} lost answers, pair ${pair}, TEST_SEED=${seed}`, { buffered: pairs > 1 }, (t) =>
    loseAnswers(t, (seed + pair) >>> 0),
  );

async function loseAnswers(t: Test, seed: number): Promise<void> {
  const random = randomFrom(seed);
  const { instances } = await startInstances(t, { count: 2, postgres });
  const [a, b] = instances as [TestInstance, TestInstance];
  const faults: string[] = [];
  const keys: string[] = [];
  const seen = { answeredByA: 0, unknownByA: 0, replayed: 0 };
  for (let loss = 1; loss <= losses; loss += 1) {
    const key = `lost-${seed}-${loss}`;
    keys.push(key);
    const ask = requestOf(loss);
    const send = (instance: TestInstance) => instance.ask(ask.path, ask.body, { 'idempotency-key': key });
    const struck = a.proxy.struck;
    a.proxy.set({ kind: 'lose-commit' });
    const first = send(a);
    await until('the commit lost', 5000, () => a.proxy.struck > struck);
    // Sometimes the instance stays cut off, so it cannot find out the outcome.
    if (loss % 7 === 3) a.proxy.set('black-hole');
    // The first time the client waits for the response, which must say that the outcome is unknown.
    const ofA = loss === 3 || random() < 0.5 ? await first : undefined;
    const ofB = await send(b);
    a.proxy.set('pass');
    const late = ofA ?? (await first);
    const again = await send(a);
    if (late.status < 300) seen.answeredByA += 1;
    else if (late.body['code'] === 'outcome-unknown') seen.unknownByA += 1;
    else faults.push(`${key}: the first answer is ${late.status} ${late.text}`);
    for (const [name, reply] of [
      ['b', ofB],
      ['a, asked again', again],
    ] as const) {
      if (reply.header('idempotency-replayed') === 'true') seen.replayed += 1;
      else faults.push(`${key}: ${name} does not say that it repeats: ${reply.status} ${reply.text.slice(0, 300)}`);
    }
    const same = [ofB, again, ...(late.status < 300 ? [late] : [])].map((reply) => answered(reply));
    if (new Set(same).size > 1) faults.push(`${key}: answers differ:\n${same.join('\n')}`);
  }
  const events = await eventsOf(b);
  const effects = events.flatMap(({ data: { idempotency } }) => (idempotency === undefined ? [] : [idempotency.key]));
  t.same(faults, [], 'every answer is of the one effect');
  t.same(effects, keys, `${keys.length} keys, ${effects.length} events: one effect of each, in order`);
  t.equal(a.proxy.struck, losses, 'every one of the commits was lost');
  t.ok(
    seen.answeredByA > 0 && seen.unknownByA > 0,
    `the instance found out on its own ${seen.answeredByA} times and answered "unknown" ${seen.unknownByA} times; ${seen.replayed} answers were repeated`,
  );
  t.match(
    await b.ask('/v1/audit/verification'),
    { body: { valid: true, events: events.length } },
    'the chain is whole',
  );
  t.same((await eventsOf(a)).at(-1), events.at(-1), 'and both say the same');
}

/** An activation that changes something, or a key. */
function requestOf(loss: number): { path: string; body: object } {
  if (loss % 5 === 0) return { path: '/v1/keys', body: { label: `Key ${loss}`, scopes: ['prompts:read'] } };
  return {
    path: '/v1/packs/coach/activations',
    body: { version: ['1.0.0', '1.1.0'][(loss - Math.floor(loss / 5)) % 2], reason: `Request ${loss}` },
  };
}

/** The body of a response, without the secret, which is shown only once. */
function answered({ status, body: { secret: _, ...body } }: Reply): string {
  return JSON.stringify([status, body]);
}

async function eventsOf(instance: TestInstance): Promise<Event[]> {
  const all: Event[] = [];
  for (;;) {
    const page = (await instance.ask(`/v1/audit/events?limit=1000&after=${all.length}`)).body['events'] as Event[];
    all.push(...page);
    if (page.length < 1000) return all;
  }
}
