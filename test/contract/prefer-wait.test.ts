/**
 * `Prefer: wait=N` (RFC 7240): the response to a move waits until every live instance has applied it, and names those that have not
 * (registry/following/instances.ts).
 *
 * Two applications share one store. The last test waits the seven seconds after which the wait ignores an instance.
 */
import t, { type Test } from 'tap';
import { openApp, type TestApp } from '../support/apps/app.ts';
import { askOf, type Answer, type Request } from '../support/http/openapi.ts';
import { until } from '../support/process/until.ts';
import { words } from '../support/process/words.ts';

const reason = 'Users report that answers are too blunt';

// None of the service's own timers keeps a process alive, and nothing listens here.
const alive = setInterval(() => undefined, 60_000);
t.teardown(() => clearInterval(alive));

/** Two applications that know each other. */
async function pair(t: Test): Promise<{
  here: TestApp;
  there: TestApp;
  move: (version: string, prefer: string, more?: Request) => Promise<Answer>;
  ids: string[];
}> {
  const here = await openApp(t, { store: 'memory' });
  const there = await openApp(t, { after: here });
  await here.app.registry.instance.settled(1, 1); // it looks at once
  const ask = askOf(here.app);
  const move = (version: string, prefer: string, { headers, body }: Request = {}) =>
    ask(t, 'activateVersion', { body: { version, reason, ...(body as object) }, headers: { prefer, ...headers } });
  return { here, there, move, ids: [here.app.registry.instance.id, there.app.registry.instance.id] };
}

/** The answer's instances, each list sorted. */
const reached = ({ body }: Answer) =>
  Object.fromEntries(
    Object.entries(body.instances as Record<string, string[]>).map(([state, ids]) => [state, [...ids].sort()]),
  );

t.test('201 when all instances have applied the move; the response names them, and they serve the move', async (t) => {
  const { here, there, move, ids } = await pair(t);
  const answer = await move('1.0.0', 'wait=10');
  t.match(answer, {
    statusCode: 201,
    headers: { 'preference-applied': 'wait' },
    body: { version: '1.0.0', changed: true },
  });
  t.strictSame(reached(answer), { applied: [...ids].sort(), pending: [], pinned: [], expired: [] });
  t.equal(there.app.registry.activePack().version, '1.0.0');
  t.match(await askOf(there.app)(t, 'getActivePack'), { revision: answer.revision, body: { version: '1.0.0' } });

  const back = await askOf(here.app)(t, 'rollbackPack', { body: { reason }, headers: { prefer: 'wait=10' } });
  t.match(back, { statusCode: 201, headers: { 'preference-applied': 'wait' }, body: { kind: 'rollback' } });
  t.strictSame(reached(back)['applied'], [...ids].sort());
  const revoked = await askOf(here.app)(t, 'revokeVersion', {
    path: { version: '1.0.0' },
    body: { reason },
    headers: { prefer: 'wait=10' },
  });
  t.match(revoked, { statusCode: 200, headers: { 'preference-applied': 'wait' } });
  t.strictSame(reached(revoked)['applied'], [...ids].sort());
  t.ok(there.app.registry.current.packs.get('coach')?.versions.get('1.0.0')?.revocation, 'the other knows');
});

t.test('the wait includes an instance that gets no notification, until it polls', async (t) => {
  const { there, move, ids } = await pair(t);
  there.connection.deaf = true;
  for (const version of ['1.0.0', '1.1.0']) {
    const answer = await move(version, 'wait=10');
    t.equal(answer.statusCode, 201);
    t.strictSame(reached(answer)['applied'], [...ids].sort());
    t.equal(there.app.registry.activePack().version, version);
  }
});

t.test('which preferences are supported; others are ignored', async (t) => {
  const { move } = await pair(t);
  let turn = 0;
  const ask = (prefer: string) => move(['1.0.0', '1.1.0'][(turn += 1) % 2] ?? '', prefer);
  for (const prefer of [
    'wait=10',
    'wait="10"',
    'Wait=10',
    'wait = 10',
    'return=minimal, wait=10',
    'wait=10, respond-async',
    'respond-async,wait=10,return=minimal',
    ' wait=10 ',
    'wait=10;reason=none',
  ]) {
    const { headers, body } = await ask(prefer);
    t.match([headers['preference-applied'], body.instances?.applied.length], ['wait', 2], prefer);
  }
  for (const prefer of [
    '',
    'return=minimal; wait=5',
    'note="now, wait=5"',
    'x'.repeat(900),
    ...words`
    wait wait= wait=x wait=-1 wait=1.5 wait=5s await=5 waiter=5 return=minimal , ;;= wait="5 wait=5"
  `,
  ]) {
    const { statusCode, headers, body } = await ask(prefer);
    t.match(
      [statusCode, headers['preference-applied'], body.instances],
      [201, undefined, undefined],
      `"${prefer.slice(0, 20)}"`,
    );
  }
});

t.test('a wait is at most thirty seconds; 0 does not wait', async (t) => {
  const { there, move, ids } = await pair(t);
  const asked: number[] = [];
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  t.intercept(AbortSignal, 'timeout', {
    value: (milliseconds: number) => (asked.push(milliseconds), timeout(milliseconds)),
  });
  await move('1.0.0', 'wait=31');
  await move('1.1.0', 'wait=999999');
  await move('1.0.0', `wait=${'9'.repeat(400)}`);
  await move('1.1.0', 'wait=7');
  t.strictSame(asked, [30_000, 30_000, 30_000, 7000]);
  there.connection.away = true;
  const answer = await move('1.0.0', 'wait=0');
  t.strictSame(
    [answer.statusCode, reached(answer)],
    [202, { applied: [ids[0]], pending: [ids[1]], pinned: [], expired: [] }],
  );
});

t.test('a request without effect waits too, a dry run does not, and a replay is like the first response', async (t) => {
  const { here, move } = await pair(t);
  const first = await move('1.0.0', 'wait=10', { headers: { 'idempotency-key': 'the-same' } });
  t.match(first, { statusCode: 201, headers: { 'idempotency-replayed': undefined } });
  const again = await move('1.0.0', 'wait=10', { headers: { 'idempotency-key': 'the-same' } });
  t.match(again, { statusCode: 201, headers: { 'idempotency-replayed': 'true', 'preference-applied': 'wait' } });
  t.strictSame(reached(again), reached(first));
  t.strictSame({ ...again.body, instances: 0 }, { ...first.body, instances: 0 });

  const same = await move('1.0.0', 'wait=10');
  t.match(same, {
    statusCode: 200,
    headers: { 'preference-applied': 'wait' },
    body: { changed: false, revision: first.body.revision },
  });
  t.equal(reached(same)['applied']?.length, 2);

  const head = here.app.registry.current.revision;
  const dry = await move('1.1.0', 'wait=10', { body: { dryRun: true } });
  t.match(dry, {
    statusCode: 200,
    headers: { 'preference-applied': undefined },
    body: { wouldActivate: '1.1.0', instances: undefined },
  });
  t.match(
    await askOf(here.app)(t, 'revokeVersion', {
      path: { version: '1.1.0' },
      body: { reason, dryRun: true },
      headers: { prefer: 'wait=10' },
    }),
    { statusCode: 200, headers: { 'preference-applied': undefined } },
  );
  t.equal(here.app.registry.current.revision, head, 'nothing was changed');
});

t.test('an instance with a forced version is listed as pinned; the wait does not include it', async (t) => {
  const { here, move, ids } = await pair(t);
  const pinned = await openApp(t, { after: here, registry: { pinVersion: { pack: 'coach', version: '1.0.0' } } });
  await until(() => here.app.registry.instance.list().length === 3);
  const answer = await move('1.1.0', 'wait=10');
  t.equal(answer.statusCode, 201);
  t.strictSame(reached(answer), {
    applied: [...ids].sort(),
    pending: [],
    pinned: [pinned.app.registry.instance.id],
    expired: [],
  });
  t.match(await askOf(pinned.app)(t, 'getActivePack'), {
    headers: { 'registry-pinned': 'coach@1.0.0' },
    body: { version: '1.0.0' },
  });
  const own = await askOf(pinned.app)(t, 'activateVersion', {
    body: { version: '2.0.0', reason },
    headers: { prefer: 'wait=10' },
  });
  t.strictSame(
    reached(own),
    { applied: [...ids].sort(), pending: [], pinned: [pinned.app.registry.instance.id], expired: [] },
    'not even if it answers the request itself',
  );
});

t.test('shutdown ends a wait; the response says which instances had applied the move', async (t) => {
  const { here, there, move, ids } = await pair(t);
  there.connection.away = true;
  const answered = move('1.0.0', 'wait=30');
  await until(() => here.app.registry.activePack().version === '1.0.0');
  await here.app.close();
  const answer = await answered;
  t.strictSame([answer.statusCode, reached(answer)['pending']], [202, [ids[1]]]);
});

t.test('listInstances: each instance, its start and its revision', async (t) => {
  const { here, there, move, ids } = await pair(t);
  const list = async () => (await askOf(here.app)(t, 'listInstances')).body.instances as Record<string, unknown>[];
  await move('1.0.0', 'wait=10');
  const { revision } = here.app.registry.current;
  const instances = await list();
  t.strictSame(
    instances.map(({ id }) => id),
    ids,
    'the longest running first',
  );
  for (const instance of instances) {
    t.strictSame(Object.keys(instance).sort(), ['appliedRevision', 'behind', 'id', 'lastSeenAt', 'startedAt']);
    t.match(instance, { appliedRevision: revision, behind: 0, startedAt: /^\d{4}-.*Z$/u, lastSeenAt: /^\d{4}-.*Z$/u });
  }
  there.connection.away = true;
  await move('1.1.0', 'wait=0');
  await move('2.0.0', 'wait=0');
  t.match(await list(), [
    { id: ids[0], appliedRevision: revision + 2, behind: 0 },
    { id: ids[1], appliedRevision: revision, behind: 2 },
  ]);
  there.connection.away = false;
  await there.app.close();
  await until(() => here.app.registry.instance.list().length === 1);
  t.strictSame(
    (await list()).map(({ id }) => id),
    [ids[0]],
    'an instance that ends returns its lease',
  );
});

t.test(
  '202 while the lease of a disconnected instance is valid; later it is listed as expired, and the response is a 201',
  async (t) => {
    const { there, move, ids } = await pair(t);
    there.connection.away = true;
    const early = await move('1.0.0', 'wait=1');
    t.match(early, { statusCode: 202, headers: { 'preference-applied': 'wait' }, body: { changed: true } });
    t.strictSame(reached(early), { applied: [ids[0]], pending: [ids[1]], pinned: [], expired: [] });
    t.equal(there.app.registry.activePack().version, '2.0.0', 'it still answers from before');

    const late = await move('1.1.0', 'wait=30');
    t.strictSame(
      [late.statusCode, reached(late)],
      [201, { applied: [ids[0]], pending: [], pinned: [], expired: [ids[1]] }],
    );
    t.ok(there.app.registry.staleSeconds! >= 5, 'by then its answers are marked');
  },
);
