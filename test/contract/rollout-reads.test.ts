/**
 * Reads while a rollout runs: every door gives a subject the same arm, and an arm's answer is the plain answer of its version (SPEC R13).
 */
import t, { type Test } from 'tap';
import { MINUTE, openTimed, type TimedApp } from '../support/apps/timed-app.ts';
import { send, urlOf, type Answer, type Request } from '../support/http/openapi.ts';

const reason = 'Warmer openings';
const NAMES = Array.from({ length: 200 }, (_, index) => `Jürgen ${index} 🎯`);
const DOORS: readonly (readonly [operation: string, path?: Readonly<Record<string, string>>])[] = [
  ['getActivePack'],
  ['getSystemPrompt'],
  ['listStyles'],
  ['getStylePrompt', { styleId: 'direct' }],
];

async function start(t: Test, { ask }: TimedApp, body: object = {}): Promise<number> {
  const plan = { version: '2.0.0', steps: [{ share: 50 }], finish: 'wait', reason, ...body };
  const { statusCode, body: started } = await ask(t, 'startRollout', { body: plan });
  t.equal(statusCode, 201);
  return started.id as number;
}

const assignmentOf = ({ headers }: Pick<Answer, 'headers'>) => headers['registry-assignment'];

t.test('every door gives a subject the same arm', async (t) => {
  const timed = await openTimed(t);
  const { app, ask } = timed;
  for (const [operation, path] of DOORS)
    t.equal(assignmentOf(await ask(t, operation, { ...(path && { path }), query: { subject: 'anybody' } })), undefined);
  const id = await start(t, timed);
  const on = (arm: string) => NAMES.filter((subject) => app.registry.assignment({ subject })?.arm === arm).slice(0, 3);
  const subjects = (['stable', 'candidate'] as const).flatMap((arm) => on(arm).map((subject) => ({ subject, arm })));
  t.equal(subjects.length, 6, 'control: both arms');
  for (const { subject, arm } of subjects) {
    const version = arm === 'candidate' ? '2.0.0' : '1.0.0';
    for (const [operation, path = {}] of DOORS)
      for (const request of [
        { path, query: { subject } },
        { path, headers: { 'registry-subject': encodeURIComponent(subject) } },
      ]) {
        const answer = await send(app, operation, request);
        t.match([answer.statusCode, JSON.parse(answer.body)], [200, { version }], operation);
        t.equal(assignmentOf(answer), `rollout=${id}; arm=${arm}`);
      }
    const session = await ask(t, 'startCoachSession', { body: { subject } });
    t.match(session.body, { promptPack: { version }, assignment: { rollout: id, arm } });
  }
  for (const [operation, path = {}] of DOORS) {
    const answer = await ask(t, operation, { path });
    t.match([answer.body.version, assignmentOf(answer)], ['1.0.0', `rollout=${id}; arm=stable`], 'without a subject');
  }
});

t.test('an arm has the bytes of a plain read; 304 says the arm too', async (t) => {
  const timed = await openTimed(t);
  const { ask, later } = timed;
  const plain = await Promise.all(DOORS.map(([operation, path = {}]) => send(timed.app, operation, { path })));
  const id = await start(t, timed, {
    ...{ steps: [{ share: 10, hold: '1m' }, { share: 20 }], audience: { subjects: ['tester'] } },
  });
  const read = (operation: string, request: Request) => ask(t, operation, request);
  const before = new Map<string, string>();
  for (const [index, [operation, path = {}]] of DOORS.entries()) {
    const [stable, candidate] = [
      await read(operation, { path }),
      await read(operation, { path, query: { subject: 'tester' } }),
    ];
    t.equal(stable.etag, plain[index]?.headers['etag'], 'stable is what it was');
    t.strictSame(stable.body, JSON.parse(plain[index]?.body ?? ''));
    t.match(candidate, { etag: new RegExp(`^"${id}\\.`, 'u'), body: { version: '2.0.0', revision: id } });
    before.set(operation, candidate.etag);
  }
  await later(MINUTE);
  await ask(t, 'pauseRollout', { path: { rollout: String(id) }, body: { reason } });
  for (const [index, [operation, path = {}]] of DOORS.entries())
    for (const [query, etag, arm] of [
      [{}, String(plain[index]?.headers['etag']), 'stable'],
      [{ subject: 'tester' }, before.get(operation) ?? '', 'candidate'],
    ] as const) {
      const again = await read(operation, { path, query, headers: { 'if-none-match': etag } });
      t.equal(again.statusCode, 304, `${operation}: steps and pauses refetch nothing`);
      t.equal(assignmentOf(again), `rollout=${id}; arm=${arm}`);
    }
});

t.test('attributes decide who takes part', async (t) => {
  const timed = await openTimed(t);
  const { app, ask } = timed;
  const conditions = [
    { attribute: 'country', operator: 'in', values: ['de', 'at'] },
    { attribute: 'age', operator: 'greaterThan', values: ['17'] },
  ];
  await start(t, timed, { steps: [{ share: 100 }], audience: { conditions } });
  const version = async (query: string) => {
    const { body } = await app.inject(`${urlOf('getSystemPrompt', {})}?subject=user-1${query}`);
    return (JSON.parse(body) as { version: string }).version;
  };
  t.equal(await version('&attribute=country:de&attribute=age:30'), '2.0.0');
  t.equal(await version('&attribute=age:18.5&attribute=country:at'), '2.0.0');
  t.equal(await version('&attribute=country:de'), '1.0.0', 'a missing attribute');
  t.equal(await version('&attribute=country:de&attribute=age:thirty'), '1.0.0');
  t.equal(
    await version('&attribute=country:de&attribute=age:30&attribute=note:a:b%26c'),
    '2.0.0',
    'a value with a colon',
  );
  const long = encodeURIComponent('🎯'.repeat(200));
  t.equal(await version(`&attribute=country:de&attribute=age:30&attribute=note:${long}`), '2.0.0', '200 characters');
  const attributes = { country: 'at', age: 18, note: '🎯'.repeat(200) };
  const session = await ask(t, 'startCoachSession', { body: { subject: 'user-1', attributes } });
  t.match(session.body, { promptPack: { version: '2.0.0' } }, 'a number is compared as its text');
});

t.test('whom a read is for is checked', async (t) => {
  const timed = await openTimed(t);
  const { app } = timed;
  const url = urlOf('getSystemPrompt', {});
  const fault = async (query: string, headers: Record<string, string> = {}) => {
    const answer = await app.inject({ url: `${url}?${query}`, headers });
    return { status: answer.statusCode, ...answer.json<object>() };
  };
  const wrong = (parameter: string, detail: RegExp | string = /./u) => ({
    ...{ status: 400, code: 'validation-failed' },
    errors: [{ parameter, detail }],
  });
  for (const rolled of [false, true]) {
    if (rolled) await start(t, timed);
    const twenty = Array.from({ length: 21 }, (_, index) => `attribute=a${index}:1`).join('&');
    t.match(await fault('subject='), wrong('subject', /empty/u));
    t.match(await fault(`subject=${'x'.repeat(201)}`), wrong('subject', /at most 200/u));
    t.match(await fault('subject=a&subject=b'), wrong('subject'));
    t.match(await fault('subject=a&attribute=Country:de'), wrong('attribute/0'));
    t.match(await fault('subject=a&attribute=country'), wrong('attribute/0'));
    t.match(await fault('subject=a&attribute=c:1&attribute=c:2'), wrong('attribute', /send each name once/u));
    t.match(await fault(`subject=a&attribute=c:${'x'.repeat(201)}`), wrong('attributes.c', /200/u));
    t.match(await fault(`subject=a&${twenty}`), wrong('attribute', /at most 20/u));
    t.match(await fault('subject=a', { 'registry-subject': 'a' }), wrong('registry-subject', /not both/u));
    t.match(await fault('', { 'registry-subject': '%' }), wrong('registry-subject', /Percent-encode it/u));
    t.match(await fault('', { 'registry-subject': '' }), wrong('subject'));
    t.match(await fault('', { 'registry-subject': 'x'.repeat(201) }), wrong('subject'));
  }
});

t.test('getChannel has both arms and the rule between them', async (t) => {
  const timed = await openTimed(t);
  const { app, ask, at, later } = timed;
  const read = (request: Request = {}) => ask(t, 'getChannel', { path: { channel: 'production' }, ...request });
  let last = await read();
  t.match(last.body, { pack: 'coach', channel: 'production', stable: { version: '1.0.0' }, schedule: [] });
  t.notOk('rollout' in last.body || 'trial' in last.body);
  const changes = async (what: string) => {
    const next = await read({ path: { channel: 'production' }, headers: { 'if-none-match': last.etag } });
    t.equal(next.statusCode, 200, what);
    t.equal(next.body.revision, app.registry.current.revision, `${what}: the event that changed it`);
    last = next;
    const same = await read({ path: { channel: 'production' }, headers: { 'if-none-match': next.etag } });
    t.equal(same.statusCode, 304);
    return next.body;
  };
  const conditions = [{ attribute: 'country', operator: 'in', values: ['de'] }];
  const audience = { conditions, subjects: ['tester'] };
  const id = await start(t, timed, { steps: [{ share: 12.5, hold: '1m' }, { share: 60 }], bake: '1m', audience });
  const { rollout } = await changes('a start');
  t.match(rollout, {
    id,
    share: 12.5,
    audience,
    hash: 'v1',
    state: 'running',
    candidate: { version: '2.0.0', revision: id },
  });
  t.match(rollout.salt, /^[\w-]{16}$/u);
  t.strictSame(rollout.candidate, (await ask(t, 'getActivePack', { query: { subject: 'tester' } })).body);
  t.strictSame(last.body.stable, (await ask(t, 'getActivePack')).body);
  await later(MINUTE);
  t.match((await changes('a step')).rollout, { share: 60, salt: rollout.salt });
  const steer = (operation: string) => ask(t, operation, { path: { rollout: String(id) }, body: { reason } });
  await steer('pauseRollout');
  t.match((await changes('a pause')).rollout, { state: 'paused', salt: rollout.salt });
  await steer('resumeRollout');
  await changes('a resume');
  const scheduled = (await ask(t, 'scheduleActivation', { body: { version: '1.1.0', at: at(MINUTE), reason } })).body;
  t.strictSame((await changes('a schedule')).schedule, [scheduled]);
  await ask(t, 'cancelScheduledActivation', { path: { id: scheduled.id as string }, body: { reason } });
  t.strictSame((await changes('a cancellation')).schedule, []);
  await steer('abortRollout');
  t.notOk('rollout' in (await changes('an abort')));
  await ask(t, 'activateVersion', { body: { version: '1.1.0', revertAfter: '1h', reason } });
  t.match(await changes('a trial'), {
    stable: { version: '1.1.0' },
    trial: { version: '1.1.0', revertAt: at(60 * MINUTE) },
  });
  await ask(t, 'confirmActivation', { path: { channel: 'production' }, body: { reason } });
  t.notOk('trial' in (await changes('a confirmation')));
  await app.registry.activate({ version: '1.1.0', channel: 'staging', reason });
  const other = await read({ path: { channel: 'production' }, headers: { 'if-none-match': last.etag } });
  t.equal(other.statusCode, 304, 'another channel');
  t.match((await read({ path: { channel: 'nightly' } })).body, { status: 404, code: 'channel-not-found' });
  t.match((await read({ path: { channel: 'production', pack: 'choach' } })).body, {
    status: 404,
    code: 'pack-not-found',
  });
});

t.test('PIN_VERSION overrides both arms on its instance', async (t) => {
  const timed = await openTimed(t, { store: 'memory' });
  await start(t, timed, { audience: { subjects: ['tester'] } });
  const pinned = await openTimed(
    t,
    { after: timed, registry: { pinVersion: { pack: 'coach', version: '1.1.0' } } },
    timed.clock.time,
  );
  for (const [operation, path = {}] of DOORS) {
    const answer = await pinned.ask(t, operation, { path, query: { subject: 'tester' } });
    t.match([answer.body.version, assignmentOf(answer)], ['1.1.0', undefined], operation);
  }
  const channel = (await pinned.ask(t, 'getChannel', { path: { channel: 'production' } })).body;
  t.match(channel, { stable: { version: '1.1.0' }, schedule: [] });
  t.notOk('rollout' in channel);
  t.match((await pinned.ask(t, 'startCoachSession', { body: { subject: 'tester' } })).body, {
    promptPack: { version: '1.1.0' },
  });
});
