/**
 * The activation barrier, `Prefer: wait` (SPEC R10): after it has answered, no later response anywhere is both unmarked and old.
 *
 * Problem: an instance that is stopped or cut off cannot say that it has applied a move, and may answer at any moment.
 * Rule: it is listed as pending. The barrier stops waiting once its lease has not moved for seven seconds. By then everything it answers is
 * marked. It checks its age when it answers, not by a timer that was stopped with it.
 * Example: b is stopped (SIGSTOP), c is cut off; a rolls back and waits. Requests sent to b meanwhile wait in the kernel, and b answers them
 * marked.
 */
import { setTimeout as pause } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { startInstances, until, type Reply, type TestInstance } from '../support/apps/instances.ts';

const length = process.env['TEST_LENGTH'] ?? 'short';
const rounds = { short: 1, faults: 6, soak: 60 }[length] ?? 1;
/** Requests that wait at a stopped instance. */
const QUEUED = 40;
/** When an instance that is cut off must mark its responses, with a second of grace, in milliseconds. */
const STALE_AT_LAST = 6000;
t.setTimeout(60_000 + rounds * 30_000);

/** What the response to a waiting request says about the other instances. */
interface Reach {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  readonly pinned: readonly string[];
  readonly expired: readonly string[];
}

t.test('the barrier', async (t) => {
  const { instances } = await startInstances(t, {
    count: 4,
    env: (index) => (index === 3 ? { PIN_VERSION: 'coach@1.0.0' } : {}),
  });
  const [a, b, c, pinned] = instances as [TestInstance, TestInstance, TestInstance, TestInstance];
  const idOf = ({ id = 'unknown' }: TestInstance) => id;

  t.test('all instances have applied a move when it answers; a pinned one is listed, but not waited for', async (t) => {
    await until('all four known', 5000, async () => reachOf(await activate(a, 10)).pinned.length === 1);
    for (const instance of [a, b, c]) {
      for (const move of [activate, rollback]) {
        const reply = await move(instance, 10);
        t.equal(reply.status, 201, reply.text.slice(0, 300));
        t.equal(reply.header('preference-applied'), 'wait');
        t.same(
          sorted(reachOf(reply)),
          sorted({ applied: [a, b, c].map(idOf), pending: [], pinned: [idOf(pinned)], expired: [] }),
        );
        for (const other of [a, b, c])
          t.ok(isNew(await other.ask('/v1/packs/coach/active'), revisionOf(reply)), 'and each answers from it');
      }
    }
    const plain = await a.ask('/v1/packs/coach/activations', { version: '1.0.0', reason: 'Nobody waits' });
    t.same(
      [plain.status, plain.header('preference-applied'), plain.body['instances']],
      [201, undefined, undefined],
      'a request without Prefer is answered as before',
    );
    const revoked = await a.ask(
      '/v1/packs/onboarding/versions/1.1.0/revoke',
      { reason: 'A wrong text', replacement: '1.0.0' },
      { prefer: 'wait=10' },
    );
    t.equal(revoked.status, 200, revoked.text.slice(0, 300));
    t.same(reachOf(revoked).applied.toSorted(), [a, b, c].map(idOf).toSorted(), 'a revocation waits too');
    for (const other of [a, b, c])
      t.equal((await other.ask('/v1/packs/onboarding/active')).body['version'], '1.0.0', 'and is seen by all');
  });

  t.test('listInstances', async (t) => {
    const list = await until('all instances listed', 5000, async () => {
      const all = (await a.ask('/v1/instances')).body['instances'] as {
        id: string;
        behind: number;
        appliedRevision: number;
        lastSeenAt: string;
        pinnedVersion?: string;
      }[];
      return all.length === 4 && all.every(({ behind }) => behind === 0) && all;
    });
    t.same(
      list.map(({ id }) => id),
      instances.map(idOf),
      'every instance, the longest running first',
    );
    t.same(
      list.map(({ pinnedVersion }) => pinnedVersion),
      [undefined, undefined, undefined, 'coach@1.0.0'],
    );
    t.equal(new Set(list.map(({ appliedRevision }) => appliedRevision)).size, 1);
  });

  t.test('an instance that is stopped, and one that is cut off', async (t) => {
    for (let round = 1; round <= rounds; round += 1) await stoppedAndCutOff(t, { a, b, c, idOf });
  });

  t.test('SIGTERM returns the lease', async (t) => {
    const ended = c.server.stop();
    const during = await activate(a, 30);
    t.equal(during.status, 201);
    t.same(reachOf(during).expired, [], 'a move while it ends is not held up until its lease would run out');
    t.equal((await ended).code, 0);
    const after = await rollback(a, 30);
    t.same(
      sorted(reachOf(after)),
      sorted({ applied: [a, b].map(idOf), pending: [], pinned: [idOf(pinned)], expired: [] }),
      'after its end nobody knows it',
    );
    t.equal(after.status, 201);
    t.notMatch((await a.ask('/v1/instances')).text, idOf(c), 'nor is it listed');
  });
});

async function stoppedAndCutOff(
  t: Test,
  { a, b, c, idOf }: { a: TestInstance; b: TestInstance; c: TestInstance; idOf: (instance: TestInstance) => string },
): Promise<void> {
  await until('b and c in line', 10_000, async () => {
    const { status } = await activate(a, 5);
    return status === 201;
  });
  b.server.signal('SIGSTOP');
  c.proxy.set('black-hole');
  const cutAt = performance.now();
  const ofStopped: Promise<Reply>[] = [];
  const ask = (instance: TestInstance) => instance.ask('/v1/packs/coach/active');
  for (let count = 0; count < QUEUED / 2; count += 1) ofStopped.push(ask(b));

  const early = await activate(a, 1);
  t.equal(early.status, 202, 'a move that not all have applied in time is accepted');
  t.same(reachOf(early).pending.toSorted(), [b, c].map(idOf).toSorted(), 'and names those that have not');
  t.same(reachOf(early).expired, []);

  const ofCutOff: Reply[] = [];
  let readUntil = Infinity;
  const reading = (async () => {
    while (performance.now() < readUntil) {
      ofCutOff.push(await ask(c));
      await pause(10);
    }
  })();
  const answer = await rollback(a, 30);
  readUntil = answer.doneAt + 1000;
  t.equal(answer.status, 201, `the barrier went through, ${Math.round(answer.doneAt - cutAt)} ms after they were gone`);
  t.same(
    sorted({ ...reachOf(answer), pinned: [] }),
    sorted({ applied: [idOf(a)], pending: [], pinned: [], expired: [b, c].map(idOf) }),
    'and names those whose leases have run out',
  );
  const revision = revisionOf(answer);
  await reading;

  const late = ofCutOff.filter(({ sentAt }) => sentAt > answer.doneAt);
  t.ok(
    late.length > 10 && late.every((reply) => isNew(reply, revision) || isMarked(reply)),
    `the one that is cut off: all of ${late.length} later answers are marked`,
  );
  t.ok(ofCutOff.filter(({ sentAt }) => sentAt - cutAt > STALE_AT_LAST).every(isMarked), 'from six seconds on');
  t.notOk(isMarked(ofCutOff[0]!), 'and not before it could know');

  for (let count = 0; count < QUEUED / 2; count += 1) ofStopped.push(ask(b));
  await pause(50); // so that they wait in its socket
  b.server.signal('SIGCONT');
  const current = (reply: Reply) => isNew(reply, revision) && !isMarked(reply);
  const answers = await Promise.all(ofStopped);
  t.equal(answers.length, QUEUED);
  t.same(
    answers.filter((reply) => !isNew(reply, revision) && !isMarked(reply)).map(shown),
    [],
    `the one that was stopped: none of ${QUEUED} answers that waited for it is both unmarked and old`,
  );
  const old = answers.filter((reply) => !isNew(reply, revision));
  t.pass(`${old.length} of them were old, and marked ${old[0]?.header('registry-stale')} s`);
  await until('b answers new and unmarked; an old answer is marked', 5000, async () => {
    const reply = await ask(b);
    if (!isNew(reply, revision) && !isMarked(reply)) t.fail(`unmarked and old: ${shown(reply)}`);
    return current(reply);
  });
  c.proxy.set('pass');
  await until('c unmarked and new', 5000, async () => {
    const reply = await ask(c);
    if (!isNew(reply, revision) && !isMarked(reply)) t.fail(`unmarked and old: ${shown(reply)}`);
    return current(reply);
  });
}

const wait = (seconds: number) => ({ prefer: `wait=${seconds}` });
async function activate(instance: TestInstance, seconds: number): Promise<Reply> {
  const { body } = await instance.ask('/v1/packs/coach/active');
  return instance.ask(
    '/v1/packs/coach/activations',
    { version: body['version'] === '1.1.0' ? '2.0.0' : '1.1.0', reason: 'A move' },
    wait(seconds),
  );
}
const rollback = (instance: TestInstance, seconds: number) =>
  instance.ask('/v1/packs/coach/rollback', { reason: 'Back' }, wait(seconds));
const reachOf = ({ body }: Reply) => body['instances'] as Reach;
const revisionOf = ({ body }: Reply) => Number(body['revision']);
const isNew = (reply: Reply, revision: number) => Number(reply.header('registry-revision')) >= revision;
const isMarked = (reply: Reply) => reply.header('registry-stale') !== undefined;
const shown = (reply: Reply) =>
  `${reply.status} at revision ${reply.header('registry-revision')}, Registry-Stale ${reply.header('registry-stale')}`;

function sorted({ applied, pending, pinned, expired }: Reach): Reach {
  return {
    applied: applied.toSorted(),
    pending: pending.toSorted(),
    pinned: pinned.toSorted(),
    expired: expired.toSorted(),
  };
}
