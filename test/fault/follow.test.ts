/**
 * Following (SPEC R10; BARS B6): the other instances apply what one instance writes, however bad their connection to PostgreSQL is.
 *
 * Problem: a notification can be lost; a connection can be half dead, fragmented, or reset at any moment.
 * Rule: a lost notification costs at most one poll (1 s). After any fault an instance is current within 5 s. A caller that sends the revision it
 * saw never gets an older response.
 * Example: notifications to b are dropped; a activates 2.0.0; two seconds later b serves it. To repeat a run: TEST_SEED=….
 */
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { newSeed, randomFrom } from '../support/stores/events.ts';
import type { Mode } from '../support/chaos/fault-proxy.ts';
import { startInstances, until, type Reply, type TestInstance } from '../support/apps/instances.ts';

const length = process.env['TEST_LENGTH'] ?? 'short';
const deafMoves = { short: 4, faults: 30, soak: 300 }[length] ?? 4;
const faults = { short: 6, faults: 40, soak: 400 }[length] ?? 6;
const publications = { short: 3, faults: 20, soak: 200 }[length] ?? 3;
/** The poll, which may be 10 % late, and a second. */
const LAG_BOUND = 2100;
const RETURN_BOUND = 5000;
/** A refusal takes at most two seconds plus the time on the network. */
const REFUSAL_BOUND = 2500;
const seed = newSeed();
t.setTimeout(60_000 + (deafMoves + faults + publications) * 5000);
const random = randomFrom(seed);

t.test(`following, TEST_SEED=${seed}`, async (t) => {
  const { instances } = await startInstances(t, { count: 3 });
  const [a, b, c] = instances as [TestInstance, TestInstance, TestInstance];

  t.test('notifications are lost', async (t) => {
    b.proxy.set('deaf');
    const lags: number[] = [];
    for (let move = 0; move < deafMoves; move += 1) {
      await pause(random() * 1500); // anywhere between two polls; right after another move they come faster
      const { doneAt, revision } = await moved(a);
      await applied(b, revision, LAG_BOUND);
      lags.push(Math.round(performance.now() - doneAt));
    }
    t.ok(b.proxy.silenced >= deafMoves, `${b.proxy.silenced} notifications were left out`);
    t.pass(`still applied within ${LAG_BOUND} ms: after ${lags.join(', ')} ms`);
    b.proxy.set('pass');
  });

  t.test('connections are half dead, sliced, reset, late', async (t) => {
    const modes: readonly (readonly [name: string, mode: Mode])[] = [
      ['drop-up', 'drop-up'],
      ['drop-down', 'drop-down'],
      ['one byte at a time', { kind: 'slice', bytes: 1 }],
      ['reset', 'reset'],
      ['late', { kind: 'latency', ms: 50, jitter: 200, seed }],
      ['hold-down', 'hold-down'],
    ];
    const order = [
      ...modes.slice(0, Math.min(faults, modes.length)),
      ...Array.from({ length: Math.max(0, faults - modes.length) }, () => modes[Math.floor(random() * modes.length)]!),
    ];
    for (const [name, mode] of order) {
      const way = random() < 0.5 ? b : c;
      way.proxy.set(mode);
      const { revision } = await moved(a);
      if (typeof mode !== 'string' || mode === 'reset') await applied(way, revision, RETURN_BOUND);
      else t.match((await way.ask('/v1/packs/coach/active')).status, 200, `${name}: served all the while`);
      way.proxy.set('pass');
      await applied(way, revision, RETURN_BOUND);
      const next = await moved(a);
      await applied(way, next.revision, LAG_BOUND);
      t.pass(`${name}: followed on`);
    }
  });

  t.test('Registry-Min-Revision on an instance that lags, and a key revoked meanwhile', async (t) => {
    const key = (await a.ask('/v1/keys', { label: 'To be revoked', scopes: ['prompts:read'] }, { prefer: 'wait=5' }))
      .body;
    const asKey = { authorization: `Bearer ${String(key['secret'])}` };
    const known = (await a.ask('/readyz')).body['revision'];
    t.equal(
      (await c.ask('/v1/packs/coach/active', undefined, { ...asKey, 'registry-min-revision': String(known) })).status,
      200,
      'a key of one instance opens another',
    );
    c.proxy.set('black-hole');
    t.equal((await a.ask(`/v1/keys/${String(key['keyId'])}/revoke`, { reason: 'Lost' })).status, 200);
    const { revision } = await moved(a);

    const behind = await c.ask('/v1/packs/coach/active', undefined, { 'registry-min-revision': String(revision) });
    t.match(
      behind,
      { status: 503, body: { code: 'revision-not-reached', currentRevision: known } },
      'one that cannot catch up refuses, and does not answer from what is older',
    );
    t.ok(
      behind.header('retry-after') !== undefined && behind.ms < REFUSAL_BOUND,
      `in ${Math.round(behind.ms)} ms, with Retry-After`,
    );
    t.match(
      await c.ask('/v1/packs/coach/active', undefined, { 'registry-min-revision': String(known) }),
      { status: 200 },
      'it answers from what it has applied',
    );
    t.match(
      await c.ask('/v1/packs/coach/active', undefined, { 'registry-min-revision': String(revision + 100) }),
      { status: 503, body: { code: 'revision-not-reached' } },
      'it does not claim that the revision does not exist',
    );
    t.match(
      await a.ask('/v1/packs/coach/active', undefined, { 'registry-min-revision': String(revision + 100) }),
      { status: 412, body: { code: 'revision-unknown', currentRevision: revision } },
      'one that reads the log does',
    );
    t.equal(
      (await c.ask('/v1/packs/coach/active', undefined, asKey)).status,
      200,
      'the key still opens the one that is cut off',
    );

    c.proxy.set('pass');
    await until(
      'the revoked key refused',
      RETURN_BOUND,
      async () => (await c.ask('/v1/packs/coach/active', undefined, asKey)).status === 401,
    );
    t.match(
      await c.ask('/v1/packs/coach/active', undefined, { 'registry-min-revision': String(revision) }),
      { status: 200, body: { version: (await a.ask('/v1/packs/coach/active')).body['version'] } },
      'and it is in line',
    );
  });

  t.test('a session on a version that was just published and activated', async (t) => {
    const { body: document } = await a.ask('/v1/packs/coach/versions/2.0.0');
    b.proxy.set('deaf');
    for (let count = 1; count <= publications; count += 1) {
      const version = `2.0.${count}`;
      const published = await a.ask('/v1/packs/coach/versions', publication(document, version));
      const session =
        published.status === 201 && (await activated(a, version)) ? await a.ask('/v1/coach/sessions', {}) : published;
      t.equal(session.status, 201, session.text.slice(0, 300));
      const read = await b.ask(`/v1/coach/sessions/${String(session.body['sessionId'])}`);
      t.match(read, { status: 200, body: session.body }, `${version}: another instance resolves it at once`);
    }
    b.proxy.set('pass');
  });
});

let turn = 0;
/** Moves the pointer. */
async function moved(instance: TestInstance): Promise<{ revision: number; doneAt: number }> {
  turn += 1;
  const reply = await instance.ask('/v1/packs/coach/activations', {
    version: ['1.0.0', '1.1.0'][turn % 2],
    reason: `Move ${turn}`,
  });
  if (reply.status !== 201) throw new Error(`Move ${turn}: ${reply.status} ${reply.text}`);
  return { revision: Number(reply.body['revision']), doneAt: reply.doneAt };
}

async function activated(instance: TestInstance, version: string): Promise<boolean> {
  return (await instance.ask('/v1/packs/coach/activations', { version, reason: 'Just published' })).status === 201;
}

/** Waits until an instance answers from a revision that requests do not name. */
function applied(instance: TestInstance, revision: number, within: number): Promise<Reply> {
  return until(`revision ${revision} applied`, within, async () => {
    const reply = await instance.ask('/v1/packs/coach/active');
    return (
      Number(reply.header('registry-revision')) >= revision && reply.header('registry-stale') === undefined && reply
    );
  });
}

/** A version as read, to be published under another number. */
function publication(
  { summary, author, system, styles, defaultStyle, compatibility }: Readonly<Record<string, unknown>>,
  version: string,
): object {
  return {
    version,
    summary,
    author,
    system: `${String(system)}\nEdition ${version}.\n`,
    styles,
    defaultStyle,
    compatibility,
  };
}
